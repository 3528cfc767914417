//! QUERY_INTERFACE: the functions by which other kernel drivers call this one without an IRP.
//!
//! The table begins as `INTERFACE` of `wdm.h` does. It holds pointers, so it exists in the kernel only and is as long as the
//! processor's pointers make it; every other struct of the contract is the same for everybody.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/ns-wdm-_interface>

use core::ffi::c_void;
use core::ptr::null_mut;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::operation::{Access, control_code};
use crate::row::Row;
use crate::status::NtStatus;
use crate::table::{TableFilter, TableHeader};

/// The function number of QUERY_INTERFACE, far above those that programs may send.
pub const FUNCTION: u16 = 0xF00;

/// The control code of QUERY_INTERFACE. It is no operation of [`OPERATIONS`](crate::operation::OPERATIONS): only
/// `IRP_MJ_INTERNAL_DEVICE_CONTROL` carries it, which only the kernel can send. Sent otherwise it is an unknown code.
pub const QUERY_INTERFACE: u32 = control_code(Access::Read as u32 | Access::Write as u32, FUNCTION);

/// The version of [`Interface`] that this crate describes.
pub const INTERFACE_VERSION: u16 = 1;

/// The length of [`Interface`] in bytes.
#[expect(clippy::cast_possible_truncation, reason = "it is nine pointers long (asserted below)")]
pub const INTERFACE_SIZE: u16 = size_of::<Interface>() as u16;

/// The input of QUERY_INTERFACE. The output is an [`Interface`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct InterfaceRequest {
    /// The length of the table that this version has: [`INTERFACE_SIZE`].
    pub size: u16,
    /// The version asked for: [`INTERFACE_VERSION`].
    pub version: u16,
    /// Zero.
    pub reserved: u32,
}

impl InterfaceRequest {
    /// Asks for the table that this crate describes.
    pub const CURRENT: Self = Self { size: INTERFACE_SIZE, version: INTERFACE_VERSION, reserved: 0 };

    /// Checks a request for the table, whose input is `input` and whose output buffer has `output_length` bytes. If it is
    /// well-formed, what is asked for is the table that this crate describes.
    ///
    /// # Errors
    /// In this order, and nothing has happened then:
    /// - [`NtStatus::INFO_LENGTH_MISMATCH`]: `input` is not exactly as long as an [`InterfaceRequest`];
    /// - [`NtStatus::INVALID_PARAMETER`]: something reserved is not zero;
    /// - [`NtStatus::REVISION_MISMATCH`]: the version is unknown;
    /// - [`NtStatus::INVALID_PARAMETER`]: the size is not that version's;
    /// - [`NtStatus::BUFFER_TOO_SMALL`]: the table does not fit into the output buffer.
    pub fn check(input: &[u8], output_length: usize) -> Result<(), NtStatus> {
        let request = Self::read_from_bytes(input).map_err(|_| NtStatus::INFO_LENGTH_MISMATCH)?;
        if request.reserved != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        if request.version != INTERFACE_VERSION {
            return Err(NtStatus::REVISION_MISMATCH);
        }
        if request.size != INTERFACE_SIZE {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        if output_length < size_of::<Interface>() {
            return Err(NtStatus::BUFFER_TOO_SMALL);
        }
        Ok(())
    }
}

/// The direct-call interface: what [`InterfaceRequest`] asks for.
///
/// The table comes with one reference to its context, which is the caller's to give back. As long as a reference is held, the
/// driver stays loaded; with the last one the context's leases are withdrawn and the context is gone. A table that was asked for
/// again has another context.
///
/// Every function takes the context first, and may be called by any number of threads at a time. `interface_reference` and
/// `interface_dereference` may be called at IRQL <= DISPATCH_LEVEL; the withdrawal then happens later, in a system thread. The
/// others are for PASSIVE_LEVEL, and above that return STATUS_INVALID_DEVICE_STATE without calling NetIO. They end with the
/// statuses that the operation of their name ends with, and run in the calling thread, so in its network compartment.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Interface {
    /// [`INTERFACE_SIZE`].
    pub size: u16,
    /// [`INTERFACE_VERSION`].
    pub version: u16,
    /// What every function takes first.
    pub context: *mut c_void,
    /// Takes one more reference to the context.
    pub interface_reference: Option<unsafe extern "system" fn(context: *mut c_void)>,
    /// Gives one reference to the context back.
    pub interface_dereference: Option<unsafe extern "system" fn(context: *mut c_void)>,
    /// CREATE. Lifetime and flags are those of [`CreateRequest`](crate::create::CreateRequest); a lease is the context's.
    /// `resolved` receives the row as resolved, on success only, and may be null.
    pub create: Option<
        unsafe extern "system" fn(
            context: *mut c_void,
            row: *const Row,
            lifetime: u32,
            flags: u32,
            resolved: *mut Row,
        ) -> NtStatus,
    >,
    /// DELETE. The flags are those of [`DeleteRequest`](crate::create::DeleteRequest).
    pub delete: Option<unsafe extern "system" fn(context: *mut c_void, row: *const Row, flags: u32) -> NtStatus>,
    /// GET. The row is filled in on success only.
    pub get: Option<unsafe extern "system" fn(context: *mut c_void, row: *mut Row) -> NtStatus>,
    /// GET_TABLE, the whole of it: the header's `count` is its `total`, and so many rows follow it. `filter` may be null, which
    /// means everything. `table` receives the table, on success only; it is given back with `free_table`.
    pub get_table: Option<
        unsafe extern "system" fn(
            context: *mut c_void,
            filter: *const TableFilter,
            table: *mut *mut TableHeader,
        ) -> NtStatus,
    >,
    /// Frees a table, or does nothing if it is null. IRQL <= DISPATCH_LEVEL.
    pub free_table: Option<unsafe extern "system" fn(context: *mut c_void, table: *mut TableHeader)>,
}

impl Interface {
    /// No functions yet: what a caller has the driver write over.
    pub const EMPTY: Self = Self {
        size: 0,
        version: 0,
        context: null_mut(),
        interface_reference: None,
        interface_dereference: None,
        create: None,
        delete: None,
        get: None,
        get_table: None,
        free_table: None,
    };
}

const _: () = {
    const POINTER: usize = size_of::<*mut c_void>();
    assert!(size_of::<InterfaceRequest>() == 8);
    assert!(size_of::<Interface>() == 9 * POINTER && align_of::<Interface>() == POINTER);
};
