//! Any sequence of requests, compared with the simplest thing that could be right: a set.

use std::collections::BTreeSet;
use std::net::IpAddr;

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;
use netio_model::{Families, Interface};
use proptest::prelude::*;

use crate::system::{ETHERNET, ETHERNET_INDEX, SECOND, SECOND_INDEX, System, UNKNOWN, UNKNOWN_INDEX, ip};

/// How a step names an interface.
#[derive(Clone, Copy, Debug)]
enum Name {
    Luid(Luid),
    Index(u32),
}

#[derive(Clone, Debug)]
enum Step {
    Create(IpAddr, Name),
    Delete(IpAddr, Name),
    Get(IpAddr, Name),
    List(AddressFamily, Option<Name>),
    /// The second interface goes, with its addresses.
    RemoveSecond,
    /// The second interface is there again, with its old index or another.
    AddSecond(u32),
}

/// What the driver's caller may rely on, in its plainest form.
struct Reference {
    addresses: BTreeSet<(Luid, IpAddr)>,
    /// The index of the second interface while it is there.
    second: Option<u32>,
    generation: u64,
}

impl Reference {
    fn new() -> Self {
        Self { addresses: BTreeSet::new(), second: Some(SECOND_INDEX), generation: 0 }
    }

    fn interface(&self, name: Name) -> Option<Luid> {
        let second = self.second;
        match name {
            Name::Luid(ETHERNET) | Name::Index(ETHERNET_INDEX) => Some(ETHERNET),
            Name::Luid(SECOND) if second.is_some() => Some(SECOND),
            Name::Index(index) if second == Some(index) => Some(SECOND),
            _ => None,
        }
    }

    /// The address as a key, if it may be asked for at all.
    fn entry(&self, address: IpAddr, name: Name) -> Result<(Luid, IpAddr), NtStatus> {
        if address == ip("224.0.0.1") || address == ip("::") {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        Ok((self.interface(name).ok_or(NtStatus::NOT_FOUND)?, address))
    }

    fn create(&mut self, address: IpAddr, name: Name) -> Result<Row, NtStatus> {
        let entry = self.entry(address, name)?;
        if !self.addresses.insert(entry) {
            return Err(NtStatus::OBJECTID_EXISTS);
        }
        self.generation += 1;
        Ok(self.row(entry))
    }

    fn delete(&mut self, address: IpAddr, name: Name) -> NtStatus {
        match self.entry(address, name) {
            Err(status) => status,
            Ok(entry) if self.addresses.remove(&entry) => {
                self.generation += 1;
                NtStatus::SUCCESS
            }
            Ok(_) => NtStatus::NOT_FOUND,
        }
    }

    fn get(&self, address: IpAddr, name: Name) -> Result<Row, NtStatus> {
        let entry = self.entry(address, name)?;
        self.addresses.get(&entry).map(|entry| self.row(*entry)).ok_or(NtStatus::NOT_FOUND)
    }

    fn list(&self, family: AddressFamily, name: Option<Name>) -> Result<Vec<Row>, NtStatus> {
        let only = match name {
            Some(name) => Some(self.interface(name).ok_or(NtStatus::NOT_FOUND)?),
            None => None,
        };
        let wanted = |(luid, address): &(Luid, IpAddr)| {
            only.is_none_or(|only| only == *luid)
                && match family {
                    AddressFamily::IPV4 => address.is_ipv4(),
                    AddressFamily::IPV6 => address.is_ipv6(),
                    _ => true,
                }
        };
        Ok(self.addresses.iter().copied().filter(wanted).map(|entry| self.row(entry)).collect())
    }

    fn row(&self, (luid, address): (Luid, IpAddr)) -> Row {
        let index = if luid == ETHERNET { ETHERNET_INDEX } else { self.second.expect("it has addresses") };
        Row { index, scope_id: index, ..Row::on_luid(address, luid) }
    }
}

fn row(address: IpAddr, name: Name) -> Row {
    match name {
        Name::Luid(luid) => Row::on_luid(address, luid),
        Name::Index(index) => Row::on_index(address, index),
    }
}

fn filter(family: AddressFamily, name: Option<Name>) -> TableFilter {
    let all = TableFilter { family, ..TableFilter::ALL };
    match name {
        None => all,
        Some(Name::Luid(luid)) => TableFilter { luid, ..all },
        Some(Name::Index(index)) => TableFilter { index, ..all },
    }
}

fn address() -> impl Strategy<Value = IpAddr> {
    let few = ["192.0.2.1", "192.0.2.2", "10.0.0.1", "2001:db8::1", "fe80::1", "224.0.0.1", "::"];
    prop::sample::select(few.map(ip).to_vec())
}

fn name() -> impl Strategy<Value = Name> {
    let luids = [ETHERNET, SECOND, UNKNOWN].map(Name::Luid);
    let indices = [ETHERNET_INDEX, SECOND_INDEX, SECOND_INDEX + 1, UNKNOWN_INDEX].map(Name::Index);
    prop::sample::select([&luids[..], &indices[..]].concat())
}

fn step() -> impl Strategy<Value = Step> {
    let family = [AddressFamily::UNSPECIFIED, AddressFamily::IPV4, AddressFamily::IPV6].to_vec();
    prop_oneof![
        4 => (address(), name()).prop_map(|(address, name)| Step::Create(address, name)),
        2 => (address(), name()).prop_map(|(address, name)| Step::Delete(address, name)),
        2 => (address(), name()).prop_map(|(address, name)| Step::Get(address, name)),
        2 => (prop::sample::select(family), prop::option::of(name())).prop_map(|(family, name)| Step::List(family, name)),
        1 => Just(Step::RemoveSecond),
        1 => (SECOND_INDEX..SECOND_INDEX + 2).prop_map(Step::AddSecond),
    ]
}

fn take(system: &System, reference: &mut Reference, step: &Step) -> Result<(), TestCaseError> {
    match *step {
        Step::Create(address, name) => {
            prop_assert_eq!(system.create(row(address, name)), reference.create(address, name));
        }
        Step::Delete(address, name) => {
            prop_assert_eq!(system.delete(row(address, name)), reference.delete(address, name));
        }
        Step::Get(address, name) => prop_assert_eq!(system.get(row(address, name)), reference.get(address, name)),
        Step::List(family, name) => {
            prop_assert_eq!(system.list(filter(family, name)), reference.list(family, name));
        }
        Step::RemoveSecond => {
            if reference.second.take().is_some() {
                system.model().remove_interface(SECOND).expect("it is there");
                reference.addresses.retain(|(luid, _)| *luid != SECOND);
            }
        }
        Step::AddSecond(index) => {
            if reference.second.is_none() {
                let interface = Interface { luid: SECOND, index, families: Families::all(), scope_id: index };
                system.model().add_interface(interface).expect("it is gone");
                reference.second = Some(index);
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_sequence_of_requests_does_to_the_system_what_it_does_to_a_set(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let system = System::new();
        let mut reference = Reference::new();
        for step in &steps {
            take(&system, &mut reference, step)?;
        }
        let everything = reference.list(AddressFamily::UNSPECIFIED, None);
        prop_assert_eq!(system.list(TableFilter::ALL), everything);
        prop_assert_eq!(system.statistics().generation, reference.generation);
    }
}
