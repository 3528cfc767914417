//! What a GET costs, by each way of asking for it: `cargo xtask wine cost` prints the table of `docs/kernel-clients.md`.
//!
//! `drivers/caller` asks from the kernel, and this program by DeviceIoControl. What is measured is Wine's kernel on this machine;
//! the order of the ways is what can be learned from it.

use std::time::{Duration, Instant};

use netio_anycast_client::{Access, DeviceTransport, Transport};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use crate::bench::{Bench, ETHERNET, on};
use crate::probe::code;

/// `IOCTL_MEASURE` of caller.c.
const MEASURE: u32 = code(0x820);

/// `struct measurement` of caller.c.
#[derive(Clone, Copy, IntoBytes, Immutable)]
#[repr(C)]
struct Measurement {
    row: Row,
    way: u32,
    rounds: u32,
}

/// `struct elapsed` of caller.c.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
struct Elapsed {
    /// In units of 100 nanoseconds.
    time: u64,
    status: NtStatus,
    reserved: u32,
}

/// The ways from the kernel, in the order of caller.c.
const WAYS: [&str; 5] = [
    "NetIO itself, by another driver",
    "direct call",
    "IRP of the driver's own, used again",
    "IRP of the driver's own",
    "IRP that the I/O manager builds",
];

/// How long one GET takes from the kernel, the best of some runs.
fn from_kernel(caller: &DeviceTransport, way: u32, row: Row) -> Duration {
    const ROUNDS: u32 = 20_000;
    let run = || {
        let measurement = Measurement { row, way, rounds: ROUNDS };
        let mut elapsed = Elapsed::new_zeroed();
        let returned = caller.control(MEASURE, measurement.as_bytes(), elapsed.as_mut_bytes());
        assert_eq!(returned.map(|returned| returned.length), Ok(size_of::<Elapsed>()));
        assert_eq!(elapsed.status, NtStatus::SUCCESS);
        Duration::from_nanos(elapsed.time * 100) / ROUNDS
    };
    (0..5).map(|_| run()).min().expect("there were runs")
}

/// The same from this program.
fn from_program(bench: &Bench, row: Row) -> Duration {
    const ROUNDS: u32 = 2_000;
    let run = || {
        let started = Instant::now();
        for _ in 0..ROUNDS {
            let _ = bench.driver.get(row).expect("the address is there");
        }
        started.elapsed() / ROUNDS
    };
    (0..5).map(|_| run()).min().expect("there were runs")
}

#[test]
fn every_way_of_asking_finds_the_address() {
    let bench = Bench::new();
    let row = bench.driver.create(on(ETHERNET, "192.0.2.1")).expect("the address is new");
    let caller = DeviceTransport::open_path(r"\\.\kernel_caller", Access::ReadWrite).expect("the caller runs");
    for way in 0..5 {
        let measurement = Measurement { row, way, rounds: 1 };
        let mut elapsed = Elapsed::new_zeroed();
        caller.control(MEASURE, measurement.as_bytes(), elapsed.as_mut_bytes()).expect("the caller answers");
        assert_eq!(elapsed.status, NtStatus::SUCCESS, "{}", WAYS[way as usize]);
    }
}

#[test]
#[ignore = "measures, and is for a machine that does nothing else: cargo xtask wine cost"]
fn what_a_get_costs() {
    let bench = Bench::new();
    let row = bench.driver.create(on(ETHERNET, "192.0.2.1")).expect("the address is new");
    let caller = DeviceTransport::open_path(r"\\.\kernel_caller", Access::ReadWrite).expect("the caller runs");
    let by_kernel = WAYS.iter().zip(0..).map(|(name, way)| (*name, from_kernel(&caller, way, row)));
    let mut costs: Vec<(&str, Duration)> = by_kernel.collect();
    costs.push(("DeviceIoControl, by a program", from_program(&bench, row)));
    println!("| GET by | time |\n|---|---|");
    for (name, cost) in &costs {
        println!("| {name} | {:.2} µs |", cost.as_secs_f64() * 1e6);
    }
    let [netio, direct, .., program] = &costs[..] else { unreachable!("there are six") };
    assert!(netio.1 <= direct.1, "the driver's own part costs something");
    assert!(direct.1 < program.1, "a direct call is cheaper than a program's");
}
