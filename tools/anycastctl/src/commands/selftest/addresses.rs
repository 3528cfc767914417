//! CREATE, DELETE, GET, GET_TABLE and the counters.

use std::net::IpAddr;

use netio_anycast_client::protocol::address::Luid;
use netio_anycast_client::protocol::operation::Operation;
use netio_anycast_client::protocol::row::Row;
use netio_anycast_client::protocol::table::{TableFilter, TableHeader};
use netio_anycast_client::protocol::version::Features;
use netio_anycast_client::{Family, InterfaceId, Selection, Transport};
use zerocopy::{FromBytes, IntoBytes};

use super::Scenario;
use super::context::{Context, EXISTS, INVALID, NOT_FOUND, Stop, check, code, refused, same};
use super::contract::read_row;

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario { name: "an IPv4 address is added, read, listed and deleted", needs: Features::ANYCAST, run: ipv4 },
    Scenario { name: "an IPv6 address is added, read, listed and deleted", needs: Features::ANYCAST, run: ipv6 },
    Scenario {
        name: "a duplicate is STATUS_OBJECTID_EXISTS, for Windows 5010",
        needs: Features::ANYCAST,
        run: duplicates,
    },
    Scenario {
        name: "an address or an interface that is not there is STATUS_NOT_FOUND, for Windows 1168",
        needs: Features::ANYCAST,
        run: what_is_not_there,
    },
    Scenario {
        name: "what is no unicast address, or names no interface, is STATUS_INVALID_PARAMETER, for Windows 87",
        needs: Features::ANYCAST,
        run: what_is_invalid,
    },
    Scenario { name: "a LUID wins over an index", needs: Features::ANYCAST, run: a_luid_wins },
    Scenario {
        name: "a table that does not fit comes as far as it does, and says how long it is",
        needs: Features::ANYCAST,
        run: a_table_that_does_not_fit,
    },
    Scenario { name: "an answer has nothing in it that nobody wrote", needs: Features::ANYCAST, run: unwritten_bytes },
    Scenario { name: "each change has another generation", needs: Features::ANYCAST, run: generations },
    Scenario { name: "requests are counted by what became of them", needs: Features::STATISTICS, run: counters },
];

fn ipv4(context: &Context<'_>) -> Result<(), Stop> {
    comes_and_goes(context, context.ipv4(0)?, context.ipv4(1)?)
}

fn ipv6(context: &Context<'_>) -> Result<(), Stop> {
    comes_and_goes(context, context.ipv6(0)?, context.ipv6(1)?)
}

fn comes_and_goes(context: &Context<'_>, first: IpAddr, second: IpAddr) -> Result<(), Stop> {
    let client = context.client()?;
    let created = match client.create(first, context.interface) {
        Err(error) if first.is_ipv4() && error.status().is_some_and(|status| status == NOT_FOUND.0) => {
            return Err(Stop::Skipped("the interface has no IPv4".to_owned()));
        }
        created => created?,
    };
    client.create(second, context.interface)?;
    same("GET", &client.get(first, context.interface)?, &created)?;
    let selection = Selection { family: Some(Family::of(first)), interface: Some(context.interface) };
    let listed = client.table(selection)?.entries;
    check(listed.contains(&created), || format!("GET_TABLE lacks {first}: {listed:?}"))?;
    let other = if first.is_ipv4() { Family::Ipv6 } else { Family::Ipv4 };
    if let Ok(table) = client.table(Selection { family: Some(other), ..selection }) {
        check(!table.entries.contains(&created), || format!("GET_TABLE of {other} has {first}"))?;
    }
    client.delete(first, context.interface)?;
    same("the addresses on the interface", &context.there(&client)?, &vec![second])?;
    client.delete(second, context.interface)?;
    same("the addresses on the interface", &context.there(&client)?, &Vec::new())
}

fn duplicates(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    client.create(context.address(0), context.interface)?;
    refused("CREATE of the same again", client.create(context.address(0), context.interface), EXISTS)
}

