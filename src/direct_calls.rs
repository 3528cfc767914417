//! The direct-call interface: functions that other drivers call without an IRP.
//!
//! A caller knows its context by a number that is never given out twice, so that a context which is gone is told as such
//! whatever the caller does. The contexts stand in a table of fixed length; the last reference to one frees its place.

use core::ffi::c_void;
use core::ptr::without_provenance_mut;

use netio_anycast_engine::{Buffer, Completion, SystemBuffer};
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest};
use netio_anycast_protocol::interface::{INTERFACE_SIZE, INTERFACE_VERSION, Interface, InterfaceRequest};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use zerocopy::IntoBytes as _;

use crate::call_contexts::{self, Context};
use crate::device::Extension;
use crate::irp::Irp;
use crate::netio::PassiveLevel;
use crate::table_copy;

/// Serves QUERY_INTERFACE: a new context, and the functions that take it. IRQL: PASSIVE_LEVEL.
#[cold]
pub(crate) fn query(extension: &Extension, irp: &mut Irp) -> Completion {
    match make(extension, irp) {
        Ok(information) => Completion { status: NtStatus::SUCCESS, information },
        Err(status) => Completion::bare(status),
    }
}

fn make(extension: &Extension, irp: &mut Irp) -> Result<usize, NtStatus> {
    let (file, process_id) = (irp.file_object(), irp.process_id());
    let mut buffer = irp.buffer();
    let room = buffer.output().len();
    InterfaceRequest::check(buffer.input(), room)?;
    // A context keeps the driver loaded by its file object.
    let file = file.ok_or(NtStatus::INVALID_PARAMETER)?;
    let (place, _) = buffer.output().split_first_chunk_mut().ok_or(NtStatus::BUFFER_TOO_SMALL)?;
    let context = call_contexts::open(extension, file, process_id)?;
    *place = table(context);
    Ok(place.len())
}

/// The table as it stands in memory, its padding zero.
fn table(context: usize) -> [u8; size_of::<Interface>()] {
    /// Size and version are halves of the lower half of the first word.
    const HEAD: usize = INTERFACE_SIZE as usize | (INTERFACE_VERSION as usize) << 16;
    let functions = Interface {
        size: INTERFACE_SIZE,
        version: INTERFACE_VERSION,
        context: without_provenance_mut(context),
        interface_reference: Some(reference),
        interface_dereference: Some(dereference),
        create: Some(create),
        delete: Some(delete),
        get: Some(get),
        get_table: Some(get_table),
        free_table: Some(free_table),
    };
    let address = |function: Option<*const ()>| function.map_or(0, <*const ()>::addr);
    let words = [
        HEAD,
        context,
        address(functions.interface_reference.map(|function| function as *const ())),
        address(functions.interface_dereference.map(|function| function as *const ())),
        address(functions.create.map(|function| function as *const ())),
        address(functions.delete.map(|function| function as *const ())),
        address(functions.get.map(|function| function as *const ())),
        address(functions.get_table.map(|function| function as *const ())),
        address(functions.free_table.map(|function| function as *const ())),
    ];
    zerocopy::transmute!(words)
}

/// `InterfaceReference`. IRQL <= DISPATCH_LEVEL.
unsafe extern "system" fn reference(context: *mut c_void) {
    call_contexts::reference(context.addr());
}

/// `InterfaceDereference`. IRQL <= DISPATCH_LEVEL.
unsafe extern "system" fn dereference(context: *mut c_void) {
    call_contexts::dereference(context.addr());
}

/// The context that a caller means, with the proof that NetIO may be called.
fn enter(context: *mut c_void) -> Result<(Context, PassiveLevel), NtStatus> {
    let level = PassiveLevel::now().ok_or(NtStatus::INVALID_DEVICE_STATE)?;
    let context = call_contexts::find(context.addr()).ok_or(NtStatus::INVALID_PARAMETER)?;
    Ok((context, level))
}

/// Has the engine serve an operation whose input is in `bytes`, and whose output is to be there.
fn serve(
    (context, level): (Context, PassiveLevel),
    operation: Operation,
    bytes: &mut [u8],
    input_length: usize,
    output_length: usize,
) -> Completion {
    let buffer = SystemBuffer { bytes, input_length, output_length };
    let code = operation.definition().control_code();
    // WAIT_CHANGE alone pends, and is not among the functions.
    context.extension().engine.serve(level, context.handle(), code, buffer)
}

