//! Callback objects: drivers notify each other through an object with a name.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/callback-objects>

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ffi::c_void;
use core::ptr::{from_ref, null_mut};
use core::sync::atomic::{AtomicUsize, Ordering};

use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Win32::Foundation::{NTSTATUS, STATUS_OBJECT_NAME_NOT_FOUND, STATUS_SUCCESS};

use crate::lock::Lock;
use crate::name::Name;
use crate::{objects, wait};

/// `CALLBACK_FUNCTION`: the registration's context, and the notification's two arguments.
type Function = unsafe extern "system" fn(*mut c_void, *mut c_void, *mut c_void);

/// A callback object's body.
struct Callback {
    name: Option<Name>,
    /// More than one may register.
    several: bool,
    registrations: Lock<Vec<Arc<Registration>>>,
}

/// One who listens.
struct Registration {
    function: Function,
    context: *mut c_void,
    object: *mut Callback,
    /// The calls of the function that are under way.
    calls: AtomicUsize,
}

// SAFETY: the pointers are handed on to the driver that they came from, which may be called by any thread.
unsafe impl Send for Registration {}
// SAFETY: as above.
unsafe impl Sync for Registration {}

/// The address of a callback object.
struct Address(*mut Callback);

// SAFETY: it is used under the lock, by which the object is there.
unsafe impl Send for Address {}

/// The objects that have a name. Whatever is here has a reference or is about to take itself out.
static NAMED: Lock<Vec<Address>> = Lock::new(Vec::new());

/// ExCreateCallback: opens the object of that name, or makes it.
///
/// # Safety
/// `object` may be written; `attributes` is null or valid.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_ExCreateCallback(
    object: *mut *mut Callback,
    attributes: *const OBJECT_ATTRIBUTES,
    create: u8,
    several: u8,
) -> NTSTATUS {
    // SAFETY: as the caller promises.
    let string = unsafe { attributes.as_ref() }.map_or(null_mut(), |attributes| attributes.ObjectName.cast_mut());
    // SAFETY: as the caller promises.
    let name = unsafe { Name::new(string) };
    let found = NAMED.with(|named| {
        let existing = name.as_ref().and_then(|name| find(named, name));
        if existing.is_some() || create == 0 {
            return existing;
        }
        let is_named = name.is_some();
        let body = Callback { name, several: several != 0, registrations: Lock::new(Vec::new()) };
        let made = objects::create(Box::new(body), end);
        if is_named {
            named.push(Address(made));
        }
        Some(made)
    });
    let Some(found) = found else { return STATUS_OBJECT_NAME_NOT_FOUND };
    // SAFETY: as the caller promises.
    unsafe { object.write(found) };
    STATUS_SUCCESS
}

/// The object of this name, referenced.
fn find(named: &[Address], name: &Name) -> Option<*mut Callback> {
    let is_meant = |address: &&Address| {
        // SAFETY: what is in the list is there as long as the list is locked.
        unsafe { &*address.0 }.name.as_ref() == Some(name)
    };
    let address = named.iter().find(is_meant)?.0;
    // One that has just lost its last reference, and waits for this lock to take itself out, can't be had any more.
    objects::reference(address.cast())?;
    Some(address)
}

/// The end of an object without references: nobody has registered, since whoever does has one.
///
/// # Safety
/// `object` is a callback object, which nobody uses any more.
unsafe fn end(object: *mut c_void) {
    let object = object.cast::<Callback>();
    NAMED.with(|named| named.retain(|address| address.0 != object));
    // SAFETY: `ExCreateCallback` made it from a box, and its end comes once.
    drop(unsafe { Box::from_raw(object) });
}

/// ExRegisterCallback: the registration, or null if the object is for one only and has one.
///
/// # Safety
/// The caller has a reference to `object`; `function` may be called until the registration is given back.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_ExRegisterCallback(
    object: *mut Callback,
    function: Function,
    context: *mut c_void,
) -> *const Registration {
    // SAFETY: as the caller promises.
    let callback = unsafe { &*object };
    callback.registrations.with(|registrations| {
        if !callback.several && !registrations.is_empty() {
            return null_mut();
        }
        // The registration's own reference.
        objects::reference(object.cast());
        let registration = Arc::new(Registration { function, context, object, calls: AtomicUsize::new(0) });
        registrations.push(registration);
        registrations.last().map_or(null_mut(), |registration| Arc::as_ptr(registration).cast_mut())
    })
}

/// ExUnregisterCallback: no call of the function is under way when it returns, and none comes any more.
///
/// # Safety
/// `registration` is one, and is not used any more.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_ExUnregisterCallback(registration: *const Registration) {
    // SAFETY: the object's list keeps the registration alive until it is taken out below.
    let object = unsafe { (*registration).object };
    // SAFETY: the registration has a reference to the object.
    let taken = unsafe { &*object }.registrations.with(|registrations| {
        let position = registrations.iter().position(|other| Arc::as_ptr(other) == registration)?;
        Some(registrations.remove(position))
    });
    if let Some(taken) = taken {
        wait::until_zero(&taken.calls);
        // SAFETY: the registration's own reference, which it gives up.
        unsafe { objects::dereference(object.cast()) };
    }
}

/// ExNotifyCallback: calls everybody who has registered, in the order in which they did.
///
/// # Safety
/// The caller has a reference to `object`.
#[unsafe(no_mangle)]
unsafe extern "system" fn extension_ExNotifyCallback(
    object: *mut Callback,
    argument1: *mut c_void,
    argument2: *mut c_void,
) {
    // SAFETY: as the caller promises.
    let callback = unsafe { &*object };
    let mut position = 0;
    let mut last: *const Registration = null_mut();
    while let Some(next) = begin_next_call(callback, &mut position, last) {
        last = Arc::as_ptr(&next);
        // SAFETY: the function may be called, since it is not unregistered before the call has ended.
        unsafe { (next.function)(next.context, argument1, argument2) };
        if next.calls.fetch_sub(1, Ordering::Release) == 1 {
            wait::wake(from_ref(&next.calls));
        }
    }
}

/// The registration after `last`, which was at `position`, with a call counted that is to be made.
fn begin_next_call(callback: &Callback, position: &mut usize, last: *const Registration) -> Option<Arc<Registration>> {
    callback.registrations.with(|registrations| {
        // Whoever unregistered meanwhile has moved the others up.
        if let Some(found) = registrations.iter().position(|other| Arc::as_ptr(other) == last) {
            *position = found + 1;
        }
        let next = registrations.get(*position)?.clone();
        next.calls.fetch_add(1, Ordering::Acquire);
        Some(next)
    })
}
