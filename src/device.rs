//! The control device: its name, who may open it, its symbolic link, and all that it carries.

use core::ptr::{NonNull, null_mut};

use netio_anycast_engine::{Engine, Limits};
use netio_anycast_protocol::notice::Notice;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::{DEVICE_NAME, SYMBOLIC_LINK_NAME};
use wdk_sys::ntddk::{IoCreateSymbolicLink, IoDeleteDevice, IoDeleteSymbolicLink};
use wdk_sys::{
    DEVICE_OBJECT, DO_DEVICE_INITIALIZING, DRIVER_OBJECT, FILE_DEVICE_SECURE_OPEN, GUID, NTSTATUS, PDEVICE_OBJECT,
};

use crate::bindings::WdmlibIoCreateDeviceSecure;
use crate::deferred_work::DeferredWork;
use crate::irp_queue::IrpQueue;
use crate::kernel_services::KernelServices;
use crate::netio::{KernelNetio, PassiveLevel};
use crate::notices::Notices;
use crate::rundown::Rundown;
use crate::unicode_string::{unicode_string, utf16};
use crate::{change_waits, raised_requests};

/// SYSTEM and the Administrators may do everything, nobody else anything, and nothing is inherited.
const SECURITY_DESCRIPTOR: &str = "D:P(A;;GA;;;SY)(A;;GA;;;BA)";

/// The class under which an administrator may put another security descriptor into the registry.
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdmsec/nf-wdmsec-wdmlibiocreatedevicesecure>
static DEVICE_CLASS: GUID =
    GUID { Data1: 0xD8F2_4BD5, Data2: 0xFD53, Data3: 0x43D8, Data4: [0xBC, 0x2B, 0x77, 0x0D, 0x5A, 0xEA, 0x70, 0x7A] };

static DEVICE_NAME_UTF16: [u16; DEVICE_NAME.len()] = utf16(DEVICE_NAME);
static LINK_NAME_UTF16: [u16; SYMBOLIC_LINK_NAME.len()] = utf16(SYMBOLIC_LINK_NAME);
static SECURITY_DESCRIPTOR_UTF16: [u16; SECURITY_DESCRIPTOR.len()] = utf16(SECURITY_DESCRIPTOR);

/// The driver's behaviour over this kernel.
pub(crate) type DeviceEngine = Engine<KernelNetio, KernelServices>;

/// The device extension: what the device carries, in non-paged pool of the I/O manager's, where it does not move.
pub(crate) struct Extension {
    pub(crate) engine: DeviceEngine,
    /// The WAIT_CHANGE requests that pend.
    pub(crate) waits: IrpQueue,
    /// The requests that came above PASSIVE_LEVEL and that a work item will serve.
    pub(crate) raised_requests: IrpQueue,
    /// What the engine wants to do later.
    pub(crate) deferred_work: DeferredWork,
    /// Shares of the driver: it is not unloaded before they are given up.
    pub(crate) rundown: Rundown,
    /// Who has to know that the driver comes or goes.
    notices: Notices,
    pub(crate) device: NonNull<DEVICE_OBJECT>,
}

// SAFETY: the device object may be used by any thread, and the rest may be shared for itself.
unsafe impl Sync for Extension {}

/// Dispatch routines run on several processors at once, all with the one engine.
const _: () = {
    const fn shareable<T: Sync>() {}
    shareable::<DeviceEngine>();
};

#[expect(clippy::cast_possible_truncation, reason = "it is less than a page")]
const EXTENSION_LENGTH: u32 = size_of::<Extension>() as u32;

/// Creates the control device with its link, and all that it carries. IRQL: PASSIVE_LEVEL.
///
/// The link comes last: once it is there, requests can come.
///
/// # Errors
/// Whatever the I/O manager says, for instance that the name is taken; [`NtStatus::INSUFFICIENT_RESOURCES`]. Nothing is left then.
pub(crate) fn create(driver: &mut DRIVER_OBJECT, limits: Limits) -> Result<(), NtStatus> {
    let mut device = create_device(driver)?;
    if let Err(status) = equip(device, limits) {
        // SAFETY: PASSIVE_LEVEL; the device carries nothing, and is deleted once.
        unsafe { IoDeleteDevice(device.as_ptr()) };
        return Err(status);
    }
    if let Err(status) = create_link() {
        delete_device(device);
        return Err(status);
    }
    // SAFETY: the device lives until it is deleted, and nobody else writes its flags during DriverEntry.
    unsafe { device.as_mut() }.Flags &= !DO_DEVICE_INITIALIZING;
    // SAFETY: `equip` wrote the extension, and the device is alive.
    unsafe { extension_place(device).as_ref() }.notices.tell(Notice::Ready);
    Ok(())
}

