//! Requests, well-formed or spoilt, as a sequence writes them: by the names of operations and fields, so that they are the same
//! requests when codes and layouts have changed.

#![expect(
    clippy::too_many_arguments,
    reason = "`derive(Mutate)` writes a constructor with an argument for each field of all variants"
)]

use mutatis::{Candidates, Context, DefaultMutate, Generate, Mutate, Result};
use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest};
use netio_anycast_protocol::interface::{InterfaceRequest, QUERY_INTERFACE};
use netio_anycast_protocol::lease::LeaseFilter;
use netio_anycast_protocol::operation::{Definition, Operation};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::table::TableFilter;
use netio_anycast_protocol::wait::Generation;
use netio_model::Interface;
use serde::{Deserialize, Serialize};
use zerocopy::IntoBytes as _;

use super::batch::Batch;
use super::choice::{
    Address, Byte, Bytes, CodeBits, Family, FilterFamily, Flags, Generation as Later, InterfaceSize, InterfaceVersion,
    Lifetime, Offset, Rows, Wrong, choices,
};
use crate::bench::{ETHERNET, SECOND};
use crate::client::{FIRST, OTHER};

/// Whether a field has the value that it has if nothing is said of it; then it is not written.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// One of the interfaces, or none that there ever is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Net {
    #[default]
    Ethernet,
    Second,
    Unknown,
}

choices!(Net = [Ethernet, Ethernet, Ethernet, Ethernet, Ethernet, Second, Second, Second, Unknown]);

impl Net {
    /// The interface; none of those of a kernel if it is unknown.
    pub(super) fn interface(self) -> Interface {
        match self {
            Self::Ethernet => ETHERNET,
            Self::Second => SECOND,
            Self::Unknown => Interface { luid: Luid::new(6, 99), index: 99, ..ETHERNET },
        }
    }
}

/// How an interface is named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum By {
    #[default]
    Luid,
    Index,
    Both,
    Neither,
}

choices!(By = [Luid, Luid, Luid, Luid, Luid, Index, Index, Index, Both, Neither]);

impl By {
    fn name(self, net: Net) -> (Luid, u32) {
        let Interface { luid, index, .. } = net.interface();
        match self {
            Self::Luid => (luid, 0),
            Self::Index => (Luid::UNSET, index),
            Self::Both => (luid, index),
            Self::Neither => (Luid::UNSET, 0),
        }
    }
}

/// An address on an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Mutate, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Place {
    pub(super) address: Address,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) on: Net,
    #[serde(skip_serializing_if = "is_default")]
    by: By,
    #[serde(skip_serializing_if = "is_default")]
    family: Family,
}

impl Place {
    pub(super) fn row(&self) -> Row {
        let (luid, index) = self.by.name(self.on);
        let mut row = Row { index, ..Row::on_luid(self.address.0, luid) };
        if self.family != Family(0) {
            row.address.family = AddressFamily(self.family.0);
        }
        row
    }
}

/// What CREATE takes, and a direct call of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Mutate, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Creation {
    pub(super) row: Place,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) lifetime: Lifetime,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) flags: Flags,
}

impl Creation {
    pub(super) fn request(&self) -> CreateRequest {
        CreateRequest { row: self.row.row(), lifetime: self.lifetime.0, flags: self.flags.0 }
    }
}

/// What DELETE takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Mutate, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Deletion {
    row: Place,
    #[serde(skip_serializing_if = "is_default")]
    flags: Flags,
    #[serde(skip_serializing_if = "is_default")]
    reserved: Wrong,
}

/// The rows of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Mutate, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Filter {
    #[serde(skip_serializing_if = "is_default")]
    family: FilterFamily,
    #[serde(skip_serializing_if = "is_default")]
    on: Option<(Net, By)>,
    #[serde(skip_serializing_if = "is_default")]
    process: Option<bool>,
    #[serde(skip_serializing_if = "is_default")]
    reserved: Wrong,
}

impl Filter {
    fn table(&self) -> TableFilter {
        let (luid, index) = self.on.map_or((Luid::UNSET, 0), |(net, by)| by.name(net));
        let family = AddressFamily(self.family.0);
        TableFilter { family, reserved: u16::from(self.reserved != Wrong(0)), index, luid }
    }

    fn leases(&self) -> LeaseFilter {
        let process_id = self.process.map_or(0, |first| if first { FIRST.0 } else { OTHER.0 });
        let table = Self { reserved: Wrong(0), ..self.clone() }.table();
        LeaseFilter { table, process_id, reserved: self.reserved.0 }
    }
}

/// What the direct-call interface is asked for with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Mutate, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct InterfaceWanted {
    size: InterfaceSize,
    version: InterfaceVersion,
    #[serde(skip_serializing_if = "is_default")]
    reserved: Wrong,
}

impl Default for InterfaceWanted {
    fn default() -> Self {
        let InterfaceRequest { size, version, reserved } = InterfaceRequest::CURRENT;
        Self { size: InterfaceSize(size), version: InterfaceVersion(version), reserved: Wrong(reserved) }
    }
}

impl InterfaceWanted {
    pub(super) fn request(self) -> InterfaceRequest {
        InterfaceRequest { size: self.size.0, version: self.version.0, reserved: self.reserved.0 }
    }
}

/// An operation and its input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Mutate, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Asked {
    QueryVersion,
    #[default]
    QueryStatistics,
    Create(Creation),
    Delete(Deletion),
    Get(Place),
    GetTable(Filter),
    Apply(Batch),
    /// From the generation that was last heard of, or so many before or after it.
    WaitChange(Later),
    ListLeases(Filter),
    QueryInterface(InterfaceWanted),
}

