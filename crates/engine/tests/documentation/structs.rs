//! The fields of every struct that travels.

use std::mem::offset_of;

use netio_anycast_protocol::apply::{ApplyItem, ApplyReply, ApplyRequest, ItemOutcome};
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest};
use netio_anycast_protocol::interface::{Interface, InterfaceRequest};
use netio_anycast_protocol::lease::{LeaseFilter, LeaseRow};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::statistics::{OperationCounters, Statistics};
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use netio_anycast_protocol::version::Version;
use zerocopy::FromZeros;

use crate::generated::{check, table};

/// The description of a struct. It names every field, or it does not compile.
macro_rules! describe {
    ($title:literal, $type:ident { $($field:ident: $meaning:literal),+ $(,)? }) => {{
        let $type { $($field),+ } = $type::new_zeroed();
        let fields = [$([
            offset_of!($type, $field).to_string(),
            size_of_val(&$field).to_string(),
            concat!("`", stringify!($field), "`").to_owned(),
            $meaning.to_owned(),
        ]),+];
        let table = table(["Offset", "Size", "Field", "Meaning"], fields);
        format!("**{}**, {} bytes\n\n{table}\n", $title, size_of::<$type>())
    }};
}

fn rows() -> String {
    describe!(
        "Row: `MIB_ANYCASTIPADDRESS_ROW`",
        Row {
            address: "`SOCKADDR_INET`; port, flow information and scope id in it are ignored coming in, zero going out",
            padding: "ignored coming in, zero going out",
            luid: "`NET_LUID` of the interface, or zero",
            index: "its index, used when the LUID is zero",
            scope_id: "ignored coming in; that of the address on its interface going out",
        }
    )
}

fn version() -> String {
    describe!(
        "QUERY_VERSION output",
        Version {
            protocol: "version of this contract: 1",
            max_apply_items: "items that one APPLY takes",
            driver: "version of the driver: major, minor, patch, build; 16 bits each",
            features: "feature bits; ignore unknown ones",
            max_leases_per_handle: "leases that one handle may hold",
            max_leases: "leases in total",
            max_pending_waits: "WAIT_CHANGE requests pending at once",
            reserved: "zero",
        }
    )
}

fn addresses() -> String {
    let create = describe!(
        "CREATE input (output: a row)",
        CreateRequest {
            row: "address and interface",
            lifetime: "0 `unowned`, 1 `handle`",
            flags: "bit 0 `shared`, with lifetime `handle` only",
        }
    );
    let delete = describe!(
        "DELETE input (output: none)",
        DeleteRequest { row: "address and interface", flags: "bit 0 `force`", reserved: "zero" }
    );
    create + &delete + "**GET** takes a row and returns one.\n\n"
}

fn tables() -> String {
    let filter = describe!(
        "GET_TABLE input",
        TableFilter {
            family: "0 both, 2 IPv4, 23 IPv6",
            reserved: "zero",
            index: "one interface by index, used when the LUID is zero; or zero",
            luid: "one interface by LUID, or zero",
        }
    );
    let header = describe!(
        "GET_TABLE output, before the rows",
        TableHeader {
            count: "rows that follow",
            total: "rows that there are",
            generation: "the driver's generation before the table was read",
        }
    );
    filter + &header
}

fn batches() -> String {
    let request = describe!(
        "APPLY input, before the items",
        ApplyRequest { flags: "bit 0 `atomic`", count: "items that follow" }
    );
    let item = describe!(
        "APPLY item",
        ApplyItem {
            row: "address and interface",
            action: "1 create, 2 delete",
            lifetime: "as CREATE; zero for a deletion",
            flags: "as CREATE or DELETE",
            reserved: "zero",
        }
    );
    let reply = describe!(
        "APPLY output, before the outcomes",
        ApplyReply { count: "outcomes that follow", not_applied: "items that are not applied" }
    );
    let outcome = describe!(
        "APPLY outcome",
        ItemOutcome {
            status: "what a single request would have ended with",
            netio_status: "NetIO's own last status for the item, or zero",
            win32: "`status` as Win32 has it",
            field: "field at fault: 0 none, 1 family, 2 address, 3 interface, 4 lifetime, 5 flags, action or something reserved",
            state: "1 applied, 2 failed, 3 not attempted, 4 rolled back, 5 rollback failed",
            reserved: "zero",
        }
    );
    request + &item + &reply + &outcome
}

