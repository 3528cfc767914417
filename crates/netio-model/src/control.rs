//! How a test reaches the model inside Wine's `netio.sys`: control codes of a device of its own, [`DEVICE_PATH`].
//!
//! All codes are METHOD_BUFFERED and need no particular access. Input and output are the structs of [`wire`], exactly;
//! [`Command::ReadEntries`] returns as many rows as fit. [`serve`] does every command that is about the model alone; the
//! others are the module's ([`Command::SetGate`] and [`Command::OpenName`]).

pub mod wire;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;

use crate::function::Function;
use crate::interface::{Families, Interface, TopologyError};
use crate::model::Model;
use crate::settings::Settings;
use wire::{ConfigureRequest, EntriesHeader, FaultRequest, InterfaceRequest, LuidRequest, PopulateRequest, StateReply};

/// The control device's name in the NT namespace.
pub const DEVICE_NAME: &str = r"\Device\NetioModel";
/// The symbolic link through which user mode reaches the device as [`DEVICE_PATH`].
pub const SYMBOLIC_LINK_NAME: &str = r"\DosDevices\NetioModel";
/// What a test opens with `CreateFile`.
pub const DEVICE_PATH: &str = r"\\.\NetioModel";
/// The name of the service that starts the module as a driver. It is in the driver's load order group, and started before
/// it: Wine then loads both into one kernel host, where the driver's import finds this very module.
pub const SERVICE_NAME: &str = "netio";
/// The device type of the control codes, from the range that Microsoft leaves to others.
pub const DEVICE_TYPE: u16 = 0x8ACB;

/// What a test may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Command {
    /// [`Model::reset`]; an armed gate is opened for good. No input, no output.
    Reset = 0x900,
    /// [`Model::configure`]. Input: [`ConfigureRequest`].
    Configure = 0x901,
    /// [`Model::add_interface`]. Input: [`InterfaceRequest`].
    AddInterface = 0x902,
    /// [`Model::remove_interface`]. Input: [`LuidRequest`].
    RemoveInterface = 0x903,
    /// [`Model::plan`]. Input: [`FaultRequest`].
    PlanFault = 0x904,
    /// [`Model::clear_faults`]. No input, no output.
    ClearFaults = 0x905,
    /// [`Model::insert`]: an address that somebody else puts there. Input: [`Row`].
    Insert = 0x906,
    /// [`Model::remove`]: an address that somebody else takes away. Input: [`Row`].
    Remove = 0x907,
    /// [`Model::insert`] of many addresses. Input: [`PopulateRequest`].
    Populate = 0x908,
    /// What was called, what there is, what is wrong. Output: [`StateReply`].
    QueryState = 0x909,
    /// Every address. Output: [`EntriesHeader`] and [`Row`]s, sorted by LUID, family and address; if they do not all fit, the
    /// status is [`NtStatus::BUFFER_OVERFLOW`].
    ReadEntries = 0x90A,
    /// The next call of a function stops on its way in. Input: [`wire::GateRequest`].
    SetGate = 0x90B,
    /// Sends IRP_MJ_CREATE with a file name to the netio-anycast device, as the I/O manager of Windows does when a name
    /// below the device is opened; Wine refuses such names itself. Input: [`wire::OpenNameRequest`]; output:
    /// [`wire::OpenNameReply`].
    OpenName = 0x90C,
}

impl Command {
    /// Every command, in the order of its number.
    pub const ALL: [Self; 13] = [
        Self::Reset,
        Self::Configure,
        Self::AddInterface,
        Self::RemoveInterface,
        Self::PlanFault,
        Self::ClearFaults,
        Self::Insert,
        Self::Remove,
        Self::Populate,
        Self::QueryState,
        Self::ReadEntries,
        Self::SetGate,
        Self::OpenName,
    ];

    /// The control code, as the `CTL_CODE` macro composes it: METHOD_BUFFERED and FILE_ANY_ACCESS are zero.
    #[must_use]
    pub const fn control_code(self) -> u32 {
        (DEVICE_TYPE as u32) << 16 | (self as u32) << 2
    }

    /// The command with this control code.
    #[must_use]
    pub fn from_control_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.control_code() == code)
    }
}

/// How a command ended: what goes into `IO_STATUS_BLOCK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    /// [`NtStatus::SUCCESS`], or what is wrong.
    pub status: NtStatus,
    /// The bytes of output.
    pub information: usize,
}

impl Completion {
    /// An end without output.
    #[must_use]
    pub const fn of(status: NtStatus) -> Self {
        Self { status, information: 0 }
    }
}

/// Does a command. `buffer` has the input in its first `input_length` bytes and takes up to `output_length` bytes of output.
///
/// [`NtStatus::INFO_LENGTH_MISMATCH`] is for an input of the wrong length, [`NtStatus::BUFFER_TOO_SMALL`] for too little room,
/// [`NtStatus::INVALID_PARAMETER`] for an unknown number, and [`NtStatus::INVALID_DEVICE_REQUEST`] for a command that is not the
/// model's.
#[must_use]
pub fn serve(
    model: &mut Model,
    command: Command,
    buffer: &mut [u8],
    input_length: usize,
    output_length: usize,
) -> Completion {
    let input = buffer.get(..input_length).unwrap_or_default();
    match command {
        Command::QueryState => reply(buffer, output_length, &state(model)),
        Command::ReadEntries => read_entries(model, buffer.get_mut(..output_length).unwrap_or_default()),
        _ => Completion::of(change(model, command, input).err().unwrap_or(NtStatus::SUCCESS)),
    }
}

