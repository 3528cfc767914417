//! The control codes, each with the contract of its buffers.

use netio_anycast_protocol::apply::{ApplyItem, ApplyReply, ApplyRequest, ItemOutcome};
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest};
use netio_anycast_protocol::interface;
use netio_anycast_protocol::lease::{LeaseFilter, LeaseRow};
use netio_anycast_protocol::operation::{Access, Definition, Length, OPERATIONS, Operation};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::statistics::Statistics;
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use netio_anycast_protocol::version::Version;
use netio_anycast_protocol::wait::Generation;

use super::c_text::{constant_name, type_name};

/// A struct of the header and its length in bytes.
#[derive(Clone, Copy)]
struct Struct {
    name: &'static str,
    length: usize,
}

macro_rules! of {
    ($type:ident) => {
        Struct { name: stringify!($type), length: size_of::<$type>() }
    };
}

/// What travels one way: a fixed part, and rows after it.
type Buffer = (Option<Struct>, Option<Struct>);

/// What an operation does, its input and its output.
struct Contract {
    does: &'static str,
    input: Buffer,
    output: Buffer,
}

fn contract(operation: Operation) -> Contract {
    let (does, input, output) = match operation {
        Operation::QueryVersion => ("tells versions, features and limits", (None, None), (Some(of!(Version)), None)),
        Operation::Create => {
            ("adds an anycast address to an interface", (Some(of!(CreateRequest)), None), (Some(of!(Row)), None))
        }
        Operation::Delete => {
            ("removes an anycast address from an interface", (Some(of!(DeleteRequest)), None), (None, None))
        }
        Operation::Get => ("reads one anycast address", (Some(of!(Row)), None), (Some(of!(Row)), None)),
        Operation::GetTable => {
            ("lists anycast addresses", (Some(of!(TableFilter)), None), (Some(of!(TableHeader)), Some(of!(Row))))
        }
        Operation::Apply => (
            "creates and deletes many addresses",
            (Some(of!(ApplyRequest)), Some(of!(ApplyItem))),
            (Some(of!(ApplyReply)), Some(of!(ItemOutcome))),
        ),
        Operation::WaitChange => (
            "ends when the generation is no longer the one given",
            (Some(of!(Generation)), None),
            (Some(of!(Generation)), None),
        ),
        Operation::ListLeases => {
            ("lists leases", (Some(of!(LeaseFilter)), None), (Some(of!(TableHeader)), Some(of!(LeaseRow))))
        }
        Operation::QueryStatistics => ("reads the driver's counters", (None, None), (Some(of!(Statistics)), None)),
    };
    Contract { does, input, output }
}

/// Every control code.
pub(super) fn text() -> String {
    OPERATIONS.iter().map(operation).chain([query_interface()]).collect()
}

fn operation(definition: &Definition) -> String {
    let Contract { does, input, output } = contract(definition.operation);
    assert_eq!(lengths(input), definition.input, "{}: its input is not the operation table's", definition.name);
    assert_eq!(lengths(output), definition.output, "{}: its output is not the operation table's", definition.name);
    let (access, right) = match definition.access {
        Access::Read => ("FILE_READ_ACCESS", "GENERIC_READ"),
        Access::Write => ("FILE_WRITE_ACCESS", "GENERIC_WRITE"),
    };
    let features: Vec<String> =
        definition.feature.iter_names().map(|(name, _)| constant_name("FEATURE", name)).collect();
    let lines = [
        format!("{}: {does}.", definition.name),
        format!("Input: {}.", describe(input)),
        format!("Output: {}.", describe(output)),
        format!("Needs {right}, and a driver with {}.", features.join(" and ")),
    ];
    define(&lines, definition.name, definition.function, access, definition.control_code())
}

fn query_interface() -> String {
    let lines = [
        "QUERY_INTERFACE: returns the direct-call interface. Kernel mode only, with IRP_MJ_INTERNAL_DEVICE_CONTROL."
            .to_owned(),
        "Input: NETIO_ANYCAST_INTERFACE_REQUEST, 8 bytes.".to_owned(),
        "Output: NETIO_ANYCAST_INTERFACE.".to_owned(),
    ];
    let access = "FILE_READ_ACCESS | FILE_WRITE_ACCESS";
    define(&lines, "QUERY_INTERFACE", interface::FUNCTION, access, interface::QUERY_INTERFACE)
}

fn define(lines: &[String], name: &str, function: u16, access: &str, code: u32) -> String {
    let comment: String = lines.iter().flat_map(|line| [" * ", line, "\n"]).collect();
    let name = format!("IOCTL_{}", constant_name("", name));
    let device_type = constant_name("", "DEVICE_TYPE");
    format!(
        "/*\n{comment} */\n#define {name} \\\n  CTL_CODE({device_type}, {function:#05X}, METHOD_BUFFERED, {access})\n\
         C_ASSERT({name} == {code:#010X});\n\n"
    )
}

fn lengths((fixed, row): Buffer) -> Length {
    let length = |part: Option<Struct>| part.map_or(0, |part| part.length);
    Length { fixed: length(fixed), row: length(row) }
}

fn describe((fixed, row): Buffer) -> String {
    let name = |part: Struct| match part.name {
        "Row" => "MIB_ANYCASTIPADDRESS_ROW".to_owned(),
        other => type_name(other),
    };
    match (fixed, row) {
        (None, _) => "none".to_owned(),
        (Some(fixed), None) => format!("{}, {} bytes", name(fixed), fixed.length),
        (Some(fixed), Some(row)) => {
            format!("{}, {} bytes, and n of {}, {} bytes each", name(fixed), fixed.length, name(row), row.length)
        }
    }
}
