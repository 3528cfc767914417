//! `anycastctl`, the command line of the netio-anycast driver.

#![forbid(unsafe_code)]

use anycastctl::console::Console;

fn main() {
    // These drop the colours if nobody would see them.
    let (mut stdout, mut stderr) = (anstream::stdout(), anstream::stderr());
    let mut console = Console::new(&mut stdout, &mut stderr).with_progress();
    #[cfg(windows)]
    let platform: Result<&dyn anycastctl::platform::Platform, _> = Ok(&anycastctl::windows::System);
    #[cfg(not(windows))]
    let platform = Err(anycastctl::failure::Failure::not_windows());
    let exit_code = anycastctl::run(std::env::args_os(), platform, &mut console);
    // The standard library's ExitCode has 8 bits, and programs on Windows have 32.
    std::process::exit(exit_code);
}