/// The input of a command, as the struct that fills it.
///
/// # Errors
/// [`NtStatus::INFO_LENGTH_MISMATCH`].
pub fn read<T: FromBytes>(input: &[u8]) -> Result<T, NtStatus> {
    T::read_from_bytes(input).map_err(|_| NtStatus::INFO_LENGTH_MISMATCH)
}

/// Puts the output of a command into the buffer, if it has room for it.
#[must_use]
pub fn reply<T: IntoBytes + Immutable>(buffer: &mut [u8], output_length: usize, output: &T) -> Completion {
    let room = buffer.get_mut(..output_length).unwrap_or_default();
    match output.write_to_prefix(room) {
        Ok(()) => Completion { status: NtStatus::SUCCESS, information: size_of::<T>() },
        Err(_) => Completion::of(NtStatus::BUFFER_TOO_SMALL),
    }
}

fn change(model: &mut Model, command: Command, input: &[u8]) -> Result<(), NtStatus> {
    match command {
        Command::Reset => {
            read::<()>(input)?;
            model.reset();
            Ok(())
        }
        Command::Configure => {
            model.configure(read::<ConfigureRequest>(input)?.settings().ok_or(NtStatus::INVALID_PARAMETER)?);
            Ok(())
        }
        Command::AddInterface => {
            let interface = read::<InterfaceRequest>(input)?.interface().ok_or(NtStatus::INVALID_PARAMETER)?;
            model.add_interface(interface).map_err(topology_status)
        }
        Command::RemoveInterface => model.remove_interface(read::<LuidRequest>(input)?.luid).map_err(topology_status),
        Command::PlanFault => {
            model.plan(read::<FaultRequest>(input)?.fault().ok_or(NtStatus::INVALID_PARAMETER)?);
            Ok(())
        }
        Command::ClearFaults => {
            read::<()>(input)?;
            model.clear_faults();
            Ok(())
        }
        Command::Insert => model.insert(&read::<Row>(input)?),
        Command::Remove => model.remove(&read::<Row>(input)?),
        Command::Populate => populate(model, &read(input)?),
        Command::QueryState | Command::ReadEntries | Command::SetGate | Command::OpenName => {
            Err(NtStatus::INVALID_DEVICE_REQUEST)
        }
    }
}

const fn topology_status(error: TopologyError) -> NtStatus {
    match error {
        TopologyError::Unset => NtStatus::INVALID_PARAMETER,
        TopologyError::InUse => NtStatus::OBJECT_NAME_COLLISION,
        TopologyError::Unknown => NtStatus::NOT_FOUND,
    }
}

fn populate(model: &mut Model, request: &PopulateRequest) -> Result<(), NtStatus> {
    let end = request.first.checked_add(request.count).ok_or(NtStatus::INVALID_PARAMETER)?;
    for number in request.first..end {
        let address = wire::populated_address(request.family, number).ok_or(NtStatus::INVALID_PARAMETER)?;
        model.insert(&Row::on_luid(address, request.luid))?;
    }
    Ok(())
}

fn state(model: &Model) -> StateReply {
    StateReply {
        calls: Function::ALL.map(|function| model.calls(function)),
        entries: model.entry_count() as u64,
        interfaces: model.interface_count() as u64,
        outstanding_tables: model.tables().outstanding() as u64,
        double_frees: model.tables().double_frees(),
        unknown_frees: model.tables().unknown_frees(),
        remaining_faults: model.remaining_faults(),
    }
}

fn read_entries(model: &Model, output: &mut [u8]) -> Completion {
    let Some((header, room)) = output.split_at_mut_checked(size_of::<EntriesHeader>()) else {
        return Completion::of(NtStatus::BUFFER_TOO_SMALL);
    };
    let mut count = 0_usize;
    for (slot, row) in room.chunks_exact_mut(size_of::<Row>()).zip(model.entries()) {
        slot.copy_from_slice(row.as_bytes());
        count += 1;
    }
    let total = model.entry_count();
    let wire_count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    header.copy_from_slice(EntriesHeader { count: wire_count(count), total: wire_count(total) }.as_bytes());
    let status = if count == total { NtStatus::SUCCESS } else { NtStatus::BUFFER_OVERFLOW };
    Completion { status, information: size_of::<EntriesHeader>() + count * size_of::<Row>() }
}

impl ConfigureRequest {
    fn settings(self) -> Option<Settings> {
        Some(Settings {
            stacks: Families::from_bits(self.stacks)?,
            duplicate: self.duplicate,
            empty_table: self.empty_table,
            unknown_interface_conversion: self.unknown_interface_conversion,
        })
    }
}

impl InterfaceRequest {
    fn interface(self) -> Option<Interface> {
        let families = Families::from_bits(self.families)?;
        Some(Interface { luid: self.luid, index: self.index, families, scope_id: self.scope_id })
    }
}
