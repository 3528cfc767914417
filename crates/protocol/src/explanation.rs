//! What the contract's statuses mean to a person, and what to do about them.

use crate::status::NtStatus;

/// A status of the contract in words: for the command line and the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The status.
    pub status: NtStatus,
    /// What has happened: a clause, for instance "the address is already on that interface".
    pub meaning: &'static str,
    /// What to do: a sentence without its full stop.
    pub action: &'static str,
}

/// Every status that a request can end with, in the order of its value.
pub const EXPLANATIONS: &[Explanation] = &[
    Explanation { status: NtStatus::SUCCESS, meaning: "done", action: "Nothing" },
    Explanation {
        status: NtStatus::BUFFER_OVERFLOW,
        meaning: "more rows exist than fitted into the output buffer; those that fitted were returned",
        action: "Ask again with room for as many rows as the header's total says, a bounded number of times",
    },
    Explanation {
        status: NtStatus::UNSUCCESSFUL,
        meaning: "NetIO failed in a way that its documentation does not list",
        action: "Read NetIO's own status with QUERY_STATISTICS and report it",
    },
    Explanation {
        status: NtStatus::INFO_LENGTH_MISMATCH,
        meaning: "the input is not exactly as long as the operation's input",
        action: "Correct the caller: send the struct that the contract defines for the control code",
    },
    Explanation {
        status: NtStatus::INVALID_PARAMETER,
        meaning: "the address can't be an anycast address (not IPv4 or IPv6, unspecified, multicast or broadcast), no \
                  interface was named, or a reserved field or a flag has an unknown value",
        action: "Give a unicast-shaped IPv4 or IPv6 address and an interface by LUID or index",
    },
    Explanation {
        status: NtStatus::INVALID_DEVICE_REQUEST,
        meaning: "this driver does not know the operation",
        action: "Compare the feature bits of QUERY_VERSION and update the older side",
    },
    Explanation {
        status: NtStatus::ACCESS_DENIED,
        meaning: "the caller may not do that",
        action: "Run as an administrator, and open the device for writing to change anything",
    },
    Explanation {
        status: NtStatus::BUFFER_TOO_SMALL,
        meaning: "the output buffer can't hold even the fixed part of the output",
        action: "Correct the caller: give at least the length that the contract defines for the operation",
    },
    Explanation {
        status: NtStatus::OBJECT_NAME_INVALID,
        meaning: "a name below the device was opened",
        action: r"Open \\.\NetioAnycast itself, with nothing after it",
    },
    Explanation {
        status: NtStatus::QUOTA_EXCEEDED,
        meaning: "a quota of the handle or of the driver is used up",
        action: "Release leases or end waits, or raise the quota in the service's Parameters key",
    },
    Explanation {
        status: NtStatus::REVISION_MISMATCH,
        meaning: "the driver does not know the revision of the direct-call interface that was asked for",
        action: "Ask for a revision that the driver knows, or update it",
    },
    Explanation {
        status: NtStatus::PRIVILEGE_NOT_HELD,
        meaning: "NetIO asked for a privilege that the caller lacks",
        action: "Run with that privilege",
    },
    Explanation {
        status: NtStatus::INSUFFICIENT_RESOURCES,
        meaning: "the system is out of memory",
        action: "Try again later",
    },
    Explanation {
        status: NtStatus::DEVICE_NOT_READY,
        meaning: "the driver is being unloaded",
        action: "Start the driver again",
    },
    Explanation {
        status: NtStatus::NOT_SUPPORTED,
        meaning: "this system can't do that; most often the protocol stack of the address family is not installed",
        action: "Install or enable IPv4 or IPv6, whichever the address belongs to",
    },
    Explanation {
        status: NtStatus::CANCELLED,
        meaning: "the request was cancelled, or its handle closed, before it was done",
        action: "Nothing, or ask again",
    },
    Explanation {
        status: NtStatus::INVALID_DEVICE_STATE,
        meaning: "a direct call came above PASSIVE_LEVEL, where NetIO can't be called",
        action: "Correct the kernel caller: call at PASSIVE_LEVEL, or send an IRP, which may come at DISPATCH_LEVEL",
    },
    Explanation {
        status: NtStatus::NOT_FOUND,
        meaning: "there is no such interface, or the address is not on it",
        action: "Check the interface's LUID or index, and list the addresses that are there",
    },
    Explanation {
        status: NtStatus::OBJECTID_EXISTS,
        meaning: "the address is already on that interface",
        action: "Nothing if it is meant to be there; otherwise delete it first",
    },
];

impl NtStatus {
    /// What this status means to a caller of the driver, if it is one of the contract's.
    #[must_use]
    pub fn explanation(self) -> Option<&'static Explanation> {
        EXPLANATIONS.iter().find(|explanation| explanation.status == self)
    }
}
