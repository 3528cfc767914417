//! Opening a name below the driver's device, which Wine itself refuses before the driver hears of it.

use core::ffi::c_void;
use core::ptr::null_mut;

use netio_anycast_protocol::status::NtStatus;
use netio_model::control::wire::Name;
use windows_sys::Wdk::Foundation::{DEVICE_OBJECT, DRIVER_OBJECT, FILE_OBJECT, POBJECT_TYPE};
use windows_sys::Wdk::System::SystemServices::ObfDereferenceObject;
use windows_sys::Win32::Foundation::{NTSTATUS, UNICODE_STRING};
use wine_common::irp::{FileRequest, IRP_MJ_CLOSE, IRP_MJ_CREATE, send};

use crate::unicode_string::{unicode_string, utf16};

#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    static IoDriverObjectType: *const POBJECT_TYPE;
    fn ObReferenceObjectByName(
        name: *const UNICODE_STRING,
        attributes: u32,
        access_state: *const c_void,
        access: u32,
        object_type: POBJECT_TYPE,
        mode: i8,
        parse_context: *const c_void,
        object: *mut *mut c_void,
    ) -> NTSTATUS;
}

const DRIVER_NAME: &str = r"\Driver\netio_anycast";
static DRIVER_NAME_UTF16: [u16; DRIVER_NAME.len()] = utf16(DRIVER_NAME);
const OBJ_CASE_INSENSITIVE: u32 = 0x40;
const USER_MODE: i8 = 1;
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "the structure has 216 bytes")]
const FILE_OBJECT_SIZE: i16 = size_of::<FILE_OBJECT>() as i16;
/// IO_TYPE_FILE.
const FILE_TYPE: i16 = 5;

/// Sends IRP_MJ_CREATE with this name to the netio-anycast driver's device: what the driver completes it with. If that is
/// success, the file is closed again.
///
/// # Errors
/// The driver is not in this kernel host, or has no device.
pub(crate) fn open(name: &Name) -> Result<NtStatus, NtStatus> {
    let driver = Driver::find()?;
    let device = driver.device().ok_or(NtStatus::DEVICE_NOT_READY)?;
    let mut file = FILE_OBJECT {
        Type: FILE_TYPE,
        Size: FILE_OBJECT_SIZE,
        DeviceObject: device,
        FileName: unicode_string(name.units()),
        ..FILE_OBJECT::default()
    };
    let create = FileRequest {
        major_function: IRP_MJ_CREATE,
        file: &raw mut file,
        requestor_mode: USER_MODE,
        thread: Default::default(),
    };
    // SAFETY: the driver is referenced, so that its device stays; the file object lives until the file is closed.
    let status = unsafe { send(device, create) };
    if NtStatus(status) == NtStatus::SUCCESS {
        // SAFETY: as above. Wine sends no CLEANUP either: that is the kernel extension's part.
        let _ = unsafe { send(device, FileRequest { major_function: IRP_MJ_CLOSE, ..create }) };
    }
    Ok(NtStatus(status))
}

/// A reference to the driver's driver object.
struct Driver(*mut DRIVER_OBJECT);

impl Driver {
    fn find() -> Result<Self, NtStatus> {
        let name = unicode_string(&DRIVER_NAME_UTF16);
        // SAFETY: the kernel's variable is initialized before any driver is loaded, and does not change.
        let object_type = unsafe { IoDriverObjectType.read() };
        let mut object = null_mut();
        // SAFETY: PASSIVE_LEVEL; everything pointed to lives through the call.
        let status = unsafe {
            ObReferenceObjectByName(
                &raw const name,
                OBJ_CASE_INSENSITIVE,
                null_mut(),
                0,
                object_type,
                0,
                null_mut(),
                &raw mut object,
            )
        };
        match NtStatus(status) {
            NtStatus::SUCCESS => Ok(Self(object.cast())),
            status => Err(status),
        }
    }

    /// The device that it created last.
    fn device(&self) -> Option<*mut DEVICE_OBJECT> {
        // SAFETY: the driver object is alive, since it is referenced.
        let device = unsafe { (*self.0).DeviceObject };
        (!device.is_null()).then_some(device)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // SAFETY: `find` referenced the object, once.
        unsafe { ObfDereferenceObject(self.0.cast()) };
    }
}
