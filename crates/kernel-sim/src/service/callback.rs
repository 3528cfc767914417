//! Callback objects: by them drivers tell each other that something has happened.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/callback-objects>

use std::collections::BTreeMap;
use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;

use super::pool;
use crate::core::Core;
use crate::driver::LoadedDriver;
use crate::layout::ObjectAttributes;
use crate::leftovers::Leftover;
use crate::memory::Placement;
use crate::objects::{DEFAULT_TAG, ObjectKind};
use crate::owner::{DriverNumber, Maker};
use crate::synchronization::Synchronization;
use crate::violation::Rule;
use crate::{crash, driver_memory, processor};

/// `OBJ_PERMANENT` and `OBJ_CASE_INSENSITIVE`.
const PERMANENT: u32 = 0x10;
const CASE_INSENSITIVE: u32 = 0x40;
/// The objects that the system creates.
const OWN: [&str; 2] = [r"\Callback\SetSystemTime", r"\Callback\PowerState"];
/// The memory of an object or a registration, which are opaque.
const OPAQUE: usize = 0x10;

/// The callback objects and what is registered with them.
#[derive(Debug, Default)]
pub(crate) struct Callbacks {
    objects: BTreeMap<usize, CallbackObject>,
    /// By the values that ExRegisterCallback returned.
    pub(crate) registrations: BTreeMap<usize, Registration>,
    next_registration: usize,
    /// The names of the objects that were notified, with the arguments.
    pub(crate) notified: Vec<(String, [usize; 2])>,
}

#[derive(Debug)]
struct CallbackObject {
    name: String,
    allows_many: bool,
}

/// A routine that is called when an object is notified.
#[derive(Debug)]
pub(crate) struct Registration {
    object: usize,
    routine: usize,
    context: usize,
    /// How many calls of it are under way.
    running: usize,
    /// Who has registered it.
    pub(crate) maker: Maker,
}

impl Callbacks {
    /// The object with this name.
    fn find(&self, name: &str, attributes: u32) -> Option<usize> {
        let same = |other: &str| {
            if attributes & CASE_INSENSITIVE != 0 { other.eq_ignore_ascii_case(name) } else { other == name }
        };
        self.objects.iter().find(|(_, object)| same(&object.name)).map(|(address, _)| *address)
    }

    /// An object is gone.
    pub(crate) fn forget(&mut self, object: usize) {
        self.objects.remove(&object);
    }

    /// What a driver has registered and not unregistered.
    pub(crate) fn leftovers(&self, driver: DriverNumber) -> Vec<Leftover> {
        let own = self.registrations.values().filter(|registration| registration.maker.driver == driver);
        own.map(|it| (Rule::CallbackLeft, "a callback, registered from here".to_owned(), it.maker.clone())).collect()
    }

    /// What is registered with an object, in the order in which it was; each is counted as running.
    fn begin(&mut self, object: usize) -> Vec<(usize, usize, usize)> {
        let registered = self.registrations.iter_mut().filter(|(_, registration)| registration.object == object);
        registered
            .map(|(handle, registration)| {
                registration.running += 1;
                (*handle, registration.routine, registration.context)
            })
            .collect()
    }
}

/// `ExCreateCallback`: opens an object, or makes it if that is asked for. The driver refers to it then.
///
/// # Safety
/// Only the driver may call it, with room for a pointer, and with `OBJECT_ATTRIBUTES`.
pub(super) unsafe extern "win64" fn create(object: usize, attributes: usize, create: u8, allows_many: u8) -> i32 {
    let core = processor::core();
    if core.fault() {
        return pool::NO_MEMORY.0;
    }
    // SAFETY: as the driver vouches.
    let attributes: ObjectAttributes = unsafe { driver_memory::read(attributes) };
    if attributes.object_name == 0 {
        return NtStatus::UNSUCCESSFUL.0;
    }
    // SAFETY: as the driver vouches.
    let name = unsafe { driver_memory::string(attributes.object_name) };
    let found = core.look(|it| it.callbacks.find(&name, attributes.attributes));
    let is_own = OWN.iter().any(|own| own.eq_ignore_ascii_case(&name));
    let Some(address) =
        found.or_else(|| (is_own || create != 0).then(|| core.create_callback(name, is_own || allows_many != 0)))
    else {
        return NtStatus::OBJECT_NAME_NOT_FOUND.0;
    };
    core.reference_object(address, DEFAULT_TAG);
    if found.is_none() && !is_own && attributes.attributes & PERMANENT == 0 {
        // It is there as long as drivers refer to it.
        core.release_object(address);
    }
    // SAFETY: as the driver vouches.
    unsafe { driver_memory::write(object, address) };
    NtStatus::SUCCESS.0
}