fn leases() -> String {
    let wait = "**WAIT_CHANGE** takes a generation (8 bytes) and returns one.\n\n";
    let filter = describe!(
        "LIST_LEASES input",
        LeaseFilter {
            table: "as GET_TABLE's input",
            process_id: "the leases of one process, or zero",
            reserved: "zero",
        }
    );
    let row = describe!(
        "LIST_LEASES row, after GET_TABLE's header",
        LeaseRow {
            row: "address and interface",
            lifetime: "as CREATE",
            flags: "as CREATE",
            holders: "handles that hold it",
            process_id: "process that opened the handle which created it",
            age: "milliseconds since it was created",
        }
    );
    wait.to_owned() + &filter + &row
}

fn statistics() -> String {
    let counters = describe!(
        "Counters of one operation",
        OperationCounters {
            succeeded: "success, and the warning that more rows exist",
            malformed: "refused before anything was done",
            invalid: "STATUS_INVALID_PARAMETER for a well-formed request",
            already_exists: "STATUS_OBJECTID_EXISTS",
            not_found: "STATUS_NOT_FOUND",
            not_supported: "STATUS_NOT_SUPPORTED",
            access_denied: "STATUS_ACCESS_DENIED, STATUS_PRIVILEGE_NOT_HELD",
            no_resources: "no memory, no quota",
            cancelled: "STATUS_CANCELLED",
            failed: "any other failure",
            last_netio_failure: "NetIO's own status, before mapping, when a request last failed by it",
            reserved: "zero",
        }
    );
    let all = describe!(
        "QUERY_STATISTICS output",
        Statistics {
            operations: "counters by function number from 0x800, 16 times; unused ones zero",
            unknown_codes: "control codes of no operation",
            live_leases: "leases held now",
            pending_waits: "WAIT_CHANGE requests pending now",
            withdrawal_retries: "withdrawals that NetIO refused and that were tried again",
            generation: "the generation now",
            reserved: "zero",
        }
    );
    counters + &all
}

fn interface_request() -> String {
    describe!(
        "QUERY_INTERFACE input",
        InterfaceRequest {
            size: "length of the table in bytes: 72 on x64 and ARM64",
            version: "version of the table: 1",
            reserved: "zero",
        }
    )
}

/// The table of functions, in pointers: its offsets depend on the processor.
fn interface() -> String {
    macro_rules! describe_table {
        ($($field:ident: $meaning:literal),+ $(,)?) => {{
            let Interface { size: _, version: _, $($field: _),+ } = Interface::EMPTY;
            [$([
                format!("{} P", offset_of!(Interface, $field) / size_of::<usize>()),
                concat!("`", stringify!($field), "`").to_owned(),
                $meaning.to_owned(),
            ]),+]
        }};
    }
    let head = [
        ["0".to_owned(), "`size`".to_owned(), "16 bits: length of the table in bytes".to_owned()],
        ["2".to_owned(), "`version`".to_owned(), "16 bits: version of the table, 1".to_owned()],
    ];
    let functions = describe_table! {
        context: "what every function takes first",
        interface_reference: "void (context): one reference more",
        interface_dereference: "void (context): one reference less; the last one ends the context and its leases",
        create: "status (context, row, lifetime, flags, resolved row or null): CREATE",
        delete: "status (context, row, flags): DELETE",
        get: "status (context, row): GET",
        get_table: "status (context, filter or null, pointer to the table): GET_TABLE",
        free_table: "void (context, table or null): gives a table back",
    };
    let rows = head.into_iter().chain(functions);
    format!(
        "**QUERY_INTERFACE output**, 9 P bytes, P being the size of a pointer\n\n{}\n",
        table(["Offset", "Field", "Meaning"], rows)
    )
}

#[test]
fn the_direct_call_interface_is_that_of_the_protocol() {
    check("protocol.md", "interface", &(interface_request() + &interface()));
}

#[test]
fn the_structs_are_those_of_the_protocol() {
    let sections = [rows(), version(), addresses(), tables(), batches(), leases(), statistics()];
    check("protocol.md", "structs", &sections.concat());
}
