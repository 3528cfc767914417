//! Whether others have changed the addresses.
//!
//! Windows tells nobody of changes of anycast addresses, so the only way is to look at the table. What is kept of it is a
//! digest for each family: that of the last look, with what the driver itself has changed since.

use netio_anycast_protocol::address::AddressFamily;
use netio_anycast_protocol::row::Row;

use crate::key::Key;

/// What was made of a table: the digest of each family that was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digests {
    ipv4: Option<u64>,
    ipv6: Option<u64>,
}

impl Digests {
    /// Those of a table of `family`.
    pub(crate) fn of(family: AddressFamily, rows: &[Row]) -> Self {
        let read = |this| (family == AddressFamily::UNSPECIFIED || family == this).then_some(0);
        let mut digests = Self { ipv4: read(AddressFamily::IPV4), ipv6: read(AddressFamily::IPV6) };
        for key in rows.iter().filter_map(Key::of) {
            digests.add(&key);
        }
        digests
    }

    fn of_family(&mut self, family: AddressFamily) -> Option<&mut u64> {
        if family == AddressFamily::IPV4 { self.ipv4.as_mut() } else { self.ipv6.as_mut() }
    }

    fn add(&mut self, key: &Key) {
        if let Some(digest) = self.of_family(key.family()) {
            *digest = digest.wrapping_add(key.digest());
        }
    }

    fn subtract(&mut self, key: &Key) {
        if let Some(digest) = self.of_family(key.family()) {
            *digest = digest.wrapping_sub(key.digest());
        }
    }

    /// Takes over what `other` knows. True if it knows anything else than this did.
    fn update(&mut self, other: Self) -> bool {
        let update = |mine: &mut Option<u64>, other: Option<u64>| {
            let differs = matches!((*mine, other), (Some(mine), Some(other)) if mine != other);
            *mine = other.or(*mine);
            differs
        };
        // Both, whatever the first says.
        update(&mut self.ipv4, other.ipv4) | update(&mut self.ipv6, other.ipv6)
    }
}

/// What the driver itself does to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TableChange {
    /// It is there now.
    Created,
    /// It is not there any more.
    Deleted,
}

/// A look at the table that has begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    epoch: u64,
    /// Nobody was changing anything then.
    quiet: bool,
}

/// What is known of NetIO's table.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    digests: Digests,
    /// Moves with every change of the driver's own, and every look that found something.
    epoch: u64,
}

impl Watch {
    /// A change of the driver's own was made.
    pub(crate) fn note(&mut self, change: TableChange, key: &Key) {
        self.epoch = self.epoch.wrapping_add(1);
        match change {
            TableChange::Created => self.digests.add(key),
            TableChange::Deleted => self.digests.subtract(key),
        }
    }

    /// Before the table is read. `quiet`: no change of the driver's own is under way.
    pub(crate) const fn begin(&self, quiet: bool) -> Look {
        Look { epoch: self.epoch, quiet }
    }

    /// After the table was read: whether others have changed it since the last look.
    ///
    /// A look that a change of the driver's own has met finds nothing: the table may have been read before or after it. The
    /// next one will.
    pub(crate) fn end(&mut self, look: Look, quiet: bool, seen: Digests) -> bool {
        if !(look.quiet && quiet && look.epoch == self.epoch) {
            return false;
        }
        let changed = self.digests.update(seen);
        if changed {
            self.epoch = self.epoch.wrapping_add(1);
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use core::net::IpAddr;
    use std::vec::Vec;

    use netio_anycast_protocol::address::Luid;

    use super::*;

    fn rows(texts: &[&str]) -> Vec<Row> {
        texts.iter().map(|text| Row::on_luid(text.parse::<IpAddr>().expect("an address"), Luid(1))).collect()
    }

    fn key(text: &str) -> Key {
        Key::of(&rows(&[text])[0]).expect("an address")
    }

    fn look(watch: &mut Watch, family: AddressFamily, texts: &[&str]) -> bool {
        let look = watch.begin(true);
        watch.end(look, true, Digests::of(family, &rows(texts)))
    }

    #[test]
    fn a_look_tells_from_the_last_whatever_the_order_of_the_rows() {
        let mut watch = Watch::default();
        assert!(
            !look(&mut watch, AddressFamily::UNSPECIFIED, &["192.0.2.1", "2001:db8::1"]),
            "the first knows of none"
        );
        assert!(!look(&mut watch, AddressFamily::UNSPECIFIED, &["2001:db8::1", "192.0.2.1"]));
        assert!(look(&mut watch, AddressFamily::UNSPECIFIED, &["192.0.2.2", "2001:db8::1"]));
        assert!(!look(&mut watch, AddressFamily::IPV6, &["2001:db8::1"]));
        assert!(look(&mut watch, AddressFamily::IPV4, &[]));
        assert!(!look(&mut watch, AddressFamily::UNSPECIFIED, &["2001:db8::1"]));
    }

    #[test]
    fn what_the_driver_changes_itself_is_no_change_of_others() {
        let mut watch = Watch::default();
        look(&mut watch, AddressFamily::UNSPECIFIED, &["192.0.2.1"]);
        watch.note(TableChange::Created, &key("2001:db8::1"));
        watch.note(TableChange::Deleted, &key("192.0.2.1"));
        assert!(!look(&mut watch, AddressFamily::UNSPECIFIED, &["2001:db8::1"]));
    }

    #[test]
    fn a_look_that_a_change_has_met_finds_nothing_and_the_next_one_does() {
        let mut watch = Watch::default();
        look(&mut watch, AddressFamily::UNSPECIFIED, &[]);
        let seen = Digests::of(AddressFamily::UNSPECIFIED, &rows(&["192.0.2.9"]));
        let met = watch.begin(true);
        watch.note(TableChange::Created, &key("192.0.2.1"));
        assert!(!watch.end(met, true, seen));
        for (before, after) in [(false, true), (true, false)] {
            let met = watch.begin(before);
            assert!(!watch.end(met, after, seen));
        }
        assert!(look(&mut watch, AddressFamily::UNSPECIFIED, &["192.0.2.1", "192.0.2.9"]));
    }
}