fn what_is_not_there(context: &Context<'_>) -> Result<(), Stop> {
    /// No interface's: there is no such type of interfaces.
    const NOWHERE: InterfaceId = InterfaceId::Luid(Luid(0xFFFF_FFFF_FF00_0000));
    let client = context.client()?;
    let address = context.address(0);
    refused("GET", client.get(address, context.interface), NOT_FOUND)?;
    refused("DELETE", client.delete(address, context.interface), NOT_FOUND)?;
    refused("CREATE on no interface", client.create(address, NOWHERE), NOT_FOUND)?;
    refused("GET on no interface", client.get(address, NOWHERE), NOT_FOUND)?;
    refused("DELETE on no interface", client.delete(address, NOWHERE), NOT_FOUND)?;
    let selection = Selection { family: None, interface: Some(NOWHERE) };
    refused("GET_TABLE of no interface", client.table(selection), NOT_FOUND)
}

fn what_is_invalid(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    for address in ["0.0.0.0", "255.255.255.255", "224.0.0.1", "239.255.255.255", "::", "ff02::1"] {
        // These are addresses.
        let Ok(address) = address.parse() else { continue };
        refused(&format!("CREATE of {address}"), client.create(address, context.interface), INVALID)?;
    }
    for interface in [InterfaceId::Index(0), InterfaceId::Luid(Luid::UNSET)] {
        refused("CREATE without an interface", client.create(context.address(0), interface), INVALID)?;
    }
    same("the addresses on the interface", &context.there(&client)?, &Vec::new())
}

fn a_luid_wins(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    let created = client.create(context.address(0), context.interface)?;
    let asked = Row { index: u32::MAX, ..Row::on_luid(created.address, created.luid) };
    let row = read_row(&client, &asked)?;
    same("the interface", &(row.luid, row.index), &(created.luid, created.index))
}

fn a_table_that_does_not_fit(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    for number in 0..3 {
        client.create(context.address(number), context.interface)?;
    }
    let mut output = [0; size_of::<TableHeader>() + size_of::<Row>()];
    let returned = client
        .transport()
        .control(code(Operation::GetTable), TableFilter::ALL.as_bytes(), &mut output)
        .map_err(|error| Stop::Failed(format!("GET_TABLE ended with {}", error.status)))?;
    check(returned.more, || "GET_TABLE with room for one row did not say that there are more".to_owned())?;
    same("the length of its answer", &returned.length, &output.len())?;
    let (header, _) = TableHeader::read_from_prefix(&output)
        .map_err(|_| Stop::Failed("GET_TABLE's answer has no header".to_owned()))?;
    same("the rows that it says it has", &header.count, &1)?;
    check(header.total >= 3, || {
        format!("GET_TABLE says that there are {} rows, and there are at least 3", header.total)
    })
}

fn unwritten_bytes(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    for address in [context.ipv4(0), context.ipv6(0)].into_iter().flatten() {
        let Ok(created) = client.create(address, context.interface) else { continue };
        let row = read_row(&client, &Row::on_luid(address, created.luid))?;
        let clean = Row { luid: row.luid, index: row.index, scope_id: row.scope_id, ..Row::on_luid(address, row.luid) };
        same(&format!("the bytes of the row of {address}"), &row.as_bytes(), &clean.as_bytes())?;
    }
    Ok(())
}

fn generations(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    let generation = || client.table(Selection::ALL).map(|table| table.generation);
    let first = generation()?;
    client.create(context.address(0), context.interface)?;
    let second = generation()?;
    client.delete(context.address(0), context.interface)?;
    let third = generation()?;
    check(first != second && second != third && first != third, || {
        format!("the generations are {first}, {second} after CREATE and {third} after DELETE")
    })
}

fn counters(context: &Context<'_>) -> Result<(), Stop> {
    let client = context.client()?;
    let counters = || client.statistics().map(|statistics| statistics.operations[Operation::Create as usize]);
    let before = counters()?;
    client.create(context.address(0), context.interface)?;
    refused("CREATE of the same again", client.create(context.address(0), context.interface), EXISTS)?;
    let after = counters()?;
    // Others may ask for something, too.
    let counted = after.succeeded > before.succeeded && after.already_exists > before.already_exists;
    check(counted, || format!("the counters of CREATE went from {before:?} to {after:?}"))
}