/// What a caller's pointer points to.
///
/// # Safety
/// The pointer is null, or there is a `T` that may be read.
unsafe fn read<T: Copy>(pointer: *const T) -> Result<T, NtStatus> {
    if pointer.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    // SAFETY: as the caller promises; it need not be aligned.
    Ok(unsafe { pointer.read_unaligned() })
}

/// The status of a result.
fn status_of(result: Result<NtStatus, NtStatus>) -> NtStatus {
    result.unwrap_or_else(|status| status)
}

/// CREATE. IRQL: PASSIVE_LEVEL.
unsafe extern "system" fn create(
    context: *mut c_void,
    row: *const Row,
    lifetime: u32,
    flags: u32,
    resolved: *mut Row,
) -> NtStatus {
    status_of(enter(context).and_then(|entered| {
        // SAFETY: the caller passes null or a row.
        let row = unsafe { read(row) }?;
        let request = CreateRequest { row, lifetime, flags };
        let mut bytes = [0; size_of::<CreateRequest>()];
        bytes.copy_from_slice(request.as_bytes());
        let completion = serve(entered, Operation::Create, &mut bytes, size_of::<CreateRequest>(), size_of::<Row>());
        if let (NtStatus::SUCCESS, false, Some(output)) =
            (completion.status, resolved.is_null(), bytes.first_chunk::<{ size_of::<Row>() }>())
        {
            // SAFETY: the caller passes null or room for a row.
            unsafe { resolved.write_unaligned(zerocopy::transmute!(*output)) };
        }
        Ok(completion.status)
    }))
}

/// DELETE. IRQL: PASSIVE_LEVEL.
unsafe extern "system" fn delete(context: *mut c_void, row: *const Row, flags: u32) -> NtStatus {
    status_of(enter(context).and_then(|entered| {
        // SAFETY: the caller passes null or a row.
        let row = unsafe { read(row) }?;
        let mut request = DeleteRequest { row, flags, reserved: 0 };
        let completion = serve(entered, Operation::Delete, request.as_mut_bytes(), size_of::<DeleteRequest>(), 0);
        Ok(completion.status)
    }))
}

/// GET. IRQL: PASSIVE_LEVEL.
unsafe extern "system" fn get(context: *mut c_void, row: *mut Row) -> NtStatus {
    status_of(enter(context).and_then(|entered| {
        // SAFETY: the caller passes null or a row.
        let mut found = unsafe { read(row) }?;
        let completion = serve(entered, Operation::Get, found.as_mut_bytes(), size_of::<Row>(), size_of::<Row>());
        if completion.status == NtStatus::SUCCESS {
            // SAFETY: the caller has passed a row, which may be written.
            unsafe { row.write_unaligned(found) };
        }
        Ok(completion.status)
    }))
}

/// GET_TABLE. IRQL: PASSIVE_LEVEL.
unsafe extern "system" fn get_table(
    context: *mut c_void,
    filter: *const TableFilter,
    table: *mut *mut TableHeader,
) -> NtStatus {
    status_of(enter(context).and_then(|entered| {
        if table.is_null() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let filter = if filter.is_null() {
            TableFilter::ALL
        } else {
            // SAFETY: the caller passes null or a filter.
            unsafe { read(filter) }?
        };
        let ask = |bytes: &mut [u8]| {
            let room = bytes.len();
            if filter.write_to_prefix(bytes).is_err() {
                return Completion::bare(NtStatus::BUFFER_TOO_SMALL);
            }
            serve(entered, Operation::GetTable, bytes, size_of::<TableFilter>(), room)
        };
        let copy = table_copy::make(ask)?;
        // SAFETY: the caller passes room for a pointer.
        unsafe { table.write_unaligned(copy) };
        Ok(NtStatus::SUCCESS)
    }))
}

/// Frees a table. IRQL <= DISPATCH_LEVEL.
unsafe extern "system" fn free_table(_context: *mut c_void, table: *mut TableHeader) {
    // SAFETY: the caller passes null or what `get_table` has given it, once.
    unsafe { table_copy::free(table) };
}
