//! Names, limits, flags and features.

use std::fmt::{self, Write as _};

use bitflags::Flags;
use netio_anycast_protocol::apply::{ApplyFlags, MAX_APPLY_ITEMS};
use netio_anycast_protocol::create::{CreateFlags, DeleteFlags};
use netio_anycast_protocol::interface::INTERFACE_VERSION;
use netio_anycast_protocol::notice::CALLBACK_NAME;
use netio_anycast_protocol::operation::DEVICE_TYPE;
use netio_anycast_protocol::statistics::OPERATION_ROWS;
use netio_anycast_protocol::version::{Features, PROTOCOL_VERSION};
use netio_anycast_protocol::{DEVICE_NAME, DEVICE_PATH, SERVICE_NAME};

use super::c_text::{comment, constant_name};

/// The constants, grouped.
pub(super) fn text() -> String {
    let names = [
        ("What a program opens with CreateFileW.", "DEVICE_PATH", DEVICE_PATH),
        ("The device, for IoGetDeviceObjectPointer.", "DEVICE_NAME", DEVICE_NAME),
        (
            "The callback object by which the driver tells other drivers that it is there.",
            "CALLBACK_NAME",
            CALLBACK_NAME,
        ),
        ("The driver's service.", "SERVICE_NAME", SERVICE_NAME),
    ];
    let numbers = [
        ("The version of this contract, as QUERY_VERSION tells it.", "PROTOCOL_VERSION", PROTOCOL_VERSION.to_string()),
        ("The version of the direct-call interface.", "INTERFACE_VERSION", INTERFACE_VERSION.to_string()),
        ("The most items that any driver takes in one APPLY.", "MAX_APPLY_ITEMS", MAX_APPLY_ITEMS.to_string()),
        ("The rows of counters in QUERY_STATISTICS.", "OPERATION_ROWS", OPERATION_ROWS.to_string()),
        ("The device type of the control codes.", "DEVICE_TYPE", format!("{DEVICE_TYPE:#06X}UL")),
    ];
    let names = names.map(|(meaning, name, value)| define(meaning, "", name, wide(value)));
    let numbers = numbers.map(|(meaning, name, value)| define(meaning, "", name, value));
    let flags = [
        flags::<Features>("Feature bits of QUERY_VERSION.", "FEATURE", |bits| format!("{bits:#x}ULL")),
        flags::<CreateFlags>("Flags of CREATE.", "CREATE", |bits| format!("{bits:#x}UL")),
        flags::<DeleteFlags>("Flags of DELETE.", "DELETE", |bits| format!("{bits:#x}UL")),
        flags::<ApplyFlags>("Flags of APPLY.", "APPLY", |bits| format!("{bits:#x}UL")),
    ];
    [names.concat(), numbers.concat(), flags.concat()].concat()
}

fn define(meaning: &str, of: &str, name: &str, value: impl fmt::Display) -> String {
    format!("{}#define {} {value}\n\n", comment(0, meaning), constant_name(of, name))
}

/// A wide string.
fn wide(text: &str) -> String {
    format!("L\"{}\"", text.replace('\\', r"\\"))
}

fn flags<F: Flags>(meaning: &str, of: &str, show: impl Fn(F::Bits) -> String) -> String {
    let mut text = comment(0, meaning);
    for flag in F::FLAGS {
        let name = constant_name(of, flag.name());
        writeln!(text, "#define {name} {}", show(flag.value().bits())).expect("a string takes everything");
    }
    text + "\n"
}
