//! LIST_LEASES.

use std::time::Duration;

use netio_anycast_protocol::create::{CreateFlags, Lifetime};
use netio_anycast_protocol::lease::{LeaseFilter, LeaseRow};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use zerocopy::IntoBytes;

use crate::attempt::Attempt;
use crate::entry::{Entry, Selection};
use crate::error::Error;
use crate::lease::Sharing;
use crate::rows::{self, Rows};
use crate::table;
use crate::transport::Transport;

/// Which leases a list holds. The default is all of them.
///
/// ```
/// use netio_anycast_client::{Family, LeaseSelection, Selection};
///
/// let of_this_program = LeaseSelection { process_id: Some(std::process::id()), ..LeaseSelection::default() };
/// let ipv6 = LeaseSelection { table: Selection { family: Some(Family::Ipv6), interface: None }, ..of_this_program };
/// assert_eq!(ipv6.process_id, of_this_program.process_id);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LeaseSelection {
    /// Of this family and on this interface only.
    pub table: Selection,
    /// Those that this process holds. Zero, which is no process that opens devices, means all of them, as for the driver.
    pub process_id: Option<u32>,
}

/// One lease, as LIST_LEASES tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseEntry {
    /// The address and its interface. Index and scope are zero while the address is not there: its interface has gone, or others
    /// have deleted it past the driver.
    pub entry: Entry,
    /// Whether several handles may hold it.
    pub sharing: Sharing,
    /// The handles that hold it. Zero: it has ended and NetIO refused the withdrawal so far; the driver tries again.
    pub holders: u32,
    /// The process that opened the handle which created it.
    pub process_id: u32,
    /// How long ago it was created.
    pub age: Duration,
}

/// The leases that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseList {
    /// Sorted by LUID, family and address.
    pub leases: Vec<LeaseEntry>,
    /// The driver's generation before they were read.
    pub generation: u64,
}

/// Reads the list.
pub(crate) fn read(transport: &impl Transport, selection: LeaseSelection) -> Result<LeaseList, Error> {
    let attempt = Attempt::ListLeases(selection);
    let filter = selection.table.on_the_wire().ok_or_else(|| Error::unset_interface(&attempt))?;
    let filter = LeaseFilter { table: filter, process_id: selection.process_id.unwrap_or_default(), reserved: 0 };
    let Rows { generation, rows } =
        rows::read::<LeaseRow>(transport, &attempt, Operation::ListLeases, filter.as_bytes())?;
    let leases = leases(selection.table, &rows).map_err(|detail| Error::malformed(&attempt, &detail))?;
    Ok(LeaseList { leases, generation })
}

/// The rows as leases, held to the contract; the error says how they break it.
fn leases(selection: Selection, rows: &[LeaseRow]) -> Result<Vec<LeaseEntry>, String> {
    let table: Vec<Row> = rows.iter().map(|lease| lease.row).collect();
    let entries = table::entries(selection, &table)?;
    entries.into_iter().zip(rows).map(|(entry, row)| lease(entry, row)).collect()
}

fn lease(entry: Entry, row: &LeaseRow) -> Result<LeaseEntry, String> {
    if Lifetime::from_wire(row.lifetime) != Some(Lifetime::Handle) {
        return Err(format!("{} in it has lifetime {}, which is no lease's", entry.address, row.lifetime));
    }
    let flags = CreateFlags::from_bits(row.flags)
        .ok_or_else(|| format!("{} in it has the unknown flags {:#x}", entry.address, row.flags))?;
    let sharing = if flags.contains(CreateFlags::SHARED) { Sharing::Shared } else { Sharing::Exclusive };
    if sharing == Sharing::Exclusive && row.holders > 1 {
        return Err(format!("{} in it has {} holders and is not shared", entry.address, row.holders));
    }
    let age = Duration::from_millis(row.age);
    Ok(LeaseEntry { entry, sharing, holders: row.holders, process_id: row.process_id, age })
}
