//! What the engine tells, as ETW events.

use netio_anycast_engine::TraceEvent;
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use zerocopy::IntoBytes as _;

use crate::trace_provider::{self, Field, Kind, Level};

/// The keywords, as `docs/tracing.md` has them.
const CHANGES: u64 = 1 << 0;
const LEASES: u64 = 1 << 1;
const REFUSALS: u64 = 1 << 2;
const BATCHES: u64 = 1 << 3;

/// A kind of event.
macro_rules! kind {
    ($name:literal, $level:ident, $keyword:expr, [$($field:literal: $type:ident),+ $(,)?]) => {{
        const FIELDS: &[(&str, Field)] = &[$(($field, Field::$type)),+];
        const LENGTH: usize = trace_provider::description_length($name, FIELDS);
        static DESCRIPTION: [u8; LENGTH] = trace_provider::description($name, FIELDS);
        &Kind { level: Level::$level, keyword: $keyword, description: &DESCRIPTION }
    }};
}

/// The most bytes that the fields of an event have.
const MOST_BYTES: usize = 96;

/// The fields of an event, one behind the other.
struct Fields {
    bytes: [u8; MOST_BYTES],
    length: usize,
}

impl Fields {
    const fn new() -> Self {
        Self { bytes: [0; MOST_BYTES], length: 0 }
    }

    fn put(mut self, field: &[u8]) -> Self {
        let place = self.bytes.get_mut(self.length..).and_then(|rest| rest.get_mut(..field.len()));
        if let Some(place) = place {
            place.copy_from_slice(field);
            self.length = self.length.saturating_add(field.len());
        }
        self
    }

    fn number32(self, number: u32) -> Self {
        self.put(&number.to_le_bytes())
    }

    fn number64(self, number: u64) -> Self {
        self.put(&number.to_le_bytes())
    }

    fn boolean(self, value: bool) -> Self {
        self.number32(value.into())
    }

    fn status(self, status: NtStatus) -> Self {
        self.number32(status.bits())
    }

    fn text(self, text: &str) -> Self {
        self.put(text.as_bytes()).put(&[0])
    }

    /// The interface's LUID, and the address as the socket address of its family.
    fn row(self, row: &Row) -> Self {
        const IPV4_LENGTH: u16 = 16;
        const IPV6_LENGTH: u16 = 28;
        let length = if row.address.ipv4().is_some() { IPV4_LENGTH } else { IPV6_LENGTH };
        let address = row.address.as_bytes().get(..length.into()).unwrap_or_default();
        self.number64(row.luid.0).put(&length.to_le_bytes()).put(address)
    }

    fn write(&self, kind: &Kind) {
        trace_provider::write(kind, self.bytes.get(..self.length).unwrap_or_default());
    }
}

/// Tells whoever listens. IRQL: PASSIVE_LEVEL.
#[cold]
pub(crate) fn write(event: &TraceEvent) {
    match event {
        TraceEvent::AddressCreated { .. } | TraceEvent::AddressDeleted { .. } | TraceEvent::ChangedByOthers { .. } => {
            write_change(event);
        }
        TraceEvent::RequestRefused { operation, status, netio_status, process_id } => {
            let kind = kind!("RequestRefused", Warning, REFUSALS,
                ["Operation": Text, "Status": Status, "NetioStatus": Status, "ProcessId": Process]);
            let fields = Fields::new().text(name(*operation)).status(*status).status(*netio_status);
            fields.number32(*process_id).write(kind);
        }
        TraceEvent::ItemRefused { row, status, netio_status, process_id } => {
            let kind = kind!("ItemRefused", Warning, REFUSALS,
                ["InterfaceLuid": Hex64, "Address": SocketAddress, "Status": Status, "NetioStatus": Status,
                 "ProcessId": Process]);
            Fields::new().row(row).status(*status).status(*netio_status).number32(*process_id).write(kind);
        }
        TraceEvent::QuotaExceeded { operation, process_id } => {
            let kind = kind!("QuotaExceeded", Warning, REFUSALS, ["Operation": Text, "ProcessId": Process]);
            Fields::new().text(name(*operation)).number32(*process_id).write(kind);
        }
        TraceEvent::BatchApplied { count, not_applied, atomic, process_id } => {
            let kind = kind!("BatchApplied", Information, BATCHES,
                ["Count": Number32, "NotApplied": Number32, "Atomic": Boolean, "ProcessId": Process]);
            let fields = Fields::new().number32(*count).number32(*not_applied).boolean(*atomic);
            fields.number32(*process_id).write(kind);
        }
        _ => write_of_lease(event),
    }
}

