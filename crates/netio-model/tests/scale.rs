//! The model against a naive one, and with many entries.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_model::{Families, Interface, Model};
use proptest::prelude::*;

fn row(luid: Luid, host: u32) -> Row {
    Row::on_luid(IpAddr::V4(Ipv4Addr::from_bits(0x0A00_0000 + host)), luid)
}

fn system(interfaces: u32) -> Model {
    let mut model = Model::new();
    for index in 1..=interfaces {
        let luid = Luid::new(6, index);
        let interface = Interface { luid, index, families: Families::all(), scope_id: index };
        model.add_interface(interface).expect("LUID and index are free");
    }
    model
}

#[test]
fn a_hundred_thousand_addresses() {
    let mut model = system(10);
    let rows: Vec<Row> = (0..100_000).map(|number| row(Luid::new(6, 1 + number % 10), number / 10)).collect();
    for row in &rows {
        assert_eq!(model.create(row), NtStatus::SUCCESS);
    }
    assert_eq!(model.table(AddressFamily::IPV4).map(|rows| rows.len()), Ok(100_000));
    model.remove_interface(Luid::new(6, 1)).expect("it was added");
    assert_eq!(model.entry_count(), 90_000);
    for row in rows.iter().filter(|row| row.luid != Luid::new(6, 1)) {
        assert_eq!(model.delete(row), NtStatus::SUCCESS);
    }
    assert_eq!(model.entry_count(), 0);
}

proptest! {
    #[test]
    fn the_addresses_are_those_that_the_replies_imply(steps in prop::collection::vec((any::<bool>(), 1..4_u32, 0..8_u32), 0..200)) {
        let mut model = system(3);
        let mut expected = HashSet::new();
        for (create, interface, host) in steps {
            let row = row(Luid::new(6, interface), host);
            let (status, changes) = if create {
                (model.create(&row), expected.insert((interface, host)))
            } else {
                (model.delete(&row), expected.remove(&(interface, host)))
            };
            prop_assert_eq!(status == NtStatus::SUCCESS, changes);
        }
        let found: HashSet<_> = model.entries().map(|row| (row.index, row.address)).map(|(index, address)| {
            let Some(IpAddr::V4(address)) = address.ip() else { unreachable!("only IPv4 addresses were created") };
            (index, address.to_bits() - 0x0A00_0000)
        }).collect();
        prop_assert_eq!(found, expected);
    }
}
