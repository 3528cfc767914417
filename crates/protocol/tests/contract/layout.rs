//! Sizes and offsets, as measured on the SDK's headers or promised to C callers.

use std::mem::offset_of;

use netio_anycast_protocol::address::{Luid, SocketAddress};
use netio_anycast_protocol::apply::{ApplyItem, ApplyReply, ApplyRequest, ItemOutcome};
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest};
use netio_anycast_protocol::lease::{LeaseFilter, LeaseRow};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::statistics::{OperationCounters, Statistics};
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use netio_anycast_protocol::version::Version;
use netio_anycast_protocol::wait::Generation;
use zerocopy::IntoBytes;

/// Size, alignment, and the offset of each field in turn.
macro_rules! assert_layout {
    ($type:ident is $size:literal / $align:literal: $($field:ident $offset:literal),+) => {
        assert_eq!((size_of::<$type>(), align_of::<$type>()), ($size, $align), stringify!($type));
        $(assert_eq!(offset_of!($type, $field), $offset, concat!(stringify!($type), ".", stringify!($field)));)+
    };
}

/// Measured on mingw-w64's and the SDK's headers for x86_64, aarch64, i686 and armv7.
#[test]
fn netio_structs_are_laid_out_as_in_the_sdk() {
    assert_layout!(SocketAddress is 28 / 4: family 0, port 2, data 4);
    assert_layout!(Row is 48 / 8: address 0, padding 28, luid 32, index 40, scope_id 44);
    assert_eq!((size_of::<Luid>(), align_of::<Luid>()), (8, 8));
}

#[test]
fn requests_and_replies_are_laid_out_as_promised() {
    assert_layout!(Version is 40 / 8: protocol 0, max_apply_items 4, driver 8, features 16, max_leases_per_handle 24,
        max_leases 28, max_pending_waits 32, reserved 36);
    assert_layout!(CreateRequest is 56 / 8: row 0, lifetime 48, flags 52);
    assert_layout!(DeleteRequest is 56 / 8: row 0, flags 48, reserved 52);
    assert_layout!(TableFilter is 16 / 8: family 0, reserved 2, index 4, luid 8);
    assert_layout!(TableHeader is 16 / 8: count 0, total 4, generation 8);
    assert_eq!((size_of::<Generation>(), align_of::<Generation>()), (8, 8));
}

#[test]
fn batches_and_leases_are_laid_out_as_promised() {
    assert_layout!(ApplyRequest is 8 / 4: flags 0, count 4);
    assert_layout!(ApplyItem is 64 / 8: row 0, action 48, lifetime 52, flags 56, reserved 60);
    assert_layout!(ApplyReply is 8 / 4: count 0, not_applied 4);
    assert_layout!(ItemOutcome is 16 / 8: status 0, netio_status 4, win32 8, field 12, state 13, reserved 14);
    assert_layout!(LeaseFilter is 24 / 8: table 0, process_id 16, reserved 20);
    assert_layout!(LeaseRow is 72 / 8: row 0, lifetime 48, flags 52, holders 56, process_id 60, age 64);
}

#[test]
fn statistics_are_laid_out_as_promised() {
    assert_layout!(OperationCounters is 88 / 8: succeeded 0, malformed 8, invalid 16, already_exists 24, not_found 32,
        not_supported 40, access_denied 48, no_resources 56, cancelled 64, failed 72, last_netio_failure 80, reserved 84);
    assert_layout!(Statistics is 1472 / 8: operations 0, unknown_codes 1408, live_leases 1416, pending_waits 1424,
        withdrawal_retries 1432, generation 1440, reserved 1448);
}

/// `sin_addr` is at 4, `sin6_addr` at 8, both in network byte order.
#[test]
fn addresses_stand_where_winsock_has_them() {
    let four = SocketAddress::new("192.0.2.1".parse().expect("an address"));
    assert_eq!(four.as_bytes()[..8], [2, 0, 0, 0, 192, 0, 2, 1]);
    assert_eq!(four.as_bytes()[8..], [0; 20]);
    let six = SocketAddress::new("2001:db8::1".parse().expect("an address"));
    assert_eq!(six.as_bytes()[..8], [23, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(six.as_bytes()[8..24], [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(six.as_bytes()[24..], [0; 4]);
}

/// `NET_LUID.Info`: 24 reserved bits, 24 bits of index, 16 bits of type, the lowest first.
#[test]
fn a_luid_is_composed_as_net_luid_is() {
    assert_eq!(Luid::new(6, 1).0, 0x0006_0000_0100_0000);
    assert_eq!(Luid::new(0xFFFF, 0xFFFF_FFFF).0, 0xFFFF_FFFF_FF00_0000, "an index has 24 bits");
}
