//! What other drivers use: the direct-call interface and the notices.

use std::mem::offset_of;

use netio_anycast_protocol::interface::{INTERFACE_SIZE, Interface, InterfaceRequest, QUERY_INTERFACE};
use netio_anycast_protocol::notice::Notice;
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::status::NtStatus;
use proptest::prelude::*;
use zerocopy::IntoBytes;

#[test]
fn its_control_code_never_changes_and_is_no_operation_for_programs() {
    assert_eq!(QUERY_INTERFACE, 0x8ACA_FC00);
    assert_eq!(Operation::from_control_code(QUERY_INTERFACE), None);
}

/// The head is that of `INTERFACE` in `wdm.h`; the rest are pointers, in an order that never changes.
#[test]
fn the_table_is_laid_out_as_promised() {
    const POINTER: usize = size_of::<usize>();
    let words = [
        offset_of!(Interface, context),
        offset_of!(Interface, interface_reference),
        offset_of!(Interface, interface_dereference),
        offset_of!(Interface, create),
        offset_of!(Interface, delete),
        offset_of!(Interface, get),
        offset_of!(Interface, get_table),
        offset_of!(Interface, free_table),
    ];
    assert_eq!((offset_of!(Interface, size), offset_of!(Interface, version)), (0, 2));
    assert_eq!(words.map(|offset| offset / POINTER), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert!(words.iter().all(|offset| offset % POINTER == 0));
    assert_eq!(usize::from(INTERFACE_SIZE), 9 * POINTER);
}

#[test]
fn the_request_of_this_version_is_accepted() {
    let input = InterfaceRequest::CURRENT;
    assert_eq!(InterfaceRequest::check(input.as_bytes(), size_of::<Interface>()), Ok(()));
    assert_eq!(InterfaceRequest::check(input.as_bytes(), usize::MAX), Ok(()));
}

proptest! {
    /// The order of the checks: length of the input, reserved, version, size, room for the output.
    #[test]
    fn any_other_request_is_refused(
        size in prop_oneof![Just(INTERFACE_SIZE), any::<u16>()],
        version in 0_u16..3,
        reserved in 0_u32..2,
        length in prop_oneof![4 => Just(8_usize), 1 => 0_usize..20],
        room in 0..2 * size_of::<Interface>(),
    ) {
        let mut input = InterfaceRequest { size, version, reserved }.as_bytes().to_vec();
        input.resize(length, 0);
        let expected = if length != 8 {
            Err(NtStatus::INFO_LENGTH_MISMATCH)
        } else if reserved != 0 {
            Err(NtStatus::INVALID_PARAMETER)
        } else if version != 1 {
            Err(NtStatus::REVISION_MISMATCH)
        } else if size != INTERFACE_SIZE {
            Err(NtStatus::INVALID_PARAMETER)
        } else if room < size_of::<Interface>() {
            Err(NtStatus::BUFFER_TOO_SMALL)
        } else {
            Ok(())
        };
        prop_assert_eq!(InterfaceRequest::check(&input, room), expected);
    }
}

#[test]
fn notices_of_a_newer_driver_are_told_apart() {
    for (argument, notice) in [(0, None), (1, Some(Notice::Ready)), (2, Some(Notice::Going)), (3, None)] {
        assert_eq!(Notice::from_argument(argument), notice);
    }
    assert_eq!(Notice::from_argument(Notice::Ready as usize), Some(Notice::Ready));
    assert_eq!(Notice::from_argument(Notice::Going as usize), Some(Notice::Going));
}
