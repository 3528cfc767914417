//! `completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::report::completions::Completions;

/// Writes what makes a shell complete this program's command lines.
pub(super) fn completions(shell: Shell) -> Completions {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "anycastctl", &mut script);
    Completions { shell, script: String::from_utf8_lossy(&script).into_owned() }
}
