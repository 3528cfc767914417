//! LIST_LEASES: the addresses that go when their holders do.

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::create::{CreateFlags, Lifetime};
use netio_anycast_protocol::lease::{LeaseFilter, LeaseRow};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;

use crate::engine::{Caller, Completion, Engine};
use crate::kernel::{Kernel, Lock};
use crate::key::Key;
use crate::leases::Lease;
use crate::netio::Netio;
use crate::reply::Table;
use crate::state::State;
use crate::status_map::Mapped;
use crate::validate;

/// The leases that are read before the lock is given back. Others wait for no more than these, and a kernel stack is short.
const READ_AT_ONCE: usize = 16;

/// Which leases are listed.
struct Wanted {
    family: AddressFamily,
    interface: Option<Luid>,
    process_id: u32,
}

/// What is listed of a lease.
#[derive(Clone, Copy)]
struct Listed {
    key: Key,
    created: u64,
    holders: u32,
    process_id: u32,
    shared: bool,
}

/// Some leases in their order, and where the next ones begin.
struct Page {
    leases: [Option<Listed>; READ_AT_ONCE],
    /// The last lease that was looked at, unless there are no more.
    last: Option<Key>,
}

impl<N: Netio, K: Kernel> Engine<N, K> {
    /// Writes the leases that `filter` lets through: sorted, as many as fit, with the number there are. Those that come or go
    /// meanwhile may be among them or not.
    #[inline(never)]
    pub(crate) fn list_leases(
        &self,
        caller: &Caller<N>,
        filter: &LeaseFilter,
        output: &mut [u8],
    ) -> Result<Completion, Mapped> {
        let family = validate::table_family(filter.table.family).map_err(Mapped::refused)?;
        let interface = self.interface_filter(caller.level, &filter.table)?;
        let wanted = Wanted { family, interface, process_id: filter.process_id };
        let generation = self.state.with(|state| state.generation);
        let mut table = Table::begin(output)?;
        let mut after = None;
        loop {
            let page = self.state.with(|state| state.page(after.as_ref(), &wanted));
            for listed in page.leases.iter().flatten() {
                if table.has_room::<LeaseRow>() {
                    table.push(&self.lease_row(caller.level, listed));
                } else {
                    table.skip();
                }
            }
            match page.last {
                Some(last) => after = Some(last),
                None => return Ok(table.end(generation)),
            }
        }
    }

    /// A lease with what NetIO says of its address now. Index and scope are zero if it is not there: its interface has gone, or
    /// others have deleted it.
    fn lease_row(&self, level: N::PassiveLevel, lease: &Listed) -> LeaseRow {
        let mut row = lease.key.row();
        let mut found = row;
        if self.netio.get(level, &mut found) == NtStatus::SUCCESS {
            (row.index, row.scope_id) = (found.index, found.scope_id);
        }
        lease_row(row, lease, self.kernel.now())
    }
}

fn lease_row(row: Row, lease: &Listed, now: u64) -> LeaseRow {
    let flags = if lease.shared { CreateFlags::SHARED } else { CreateFlags::empty() };
    LeaseRow {
        row,
        lifetime: Lifetime::Handle as u32,
        flags: flags.bits(),
        holders: lease.holders,
        process_id: lease.process_id,
        age: now.saturating_sub(lease.created),
    }
}

impl<K: Kernel> State<K> {
    /// The leases after `after`, as far as they are wanted.
    fn page(&self, after: Option<&Key>, wanted: &Wanted) -> Page {
        let mut page = Page { leases: [None; READ_AT_ONCE], last: None };
        let start = Key::first_on(wanted.interface.unwrap_or_default());
        let mut next = match after {
            Some(after) => self.leases.first_listed(after, true),
            None => self.leases.first_listed(&start, false),
        };
        for place in &mut page.leases {
            let found = next.filter(|lease| wanted.interface.is_none_or(|luid| lease.key.luid() == luid));
            let Some(lease) = found else {
                page.last = None;
                return page;
            };
            if self.is_wanted(lease, wanted) {
                *place = Some(Listed {
                    key: lease.key,
                    created: lease.created,
                    holders: lease.holders,
                    process_id: lease.process_id,
                    shared: lease.shared,
                });
            }
            page.last = Some(lease.key);
            next = self.leases.first_listed(&lease.key, true);
        }
        page
    }

    fn is_wanted(&self, lease: &Lease, wanted: &Wanted) -> bool {
        let of_family = wanted.family == AddressFamily::UNSPECIFIED || wanted.family == lease.key.family();
        of_family && (wanted.process_id == 0 || self.leases.is_held_by_process(lease, wanted.process_id))
    }
}
