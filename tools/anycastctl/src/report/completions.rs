//! Completions for a shell.

use clap_complete::Shell;
use serde_json::{Value, json};

use crate::report::Report;

/// What a shell reads to complete command lines.
pub(crate) struct Completions {
    /// Which shell.
    pub(crate) shell: Shell,
    /// In its language.
    pub(crate) script: String,
}

impl Report for Completions {
    fn human(&self) -> String {
        self.script.clone()
    }

    fn json(&self) -> Value {
        json!({ "shell": self.shell.to_string(), "script": self.script })
    }
}
