//! What the driver says of itself, and requests that are not as they should be.

use netio_anycast_client::protocol::create::{CreateRequest, DeleteRequest, Lifetime};
use netio_anycast_client::protocol::operation::{Definition, OPERATIONS, Operation};
use netio_anycast_client::protocol::row::Row;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::table::TableFilter;
use netio_anycast_client::protocol::version::{Features, Version};
use netio_anycast_client::{InterfaceId, Transport, query_version};
use zerocopy::{FromBytes, IntoBytes};

use super::Scenario;
use super::context::{AnyClient, Context, DENIED, Stop, check, code, control, refused, refused_by_hand, same};

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "QUERY_VERSION tells a limit with each feature that has one, and nothing that is reserved",
        needs: Features::ANYCAST,
        run: the_version_is_whole,
    },
    Scenario {
        name: "an input of another length is STATUS_INFO_LENGTH_MISMATCH",
        needs: Features::ANYCAST,
        run: inputs_of_another_length,
    },
    Scenario {
        name: "an output buffer too small for the fixed part is STATUS_BUFFER_TOO_SMALL",
        needs: Features::ANYCAST,
        run: outputs_that_are_too_small,
    },
    Scenario {
        name: "a control code that is no operation's is STATUS_INVALID_DEVICE_REQUEST",
        needs: Features::ANYCAST,
        run: codes_of_no_operation,
    },
    Scenario {
        name: "an unknown flag or lifetime, or something reserved, is STATUS_INVALID_PARAMETER",
        needs: Features::ANYCAST,
        run: what_is_reserved,
    },
    Scenario {
        name: "a handle that was opened to read can't change anything",
        needs: Features::ANYCAST,
        run: a_handle_to_read,
    },
];

fn the_version_is_whole(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    let version: Version = query_version(client.transport())?;
    same("the reserved field", &version.reserved, &0)?;
    let limits = [
        (Features::BATCHES, version.max_apply_items, "max_apply_items"),
        (Features::LEASES, version.max_leases_per_handle, "max_leases_per_handle"),
        (Features::LEASES, version.max_leases, "max_leases"),
        (Features::CHANGE_WAITS, version.max_pending_waits, "max_pending_waits"),
    ];
    for (feature, limit, name) in limits {
        let offers = client.offers(feature);
        check((limit != 0) == offers, || {
            format!("{name} is {limit}, and the feature is {}offered", if offers { "" } else { "not " })
        })?;
    }
    Ok(())
}

/// The operations that the driver has.
fn operations<'a>(client: &'a AnyClient<'_>) -> impl Iterator<Item = &'static Definition> + 'a {
    OPERATIONS.iter().filter(|operation| client.offers(operation.feature))
}

fn inputs_of_another_length(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    for operation in operations(&client) {
        let input = operation.input;
        let too_long = input.fixed + 1;
        let lengths = [input.fixed.checked_sub(1), Some(too_long), Some(input.fixed + input.row + 1)];
        for length in lengths.into_iter().flatten().filter(|length| !input.accepts(*length)) {
            let output = operation.output.fixed + operation.output.row;
            let result = control(&client, operation.control_code(), &vec![0; length], output)?;
            let what = format!("{} with {length} bytes", operation.name);
            refused_by_hand(&what, &result, NtStatus::INFO_LENGTH_MISMATCH)?;
        }
    }
    Ok(())
}

fn outputs_that_are_too_small(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    for operation in operations(&client).filter(|operation| operation.output.fixed != 0) {
        for length in [0, operation.output.fixed - 1] {
            let result = control(&client, operation.control_code(), &vec![0; operation.input.fixed], length)?;
            let what = format!("{} with room for {length} bytes", operation.name);
            refused_by_hand(&what, &result, NtStatus::BUFFER_TOO_SMALL)?;
        }
    }
    Ok(())
}

fn codes_of_no_operation(context: &Context<'_>) -> Result<(), Stop> {
    /// The first function number after those that the contract leaves room for.
    const BEYOND: u32 = 1 << 4;
    const FUNCTION_SHIFT: u32 = 2;
    const ACCESS_SHIFT: u32 = 14;
    let client = context.client()?;
    let version = code(Operation::QueryVersion);
    let lacking = OPERATIONS.iter().filter(|operation| !client.offers(operation.feature));
    let codes = [version + (BEYOND << FUNCTION_SHIFT), version ^ 0b11 << ACCESS_SHIFT];
    for code in lacking.map(Definition::control_code).chain(codes) {
        let result = control(&client, code, &[], size_of::<Version>())?;
        refused_by_hand(&format!("control code {code:#010X}"), &result, NtStatus::INVALID_DEVICE_REQUEST)?;
    }
    Ok(())
}

fn what_is_reserved(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    let row = match context.interface {
        InterfaceId::Luid(luid) => Row::on_luid(context.address(0), luid),
        InterfaceId::Index(index) => Row::on_index(context.address(0), index),
    };
    let create = CreateRequest { row, lifetime: Lifetime::Unowned as u32, flags: 0 };
    let delete = DeleteRequest { row, flags: 0, reserved: 0 };
    let table = TableFilter::ALL;
    let creations = [
        ("a lifetime of 2", CreateRequest { lifetime: 2, ..create }),
        ("the flag 2", CreateRequest { lifetime: Lifetime::Handle as u32, flags: 2, ..create }),
        ("`shared` without a lease", CreateRequest { flags: 1, ..create }),
    ];
    for (what, request) in creations {
        let result = control(&client, code(Operation::Create), request.as_bytes(), size_of::<Row>())?;
        refused_by_hand(&format!("CREATE with {what}"), &result, NtStatus::INVALID_PARAMETER)?;
    }
    for request in [DeleteRequest { flags: 2, ..delete }, DeleteRequest { reserved: 1, ..delete }] {
        let result = control(&client, code(Operation::Delete), request.as_bytes(), 0)?;
        refused_by_hand("DELETE with something reserved", &result, NtStatus::INVALID_PARAMETER)?;
    }
    let result = control(&client, code(Operation::GetTable), TableFilter { reserved: 1, ..table }.as_bytes(), 4096)?;
    refused_by_hand("GET_TABLE with something reserved", &result, NtStatus::INVALID_PARAMETER)?;
    same("the addresses on the interface", &context.there(&client)?, &Vec::new())
}

fn a_handle_to_read(context: &Context<'_>) -> Result<(), Stop> {
    let (writer, reader) = (context.client()?, context.reader()?);
    let address = context.address(0);
    writer.create(address, context.interface)?;
    refused("CREATE", reader.create(context.address(1), context.interface), DENIED)?;
    refused("DELETE", reader.delete(address, context.interface), DENIED)?;
    same("the addresses on the interface", &context.there(&reader)?, &vec![address])
}

/// The row that comes back when it is asked for by hand.
pub(super) fn read_row(client: &AnyClient<'_>, request: &Row) -> Result<Row, Stop> {
    let mut output = [0xFF; size_of::<Row>() + 16];
    let returned = client
        .transport()
        .control(code(Operation::Get), request.as_bytes(), &mut output)
        .map_err(|error| Stop::Failed(format!("GET ended with {}", error.status)))?;
    same("the length of GET's answer", &returned.length, &size_of::<Row>())?;
    Row::read_from_prefix(&output).map(|(row, _)| row).map_err(|_| Stop::Failed("GET's answer is too short".to_owned()))
}