fn write_change(event: &TraceEvent) {
    match event {
        TraceEvent::AddressCreated { row, lifetime, shared, process_id, generation } => {
            let kind = kind!("AddressCreated", Information, CHANGES,
                ["InterfaceLuid": Hex64, "Address": SocketAddress, "Lifetime": Number32, "Shared": Boolean,
                 "ProcessId": Process, "Generation": Number64]);
            let fields = Fields::new().row(row).number32(*lifetime as u32).boolean(*shared);
            fields.number32(*process_id).number64(*generation).write(kind);
        }
        TraceEvent::AddressDeleted { row, process_id, generation } => {
            let kind = kind!("AddressDeleted", Information, CHANGES,
                ["InterfaceLuid": Hex64, "Address": SocketAddress, "ProcessId": Process, "Generation": Number64]);
            Fields::new().row(row).number32(*process_id).number64(*generation).write(kind);
        }
        TraceEvent::ChangedByOthers { generation } => {
            let kind = kind!("ChangedByOthers", Information, CHANGES, ["Generation": Number64]);
            Fields::new().number64(*generation).write(kind);
        }
        _ => {}
    }
}

fn write_of_lease(event: &TraceEvent) {
    match event {
        TraceEvent::LeaseJoined { row, process_id } => {
            let kind = kind!("LeaseJoined", Information, LEASES,
                ["InterfaceLuid": Hex64, "Address": SocketAddress, "ProcessId": Process]);
            Fields::new().row(row).number32(*process_id).write(kind);
        }
        TraceEvent::LeaseLeft { row, process_id } => {
            let kind = kind!("LeaseLeft", Information, LEASES,
                ["InterfaceLuid": Hex64, "Address": SocketAddress, "ProcessId": Process]);
            Fields::new().row(row).number32(*process_id).write(kind);
        }
        TraceEvent::LeaseWithdrawn { row, process_id, generation } => {
            let kind = kind!("LeaseWithdrawn", Information, CHANGES | LEASES,
                ["InterfaceLuid": Hex64, "Address": SocketAddress, "ProcessId": Process, "Generation": Number64]);
            Fields::new().row(row).number32(*process_id).number64(*generation).write(kind);
        }
        TraceEvent::WithdrawalRefused { row, netio_status } => {
            let kind = kind!("WithdrawalRefused", Warning, LEASES,
                ["InterfaceLuid": Hex64, "Address": SocketAddress, "NetioStatus": Status]);
            Fields::new().row(row).status(*netio_status).write(kind);
        }
        TraceEvent::WithdrawalRetried { row, netio_status } => {
            let kind = kind!("WithdrawalRetried", Information, LEASES,
                ["InterfaceLuid": Hex64, "Address": SocketAddress, "NetioStatus": Status]);
            Fields::new().row(row).status(*netio_status).write(kind);
        }
        TraceEvent::LeaseAbandoned { row } => {
            let kind = kind!("LeaseAbandoned", Error, LEASES, ["InterfaceLuid": Hex64, "Address": SocketAddress]);
            Fields::new().row(row).write(kind);
        }
        _ => {}
    }
}

fn name(operation: Operation) -> &'static str {
    operation.definition().name
}
