//! One change of one address: what it needs, what it does to NetIO's table and to the leases, and how it is undone.
//!
//! Whoever makes a change has claimed the address, so that nothing else happens to it meanwhile. Each of the functions here
//! takes the engine's lock for a moment or is called with it; NetIO is called in between, without it.

use netio_anycast_protocol::create::Lifetime;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::wait::Generation;

use crate::claims::Place;
use crate::kernel::Kernel;
use crate::key::Key;
use crate::leases::State as LeaseState;
use crate::state::State;
use crate::status_map::Mapped;
use crate::watch::TableChange;

/// What is to be done to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Create { lifetime: Lifetime, shared: bool },
    Delete { force: bool },
}

/// What NetIO has to be asked for a change, and what the leases are prepared for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Create(Preparation),
    Delete {
        /// The lease that ends with the address.
        lease: Option<u32>,
    },
    /// Nothing: it is done already.
    Done(Effect),
}

/// What the leases are prepared for when NetIO is asked to create an address.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Preparation {
    /// The address has no lease and gets none.
    NoLease,
    /// It has none, and gets this one.
    Reserved { lease: u32 },
    /// It has a shared lease, which gets one more holder. NetIO is asked whether the address is still there.
    Joining { lease: u32, share: u32 },
    /// The handle holds it already. It is created again if it is not there any more: its interface may have gone and come back.
    Held,
    /// It has a lease without a holder, whose withdrawal NetIO has refused; this one takes its place.
    Replacing { orphan: u32, lease: u32 },
    /// The same, and none is to take its place.
    Disowning { orphan: u32 },
}

/// What a change has done to the leases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LeaseEffect {
    #[default]
    None,
    /// A lease was made.
    Granted { lease: u32 },
    /// It has one more holder.
    Joined { lease: u32, share: u32 },
    /// A lease was made in the place of one without a holder, which is over as soon as nobody can want it back.
    Replaced { orphan: u32, lease: u32 },
    /// It is over as soon as nobody can want it back.
    Suspended { lease: u32 },
    /// One of its holders holds it no more; the record of him is there until nobody can want it back.
    Left { lease: u32, share: u32 },
}

/// What a change has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    /// To NetIO's table.
    pub(crate) table: Option<TableChange>,
    pub(crate) leases: LeaseEffect,
    /// What NetIO said; success if it was not asked.
    pub(crate) raw: NtStatus,
}

impl Default for Effect {
    fn default() -> Self {
        Self { table: None, leases: LeaseEffect::None, raw: NtStatus::SUCCESS }
    }
}

impl<K: Kernel> State<K> {
    /// Claims the address of a change that has to do with no lease, and for which nobody has to be waited: NetIO may be asked
    /// at once. `None` if it is not so simple.
    #[inline]
    pub(crate) fn begin_plain(&mut self, key: &Key, change: Change) -> Option<Place> {
        let makes_a_lease = matches!(change, Change::Create { lifetime: Lifetime::Handle, .. });
        if makes_a_lease || self.leases.find(key).is_some() { None } else { self.claims.enter_place(key) }
    }

    /// Enters what NetIO has said to such a change, and ends the claim. The generation then.
    #[inline]
    pub(crate) fn end_plain(&mut self, place: Place, key: &Key, change: Change, raw: NtStatus) -> Generation {
        if raw == NtStatus::SUCCESS {
            let change = match change {
                Change::Create { .. } => TableChange::Created,
                Change::Delete { .. } => TableChange::Deleted,
            };
            self.table_changed(change, key);
        }
        self.claims.leave_place(place);
        self.generation
    }

    /// Decides on a change that `handle` asks for, and prepares the leases for it: nothing of what follows needs memory.
    ///
    /// # Errors
    /// - [`NtStatus::OBJECTID_EXISTS`]: the address is leased, and the lease is not one that the handle may join.
    /// - [`NtStatus::ACCESS_DENIED`]: the handle does not hold the lease that it wants to end.
    /// - [`NtStatus::QUOTA_EXCEEDED`], [`NtStatus::INSUFFICIENT_RESOURCES`].
    #[inline]
    pub(crate) fn decide(&mut self, kernel: &K, handle: u32, key: &Key, change: Change) -> Result<Step, NtStatus> {
        match (change, self.leases.find(key)) {
            (Change::Create { lifetime: Lifetime::Unowned, .. }, None) => Ok(Step::Create(Preparation::NoLease)),
            (Change::Create { lifetime: Lifetime::Handle, shared }, None) => {
                let lease = self.leases.reserve(kernel, handle, *key, shared)?;
                Ok(Step::Create(Preparation::Reserved { lease }))
            }
            (Change::Create { lifetime, shared }, Some(lease)) => {
                self.decide_creation(kernel, handle, key, lease, (lifetime, shared)).map(Step::Create)
            }
            (Change::Delete { .. }, None) => Ok(Step::Delete { lease: None }),
            (Change::Delete { force }, Some(lease)) => self.decide_deletion(handle, lease, force),
        }
    }

