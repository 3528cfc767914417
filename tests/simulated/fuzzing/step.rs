//! What can happen to the driver, one step after the other.

#![expect(
    clippy::too_many_arguments,
    reason = "`derive(Mutate)` writes a constructor with an argument for each field of all variants"
)]

use kernel_sim::{Caller, DesiredAccess, Irql, ProcessId};
use mutatis::{Context, DefaultMutate, Generate, Mutate, Result};
use netio_model::Function;
use serde::{Deserialize, Serialize};

use super::choice::{Calls, Failures, Flags, Milliseconds, Status, Which, choices};
use super::request::{Creation, InterfaceWanted, Net, Place, Request, is_default};
use crate::client::{FIRST, OTHER};

/// Who opens the device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Mutate, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Opener {
    /// One program.
    #[default]
    First,
    /// Another.
    Other,
    /// Another driver.
    Driver,
}

impl Opener {
    pub(super) fn caller(self) -> Caller {
        match self {
            Self::First => Caller::administrator().of(FIRST),
            Self::Other => Caller::administrator().of(OTHER),
            Self::Driver => Caller::driver(),
        }
    }

    pub(super) const fn process(self) -> ProcessId {
        match self {
            Self::First => FIRST,
            Self::Other => OTHER,
            Self::Driver => ProcessId::SYSTEM,
        }
    }
}

/// What a handle is opened for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Access {
    #[default]
    ReadWrite,
    Read,
    Write,
    Attributes,
}

choices!(Access = [ReadWrite, ReadWrite, ReadWrite, ReadWrite, ReadWrite, Read, Write, Attributes]);

impl Access {
    pub(super) const fn desired(self) -> DesiredAccess {
        match self {
            Self::ReadWrite => DesiredAccess::READ_WRITE,
            Self::Read => DesiredAccess::READ,
            Self::Write => DesiredAccess::WRITE,
            Self::Attributes => DesiredAccess::ATTRIBUTES,
        }
    }
}

/// The IRQL at which something is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Level {
    #[default]
    Passive,
    Apc,
    Dispatch,
}

choices!(Level = [Passive, Passive, Passive, Passive, Passive, Passive, Apc, Dispatch]);

impl Level {
    pub(super) const fn irql(self) -> Irql {
        match self {
            Self::Passive => Irql::PASSIVE_LEVEL,
            Self::Apc => Irql::APC_LEVEL,
            Self::Dispatch => Irql::DISPATCH_LEVEL,
        }
    }
}

/// A function of NetIO that can fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Mutate, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum NetioFunction {
    #[default]
    Create,
    Delete,
    Get,
    Table,
    IndexToLuid,
    LuidToIndex,
}

impl NetioFunction {
    pub(super) const fn function(self) -> Function {
        match self {
            Self::Create => Function::Create,
            Self::Delete => Function::Delete,
            Self::Get => Function::Get,
            Self::Table => Function::Table,
            Self::IndexToLuid => Function::LuidFromIndex,
            Self::LuidToIndex => Function::IndexFromLuid,
        }
    }
}

/// What another driver does that uses the direct-call interface, and IRPs of its own.
#[derive(Clone, Debug, PartialEq, Eq, Mutate, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub(super) enum ClientStep {
    /// Opens the device.
    Open,
    /// Asks for the direct-call interface, unless it has it.
    Query(InterfaceWanted),
    /// Calls CREATE directly.
    Create { level: Level, creation: Creation },
    /// Calls DELETE directly.
    Delete { level: Level, row: Place, flags: Flags },
    /// Calls GET directly.
    Get { level: Level, row: Place },
    /// Calls GET_TABLE directly.
    Table { level: Level },
    /// References the interface once more.
    Reference { level: Level },
    /// Gives a reference back, one that it does not have included.
    Dereference { level: Level },
    /// Sends an IRP of its own.
    Send { request: Request, level: Level, internal: bool, cancel: bool, without_file: bool },
    /// Gives everything back and closes the device.
    Close,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Mutate, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
#[mutatis(generate = false)]
pub(super) enum Step {
    /// Somebody opens the device.
    Open {
        by: Opener,
        #[serde(default, skip_serializing_if = "is_default")]
        access: Access,
    },
    /// A handle is duplicated for a process.
    Duplicate { handle: Which, to: Opener },
    /// A handle is closed.
    Close { handle: Which },
    /// A program is killed.
    Kill { other: bool },
    /// A request is sent through a handle. If it pends, it is left pending.
    Send {
        through: Which,
        request: Request,
        #[serde(default, skip_serializing_if = "is_default")]
        level: Level,
        #[serde(default, skip_serializing_if = "is_default")]
        internal: bool,
    },
    /// A request that pends is cancelled.
    Cancel { request: Which },
    /// Time passes.
    Advance { milliseconds: Milliseconds },
    /// An interface goes, or comes back, with another index perhaps.
    Interface {
        net: Net,
        there: bool,
        #[serde(default, skip_serializing_if = "is_default")]
        renumbered: bool,
    },
    /// NetIO fails.
    NetioFails { function: NetioFunction, status: Status, after: Calls, times: Failures },
    /// NetIO fails no more.
    NetioMends,
    /// Somebody else creates or deletes an address.
    Others { place: Place, create: bool },
    /// Somebody begins or ends to listen to the driver's events.
    Trace { on: bool },
    /// Memory runs short: services that may fail do.
    Shortage { after: Calls, times: Failures },
    /// The driver is unloaded, once it is closed.
    Unload,
    /// It is loaded again, if it is gone.
    #[default]
    Load,
    /// Another driver uses it.
    Client(ClientStep),
}

impl Generate<Step> for StepMutator {
    /// Most steps are requests: without them nothing happens.
    fn generate(&mut self, context: &mut Context) -> Result<Step> {
        fn new<T: DefaultMutate<DefaultMutate: Generate<T> + Default>>(context: &mut Context) -> Result<T> {
            T::DefaultMutate::default().generate(context)
        }
        let random = context.rng().gen_index(100).unwrap_or_default();
        Ok(match random {
            0..8 => Step::Open { by: new(context)?, access: new(context)? },
            8..12 => Step::Close { handle: new(context)? },
            12..14 => Step::Duplicate { handle: new(context)?, to: new(context)? },
            14..16 => Step::Kill { other: new(context)? },
            16..20 => Step::Cancel { request: new(context)? },
            20..24 => Step::Advance { milliseconds: new(context)? },
            24..27 => Step::Interface { net: new(context)?, there: new(context)?, renumbered: new(context)? },
            27..30 => Step::NetioFails {
                function: new(context)?,
                status: new(context)?,
                after: new(context)?,
                times: new(context)?,
            },
            30 => {
                if context.rng().gen_bool() {
                    Step::NetioMends
                } else {
                    Step::Trace { on: new(context)? }
                }
            }
            31..34 => Step::Others { place: new(context)?, create: new(context)? },
            34 => Step::Shortage { after: new(context)?, times: new(context)? },
            35 => {
                if context.rng().gen_index(4) == Some(0) {
                    Step::Unload
                } else {
                    Step::Load
                }
            }
            36..46 => Step::Client(new(context)?),
            _ => Step::Send {
                through: new(context)?,
                request: new(context)?,
                level: new(context)?,
                internal: random < 54,
            },
        })
    }
}

impl Step {
    /// A program opens the device to read and to write.
    pub(super) const OPEN: Self = Self::Open { by: Opener::First, access: Access::ReadWrite };
}
