//! LIST_LEASES: the addresses that go when their holders do.

use core::cmp::Ordering;

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::create::{CreateFlags, Lifetime};
use netio_anycast_protocol::lease::{LeaseFilter, LeaseRow};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use zerocopy::{FromBytes as _, Unalign};

use crate::engine::{Caller, Completion, Engine};
use crate::kernel::{Kernel, Lock};
use crate::leases::Lease;
use crate::netio::Netio;
use crate::reply;
use crate::sort;
use crate::state::State;
use crate::status_map::Mapped;
use crate::validate;

/// The places of leases that are looked at before the lock is given back. Others wait for no more than these, and a kernel stack is
/// short.
const LOOKED_AT_ONCE: u32 = 16;

/// Which leases are listed.
struct Wanted {
    family: AddressFamily,
    interface: Option<Luid>,
    process_id: u32,
    now: u64,
}

/// The leases of some places.
type Page = [Option<LeaseRow>; LOOKED_AT_ONCE as usize];

/// The smallest rows of those that came, in the caller's own buffer: as many as fit there.
struct Smallest<'a> {
    rows: &'a mut [Unalign<LeaseRow>],
    /// The rows that are there: a heap, the largest first, once there is no room for another.
    kept: usize,
    total: u32,
}

fn table_order(one: &Unalign<LeaseRow>, other: &Unalign<LeaseRow>) -> Ordering {
    one.get().row.table_order(&other.get().row)
}

impl<'a> Smallest<'a> {
    /// No row yet. What is left of `space` behind the last whole row stays as it is.
    fn new(space: &'a mut [u8]) -> Self {
        let room = space.len().checked_div(size_of::<LeaseRow>()).unwrap_or(0);
        let rows = <[Unalign<LeaseRow>]>::mut_from_prefix_with_elems(space, room).map_or(&mut [][..], |(rows, _)| rows);
        Self { rows, kept: 0, total: 0 }
    }

    fn add(&mut self, row: LeaseRow) {
        self.total = self.total.saturating_add(1);
        let (row, full) = (Unalign::new(row), self.rows.len());
        if let Some(place) = self.rows.get_mut(self.kept) {
            *place = row;
            self.kept = self.kept.saturating_add(1);
            if self.kept == full {
                sort::heapify(self.rows, &table_order);
            }
        } else if let Some(largest) = self.rows.first_mut().filter(|largest| table_order(&row, largest).is_lt()) {
            *largest = row;
            sort::sift_down(self.rows, 0, &table_order);
        }
    }

    /// The rows, sorted, each address once: a lease that went and came again meanwhile was read twice, and the later one counts.
    /// And how many there are in total.
    fn sorted(self) -> (&'a mut [Unalign<LeaseRow>], u32) {
        let Self { rows, kept, mut total } = self;
        let rows = rows.get_mut(..kept).unwrap_or_default();
        sort::sort_by(rows, |one, other| table_order(one, other).then(other.get().age.cmp(&one.get().age)));
        let mut distinct = 0_usize;
        for position in 0..kept {
            let Some(row) = rows.get(position).copied() else { break };
            let last = distinct.checked_sub(1).and_then(|last| rows.get(last));
            if last.is_some_and(|last| table_order(last, &row).is_eq()) {
                distinct = distinct.saturating_sub(1);
                total = total.saturating_sub(1);
            }
            if let Some(place) = rows.get_mut(distinct) {
                *place = row;
            }
            distinct = distinct.saturating_add(1);
        }
        (rows.get_mut(..distinct).unwrap_or_default(), total)
    }
}

impl<N: Netio, K: Kernel> Engine<N, K> {
    /// Writes the leases that `filter` lets through: sorted, as many as fit, with the number there are. Those that come or go
    /// meanwhile may be among them or not.
    #[inline(never)]
    pub(crate) fn list_leases(
        &self,
        caller: Caller<N>,
        filter: &LeaseFilter,
        output: &mut [u8],
    ) -> Result<Completion, Mapped> {
        let family = validate::table_family(filter.table.family).map_err(Mapped::refused)?;
        let interface = self.interface_filter(caller.level, &filter.table)?;
        let wanted = Wanted { family, interface, process_id: filter.process_id, now: self.kernel.now() };
        let generation = self.generation();
        let Some((header, space)) = output.split_first_chunk_mut() else {
            return Err(Mapped::refused(NtStatus::BUFFER_TOO_SMALL));
        };
        let mut smallest = Smallest::new(space);
        let mut start = 0_u32;
        while let Some(page) = self.state.with(|state| state.page(start, &wanted)) {
            page.into_iter().flatten().for_each(|row| smallest.add(row));
            start = start.saturating_add(LOOKED_AT_ONCE);
        }
        let (rows, total) = smallest.sorted();
        for row in &mut *rows {
            row.update(|lease| self.locate(caller.level, &mut lease.row));
        }
        let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        Ok(reply::end_table::<LeaseRow>(header, count, total, generation))
    }

    /// Enters what NetIO says of an address now. Index and scope stay zero if it is not there: its interface has gone, or others
    /// have deleted it.
    fn locate(&self, level: N::PassiveLevel, row: &mut Row) {
        let mut found = *row;
        if self.netio.get(level, &mut found) == NtStatus::SUCCESS {
            (row.index, row.scope_id) = (found.index, found.scope_id);
        }
    }
}

impl<K: Kernel> State<K> {
    /// The leases that are wanted, of those whose places come next. `None` if there are no more places.
    fn page(&self, start: u32, wanted: &Wanted) -> Option<Page> {
        if start >= self.leases.places() {
            return None;
        }
        let mut page = [None; LOOKED_AT_ONCE as usize];
        for (row, place) in page.iter_mut().zip(start..) {
            let lease = self.leases.listed_at(place).filter(|lease| self.is_wanted(lease, wanted));
            *row = lease.map(|lease| row_of(lease, wanted.now));
        }
        Some(page)
    }

    fn is_wanted(&self, lease: &Lease, wanted: &Wanted) -> bool {
        let of_family = wanted.family == AddressFamily::UNSPECIFIED || wanted.family == lease.key.family();
        let of_interface = wanted.interface.is_none_or(|luid| luid == lease.key.luid());
        of_family
            && of_interface
            && (wanted.process_id == 0 || self.leases.is_held_by_process(lease, wanted.process_id))
    }
}

fn row_of(lease: &Lease, now: u64) -> LeaseRow {
    let flags = if lease.shared { CreateFlags::SHARED } else { CreateFlags::empty() };
    LeaseRow {
        row: lease.key.row(),
        lifetime: Lifetime::Handle as u32,
        flags: flags.bits(),
        holders: lease.holders,
        process_id: lease.process_id,
        age: now.saturating_sub(lease.created),
    }
}
