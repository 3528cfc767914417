//! The layouts as the Rust compiler has them, for the C compiler to confirm.

use std::fmt::Write as _;
use std::mem::offset_of;

use netio_anycast_protocol::apply::{ApplyItem, ApplyReply, ApplyRequest, ItemOutcome};
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest};
use netio_anycast_protocol::interface::{Interface, InterfaceRequest};
use netio_anycast_protocol::lease::{LeaseFilter, LeaseRow};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::statistics::{OperationCounters, Statistics};
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use netio_anycast_protocol::version::Version;
use netio_anycast_protocol::wait::Generation;

use super::c_text::{pascal_case, type_name};

/// A struct: its size, and the offset of each of its fields, in bytes.
struct Layout {
    name: &'static str,
    size: usize,
    fields: Vec<(&'static str, usize)>,
}

macro_rules! layouts {
    ($fields:ident, $function:ident: $($type:ident { $($field:ident),+ })+) => {
        /// The names of the fields.
        const $fields: &[&str] = &[$($(stringify!($field)),+),+];

        fn $function() -> Vec<Layout> {
            // Every field is named, or it does not compile.
            $(let _ = |$type { $($field: _),+ }: $type| ();)+
            vec![$(Layout {
                name: stringify!($type),
                size: size_of::<$type>(),
                fields: vec![$((stringify!($field), offset_of!($type, $field))),+],
            }),+]
        }
    };
}

layouts! { FIELDS_ON_THE_WIRE, layouts_on_the_wire:
    Version {
        protocol, max_apply_items, driver, features, max_leases_per_handle, max_leases, max_pending_waits, reserved
    }
    CreateRequest { row, lifetime, flags }
    DeleteRequest { row, flags, reserved }
    TableFilter { family, reserved, index, luid }
    TableHeader { count, total, generation }
    ApplyRequest { flags, count }
    ApplyItem { row, action, lifetime, flags, reserved }
    ApplyReply { count, not_applied }
    ItemOutcome { status, netio_status, win32, field, state, reserved }
    LeaseFilter { table, process_id, reserved }
    LeaseRow { row, lifetime, flags, holders, process_id, age }
    OperationCounters {
        succeeded, malformed, invalid, already_exists, not_found, not_supported, access_denied, no_resources, cancelled,
        failed, last_netio_failure, reserved
    }
    Statistics { operations, unknown_codes, live_leases, pending_waits, withdrawal_retries, generation, reserved }
}

layouts! { FIELDS_BETWEEN_DRIVERS, layouts_between_drivers:
    InterfaceRequest { size, version, reserved }
    Interface {
        size, version, context, interface_reference, interface_dereference, create, delete, get, get_table, free_table
    }
}

/// The names of all fields, as documentation mentions them.
pub(super) const FIELDS: &[&str] = &{
    const WIRE: usize = FIELDS_ON_THE_WIRE.len();
    let mut all = [""; WIRE + FIELDS_BETWEEN_DRIVERS.len()];
    let (wire, between_drivers) = all.split_at_mut(WIRE);
    wire.copy_from_slice(FIELDS_ON_THE_WIRE);
    between_drivers.copy_from_slice(FIELDS_BETWEEN_DRIVERS);
    all
};

/// Assertions about what travels.
pub(super) fn wire() -> String {
    let row = Layout {
        name: "MIB_ANYCASTIPADDRESS_ROW",
        size: size_of::<Row>(),
        fields: vec![
            ("Address", offset_of!(Row, address)),
            ("InterfaceLuid", offset_of!(Row, luid)),
            ("InterfaceIndex", offset_of!(Row, index)),
            ("ScopeId", offset_of!(Row, scope_id)),
        ],
    };
    let mut text = assertions(&row, str::to_owned, str::to_owned, &|bytes| bytes.to_string());
    writeln!(text, "C_ASSERT(sizeof({}) == {});", type_name("Generation"), size_of::<Generation>())
        .expect("a string takes everything");
    for layout in layouts_on_the_wire() {
        text += &assertions(&layout, type_name, pascal_case, &|bytes| bytes.to_string());
    }
    text + "\n"
}

/// Assertions about what exists between drivers only.
pub(super) fn kernel() -> String {
    let in_pointers = |bytes: usize| match bytes / size_of::<usize>() {
        0 => bytes.to_string(),
        pointers => format!("{pointers} * sizeof(PVOID)"),
    };
    let [request, interface] = &layouts_between_drivers()[..] else { unreachable!("they are these two") };
    let request = assertions(request, type_name, pascal_case, &|bytes| bytes.to_string());
    request + &assertions(interface, type_name, pascal_case, &in_pointers) + "\n"
}

fn assertions(
    layout: &Layout,
    type_name: fn(&str) -> String,
    field_name: fn(&str) -> String,
    show: &dyn Fn(usize) -> String,
) -> String {
    let name = type_name(layout.name);
    let mut text = format!("C_ASSERT(sizeof({name}) == {});\n", show(layout.size));
    for (field, offset) in &layout.fields {
        writeln!(text, "C_ASSERT(offsetof({name}, {}) == {});", field_name(field), show(*offset))
            .expect("a string takes everything");
    }
    text
}