    /// The same for the creation of an address that has a lease.
    #[cold]
    fn decide_creation(
        &mut self,
        kernel: &K,
        handle: u32,
        key: &Key,
        lease: u32,
        change: (Lifetime, bool),
    ) -> Result<Preparation, NtStatus> {
        let (lifetime, shared) = change;
        let found = self.leases.get(lease).ok_or(NtStatus::UNSUCCESSFUL)?;
        let (orphaned, joinable) = (found.state == LeaseState::Orphaned, shared && found.shared);
        if lifetime == Lifetime::Unowned {
            return if orphaned {
                Ok(Preparation::Disowning { orphan: lease })
            } else {
                Err(NtStatus::OBJECTID_EXISTS)
            };
        }
        if orphaned {
            return self.replace_orphan(kernel, handle, key, lease, shared);
        }
        if self.leases.share_of(lease, handle).is_some() {
            return Ok(Preparation::Held);
        }
        if !joinable {
            return Err(NtStatus::OBJECTID_EXISTS);
        }
        let share = self.leases.add_share(kernel, handle, lease)?;
        Ok(Preparation::Joining { lease, share })
    }

    fn replace_orphan(
        &mut self,
        kernel: &K,
        handle: u32,
        key: &Key,
        orphan: u32,
        shared: bool,
    ) -> Result<Preparation, NtStatus> {
        self.leases.suspend(orphan);
        match self.leases.reserve(kernel, handle, *key, shared) {
            Ok(lease) => Ok(Preparation::Replacing { orphan, lease }),
            Err(status) => {
                self.resume(kernel, orphan);
                Err(status)
            }
        }
    }

    /// Undoes the suspension of a lease, whose withdrawal is to be tried again if nobody holds it.
    fn resume(&mut self, kernel: &K, lease: u32) {
        self.leases.resume(kernel, lease);
        if self.leases.orphans() > 0 {
            self.schedule.retry(kernel);
        }
    }

    /// The same for the deletion of an address that has a lease.
    #[cold]
    fn decide_deletion(&mut self, handle: u32, lease: u32, force: bool) -> Result<Step, NtStatus> {
        let found = self.leases.get(lease).ok_or(NtStatus::UNSUCCESSFUL)?;
        let (orphaned, holders) = (found.state == LeaseState::Orphaned, found.holders);
        let share = self.leases.share_of(lease, handle);
        match share {
            Some(share) if holders > 1 && !force => {
                self.leases.detach_share(lease, share);
                let leases = LeaseEffect::Left { lease, share };
                Ok(Step::Done(Effect { leases, ..Effect::default() }))
            }
            None if !(force || orphaned) => Err(NtStatus::ACCESS_DENIED),
            _ => Ok(Step::Delete { lease: Some(lease) }),
        }
    }

    /// Enters what NetIO has said to a step.
    ///
    /// # Errors
    /// The change has failed, and everything is as before.
    #[inline]
    pub(crate) fn settle(&mut self, kernel: &K, key: &Key, step: Step, raw: NtStatus) -> Result<Effect, Mapped> {
        let effect = match step {
            Step::Done(effect) => return Ok(effect),
            Step::Create(preparation) => self.settle_creation(kernel, preparation, raw)?,
            Step::Delete { lease } => self.settle_deletion(lease, raw)?,
        };
        if let Some(change) = effect.table {
            self.table_changed(change, key);
        }
        Ok(effect)
    }

    #[inline]
    fn settle_creation(&mut self, kernel: &K, preparation: Preparation, raw: NtStatus) -> Result<Effect, Mapped> {
        let created = raw == NtStatus::SUCCESS;
        let table = created.then_some(TableChange::Created);
        let leases = match preparation {
            Preparation::NoLease | Preparation::Held if created => LeaseEffect::None,
            Preparation::NoLease | Preparation::Held => return Err(Mapped::from_netio(raw)),
            Preparation::Reserved { lease } if created => {
                self.leases.grant(lease);
                LeaseEffect::Granted { lease }
            }
            Preparation::Reserved { lease } => {
                self.leases.remove(lease);
                return Err(Mapped::from_netio(raw));
            }
            other => self.settle_creation_over_lease(kernel, other, raw)?,
        };
        Ok(Effect { table, leases, raw })
    }

