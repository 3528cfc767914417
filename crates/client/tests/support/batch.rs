//! APPLY of the driver with leases.

use netio_anycast_client::protocol::apply::{
    ApplyAction, ApplyFlags, ApplyItem, ApplyReply, ApplyRequest, Field, ItemOutcome, ItemState,
};
use netio_anycast_client::protocol::create::{CreateRequest, DeleteRequest};
use netio_anycast_client::protocol::row::Row;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::win32::Win32Error;
use netio_anycast_client::{OsError, Returned};
use zerocopy::{FromBytes, IntoBytes, transmute};

use super::leasing::{Handle, Held, count, refuse, reply};

impl Handle {
    pub(super) fn apply(&self, input: &[u8], output: &mut [u8]) -> Result<Returned, OsError> {
        let (request, items) = ApplyRequest::read_from_prefix(input).expect("the length was checked");
        let items: Vec<ApplyItem> = items.as_chunks().0.iter().map(|item: &[u8; 64]| transmute!(*item)).collect();
        if request.count as usize != items.len() || request.count > self.inner().limits.max_apply_items {
            return refuse(NtStatus::INVALID_PARAMETER);
        }
        let flags = ApplyFlags::from_bits(request.flags).ok_or(OsError::from_status(NtStatus::INVALID_PARAMETER))?;
        let atomic = flags.contains(ApplyFlags::ATOMIC);
        let mut outcomes = vec![outcome(NtStatus::SUCCESS, ItemState::NotAttempted); items.len()];
        let mut done = Vec::new();
        for (position, item) in items.iter().enumerate() {
            match self.apply_one(item) {
                Ok(one) => {
                    outcomes[position] = outcome(NtStatus::SUCCESS, ItemState::Applied);
                    done.push((position, one));
                }
                Err(error) => {
                    outcomes[position] = outcome(error.status, ItemState::Failed);
                    if atomic {
                        break;
                    }
                }
            }
        }
        if atomic && done.len() < items.len() {
            for (position, one) in done.into_iter().rev() {
                outcomes[position] = match self.undo(one) {
                    Ok(()) => outcome(NtStatus::SUCCESS, ItemState::RolledBack),
                    Err(error) => outcome(error.status, ItemState::RollbackFailed),
                };
            }
        }
        let applied = outcomes.iter().filter(|outcome| outcome.state == ItemState::Applied as u8).count();
        let header = ApplyReply { count: count(items.len()), not_applied: count(items.len() - applied) };
        Ok(reply(output, &[header.as_bytes(), outcomes.as_bytes()].concat()))
    }

    fn apply_one(&self, item: &ApplyItem) -> Result<Done, OsError> {
        if item.action == ApplyAction::Create as u32 {
            let request = CreateRequest { row: item.row, lifetime: item.lifetime, flags: item.flags };
            return self.create(&request).map(Done::Created);
        }
        let row = self.inner().resolved(&item.row)?;
        let lease = self.delete(&DeleteRequest { row, flags: item.flags, reserved: 0 })?;
        Ok(Done::Deleted(row, lease))
    }

    fn undo(&self, done: Done) -> Result<(), OsError> {
        match done {
            Done::Created(row) => self.delete(&DeleteRequest { row, flags: 0, reserved: 0 }).map(drop),
            Done::Deleted(row, lease) => {
                // A share that was given up has left the address there.
                if self.inner().resolved(&row).is_err() {
                    self.inner().create(&row)?;
                }
                if let Some(lease) = lease {
                    let key = self.inner().key(&row).expect("it is there again");
                    self.inner().state().leases.insert(key, lease);
                }
                Ok(())
            }
        }
    }
}

/// An item of a batch that was applied: what undoing it needs.
enum Done {
    Created(Row),
    Deleted(Row, Option<Held>),
}

fn outcome(status: NtStatus, state: ItemState) -> ItemOutcome {
    let field = if status == NtStatus::INVALID_PARAMETER { Field::Address } else { Field::None };
    let win32 = Win32Error::from_status(status).0;
    // These are the driver's own.
    let not_asked = [NtStatus::INVALID_PARAMETER, NtStatus::ACCESS_DENIED, NtStatus::QUOTA_EXCEEDED].contains(&status);
    let netio_status = if not_asked { NtStatus::SUCCESS } else { status };
    ItemOutcome { status, netio_status, win32, field: field as u8, state: state as u8, reserved: 0 }
}
