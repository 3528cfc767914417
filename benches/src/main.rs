//! What the driver costs per operation: instructions and time, beside a pass-through driver in C and NetIO's model itself.
//!
//! Both images run in the simulated kernel. Callgrind counts what is executed; only instructions at addresses of the image
//! count for a driver, with those of `memcpy` and `memset`, so that neither NetIO's nor the simulator's are in the figures.

#![forbid(unsafe_code)]

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod c_driver;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod callgrind;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod goals;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod measurement;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod profile;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod report;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod run;
/// The driver's sort, the very file, for the baseline of GET_TABLE.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[path = "../../crates/engine/src/sort.rs"]
#[cfg_attr(test, expect(unused_extern_crates, reason = "the engine has no std of its own, this program does"))]
mod sort;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod subject;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod workload;

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn main() -> anyhow::Result<std::process::ExitCode> {
    run::main()
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn main() {
    eprintln!("error: the driver's code runs natively here, which needs x64 Linux");
}
