//! Sizes and offsets that the driver relies on, held to the compiler's word.
//!
//! The bindings are generated from the WDK's headers on Windows and from the kit's on Linux: a difference between the two
//! that matters would be a build error here.

use core::mem::offset_of;

use netio_anycast_protocol::row::Row;
use wdk_sys::{DEVICE_OBJECT, DRIVER_OBJECT, FILE_OBJECT, IO_STACK_LOCATION, IRP};

use crate::bindings::{MIB_ANYCASTIPADDRESS_ROW, MIB_ANYCASTIPADDRESS_TABLE, NET_LUID, SCOPE_ID, SOCKADDR_INET};

const _: () = {
    assert!(size_of::<SOCKADDR_INET>() == 28 && align_of::<SOCKADDR_INET>() == 4);
    assert!(offset_of!(SOCKADDR_INET, si_family) == 0);
    assert!(offset_of!(SOCKADDR_INET, Ipv4.sin_family) == 0);
    assert!(offset_of!(SOCKADDR_INET, Ipv4.sin_port) == 2);
    assert!(offset_of!(SOCKADDR_INET, Ipv4.sin_addr) == 4);
    assert!(offset_of!(SOCKADDR_INET, Ipv6.sin6_family) == 0);
    assert!(offset_of!(SOCKADDR_INET, Ipv6.sin6_port) == 2);
    assert!(offset_of!(SOCKADDR_INET, Ipv6.sin6_flowinfo) == 4);
    assert!(offset_of!(SOCKADDR_INET, Ipv6.sin6_addr) == 8);
    assert!(offset_of!(SOCKADDR_INET, Ipv6.__bindgen_anon_1) == 24);
    assert!(size_of::<NET_LUID>() == 8 && align_of::<NET_LUID>() == 8);
    assert!(size_of::<SCOPE_ID>() == 4 && align_of::<SCOPE_ID>() == 4);

    assert!(size_of::<MIB_ANYCASTIPADDRESS_ROW>() == 48 && align_of::<MIB_ANYCASTIPADDRESS_ROW>() == 8);
    assert!(offset_of!(MIB_ANYCASTIPADDRESS_ROW, Address) == 0);
    assert!(offset_of!(MIB_ANYCASTIPADDRESS_ROW, InterfaceLuid) == 32);
    assert!(offset_of!(MIB_ANYCASTIPADDRESS_ROW, InterfaceIndex) == 40);
    assert!(offset_of!(MIB_ANYCASTIPADDRESS_ROW, ScopeId) == 44);

    // The contract's row stands for NetIO's.
    assert!(size_of::<Row>() == size_of::<MIB_ANYCASTIPADDRESS_ROW>());
    assert!(align_of::<Row>() == align_of::<MIB_ANYCASTIPADDRESS_ROW>());
    assert!(offset_of!(Row, address) == offset_of!(MIB_ANYCASTIPADDRESS_ROW, Address));
    assert!(offset_of!(Row, luid) == offset_of!(MIB_ANYCASTIPADDRESS_ROW, InterfaceLuid));
    assert!(offset_of!(Row, index) == offset_of!(MIB_ANYCASTIPADDRESS_ROW, InterfaceIndex));
    assert!(offset_of!(Row, scope_id) == offset_of!(MIB_ANYCASTIPADDRESS_ROW, ScopeId));

    assert!(size_of::<MIB_ANYCASTIPADDRESS_TABLE>() == 56 && align_of::<MIB_ANYCASTIPADDRESS_TABLE>() == 8);
    assert!(offset_of!(MIB_ANYCASTIPADDRESS_TABLE, NumEntries) == 0);
    assert!(offset_of!(MIB_ANYCASTIPADDRESS_TABLE, Table) == 8);
};

/// The kernel's structures, by their sizes and by the members that the driver reads or writes.
///
/// Source: the WDK's `wdm.h`, compiled for x64.
#[cfg(target_arch = "x86_64")]
const _: () = {
    assert!(size_of::<IRP>() == 0xD0);
    assert!(offset_of!(IRP, AssociatedIrp.SystemBuffer) == 0x18);
    assert!(offset_of!(IRP, IoStatus.__bindgen_anon_1.Status) == 0x30);
    assert!(offset_of!(IRP, IoStatus.Information) == 0x38);
    assert!(offset_of!(IRP, Tail.Overlay.__bindgen_anon_2.__bindgen_anon_1.CurrentStackLocation) == 0xB8);

    assert!(size_of::<IO_STACK_LOCATION>() == 0x48);
    assert!(offset_of!(IO_STACK_LOCATION, Parameters.DeviceIoControl.OutputBufferLength) == 0x08);
    assert!(offset_of!(IO_STACK_LOCATION, Parameters.DeviceIoControl.InputBufferLength) == 0x10);
    assert!(offset_of!(IO_STACK_LOCATION, Parameters.DeviceIoControl.IoControlCode) == 0x18);
    assert!(offset_of!(IO_STACK_LOCATION, FileObject) == 0x30);

    assert!(size_of::<FILE_OBJECT>() == 0xD8);
    assert!(offset_of!(FILE_OBJECT, FileName) == 0x58);

    assert!(size_of::<DEVICE_OBJECT>() == 0x150);
    assert!(offset_of!(DEVICE_OBJECT, Flags) == 0x30);
    assert!(offset_of!(DEVICE_OBJECT, DeviceExtension) == 0x40);

    assert!(size_of::<DRIVER_OBJECT>() == 0x150);
    assert!(offset_of!(DRIVER_OBJECT, DeviceObject) == 0x08);
    assert!(offset_of!(DRIVER_OBJECT, DriverUnload) == 0x68);
    assert!(offset_of!(DRIVER_OBJECT, MajorFunction) == 0x70);
};