    /// For the preparations that an address which is still there does not stand in the way of.
    #[cold]
    fn settle_creation_over_lease(
        &mut self,
        kernel: &K,
        preparation: Preparation,
        raw: NtStatus,
    ) -> Result<LeaseEffect, Mapped> {
        let is_there = raw == NtStatus::SUCCESS || Mapped::from_netio(raw).status == NtStatus::OBJECTID_EXISTS;
        match preparation {
            Preparation::Joining { lease, share } if is_there => {
                self.leases.grant_share(lease);
                Ok(LeaseEffect::Joined { lease, share })
            }
            Preparation::Replacing { orphan, lease } if is_there => {
                self.leases.grant(lease);
                Ok(LeaseEffect::Replaced { orphan, lease })
            }
            Preparation::Disowning { orphan } if is_there => {
                self.leases.suspend(orphan);
                Ok(LeaseEffect::Suspended { lease: orphan })
            }
            Preparation::Joining { share, .. } => {
                self.leases.remove_share(share);
                Err(Mapped::from_netio(raw))
            }
            Preparation::Replacing { orphan, lease } => {
                self.leases.remove(lease);
                self.resume(kernel, orphan);
                Err(Mapped::from_netio(raw))
            }
            _ => Err(Mapped::from_netio(raw)),
        }
    }

    #[inline]
    fn settle_deletion(&mut self, lease: Option<u32>, raw: NtStatus) -> Result<Effect, Mapped> {
        let deleted = raw == NtStatus::SUCCESS;
        let table = deleted.then_some(TableChange::Deleted);
        match lease {
            None if deleted => Ok(Effect { table, leases: LeaseEffect::None, raw }),
            // A lease whose address is gone is over as well.
            Some(lease) if deleted || is_gone(raw) => {
                self.leases.suspend(lease);
                Ok(Effect { table, leases: LeaseEffect::Suspended { lease }, raw })
            }
            _ => Err(Mapped::from_netio(raw)),
        }
    }

    /// Nobody can want back what a change has ended.
    #[inline]
    pub(crate) fn commit(&mut self, effect: &Effect) {
        match effect.leases {
            LeaseEffect::Suspended { lease } | LeaseEffect::Replaced { orphan: lease, .. } => self.leases.remove(lease),
            LeaseEffect::Left { share, .. } => self.leases.free_share(share),
            LeaseEffect::None | LeaseEffect::Granted { .. } | LeaseEffect::Joined { .. } => {}
        }
    }

    /// Enters that a change was undone, or as much of it as could be: `raw` is what NetIO has said to the contrary of what it
    /// was asked for before, and success if it was not asked for anything.
    ///
    /// # Errors
    /// NetIO has refused.
    pub(crate) fn undo(&mut self, kernel: &K, key: &Key, effect: &Effect, raw: NtStatus) -> Result<(), Mapped> {
        let undone = match effect.table {
            None => true,
            Some(TableChange::Created) => raw == NtStatus::SUCCESS || is_gone(raw),
            Some(TableChange::Deleted) => {
                raw == NtStatus::SUCCESS || Mapped::from_netio(raw).status == NtStatus::OBJECTID_EXISTS
            }
        };
        match effect.table {
            Some(TableChange::Created) if raw == NtStatus::SUCCESS => self.table_changed(TableChange::Deleted, key),
            Some(TableChange::Deleted) if raw == NtStatus::SUCCESS => self.table_changed(TableChange::Created, key),
            _ => {}
        }
        match effect.leases {
            LeaseEffect::None => {}
            LeaseEffect::Granted { lease } if undone => self.leases.remove(lease),
            LeaseEffect::Granted { lease } => {
                self.leases.orphan(lease);
                self.schedule.retry(kernel);
            }
            LeaseEffect::Replaced { orphan, lease } => {
                self.leases.remove(lease);
                self.resume(kernel, orphan);
            }
            LeaseEffect::Joined { lease, share } => self.leases.give_share_up(lease, share),
            LeaseEffect::Suspended { lease } if undone || effect.table == Some(TableChange::Created) => {
                self.resume(kernel, lease);
            }
            // The address that it was for is not there any more.
            LeaseEffect::Suspended { lease } => self.leases.remove(lease),
            LeaseEffect::Left { lease, share } => self.leases.attach_share(lease, share),
        }
        if undone { Ok(()) } else { Err(Mapped::from_netio(raw)) }
    }
}

/// Whether NetIO says that an address is not there, or its interface.
pub(crate) fn is_gone(raw: NtStatus) -> bool {
    Mapped::from_netio(raw).status == NtStatus::NOT_FOUND
}
