//! The names by which people know interfaces.

use std::collections::BTreeMap;
use std::rc::Rc;

use netio_anycast_client::protocol::address::Luid;
use netio_anycast_client::{Entry, Interfaces};

use crate::platform::Platform;
use crate::report::address::AddressReport;

/// Aliases of interfaces, each looked up once: a table may have many addresses on few interfaces.
pub(super) struct Aliases<'a> {
    interfaces: &'a dyn Interfaces,
    known: BTreeMap<Luid, Option<Rc<str>>>,
}

impl<'a> Aliases<'a> {
    pub(super) fn of(platform: &'a dyn Platform) -> Self {
        Self { interfaces: platform.interfaces(), known: BTreeMap::new() }
    }

    /// The entry with the alias of its interface.
    pub(super) fn describe(&mut self, entry: Entry) -> AddressReport {
        let look_up = || self.interfaces.alias_of(entry.luid).map(Rc::from);
        AddressReport { entry, alias: self.known.entry(entry.luid).or_insert_with(look_up).clone() }
    }
}