impl Asked {
    /// The operation, or `None` for QUERY_INTERFACE, which is none that programs have.
    pub(super) const fn operation(&self) -> Option<Operation> {
        Some(match self {
            Self::QueryVersion => Operation::QueryVersion,
            Self::QueryStatistics => Operation::QueryStatistics,
            Self::Create(_) => Operation::Create,
            Self::Delete(_) => Operation::Delete,
            Self::Get(_) => Operation::Get,
            Self::GetTable(_) => Operation::GetTable,
            Self::Apply(_) => Operation::Apply,
            Self::WaitChange(_) => Operation::WaitChange,
            Self::ListLeases(_) => Operation::ListLeases,
            Self::QueryInterface(_) => return None,
        })
    }

    fn bytes(&self, generation: u64) -> Vec<u8> {
        match self {
            Self::QueryVersion | Self::QueryStatistics => Vec::new(),
            Self::Create(creation) => creation.request().as_bytes().to_vec(),
            Self::Delete(Deletion { row, flags, reserved }) => {
                DeleteRequest { row: row.row(), flags: flags.0, reserved: reserved.0 }.as_bytes().to_vec()
            }
            Self::Get(row) => row.row().as_bytes().to_vec(),
            Self::GetTable(filter) => filter.table().as_bytes().to_vec(),
            Self::Apply(batch) => batch.bytes(),
            Self::WaitChange(later) => Generation(generation.wrapping_add_signed(later.0.into())).as_bytes().to_vec(),
            Self::ListLeases(filter) => filter.leases().as_bytes().to_vec(),
            Self::QueryInterface(wanted) => wanted.request().as_bytes().to_vec(),
        }
    }
}

/// Fewer rows or bytes than this: the time goes by with large buffers, and nothing comes of it.
const MOST: usize = 0x1001;

/// How much room for output a request has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Mutate, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Room {
    /// For the fixed part of the output, and for what a batch answers.
    #[default]
    Fixed,
    /// For so many rows besides.
    Rows(Rows),
    /// For so many bytes.
    Bytes(Bytes),
}

/// How a request is spoilt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Mutate, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Spoilt {
    /// Bits of the control code that are inverted.
    #[serde(skip_serializing_if = "is_default")]
    code_bits: CodeBits,
    /// The length to which the input is cut or extended.
    #[serde(skip_serializing_if = "is_default")]
    length: Option<Bytes>,
    /// Bytes of the input that are overwritten.
    #[serde(skip_serializing_if = "is_default")]
    bytes: Vec<(Offset, Byte)>,
}

/// Whether a request is spoilt: most are not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Spoiling(Option<Spoilt>);

/// One request in so many is spoilt.
const SPOILT: usize = 5;

/// Mutates a [`Spoiling`].
#[derive(Default)]
pub(super) struct SpoilingMutator(<Option<Spoilt> as DefaultMutate>::DefaultMutate);

impl Mutate<Spoiling> for SpoilingMutator {
    fn mutate(&mut self, candidates: &mut Candidates<'_>, spoiling: &mut Spoiling) -> Result<()> {
        self.0.mutate(candidates, &mut spoiling.0)
    }
}

impl Generate<Spoiling> for SpoilingMutator {
    fn generate(&mut self, context: &mut Context) -> Result<Spoiling> {
        let is_spoilt = context.rng().gen_index(SPOILT) == Some(0);
        let spoilt = is_spoilt.then(|| <Spoilt as DefaultMutate>::DefaultMutate::default().generate(context));
        spoilt.transpose().map(Spoiling)
    }
}

impl DefaultMutate for Spoiling {
    type DefaultMutate = SpoilingMutator;
}

/// A request, well-formed or spoilt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Mutate, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Request {
    asked: Asked,
    #[serde(skip_serializing_if = "is_default")]
    room: Room,
    #[serde(skip_serializing_if = "is_default")]
    spoilt: Spoiling,
}

impl Request {
    /// The operation that is asked for, unless the control code is spoilt.
    pub(super) fn operation(&self) -> Option<Operation> {
        Operation::from_control_code(self.code())
    }

    pub(super) fn code(&self) -> u32 {
        let code = self.asked.operation().map(Operation::definition).map_or(QUERY_INTERFACE, Definition::control_code);
        code ^ self.spoilt.0.as_ref().map_or(0, |spoilt| spoilt.code_bits.0)
    }

    /// The input; `generation` is what was last heard of.
    pub(super) fn input(&self, generation: u64) -> Vec<u8> {
        let mut input = self.asked.bytes(generation);
        let Some(Spoilt { length, bytes, .. }) = &self.spoilt.0 else { return input };
        if let Some(Bytes(length)) = length {
            input.resize(usize::from(*length) % MOST, 0xA5);
        }
        for (Offset(offset), Byte(byte)) in bytes {
            if let Some(place) = input.get_mut(usize::from(*offset)) {
                *place = *byte;
            }
        }
        input
    }

    /// The length of the output buffer.
    pub(super) fn room(&self) -> usize {
        let output = self.asked.operation().map(|operation| operation.definition().output);
        let (fixed, row) = output.map_or((usize::from(InterfaceRequest::CURRENT.size), 0), |it| (it.fixed, it.row));
        let answered = if let Asked::Apply(batch) = &self.asked { batch.count() * row } else { 0 };
        match self.room {
            Room::Fixed => fixed + answered,
            Room::Rows(Rows(rows)) => fixed + usize::from(rows) % 0x200 * row,
            Room::Bytes(Bytes(bytes)) => usize::from(bytes) % MOST,
        }
    }
}
