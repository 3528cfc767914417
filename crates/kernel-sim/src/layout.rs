//! The kernel's structures as x64 Windows lays them out, never as the host's headers would.
//!
//! Pointers are addresses. Source: the WDK's `wdm.h`; sizes and offsets are asserted.

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `IRP_MJ_MAXIMUM_FUNCTION + 1`.
pub(crate) const MAJOR_FUNCTIONS: usize = 28;
/// `IO_TYPE_DEVICE`, `IO_TYPE_DRIVER`, `IO_TYPE_FILE`, `IO_TYPE_IRP`.
pub(crate) const TYPE_DEVICE: i16 = 3;
pub(crate) const TYPE_DRIVER: i16 = 4;
pub(crate) const TYPE_FILE: i16 = 5;
pub(crate) const TYPE_IRP: i16 = 6;
/// `DO_BUFFERED_IO` and friends that matter here.
pub(crate) const DO_EXCLUSIVE: u32 = 0x8;
pub(crate) const DO_DEVICE_HAS_NAME: u32 = 0x40;
pub(crate) const DO_DEVICE_INITIALIZING: u32 = 0x80;
/// `FILE_DEVICE_SECURE_OPEN`.
pub(crate) const FILE_DEVICE_SECURE_OPEN: u32 = 0x100;
/// `SL_PENDING_RETURNED`, and when a completion routine is called.
pub(crate) const SL_PENDING_RETURNED: u8 = 0x01;
pub(crate) const SL_INVOKE_ON_CANCEL: u8 = 0x20;
pub(crate) const SL_INVOKE_ON_SUCCESS: u8 = 0x40;
pub(crate) const SL_INVOKE_ON_ERROR: u8 = 0x80;

/// `UNICODE_STRING`. Lengths in bytes.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct UnicodeString {
    pub(crate) length: u16,
    pub(crate) maximum_length: u16,
    pub(crate) padding: u32,
    pub(crate) buffer: usize,
}

/// `DRIVER_OBJECT`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct DriverObject {
    pub(crate) kind: i16,
    pub(crate) size: i16,
    pub(crate) padding: u32,
    pub(crate) device_object: usize,
    pub(crate) flags: u64,
    pub(crate) driver_start: usize,
    pub(crate) driver_size: u64,
    pub(crate) driver_section: usize,
    pub(crate) driver_extension: usize,
    pub(crate) driver_name: UnicodeString,
    pub(crate) hardware_database: usize,
    pub(crate) fast_io_dispatch: usize,
    pub(crate) driver_init: usize,
    pub(crate) driver_start_io: usize,
    pub(crate) driver_unload: usize,
    pub(crate) major_function: [usize; MAJOR_FUNCTIONS],
}

/// `DEVICE_OBJECT`; what software drivers have no business with is left out as bytes.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct DeviceObject {
    pub(crate) kind: i16,
    pub(crate) size: u16,
    pub(crate) reference_count: i32,
    pub(crate) driver_object: usize,
    pub(crate) next_device: usize,
    pub(crate) attached_device: usize,
    pub(crate) current_irp: usize,
    pub(crate) timer: usize,
    pub(crate) flags: u32,
    pub(crate) characteristics: u32,
    pub(crate) vpb: usize,
    pub(crate) device_extension: usize,
    pub(crate) device_type: u32,
    pub(crate) stack_size: i8,
    pub(crate) padding: [u8; 3],
    pub(crate) queues: [u64; 24],
    pub(crate) security_descriptor: usize,
    pub(crate) device_lock: [u64; 3],
    pub(crate) sector_size: u16,
    pub(crate) spare: [u16; 3],
    pub(crate) object_extension: usize,
    pub(crate) reserved: [u64; 2],
}

/// `FILE_OBJECT`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct FileObject {
    pub(crate) kind: i16,
    pub(crate) size: i16,
    pub(crate) padding: u32,
    pub(crate) device_object: usize,
    pub(crate) pointers_and_contexts: [usize; 5],
    pub(crate) final_status: i32,
    pub(crate) padding2: u32,
    pub(crate) related_file: usize,
    pub(crate) lock_operation: u8,
    pub(crate) delete_pending: u8,
    pub(crate) read_access: u8,
    pub(crate) write_access: u8,
    pub(crate) delete_access_and_sharing: [u8; 4],
    pub(crate) flags: u32,
    pub(crate) padding3: u32,
    pub(crate) file_name: UnicodeString,
    pub(crate) rest: [u64; 14],
}