/// `ExRegisterCallback`. Null if the object has its one callback already.
///
/// # Safety
/// Only the driver may call it, with a callback object.
pub(super) unsafe extern "win64" fn register(object: usize, routine: usize, context: usize) -> usize {
    let core = processor::core();
    if core.fault() {
        return 0;
    }
    let maker = core.maker();
    let registered = core.change(|it| {
        let callbacks = &mut it.callbacks;
        let allows_many = callbacks.objects.get(&object)?.allows_many;
        if !allows_many && callbacks.registrations.values().any(|other| other.object == object) {
            return Some(0);
        }
        callbacks.next_registration += OPAQUE;
        let handle = FIRST_REGISTRATION + callbacks.next_registration;
        callbacks.registrations.insert(handle, Registration { object, routine, context, running: 0, maker });
        Some(handle)
    });
    match registered {
        Some(0) | None => {}
        Some(_) => core.state().objects.retain(object),
    }
    registered.unwrap_or_else(|| {
        core.report(Rule::CallbackInvalid, format!("{object:#x} is no callback object"));
        0
    })
}

/// Registrations are at addresses where no memory can be: nobody may look into them.
const FIRST_REGISTRATION: usize = 0xFFFF_A000_0000_0000;

/// `ExUnregisterCallback`: returns when the routine does not run any more.
///
/// # Safety
/// Only the driver may call it, with what ExRegisterCallback returned.
pub(super) unsafe extern "win64" fn unregister(handle: usize) {
    let core = processor::core();
    if core.look(|it| !it.callbacks.registrations.contains_key(&handle)) {
        return core.report(Rule::CallbackInvalid, format!("{handle:#x} is unregistered, and is not registered"));
    }
    let idle = |it: &mut Synchronization| {
        let registration = it.callbacks.registrations.get(&handle);
        registration.is_none_or(|registration| registration.running == 0).then_some(())
    };
    core.judge_wait(&core.wait_until(None, idle), "the callback routine does not end");
    if let Some(registration) = core.change(|it| it.callbacks.registrations.remove(&handle)) {
        core.release_object(registration.object);
    }
}

/// `ExNotifyCallback`: calls what is registered, here and now.
///
/// # Safety
/// Only the driver may call it, with a callback object.
pub(super) unsafe extern "win64" fn notify(object: usize, argument1: usize, argument2: usize) {
    processor::core().notify_callback(object, [argument1, argument2]);
    // SAFETY: there is nothing here to be dropped.
    unsafe { crash::propagate() };
}

impl Core {
    /// Makes an object, to which the kernel refers.
    fn create_callback(&self, name: String, allows_many: bool) -> usize {
        let block = self.arena.allocate(OPAQUE, Placement::AtEnd, 0);
        let address = block.address();
        let mut state = self.state();
        state.objects.insert(address, ObjectKind::Callback);
        state.other_objects.insert(address, block);
        drop(state);
        self.change(|it| it.callbacks.objects.insert(address, CallbackObject { name, allows_many }));
        address
    }

    fn notify_callback(self: &Arc<Self>, object: usize, arguments: [usize; 2]) {
        let registered = self.change(|it| {
            let name = it.callbacks.objects.get(&object)?.name.clone();
            it.callbacks.notified.push((name, arguments));
            Some(it.callbacks.begin(object))
        });
        let Some(registered) = registered else {
            return self.report(Rule::CallbackInvalid, format!("{object:#x} is notified, and is no callback object"));
        };
        for (handle, routine, context) in registered {
            if let Some(driver) = self.driver_at(routine).filter(|_| !self.is_stopped()) {
                self.call_callback(&driver, routine, [context, arguments[0], arguments[1]]);
            }
            self.change(|it| {
                if let Some(registration) = it.callbacks.registrations.get_mut(&handle) {
                    registration.running -= 1;
                }
            });
        }
    }

    fn call_callback(self: &Arc<Self>, driver: &LoadedDriver, routine: usize, arguments: [usize; 3]) {
        let irql = processor::irql();
        if let Ok((_, after)) = self.call_driver(driver, routine, &arguments, irql, None) {
            self.judge_irql(driver, routine, (irql, after), None);
        }
    }
}
