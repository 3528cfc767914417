//! What the engine knows, behind its one lock.

use netio_anycast_protocol::wait::Generation;

use crate::claims::Claims;
use crate::kernel::Kernel;
use crate::key::Key;
use crate::leases::Leases;
use crate::limits::Limits;
use crate::schedule::Schedule;
use crate::statistics::Totals;
use crate::watch::{TableChange, Watch};

/// The claims that cost no memory: as many requests may change addresses at once without asking for any.
const READY_CLAIMS: u32 = 16;

/// What the engine knows.
pub(crate) struct State<K: Kernel> {
    pub(crate) claims: Claims<K>,
    pub(crate) leases: Leases<K>,
    pub(crate) watch: Watch,
    pub(crate) schedule: Schedule,
    /// Moves with every change of the addresses.
    pub(crate) generation: Generation,
    /// The withdrawals that were tried again.
    pub(crate) withdrawal_retries: u64,
}

impl<K: Kernel> State<K> {
    /// A driver that has just been loaded, or `None` if there is no memory.
    pub(crate) fn new(kernel: &K, limits: Limits) -> Option<Self> {
        let mut claims = Claims::new(kernel, READY_CLAIMS)?;
        // For the withdrawals that are tried again.
        claims.reserve(kernel)?;
        Some(Self {
            claims,
            leases: Leases::new(limits),
            watch: Watch::default(),
            schedule: Schedule::default(),
            generation: Generation(0),
            withdrawal_retries: 0,
        })
    }

    /// The driver has changed the address of `key` in NetIO's table.
    pub(crate) fn table_changed(&mut self, change: TableChange, key: &Key) {
        self.watch.note(change, key);
        self.move_generation();
    }

    pub(crate) const fn totals(&self, waits: u32) -> Totals {
        Totals {
            leases: self.leases.listed(),
            waits,
            withdrawal_retries: self.withdrawal_retries,
            generation: self.generation,
        }
    }

    pub(crate) const fn move_generation(&mut self) {
        self.generation.0 = self.generation.0.wrapping_add(1);
    }
}
