//! Sizes and offsets that the driver relies on, held to the compiler's word.
//!
//! The bindings are generated from the WDK's headers on Windows and from the kit's on Linux: a difference between the two
//! that matters would be a build error here.

use core::mem::offset_of;

use netio_anycast_protocol::row::Row;
use wdk_sys::{DEVICE_OBJECT, DRIVER_OBJECT, IO_STACK_LOCATION, IRP};

use crate::bindings::{MIB_ANYCASTIPADDRESS_ROW, MIB_ANYCASTIPADDRESS_TABLE, NET_LUID, SCOPE_ID, SOCKADDR_INET};

const _: () = {
    assert!(size_of::<SOCKADDR_INET>() == 28 && align_of::<SOCKADDR_INET>() == 4);
    assert!(size_of::<NET_LUID>() == 8 && align_of::<NET_LUID>() == 8);
    assert!(size_of::<SCOPE_ID>() == 4 && align_of::<SCOPE_ID>() == 4);

    assert!(size_of::<MIB_ANYCASTIPADDRESS_ROW>() == 48 && align_of::<MIB_ANYCASTIPADDRESS_ROW>() == 8);
    assert!(offset_of!(MIB_ANYCASTIPADDRESS_ROW, Address) == offset_of!(Row, address));
    assert!(offset_of!(MIB_ANYCASTIPADDRESS_ROW, InterfaceLuid) == offset_of!(Row, luid));
    assert!(offset_of!(MIB_ANYCASTIPADDRESS_ROW, InterfaceIndex) == offset_of!(Row, index));
    assert!(offset_of!(MIB_ANYCASTIPADDRESS_ROW, ScopeId) == offset_of!(Row, scope_id));
    assert!(size_of::<MIB_ANYCASTIPADDRESS_ROW>() == size_of::<Row>());

    assert!(size_of::<MIB_ANYCASTIPADDRESS_TABLE>() == 56 && align_of::<MIB_ANYCASTIPADDRESS_TABLE>() == 8);
    assert!(offset_of!(MIB_ANYCASTIPADDRESS_TABLE, NumEntries) == 0);
    assert!(offset_of!(MIB_ANYCASTIPADDRESS_TABLE, Table) == 8);
};

/// Source of the sizes: the WDK's `wdm.h`, compiled for x64.
#[cfg(target_arch = "x86_64")]
const _: () = {
    assert!(size_of::<IRP>() == 0xD0);
    assert!(size_of::<IO_STACK_LOCATION>() == 0x48);
    assert!(size_of::<DEVICE_OBJECT>() == 0x150);
    assert!(size_of::<DRIVER_OBJECT>() == 0x150);
};
