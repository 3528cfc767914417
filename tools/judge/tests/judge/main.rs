//! The judge over drivers and what are none: each gets a verdict, whatever it does to the process that it runs in.

#![cfg(all(target_arch = "x86_64", target_os = "linux"))]
#![forbid(unsafe_code)]

mod bench;
mod damaged;
mod verdicts;