/// Puts into the device extension what it is for.
fn equip(device: NonNull<DEVICE_OBJECT>, limits: Limits) -> Result<(), NtStatus> {
    let place = extension_place(device);
    let engine =
        Engine::new(KernelNetio, KernelServices::new(place), limits).ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
    let extension = Extension {
        engine,
        waits: IrpQueue::new(change_waits::complete_cancelled),
        raised_requests: IrpQueue::new(raised_requests::complete_cancelled),
        deferred_work: DeferredWork::new(device)?,
        rundown: Rundown::default(),
        notices: Notices::open()?,
        device,
    };
    // SAFETY: the I/O manager allocated the extension with this size, aligned to 16 bytes, and nobody can reach the device
    // before it has finished initializing.
    unsafe { place.write(extension) };
    // SAFETY: it was just written.
    let extension = unsafe { place.as_ref() };
    // SAFETY: it stays where it is, and nobody uses it yet.
    unsafe { extension.waits.initialize() };
    // SAFETY: as above.
    unsafe { extension.raised_requests.initialize() };
    // SAFETY: as above.
    unsafe { extension.deferred_work.initialize(extension) };
    // SAFETY: as above.
    unsafe { extension.rundown.initialize() };
    Ok(())
}

/// Where the I/O manager has put the device extension.
fn extension_place(device: NonNull<DEVICE_OBJECT>) -> NonNull<Extension> {
    // SAFETY: the device is alive, and not being deleted.
    let place = unsafe { device.as_ref() }.DeviceExtension;
    // SAFETY: IoCreateDevice was asked for an extension that is not empty.
    unsafe { NonNull::new_unchecked(place.cast()) }
}

fn create_device(driver: &mut DRIVER_OBJECT) -> Result<NonNull<DEVICE_OBJECT>, NtStatus> {
    let mut name = unicode_string(&DEVICE_NAME_UTF16);
    let security_descriptor = unicode_string(&SECURITY_DESCRIPTOR_UTF16);
    let mut device: PDEVICE_OBJECT = null_mut();
    // SAFETY: PASSIVE_LEVEL; everything pointed to lives through the call. FILE_DEVICE_SECURE_OPEN puts names below the
    // device under the device's own security descriptor.
    let status = unsafe {
        WdmlibIoCreateDeviceSecure(
            driver,
            EXTENSION_LENGTH,
            &raw mut name,
            u32::from(netio_anycast_protocol::operation::DEVICE_TYPE),
            FILE_DEVICE_SECURE_OPEN,
            0,
            &raw const security_descriptor,
            &raw const DEVICE_CLASS,
            &raw mut device,
        )
    };
    succeeded(status)?;
    NonNull::new(device).ok_or(NtStatus::UNSUCCESSFUL)
}

fn create_link() -> Result<(), NtStatus> {
    let mut link = unicode_string(&LINK_NAME_UTF16);
    let mut target = unicode_string(&DEVICE_NAME_UTF16);
    // SAFETY: PASSIVE_LEVEL; both strings live through the call.
    succeeded(unsafe { IoCreateSymbolicLink(&raw mut link, &raw mut target) })
}

/// What the control device carries.
///
/// # Safety
/// `device` is the control device, and lives as long as the reference is used.
pub(crate) unsafe fn extension<'a>(device: *mut DEVICE_OBJECT) -> &'a Extension {
    // SAFETY: as the caller promises.
    let device = unsafe { NonNull::new_unchecked(device) };
    // SAFETY: `create` wrote it before any request could come.
    unsafe { extension_place(device).as_ref() }
}

/// Takes the link and the device away that [`create`] made; `device` is the driver object's. IRQL: PASSIVE_LEVEL.
///
/// The I/O manager unloads a driver only when no handle to its devices is open. What may still be under way are work items, the
/// ends of requests that were pending, and the timer: they are waited for.
pub(crate) fn delete(device: PDEVICE_OBJECT) {
    let mut link = unicode_string(&LINK_NAME_UTF16);
    // SAFETY: PASSIVE_LEVEL; the string lives through the call. Nothing can be done about a failure while unloading.
    let _ = unsafe { IoDeleteSymbolicLink(&raw mut link) };
    let Some(device) = NonNull::new(device) else { return };
    // SAFETY: `create` wrote the extension, and the device is alive until it is deleted below.
    let extension = unsafe { extension_place(device).as_ref() };
    extension.notices.tell(Notice::Going);
    extension.rundown.wait();
    extension.deferred_work.stop();
    if let Some(level) = PassiveLevel::now() {
        let _told_of_by_events = extension.engine.shut_down(level);
    }
    delete_device(device);
}

fn delete_device(device: NonNull<DEVICE_OBJECT>) {
    // SAFETY: `create` wrote the extension, this is its end, and nobody uses it any more.
    unsafe { extension_place(device).drop_in_place() };
    // SAFETY: PASSIVE_LEVEL, and the driver deletes the device once.
    unsafe { IoDeleteDevice(device.as_ptr()) };
}

/// The I/O manager's own functions succeed with STATUS_SUCCESS alone.
fn succeeded(status: NTSTATUS) -> Result<(), NtStatus> {
    match NtStatus(status) {
        NtStatus::SUCCESS => Ok(()),
        failure => Err(failure),
    }
}
