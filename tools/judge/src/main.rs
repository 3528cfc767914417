//! Judges drivers' images in the simulated kernel: any driver's, however damaged.
//!
//! Each runs in a child process, the worker, which a driver may crash, keep busy or keep waiting. The worker tells what it does
//! as it does it, so that there is a verdict with a place in the driver even if nobody of it is left.

#![forbid(unsafe_code)]

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod codes;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod command_line;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod judge;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod message;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod verdict;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod worker;

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn main() -> anyhow::Result<std::process::ExitCode> {
    command_line::main()
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn main() {
    eprintln!("error: drivers' code runs natively here, which needs x64 Linux");
}
