//! What of a well-sized request is accepted: exactly what the contract gives a meaning to.

use netio_anycast_protocol::create::{CreateFlags, CreateRequest, DeleteFlags, DeleteRequest, Lifetime};
use netio_anycast_protocol::operation::{OPERATIONS, Operation};
use netio_anycast_protocol::request::{DECODED, Request};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;
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
        // Leases are announced, not offered: lifetime `handle` and the flag for it are refused.
        let expected = if (lifetime, flags) == (0, 0) {
            Ok(Request::Create { row, lifetime: Lifetime::Unowned, flags: CreateFlags::empty() })
        } else {
            Err(NtStatus::INVALID_PARAMETER)
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

    /// The order of the checks: feature, length of the input, room for the output.
    #[test]
    fn lengths(position in 0..OPERATIONS.len(), input in 0_usize..2000, room in 0_usize..2000) {
        let definition = &OPERATIONS[position];
        let decoded = Request::decode(definition.operation, &vec![0; input], room);
        let expected = if !DECODED.contains(definition.feature) {
            Err(NtStatus::INVALID_DEVICE_REQUEST)
        } else if !definition.input.accepts(input) {
            Err(NtStatus::INFO_LENGTH_MISMATCH)
        } else if room < definition.output.fixed {
            Err(NtStatus::BUFFER_TOO_SMALL)
        } else {
            Ok(())
        };
        prop_assert_eq!(decoded.map(|_| ()), expected);
    }
}
