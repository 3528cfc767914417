//! What becomes of every status that NetIO can return.

use netio_anycast_engine::status_map::{KNOWN, Mapped};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;
use netio_anycast_protocol::win32::Win32Error;
use netio_model::{Fault, Function};
use proptest::prelude::*;

use crate::system::{System, on_ethernet};

/// What the contract says of the request itself. NetIO, which never sees the request, may not say it.
const OF_THE_REQUEST: [NtStatus; 9] = [
    NtStatus::PENDING,
    NtStatus::BUFFER_OVERFLOW,
    NtStatus::INFO_LENGTH_MISMATCH,
    NtStatus::INVALID_DEVICE_REQUEST,
    NtStatus::BUFFER_TOO_SMALL,
    NtStatus::OBJECT_NAME_INVALID,
    NtStatus::QUOTA_EXCEEDED,
    NtStatus::DEVICE_NOT_READY,
    NtStatus::CANCELLED,
];

/// What a map must do for `raw`, whatever it is; the fault in words if it does not.
fn check(map: impl Fn(NtStatus) -> NtStatus, raw: NtStatus) -> Result<(), String> {
    let status = map(raw);
    let fault = if raw != NtStatus::SUCCESS && status == NtStatus::SUCCESS {
        "is taken for success"
    } else if raw == NtStatus::SUCCESS && status != NtStatus::SUCCESS {
        "is taken for failure"
    } else if raw != NtStatus::SUCCESS && !status.is_error() {
        "is a failure that the I/O manager would not treat as one"
    } else if OF_THE_REQUEST.contains(&status) {
        "is taken for a fault of the request"
    } else if raw != NtStatus::SUCCESS && Win32Error::from_status(status) == Win32Error::SUCCESS {
        "is a failure that GetLastError calls success"
    } else {
        return Ok(());
    };
    Err(format!("{raw}, which becomes {status}, {fault}"))
}

fn map(raw: NtStatus) -> NtStatus {
    Mapped::from_netio(raw).status
}

/// Every status that has a name, every Win32 code in both its guises, the neighbours of each, and the corners.
fn interesting() -> impl Iterator<Item = NtStatus> {
    let named = NtStatus::NAMED.iter().map(|(status, _)| status.bits());
    let win32 = 0..=u32::from(u16::MAX);
    let guises = win32.flat_map(|code| [code, 0x8007_0000 | code, 0xC007_0000 | code, 0xC001_0000 | code]);
    let severities = (0..16).flat_map(|severity| [severity << 28, severity << 28 | 0x022A, severity << 28 | 0x1392]);
    let all = named.chain(guises).chain(severities).chain([u32::MAX, i32::MAX.cast_unsigned()]);
    all.flat_map(|bits| [bits.wrapping_sub(1), bits, bits.wrapping_add(1)]).map(NtStatus::from_bits)
}

#[test]
fn only_success_is_success() {
    for raw in interesting() {
        check(map, raw).expect("the map holds");
    }
}

proptest! {
    #[test]
    fn only_success_is_success_whatever_netio_says(bits: u32) {
        prop_assert_eq!(check(map, NtStatus::from_bits(bits)), Ok(()));
    }
}

/// The control: the same check finds the shim that trusts `NT_SUCCESS`, and the one that hands everything on.
#[test]
fn the_check_finds_a_map_that_is_broken() {
    let trusts_nt_success = |raw: NtStatus| if raw.0 >= 0 { NtStatus::SUCCESS } else { map(raw) };
    let already_exists = NtStatus::RAW_WIN32_OBJECT_ALREADY_EXISTS;
    assert!(check(trusts_nt_success, already_exists).is_err_and(|fault| fault.ends_with("is taken for success")));

    let hands_on = |raw: NtStatus| raw;
    let faults: Vec<_> = interesting().filter_map(|raw| check(hands_on, raw).err()).collect();
    for fault in ["would not treat as one", "fault of the request", "GetLastError calls success"] {
        assert!(faults.iter().any(|found| found.contains(fault)), "nothing found that {fault}");
    }

    let never_succeeds = |_| NtStatus::UNSUCCESSFUL;
    assert!(check(never_succeeds, NtStatus::SUCCESS).is_err());
}

#[test]
fn every_way_to_say_already_exists_is_one_status_that_win32_calls_5010() {
    for raw in [0x0000_1392, 0xC000_022A, 0xC000_022B, 0xC007_1392, 0xC000_0035] {
        let status = map(NtStatus::from_bits(raw));
        assert_eq!(status, NtStatus::OBJECTID_EXISTS, "{raw:#010X}");
        assert_eq!(Win32Error::from_status(status).0, 5010);
    }
}

#[test]
fn the_documented_results_keep_their_meaning() {
    for (raw, status) in [
        (0, NtStatus::SUCCESS),
        (0xC000_000D, NtStatus::INVALID_PARAMETER),
        (0xC000_0225, NtStatus::NOT_FOUND),
        (0xC000_000F, NtStatus::NOT_FOUND),
        (0xC000_0034, NtStatus::NOT_FOUND),
        (0xC000_02F0, NtStatus::NOT_FOUND),
        (0xC000_00BB, NtStatus::NOT_SUPPORTED),
        (0xC000_0022, NtStatus::ACCESS_DENIED),
        (0xC000_0017, NtStatus::INSUFFICIENT_RESOURCES),
        (0xC000_009A, NtStatus::INSUFFICIENT_RESOURCES),
        (0xC000_0184, NtStatus::INVALID_DEVICE_STATE),
    ] {
        assert_eq!(map(NtStatus::from_bits(raw)), status, "{raw:#010X}");
    }
}

#[test]
fn an_error_that_nobody_documents_is_handed_on() {
    for bits in [0xC000_0005, 0xC000_0236, 0xC022_0001, 0xE000_0001] {
        assert_eq!(map(NtStatus::from_bits(bits)).bits(), bits);
    }
}

#[test]
fn the_table_names_every_status_once() {
    for (position, (raw, _)) in KNOWN.iter().enumerate() {
        assert!(!KNOWN[..position].iter().any(|(earlier, _)| earlier == raw), "{raw} is listed twice");
    }
}

#[test]
fn every_status_a_request_can_end_with_is_explained() {
    for (raw, status) in KNOWN {
        assert!(status.explanation().is_some(), "{raw} becomes {status}, which explanation.rs does not explain");
    }
    for status in OF_THE_REQUEST.into_iter().filter(|status| *status != NtStatus::PENDING) {
        assert!(status.explanation().is_some(), "{status}");
    }
}

/// The map is what requests go through: for every operation, whatever NetIO answers, the reply is the map's.
#[test]
fn every_operation_ends_with_what_the_map_says() {
    let row = on_ethernet("192.0.2.1");
    for (raw, _) in KNOWN.iter().filter(|(raw, _)| *raw != NtStatus::SUCCESS) {
        let system = System::new();
        for function in [Function::Create, Function::Delete, Function::Get, Function::Table] {
            system.model().plan(Fault::next(function, *raw));
        }
        assert_eq!(system.create(row), Err(map(*raw)));
        assert_eq!(system.get(row), Err(map(*raw)));
        assert_eq!(system.delete(row), map(*raw));
        if *raw != NtStatus::NOT_FOUND {
            assert_eq!(system.list(TableFilter::ALL), Err(map(*raw)));
        }
        assert_eq!(system.statistics().generation, 0, "{raw} changed something");
        for operation in [Operation::Create, Operation::Get, Operation::Delete] {
            assert_eq!(system.counters(operation).last_netio_failure, *raw);
        }
    }
}