/// `IRP`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct Irp {
    pub(crate) kind: i16,
    pub(crate) size: u16,
    pub(crate) allocation: u32,
    pub(crate) mdl_address: usize,
    pub(crate) flags: u32,
    pub(crate) padding: u32,
    pub(crate) system_buffer: usize,
    pub(crate) thread_list_entry: [usize; 2],
    pub(crate) status: i32,
    pub(crate) status_padding: u32,
    pub(crate) information: usize,
    pub(crate) requestor_mode: i8,
    pub(crate) pending_returned: u8,
    pub(crate) stack_count: i8,
    pub(crate) current_location: i8,
    pub(crate) cancel: u8,
    pub(crate) cancel_irql: u8,
    pub(crate) apc_environment: i8,
    pub(crate) allocation_flags: u8,
    pub(crate) user_iosb: usize,
    pub(crate) user_event: usize,
    pub(crate) overlay: [usize; 2],
    pub(crate) cancel_routine: usize,
    pub(crate) user_buffer: usize,
    pub(crate) driver_context: [usize; 4],
    pub(crate) thread: usize,
    pub(crate) auxiliary_buffer: usize,
    pub(crate) list_entry: [usize; 2],
    pub(crate) current_stack_location: usize,
    pub(crate) original_file_object: usize,
    pub(crate) extension: usize,
}

/// `IO_STACK_LOCATION`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct StackLocation {
    pub(crate) major_function: u8,
    pub(crate) minor_function: u8,
    pub(crate) flags: u8,
    pub(crate) control: u8,
    pub(crate) padding: u32,
    /// `Parameters`, whose members are each at a multiple of 8.
    pub(crate) parameters: [u64; 4],
    pub(crate) device_object: usize,
    pub(crate) file_object: usize,
    pub(crate) completion_routine: usize,
    pub(crate) context: usize,
}

/// `IO_STATUS_BLOCK`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct StatusBlock {
    pub(crate) status: i32,
    pub(crate) padding: u32,
    pub(crate) information: usize,
}

/// `MDL`, without the page numbers that follow it.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct Mdl {
    pub(crate) next: usize,
    pub(crate) size: i16,
    pub(crate) flags: i16,
    pub(crate) padding: u32,
    pub(crate) process: usize,
    pub(crate) mapped_system_va: usize,
    pub(crate) start_va: usize,
    pub(crate) byte_count: u32,
    pub(crate) byte_offset: u32,
}

/// `OBJECT_ATTRIBUTES`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct ObjectAttributes {
    pub(crate) length: u32,
    pub(crate) padding: u32,
    pub(crate) root_directory: usize,
    pub(crate) object_name: usize,
    pub(crate) attributes: u32,
    pub(crate) padding2: u32,
    pub(crate) security_descriptor: usize,
    pub(crate) security_quality_of_service: usize,
}

const _: () = {
    use std::mem::offset_of;

    assert!(size_of::<UnicodeString>() == 0x10);
    assert!(size_of::<DriverObject>() == 0x150);
    assert!(offset_of!(DriverObject, driver_name) == 0x38);
    assert!(offset_of!(DriverObject, driver_unload) == 0x68);
    assert!(size_of::<DeviceObject>() == 0x150);
    assert!(offset_of!(DeviceObject, flags) == 0x30);
    assert!(offset_of!(DeviceObject, device_extension) == 0x40);
    assert!(offset_of!(DeviceObject, security_descriptor) == 0x110);
    assert!(offset_of!(DeviceObject, object_extension) == 0x138);
    assert!(size_of::<FileObject>() == 0xD8);
    assert!(offset_of!(FileObject, read_access) == 0x4A);
    assert!(offset_of!(FileObject, file_name) == 0x58);
    assert!(size_of::<Irp>() == 0xD0);
    assert!(offset_of!(Irp, status) == 0x30);
    assert!(offset_of!(Irp, cancel_routine) == 0x68);
    assert!(offset_of!(Irp, current_stack_location) == 0xB8);
    assert!(size_of::<StackLocation>() == 0x48);
    assert!(offset_of!(StackLocation, device_object) == 0x28);
    assert!(size_of::<StatusBlock>() == 0x10);
    assert!(size_of::<Mdl>() == 0x30);
    assert!(size_of::<ObjectAttributes>() == 0x30);
};
