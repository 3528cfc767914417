//! What of a well-sized request is accepted: exactly what the contract gives a meaning to.

use netio_anycast_protocol::apply::{ApplyFlags, ApplyItem, ApplyReply, ApplyRequest, ItemOutcome};
use netio_anycast_protocol::create::{CreateFlags, CreateRequest, DeleteFlags, DeleteRequest, Lifetime};
use netio_anycast_protocol::lease::LeaseFilter;
use netio_anycast_protocol::operation::{OPERATIONS, Operation};
use netio_anycast_protocol::request::Request;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;
use netio_anycast_protocol::wait::Generation;
use proptest::prelude::*;
use zerocopy::{FromBytes, IntoBytes};

const ROOM: usize = 1 << 16;

/// Few numbers, so that those with a meaning are among them often.
fn number() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0_u32..4, 1 => any::<u32>()]
}

fn row() -> impl Strategy<Value = Row> {
    any::<[u8; size_of::<Row>()]>().prop_map(|bytes| Row::read_from_bytes(&bytes).expect("as long as a row"))
}

proptest! {
    #[test]
    fn create(row in row(), lifetime in number(), flags in number()) {
        let input = CreateRequest { row, lifetime, flags };
        let decoded = Request::decode(Operation::Create, input.as_bytes(), ROOM);
        let expected = match (lifetime, flags) {
            (0, 0) => Ok(Request::Create { row, lifetime: Lifetime::Unowned, flags: CreateFlags::empty() }),
            (1, 0) => Ok(Request::Create { row, lifetime: Lifetime::Handle, flags: CreateFlags::empty() }),
            (1, 1) => Ok(Request::Create { row, lifetime: Lifetime::Handle, flags: CreateFlags::SHARED }),
            _ => Err(NtStatus::INVALID_PARAMETER),
        };
        prop_assert_eq!(decoded, expected);
    }

    #[test]
    fn delete(row in row(), flags in number(), reserved in number()) {
        let input = DeleteRequest { row, flags, reserved };
        let expected = match (flags, reserved) {
            (0, 0) => Ok(Request::Delete { row, flags: DeleteFlags::empty() }),
            (1, 0) => Ok(Request::Delete { row, flags: DeleteFlags::FORCE }),
            _ => Err(NtStatus::INVALID_PARAMETER),
        };
        prop_assert_eq!(Request::decode(Operation::Delete, input.as_bytes(), ROOM), expected);
    }

    #[test]
    fn get(row in row()) {
        prop_assert_eq!(Request::decode(Operation::Get, row.as_bytes(), ROOM), Ok(Request::Get { row }));
    }

    #[test]
    fn get_table(bytes: [u8; size_of::<TableFilter>()], reserved in prop_oneof![Just(0), any::<u16>()]) {
        let filter = TableFilter::read_from_bytes(&bytes).expect("as long as a filter");
        let filter = TableFilter { reserved, ..filter };
        let decoded = Request::decode(Operation::GetTable, filter.as_bytes(), ROOM);
        let expected = if filter.reserved == 0 { Ok(Request::GetTable { filter }) } else { Err(NtStatus::INVALID_PARAMETER) };
        prop_assert_eq!(decoded, expected);
    }

    #[test]
    fn list_leases(bytes: [u8; size_of::<LeaseFilter>()], reserved in prop_oneof![Just(0), any::<u16>()], last in number()) {
        let filter = LeaseFilter::read_from_bytes(&bytes).expect("as long as a filter");
        let filter = LeaseFilter { table: TableFilter { reserved, ..filter.table }, reserved: last, ..filter };
        let decoded = Request::decode(Operation::ListLeases, filter.as_bytes(), ROOM);
        let clear = (reserved, last) == (0, 0);
        prop_assert_eq!(decoded, if clear { Ok(Request::ListLeases { filter }) } else { Err(NtStatus::INVALID_PARAMETER) });
    }

    #[test]
    fn wait_change(seen: u64) {
        let seen = Generation(seen);
        prop_assert_eq!(Request::decode(Operation::WaitChange, seen.as_bytes(), ROOM), Ok(Request::WaitChange { seen }));
    }

    /// The count has to be that of the items, and every outcome has to fit.
    #[test]
    fn apply(flags in number(), count in 0_u32..5, items in 0_usize..5, missing in 0_usize..2) {
        let room = (size_of::<ApplyReply>() + items * size_of::<ItemOutcome>()).saturating_sub(missing);
        let mut input = ApplyRequest { flags, count }.as_bytes().to_vec();
        input.resize(input.len() + items * size_of::<ApplyItem>(), 0xAA);
        let decoded = Request::decode(Operation::Apply, &input, room);
        let expected = match ApplyFlags::from_bits(flags) {
            _ if room < size_of::<ApplyReply>() => Err(NtStatus::BUFFER_TOO_SMALL),
            None => Err(NtStatus::INVALID_PARAMETER),
            Some(_) if count as usize != items => Err(NtStatus::INVALID_PARAMETER),
            Some(_) if missing > 0 => Err(NtStatus::BUFFER_TOO_SMALL),
            Some(flags) => Ok(Request::Apply { flags, count }),
        };
        prop_assert_eq!(decoded, expected);
        prop_assert_eq!(netio_anycast_protocol::request::items(&input), vec![[0xAA; 64]; items]);
    }

    /// The order of the checks: length of the input, room for the output, the rest.
    #[test]
    fn lengths(position in 0..OPERATIONS.len(), input in 0_usize..2000, room in 0_usize..2000) {
        let definition = &OPERATIONS[position];
        let decoded = Request::decode(definition.operation, &vec![0; input], room);
        let expected = if !definition.input.accepts(input) {
            Err(NtStatus::INFO_LENGTH_MISMATCH)
        } else if room < definition.output.fixed {
            Err(NtStatus::BUFFER_TOO_SMALL)
        } else if definition.operation == Operation::Apply && input > definition.input.fixed {
            // Items, and a count of none.
            Err(NtStatus::INVALID_PARAMETER)
        } else {
            Ok(())
        };
        prop_assert_eq!(decoded.map(|_| ()), expected);
    }
}
