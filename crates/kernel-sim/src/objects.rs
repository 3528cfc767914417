//! The object manager: who refers to which object, and what goes when nobody does any more.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/life-cycle-of-an-object>

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::core::Core;
use crate::owner::{DriverNumber, Maker};
use crate::process;
use crate::processor::{self, Irql};
use crate::violation::Rule;

/// The tag of references that are taken without one: "Dflt" read as bytes.
pub(crate) const DEFAULT_TAG: u32 = u32::from_le_bytes(*b"Dflt");

/// What kinds of objects there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectKind {
    Callback,
    Device,
    Driver,
    Event,
    File,
    Process,
    Thread,
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Callback => "callback object",
            Self::Device => "device object",
            Self::Driver => "driver object",
            Self::Event => "event",
            Self::File => "file object",
            Self::Process => "process",
            Self::Thread => "thread",
        })
    }
}

/// A reference that a driver has taken.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    pub(crate) maker: Maker,
    tag: u32,
}

/// What is known of an object.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) kind: ObjectKind,
    /// The references that are the kernel's own: those of handles above all.
    kernel: usize,
    /// Those of drivers, the oldest first.
    pub(crate) references: Vec<Reference>,
}

/// Every object, by its address.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    headers: BTreeMap<usize, Header>,
}

/// What became of a dereference.
enum Dereferenced {
    /// It is none of ours, or is referenced by the kernel alone.
    Invalid(Option<ObjectKind>),
    /// Others refer to it.
    Stays,
    /// Nobody does.
    Goes(ObjectKind),
}

impl Header {
    /// Whether the kernel's first reference is the only one.
    pub(crate) const fn is_referenced_once(&self) -> bool {
        self.kernel == 1 && self.references.is_empty()
    }
}

impl Objects {
    /// Enters an object, to which the kernel refers once.
    pub(crate) fn insert(&mut self, address: usize, kind: ObjectKind) {
        self.headers.insert(address, Header { kind, kernel: 1, references: Vec::new() });
    }

    pub(crate) fn remove(&mut self, address: usize) -> Option<Header> {
        self.headers.remove(&address)
    }

    pub(crate) fn get(&self, address: usize) -> Option<&Header> {
        self.headers.get(&address)
    }

    /// The kernel refers to it once more.
    pub(crate) fn retain(&mut self, address: usize) {
        if let Some(header) = self.headers.get_mut(&address) {
            header.kernel += 1;
        }
    }

    /// The kernel refers to it once less. Returns what it was, if nobody does any more.
    pub(crate) fn release(&mut self, address: usize) -> Option<ObjectKind> {
        let header = self.headers.get_mut(&address)?;
        header.kernel = header.kernel.saturating_sub(1);
        self.take_unused(address)
    }

    /// Takes an object away to which nobody refers.
    fn take_unused(&mut self, address: usize) -> Option<ObjectKind> {
        let header = self.headers.get(&address).filter(|header| header.kernel == 0 && header.references.is_empty())?;
        let kind = header.kind;
        self.headers.remove(&address);
        Some(kind)
    }

    /// A driver refers to it. Returns false if it is no object.
    fn reference(&mut self, address: usize, maker: Maker, tag: u32) -> bool {
        if !self.headers.contains_key(&address) && process::of_thread(address).is_some() {
            self.insert(address, ObjectKind::Thread);
        }
        let header = self.headers.get_mut(&address);
        header.map(|header| header.references.push(Reference { maker, tag })).is_some()
    }

    /// A driver refers to it no more: it gives back its own last reference with that tag, or one that another has left to it.
    fn dereference(&mut self, address: usize, driver: DriverNumber, tag: u32) -> Dereferenced {
        let Some(header) = self.headers.get_mut(&address) else { return Dereferenced::Invalid(None) };
        let tagged = |it: &Reference| it.tag == tag;
        let own = header.references.iter().rposition(|it| it.maker.driver == driver && tagged(it));
        let Some(position) = own.or_else(|| header.references.iter().rposition(tagged)) else {
            return Dereferenced::Invalid(Some(header.kind));
        };
        header.references.remove(position);
        self.take_unused(address).map_or(Dereferenced::Stays, Dereferenced::Goes)
    }

