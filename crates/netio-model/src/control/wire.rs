//! The structs that travel through the model's control device.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::status::NtStatus;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::fault::Fault;
use crate::function::Function;
use crate::interface::Interface;
use crate::settings::Settings;

/// The input of [`Configure`](super::Command::Configure).
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct ConfigureRequest {
    /// [`Families`](crate::Families): [`Settings::stacks`].
    pub stacks: u32,
    /// [`Settings::duplicate`].
    pub duplicate: NtStatus,
    /// [`Settings::empty_table`].
    pub empty_table: NtStatus,
    /// [`Settings::unknown_interface_conversion`].
    pub unknown_interface_conversion: NtStatus,
}

impl From<Settings> for ConfigureRequest {
    fn from(settings: Settings) -> Self {
        Self {
            stacks: settings.stacks.bits(),
            duplicate: settings.duplicate,
            empty_table: settings.empty_table,
            unknown_interface_conversion: settings.unknown_interface_conversion,
        }
    }
}

/// The input of [`AddInterface`](super::Command::AddInterface).
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct InterfaceRequest {
    /// [`Interface::luid`].
    pub luid: Luid,
    /// [`Interface::index`].
    pub index: u32,
    /// [`Interface::families`].
    pub families: u32,
    /// [`Interface::scope_id`].
    pub scope_id: u32,
    /// Ignored.
    pub reserved: u32,
}

impl From<Interface> for InterfaceRequest {
    fn from(interface: Interface) -> Self {
        let Interface { luid, index, families, scope_id } = interface;
        Self { luid, index, families: families.bits(), scope_id, reserved: 0 }
    }
}

/// The input of [`RemoveInterface`](super::Command::RemoveInterface).
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct LuidRequest {
    /// The interface.
    pub luid: Luid,
}

/// The input of [`PlanFault`](super::Command::PlanFault).
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct FaultRequest {
    /// A [`Function`].
    pub function: u32,
    /// [`Fault::status`].
    pub status: NtStatus,
    /// [`Fault::luid`]; unset for any.
    pub luid: Luid,
    /// [`Fault::skip`].
    pub skip: u32,
    /// [`Fault::count`].
    pub count: u32,
}

impl FaultRequest {
    /// The fault, if the function's number is one.
    #[must_use]
    pub fn fault(self) -> Option<Fault> {
        let function = Function::from_number(self.function)?;
        let luid = self.luid.is_set().then_some(self.luid);
        Some(Fault { function, status: self.status, luid, skip: self.skip, count: self.count })
    }
}

impl From<Fault> for FaultRequest {
    fn from(fault: Fault) -> Self {
        let Fault { function, status, luid, skip, count } = fault;
        Self { function: function as u32, status, luid: luid.unwrap_or(Luid::UNSET), skip, count }
    }
}

/// The input of [`Populate`](super::Command::Populate): the addresses numbered `first` to `first + count - 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct PopulateRequest {
    /// The interface.
    pub luid: Luid,
    /// IPv4 or IPv6.
    pub family: AddressFamily,
    /// Ignored.
    pub reserved: u16,
    /// The first address's number.
    pub first: u32,
    /// How many.
    pub count: u32,
    /// Ignored.
    pub reserved2: u32,
}

/// The address number `number` of those that [`Populate`](super::Command::Populate) creates: in 10.0.0.0/8 (so many only) or
/// 2001:db8::/96. `None` for another family or a number beyond the last.
#[must_use]
pub fn populated_address(family: AddressFamily, number: u32) -> Option<IpAddr> {
    const IPV4_BASE: u32 = 0x0A00_0000;
    const IPV6_BASE: u128 = 0x2001_0DB8 << 96;
    match family {
        AddressFamily::IPV4 if number < 1 << 24 => Some(IpAddr::V4(Ipv4Addr::from_bits(IPV4_BASE | number))),
        AddressFamily::IPV6 => Some(IpAddr::V6(Ipv6Addr::from_bits(IPV6_BASE | u128::from(number)))),
        _ => None,
    }
}

/// The output of [`QueryState`](super::Command::QueryState).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct StateReply {
    /// The calls of each [`Function`], by its number.
    pub calls: [u64; Function::ALL.len()],
    /// The anycast addresses.
    pub entries: u64,
    /// The interfaces.
    pub interfaces: u64,
    /// The tables that are still to be freed.
    pub outstanding_tables: u64,
    /// The tables that were freed again.
    pub double_frees: u64,
    /// The pointers that were freed and never were tables.
    pub unknown_frees: u64,
    /// The planned failures that are still to come.
    pub remaining_faults: u64,
}

/// The fixed part of the output of [`ReadEntries`](super::Command::ReadEntries).
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct EntriesHeader {
    /// The rows that follow.
    pub count: u32,
    /// The rows that there are.
    pub total: u32,
}

/// A name in UTF-16, ended by a zero unless it is as long as there is room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct Name(pub [u16; 64]);

impl Name {
    /// The name, or `None` if it is too long.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let mut name = [0; 64];
        let mut units = text.encode_utf16();
        for (slot, unit) in name.iter_mut().zip(&mut units) {
            *slot = unit;
        }
        units.next().is_none().then_some(Self(name))
    }

    /// The name's units, without the zeros.
    #[must_use]
    pub fn units(&self) -> &[u16] {
        self.0.split(|unit| *unit == 0).next().unwrap_or_default()
    }
}

/// The input of [`SetGate`](super::Command::SetGate): the next call of the function sets one event as soon as it is entered,
/// and goes on when the other is set, or after [`GATE_SECONDS`]. Only one gate is armed at a time.
///
/// Both events are named in full as the kernel sees them: `\BaseNamedObjects\NAME` is what a program creates as `Global\NAME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct GateRequest {
    /// A [`Function`].
    pub function: u32,
    /// Ignored.
    pub reserved: u32,
    /// The event that the call sets.
    pub entered: Name,
    /// The event that the call waits for.
    pub release: Name,
}

/// After so many seconds a call goes on of its own accord: a test that died must not hang the kernel host.
pub const GATE_SECONDS: u32 = 60;

/// The input of [`OpenName`](super::Command::OpenName).
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct OpenNameRequest {
    /// What follows the device's name, with its leading backslash. May be empty.
    pub name: Name,
}

/// The output of [`OpenName`](super::Command::OpenName).
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct OpenNameReply {
    /// What the driver completed IRP_MJ_CREATE with.
    pub status: NtStatus,
    /// Zero.
    pub reserved: u32,
}

const _: () = {
    assert!(size_of::<ConfigureRequest>() == 16);
    assert!(size_of::<InterfaceRequest>() == 24);
    assert!(size_of::<FaultRequest>() == 24);
    assert!(size_of::<PopulateRequest>() == 24);
    assert!(size_of::<StateReply>() == 104);
    assert!(size_of::<EntriesHeader>() == 8);
    assert!(size_of::<GateRequest>() == 264);
    assert!(size_of::<OpenNameRequest>() == 128);
    assert!(size_of::<OpenNameReply>() == 8);
};
