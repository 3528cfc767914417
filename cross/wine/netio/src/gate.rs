//! A gate at the entrance of a function: a test stops the driver in the middle of a request, at no other moment than it
//! wants.

use core::ffi::c_void;
use core::mem::transmute;
use core::ptr::null_mut;

use crate::lock::Lock;
use netio_anycast_protocol::status::NtStatus;
use netio_model::Function;
use netio_model::control::wire::{GATE_SECONDS, GateRequest, Name};
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::System::SystemServices::MmGetSystemRoutineAddress;
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS};

use crate::unicode_string::{unicode_string, utf16};

#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "system" {
    fn ZwOpenEvent(event: *mut HANDLE, access: u32, attributes: *const OBJECT_ATTRIBUTES) -> NTSTATUS;
    fn ZwWaitForSingleObject(object: HANDLE, alertable: u8, timeout: *const i64) -> NTSTATUS;
}

const EVENT_MODIFY_STATE: u32 = 0x0002;
const SYNCHRONIZE: u32 = 0x0010_0000;
#[expect(clippy::cast_possible_truncation, reason = "the structure has 48 bytes")]
const OBJECT_ATTRIBUTES_LENGTH: u32 = size_of::<OBJECT_ATTRIBUTES>() as u32;
const OBJ_CASE_INSENSITIVE: u32 = 0x40;

/// The gate that is armed, if any.
static ARMED: Lock<Option<Gate>> = Lock::new(None);

struct Gate {
    function: Function,
    entered: Event,
    release: Event,
}

/// Arms the gate, in the place of one that is armed.
///
/// # Errors
/// STATUS_INVALID_PARAMETER for an unknown function; what the kernel says if an event can't be opened.
pub(crate) fn arm(request: &GateRequest) -> Result<(), NtStatus> {
    let function = Function::from_number(request.function).ok_or(NtStatus::INVALID_PARAMETER)?;
    let entered = Event::open(&request.entered, EVENT_MODIFY_STATE)?;
    let release = Event::open(&request.release, SYNCHRONIZE)?;
    let before = ARMED.with(|armed| armed.replace(Gate { function, entered, release }));
    drop(before);
    Ok(())
}

/// Takes the gate away. A call that is in it already is not let go by this.
pub(crate) fn disarm() {
    drop(ARMED.with(Option::take));
}

/// Passes the entrance of a function: stops there if its gate is armed, which it is then no more.
pub(crate) fn pass(function: Function) {
    if let Some(gate) = ARMED.with(|armed| armed.take_if(|gate| gate.function == function)) {
        gate.entered.set();
        gate.release.wait();
    }
}

/// An event of the test.
struct Event {
    handle: HANDLE,
    kernel: Kernel,
}

// SAFETY: a handle is a number that any thread of the process may use.
unsafe impl Send for Event {}

impl Event {
    fn open(name: &Name, access: u32) -> Result<Self, NtStatus> {
        let kernel = Kernel::find()?;
        let name = unicode_string(name.units());
        let attributes = OBJECT_ATTRIBUTES {
            Length: OBJECT_ATTRIBUTES_LENGTH,
            ObjectName: &raw const name,
            Attributes: OBJ_CASE_INSENSITIVE,
            ..OBJECT_ATTRIBUTES::default()
        };
        let mut handle = null_mut();
        // SAFETY: PASSIVE_LEVEL; everything pointed to lives through the call.
        match NtStatus(unsafe { ZwOpenEvent(&raw mut handle, access, &raw const attributes) }) {
            NtStatus::SUCCESS => Ok(Self { handle, kernel }),
            status => Err(status),
        }
    }

    fn set(&self) {
        // SAFETY: the handle is open until `self` is dropped. Setting an event that one may set does not fail.
        let _ = unsafe { (self.kernel.set_event)(self.handle, null_mut()) };
    }

    fn wait(&self) {
        // In units of 100 nanoseconds; negative means from now on.
        let timeout = -i64::from(GATE_SECONDS) * 10_000_000;
        // SAFETY: the handle is open until `self` is dropped; PASSIVE_LEVEL. After the timeout the call goes on all the same.
        let _ = unsafe { ZwWaitForSingleObject(self.handle, 0, &raw const timeout) };
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and nobody has it any more.
        let _ = unsafe { (self.kernel.close)(self.handle) };
    }
}

/// Two functions of ntoskrnl.exe that are looked up when they are needed. Linked by name they would come from ntdll.dll, as
/// windows-sys declares them, and Wine takes a module that imports ntdll.dll for one of user mode: it calls the entry point
/// as `DllMain`.
#[derive(Clone, Copy)]
struct Kernel {
    close: unsafe extern "system" fn(HANDLE) -> NTSTATUS,
    set_event: unsafe extern "system" fn(HANDLE, *mut i32) -> NTSTATUS,
}

impl Kernel {
    fn find() -> Result<Self, NtStatus> {
        let close = routine(&utf16::<7>("ZwClose"))?;
        let set_event = routine(&utf16::<10>("ZwSetEvent"))?;
        // SAFETY: the kernel exports a function of this type under that name.
        let close = unsafe { transmute::<*mut c_void, unsafe extern "system" fn(HANDLE) -> NTSTATUS>(close) };
        // SAFETY: as above.
        let set_event =
            unsafe { transmute::<*mut c_void, unsafe extern "system" fn(HANDLE, *mut i32) -> NTSTATUS>(set_event) };
        Ok(Self { close, set_event })
    }
}

/// The address of a function of ntoskrnl.exe.
fn routine(name: &[u16]) -> Result<*mut c_void, NtStatus> {
    let name = unicode_string(name);
    // SAFETY: PASSIVE_LEVEL; the name lives through the call.
    let address = unsafe { MmGetSystemRoutineAddress(&raw const name) };
    if address.is_null() { Err(NtStatus::NOT_IMPLEMENTED) } else { Ok(address) }
}
