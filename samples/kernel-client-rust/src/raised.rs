//! A request from a DPC: at DISPATCH_LEVEL, where nobody can wait.

use core::ptr::{from_mut, null_mut};

use netio_anycast_kernel_client::protocol::operation::Operation;
use netio_anycast_kernel_client::protocol::row::Row;
use netio_anycast_kernel_client::protocol::status::NtStatus;
use netio_anycast_kernel_client::{Device, Error, Outcome, Owner, Request};
use wdk_sys::ntddk::{KeFlushQueuedDpcs, KeInitializeDpc, KeInsertQueueDpc};
use wdk_sys::{KDPC, PVOID};
use zerocopy::IntoBytes;

/// What is called at the end of the request.
type AtEnd = fn(&Outcome<'_>);

/// What the DPC needs, and what it leaves.
struct Work<'a> {
    device: &'a Device,
    owner: Owner,
    row: &'a Row,
    request: Option<Result<Request<'a, AtEnd>, NtStatus>>,
}

/// GET from a DPC; its end is waited for here. IRQL: PASSIVE_LEVEL.
///
/// # Errors
/// Those of GET; STATUS_INSUFFICIENT_RESOURCES.
pub(crate) fn get(device: &Device, owner: Owner, row: &Row) -> Result<Row, Error> {
    let mut work = Work { device, owner, row, request: None };
    let mut dpc = KDPC::default();
    let context = from_mut(&mut work).cast();
    // SAFETY: the DPC stays here until it has run, and the work until then.
    unsafe { KeInitializeDpc(&raw mut dpc, Some(run), context) };
    // SAFETY: the DPC is initialized, and not in a queue.
    let _ = unsafe { KeInsertQueueDpc(&raw mut dpc, null_mut(), null_mut()) };
    // SAFETY: PASSIVE_LEVEL.
    unsafe { KeFlushQueuedDpcs() };
    let request = work.request.ok_or(NtStatus::UNSUCCESSFUL)??;
    request.wait(None).ok_or(NtStatus::UNSUCCESSFUL)?.read()
}

/// The DPC's routine.
///
/// # Safety
/// Only the kernel may call it, with the work.
unsafe extern "C" fn run(_: *mut KDPC, work: PVOID, _: PVOID, _: PVOID) {
    // SAFETY: `get` has initialized the DPC with the work, and waits until this has returned.
    let work = unsafe { &mut *work.cast::<Work<'_>>() };
    // The routine at the end runs at up to DISPATCH_LEVEL. This one leaves everything to the thread that waits.
    let at_end: AtEnd = |_| ();
    let (input, output_length) = (work.row.as_bytes(), size_of::<Row>());
    work.request = Some(work.device.begin(work.owner, Operation::Get, input, output_length, at_end));
}
