//! What can happen to a driver.

use std::net::IpAddr;

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::table::TableFilter;
use proptest::prelude::*;

use super::model::Change;
use crate::system::{ETHERNET, ETHERNET_INDEX, SECOND, SECOND_INDEX, UNKNOWN, UNKNOWN_INDEX, ip};

/// How a step names an interface.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name {
    Luid(Luid),
    Index(u32),
}

/// A change of one address.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) address: IpAddr,
    pub(super) name: Name,
    pub(super) change: Change,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Through one of the handles.
    Change(usize, Item),
    /// A batch, atomic or not.
    Apply(usize, bool, Vec<Item>),
    Get(IpAddr, Name),
    List(AddressFamily, Option<Name>),
    /// A handle is closed, while NetIO refuses every deletion or not.
    Close(usize, bool),
    /// Time enough passes for withdrawals to be tried again.
    Retry,
    /// The second interface goes, with its addresses.
    RemoveSecond,
    /// The second interface is there again, with its old index or another.
    AddSecond(u32),
}

fn address() -> impl Strategy<Value = IpAddr> {
    let addresses = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.1", "2001:db8::1", "224.0.0.1", "::"];
    prop::sample::select(addresses.map(ip).to_vec())
}

fn name() -> impl Strategy<Value = Name> {
    prop::sample::select(vec![
        Name::Luid(ETHERNET),
        Name::Index(ETHERNET_INDEX),
        Name::Luid(SECOND),
        Name::Index(SECOND_INDEX),
        Name::Luid(SECOND),
        Name::Luid(ETHERNET),
        Name::Index(SECOND_INDEX + 1),
        Name::Luid(UNKNOWN),
        Name::Index(UNKNOWN_INDEX),
    ])
}

fn item() -> impl Strategy<Value = Item> {
    let change = prop_oneof![
        2 => Just(Change::Create),
        3 => Just(Change::Lease),
        4 => Just(Change::Share),
        3 => Just(Change::Delete),
        1 => Just(Change::Force),
    ];
    (address(), name(), change).prop_map(|(address, name, change)| Item { address, name, change })
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let families = vec![AddressFamily::UNSPECIFIED, AddressFamily::IPV4, AddressFamily::IPV6];
    prop_oneof![
        12 => (0_usize..3, item()).prop_map(|(handle, item)| Step::Change(handle, item)),
        5 => (0_usize..3, any::<bool>(), prop::collection::vec(item(), 0..6))
            .prop_map(|(handle, atomic, items)| Step::Apply(handle, atomic, items)),
        1 => (address(), name()).prop_map(|(address, name)| Step::Get(address, name)),
        2 => (prop::sample::select(families), prop::option::of(name()))
            .prop_map(|(family, name)| Step::List(family, name)),
        2 => (0_usize..3, any::<bool>()).prop_map(|(handle, refused)| Step::Close(handle, refused)),
        1 => Just(Step::Retry),
        1 => Just(Step::RemoveSecond),
        1 => (SECOND_INDEX..SECOND_INDEX + 2).prop_map(Step::AddSecond),
    ]
}

pub(super) fn row(address: IpAddr, name: Name) -> Row {
    match name {
        Name::Luid(luid) => Row::on_luid(address, luid),
        Name::Index(index) => Row::on_index(address, index),
    }
}

pub(super) fn filter(family: AddressFamily, name: Option<Name>) -> TableFilter {
    let filter = TableFilter { family, ..TableFilter::ALL };
    match name {
        None => filter,
        Some(Name::Luid(luid)) => TableFilter { luid, ..filter },
        Some(Name::Index(index)) => TableFilter { index, ..filter },
    }
}
