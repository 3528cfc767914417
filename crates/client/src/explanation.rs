//! The words for each kind of failure: why it happened and what to do.

use std::borrow::Cow;

use netio_anycast_protocol::status::NtStatus;

use crate::attempt::Attempt;
use crate::entry::Family;
use crate::error::ErrorKind;
use crate::transport::OsError;

/// The reason of a failure and the way out of it.
pub(crate) struct Explanation {
    pub(crate) why: Cow<'static, str>,
    pub(crate) advice: Cow<'static, str>,
}

fn say(why: impl Into<Cow<'static, str>>, advice: impl Into<Cow<'static, str>>) -> Explanation {
    Explanation { why: why.into(), advice: advice.into() }
}

/// Why `attempt` ended with a failure of this kind, and what to do.
pub(crate) fn explain(attempt: &Attempt, kind: ErrorKind, code: Option<OsError>) -> Explanation {
    match kind {
        ErrorKind::NotFound => not_found(attempt),
        ErrorKind::AlreadyExists => already_exists(attempt),
        ErrorKind::NotSupported => not_supported(attempt.family()),
        ErrorKind::InvalidParameter => invalid_parameter(attempt),
        ErrorKind::AccessDenied => access_denied(attempt),
        ErrorKind::NoDriver => {
            say("the driver is not running", "Install the driver and start its service netio_anycast, then try again")
        }
        ErrorKind::DriverMismatch => say(
            "the driver does not know this request, so it is of another version than this program",
            "Install the driver and this program in the same version",
        ),
        ErrorKind::Malformed => say(
            "the driver's reply makes no sense",
            "Install the driver and this program in the same version; if it happens again, report it as a bug",
        ),
        ErrorKind::NoResources => no_resources(code),
        ErrorKind::Other => other(code),
    }
}

fn already_exists(attempt: &Attempt) -> Explanation {
    match attempt {
        Attempt::Lease(..) => say(
            "the interface has this anycast address already, and not as a lease that could be shared",
            "Delete it first; where programs are to hold it together, lease it as shared in all of them",
        ),
        _ => say(
            "the interface has this anycast address already",
            "Leave it as it is, or delete it before you add it again",
        ),
    }
}

fn not_found(attempt: &Attempt) -> Explanation {
    match attempt {
        Attempt::Create(address, _) | Attempt::Lease(address, _) => say(
            format!("there is no such interface, or {} is not enabled on it", Family::of(*address)),
            "Look up the interface with Get-NetIPInterface, which shows alias, index and family",
        ),
        Attempt::Delete(..) | Attempt::Get(..) => say(
            "the interface does not have this anycast address, or there is no such interface",
            "List the anycast addresses to see what is there",
        ),
        _ => say(
            "there is no such interface",
            "Look up the interface with Get-NetIPInterface, which shows alias, index and family",
        ),
    }
}

fn invalid_parameter(attempt: &Attempt) -> Explanation {
    match attempt {
        Attempt::GetTable(_) | Attempt::ListLeases(_) => {
            say("no interface is zero", "Give the interface's index or LUID, or none to list those of all interfaces")
        }
        _ => say(
            "only a unicast IPv4 or IPv6 address on a given interface can be anycast",
            "Give an address that is not unspecified, multicast or broadcast, and an interface that is not zero",
        ),
    }
}

fn not_supported(family: Option<Family>) -> Explanation {
    match family {
        Some(family) => say(
            format!("the system has no {family} stack"),
            format!("Enable {family} on this system, or use an address of the other family"),
        ),
        None => say("the system lacks an IP stack that this needs", "Enable IPv4 and IPv6 on this system"),
    }
}

fn access_denied(attempt: &Attempt) -> Explanation {
    match attempt {
        Attempt::Open(_) | Attempt::ListInterfaces | Attempt::ResolveAlias(_) => {
            say("only SYSTEM and the Administrators may do that", "Run the program as an administrator")
        }
        Attempt::Delete(..) => say(
            "another program holds a lease on the address, or the device is not open for writing",
            "Leave it to its holder, or delete it with force; or open the device for reading and writing",
        ),
        Attempt::Create(..) | Attempt::Lease(..) | Attempt::Apply(_) => say(
            "the driver's device is not open for writing, or the system forbids it",
            "Open the device for reading and writing, as an administrator",
        ),
        Attempt::QueryVersion
        | Attempt::Get(..)
        | Attempt::GetTable(_)
        | Attempt::WaitChange
        | Attempt::ListLeases(_)
        | Attempt::QueryStatistics => say("the system forbids it", "Run the program as an administrator"),
    }
}

fn no_resources(code: Option<OsError>) -> Explanation {
    match code.map(|code| code.status) {
        Some(NtStatus::QUOTA_EXCEEDED) => say(
            "a quota of the driver is used up",
            "Delete what is not needed any more, or raise the quota under the service's Parameters key",
        ),
        Some(_) => say("the system is out of memory", "Free memory, then try again"),
        None => say("this program is out of memory", "Free memory, then try again"),
    }
}

fn other(code: Option<OsError>) -> Explanation {
    match code.map(|code| code.status) {
        Some(NtStatus::CANCELLED) => say("the request was cancelled", "Try again"),
        Some(NtStatus::OBJECT_NAME_INVALID) => {
            say("there is nothing below the driver's device", "Open the device itself")
        }
        Some(NtStatus::INVALID_DEVICE_STATE) => say(
            "the request reached the driver above PASSIVE_LEVEL, where NetIO can't be called",
            "Report it as a bug of the program that sent it",
        ),
        _ => say(
            "the system gave a reason that is not documented for this request",
            "Look up the status in ntstatus.h; if it happens again, report it as a bug with both codes",
        ),
    }
}