    /// Everything that a driver refers to.
    pub(crate) fn referenced_by(&self, driver: DriverNumber) -> impl Iterator<Item = (usize, ObjectKind, &Maker)> {
        self.headers.iter().flat_map(move |(address, header)| {
            let own = header.references.iter().filter(move |it| it.maker.driver == driver);
            own.map(|it| (*address, header.kind, &it.maker))
        })
    }

    /// Takes away every reference of a driver's. Returns the objects to which nobody refers any more.
    pub(crate) fn forget(&mut self, driver: DriverNumber) -> Vec<(usize, ObjectKind)> {
        for header in self.headers.values_mut() {
            header.references.retain(|it| it.maker.driver != driver);
        }
        let addresses: Vec<usize> = self.headers.keys().copied().collect();
        addresses.into_iter().filter_map(|address| Some((address, self.take_unused(address)?))).collect()
    }
}

impl Core {
    /// The driver that has called a service refers to an object. Returns whether it is one.
    pub(crate) fn reference_object(&self, address: usize, tag: u32) -> bool {
        let maker = self.maker();
        let known = self.state().objects.reference(address, maker, tag);
        if !known {
            self.report(Rule::ObjectInvalid, format!("{address:#x} is referenced and is no object"));
        }
        known
    }

    /// The driver that has called a service refers to an object no more.
    pub(crate) fn dereference_object(self: &Arc<Self>, address: usize, tag: u32) {
        if let Some(kind) = self.take_reference(address, tag) {
            self.delete_object(address, kind);
        }
    }

    /// The same, and if the object goes, a thread of the system's sees to it.
    pub(crate) fn dereference_object_deferred(self: &Arc<Self>, address: usize, tag: u32) {
        if let Some(kind) = self.take_reference(address, tag) {
            self.start_thread(move |core| core.delete_object(address, kind));
        }
    }

    /// Takes a reference away. Returns what the object was, if nobody refers to it any more.
    fn take_reference(&self, address: usize, tag: u32) -> Option<ObjectKind> {
        let dereferenced = self.state().objects.dereference(address, processor::driver(), tag);
        match dereferenced {
            Dereferenced::Stays => {}
            Dereferenced::Goes(kind) => return Some(kind),
            Dereferenced::Invalid(None) => {
                self.report(Rule::ObjectInvalid, format!("{address:#x} is dereferenced and is no object"));
            }
            Dereferenced::Invalid(Some(kind)) => {
                let tag = String::from_utf8_lossy(&tag.to_le_bytes()).into_owned();
                let detail = format!("the {kind} {address:#x} has no reference of a driver with the tag {tag} left");
                self.report(Rule::ObjectDereferenced, detail);
            }
        }
        None
    }

    /// The kernel refers to an object once less.
    pub(crate) fn release_object(self: &Arc<Self>, address: usize) {
        let unused = self.state().objects.release(address);
        if let Some(kind) = unused {
            self.delete_object(address, kind);
        }
    }

    /// Nobody refers to an object any more.
    pub(crate) fn delete_object(self: &Arc<Self>, address: usize, kind: ObjectKind) {
        match kind {
            ObjectKind::File if processor::irql() > Irql::PASSIVE_LEVEL || processor::are_all_apcs_disabled() => {
                // The driver below can't be called here: a thread of the system's does it.
                self.start_thread(move |core| core.close_file(address));
            }
            ObjectKind::File => self.close_file(address),
            ObjectKind::Device => {
                let device = self.state().devices.remove(&address);
                drop(device);
            }
            ObjectKind::Callback => {
                self.change(|it| it.callbacks.forget(address));
                let object = self.state().other_objects.remove(&address);
                drop(object);
            }
            ObjectKind::Event => {
                let mut state = self.state();
                state.events.retain(|_, event| *event != address);
                let object = state.other_objects.remove(&address);
                drop(state);
                drop(object);
            }
            ObjectKind::Driver | ObjectKind::Process | ObjectKind::Thread => {
                let object = self.state().other_objects.remove(&address);
                drop(object);
            }
        }
    }
}
