//! APPLY: many changes in one request.

use std::net::IpAddr;

use netio_anycast_protocol::apply::{
    ApplyAction, ApplyFlags, ApplyItem, ApplyReply, ApplyRequest, Field, ItemOutcome, ItemState,
};
use netio_anycast_protocol::create::{DeleteFlags, Lifetime};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::status::NtStatus;
use zerocopy::{FromBytes, IntoBytes};

use crate::attempt::Attempt;
use crate::entry::{InterfaceId, row};
use crate::error::Error;
use crate::lease::Sharing;
use crate::rows::make_room;
use crate::transport::Transport;

/// One change of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    /// The address.
    pub address: IpAddr,
    /// Its interface.
    pub interface: InterfaceId,
    /// What happens to it.
    pub change: Change,
}

/// What happens to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// It is added, until it is deleted or the interface or the system goes.
    Create,
    /// It is added for as long as the client's handle lasts.
    Lease(Sharing),
    /// It is deleted.
    Delete {
        /// Even though others hold a lease on it.
        force: bool,
    },
}

/// What the failure of one change means for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Atomicity {
    /// Nothing: every change is tried.
    Independent,
    /// All or nothing: the first failure undoes what was done.
    Atomic,
}

/// What became of one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was made.
    Applied,
    /// It was refused.
    Failed(Error),
    /// It was not tried, since another one failed.
    NotAttempted,
    /// It was made and then undone, since a later one failed.
    RolledBack,
    /// It was made, a later one failed, and NetIO refused to undo it: it is still made.
    RollbackFailed(Error),
}

impl Outcome {
    /// Whether the change is made now, as was wanted.
    #[must_use]
    pub const fn is_applied(&self) -> bool {
        matches!(self, Self::Applied)
    }

    /// Why it is not, if there is a reason of its own.
    #[must_use]
    pub const fn error(&self) -> Option<&Error> {
        match self {
            Self::Failed(error) | Self::RollbackFailed(error) => Some(error),
            Self::Applied | Self::NotAttempted | Self::RolledBack => None,
        }
    }
}

impl Item {
    fn on_the_wire(&self) -> ApplyItem {
        let (action, lifetime, flags) = match self.change {
            Change::Create => (ApplyAction::Create, Lifetime::Unowned, 0),
            Change::Lease(sharing) => (ApplyAction::Create, Lifetime::Handle, sharing.flags().bits()),
            Change::Delete { force } => {
                let flags = if force { DeleteFlags::FORCE } else { DeleteFlags::empty() };
                (ApplyAction::Delete, Lifetime::Unowned, flags.bits())
            }
        };
        let row = row(self.address, self.interface);
        ApplyItem { row, action: action as u32, lifetime: lifetime as u32, flags, reserved: 0 }
    }

    /// What undoing it is.
    const fn undoing(&self) -> Attempt {
        match self.change {
            Change::Create | Change::Lease(_) => Attempt::Delete(self.address, self.interface),
            Change::Delete { .. } => Attempt::Create(self.address, self.interface),
        }
    }

    const fn attempt(&self) -> Attempt {
        match self.change {
            Change::Create => Attempt::Create(self.address, self.interface),
            Change::Lease(_) => Attempt::Lease(self.address, self.interface),
            Change::Delete { .. } => Attempt::Delete(self.address, self.interface),
        }
    }
}

/// Applies a batch in as many requests as it takes, one if it is atomic.
pub(crate) fn apply(
    transport: &impl Transport,
    items: &[Item],
    atomicity: Atomicity,
    limit: u32,
) -> Result<Vec<Outcome>, Error> {
    let attempt = Attempt::Apply(items.len());
    let room = (limit as usize).max(1);
    if atomicity == Atomicity::Atomic && items.len() > room {
        return Err(Error::too_many_items(&attempt, limit));
    }
    let mut outcomes = Vec::new();
    outcomes.try_reserve_exact(items.len()).map_err(|_| Error::no_memory(&attempt))?;
    for batch in items.chunks(room) {
        match request(transport, &attempt, batch, atomicity) {
            Ok(of_batch) => outcomes.extend(of_batch),
            Err(error) if outcomes.is_empty() => return Err(error),
            // What went before was done, and has to be told.
            Err(error) => {
                outcomes.extend(batch.iter().map(|_| Outcome::Failed(error.clone())));
                break;
            }
        }
    }
    outcomes.resize(items.len(), Outcome::NotAttempted);
    Ok(outcomes)
}

/// One request.
fn request(
    transport: &impl Transport,
    attempt: &Attempt,
    items: &[Item],
    atomicity: Atomicity,
) -> Result<Vec<Outcome>, Error> {
    let flags = match atomicity {
        Atomicity::Atomic => ApplyFlags::ATOMIC,
        Atomicity::Independent => ApplyFlags::empty(),
    };
    // It fits, since the limit is a u32.
    let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
    let mut input = Vec::new();
    input
        .try_reserve_exact(size_of::<ApplyRequest>() + items.len() * size_of::<ApplyItem>())
        .map_err(|_| Error::no_memory(attempt))?;
    input.extend_from_slice(ApplyRequest { flags: flags.bits(), count }.as_bytes());
    for item in items {
        input.extend_from_slice(item.on_the_wire().as_bytes());
    }
    let mut output = Vec::new();
    let length = size_of::<ApplyReply>() + items.len() * size_of::<ItemOutcome>();
    make_room(attempt, &mut output, length)?;
    let returned = transport
        .control(Operation::Apply.definition().control_code(), &input, &mut output)
        .map_err(|code| Error::refused(attempt, code))?;
    let malformed = |detail: String| Error::malformed(attempt, &detail);
    if returned.more || returned.length != output.len() {
        return Err(malformed(format!("it is {} bytes long and should be {length}", returned.length)));
    }
    decode(items, atomicity, &output).map_err(malformed)
}

/// The outcomes, held to the contract; the error says how they break it.
fn decode(items: &[Item], atomicity: Atomicity, reply: &[u8]) -> Result<Vec<Outcome>, String> {
    let (header, rest) = ApplyReply::read_from_prefix(reply).map_err(|_| "it is shorter than its header".to_owned())?;
    let rows = rest.chunks_exact(size_of::<ItemOutcome>());
    if header.count as usize != items.len() {
        return Err(format!("it has outcomes of {} items, and there were {}", header.count, items.len()));
    }
    let outcomes = items
        .iter()
        .zip(rows)
        .map(|(item, row)| {
            let row = ItemOutcome::read_from_bytes(row).map_err(|_| "its outcomes have another length".to_owned())?;
            outcome(item, &row).ok_or_else(|| {
                format!("the outcome of {} in it contradicts itself: state {}, {}", item.address, row.state, row.status)
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let not_applied = outcomes.iter().filter(|outcome| !outcome.is_applied()).count();
    if header.not_applied as usize != not_applied {
        return Err(format!("it says that {} items were not applied, and tells of {not_applied}", header.not_applied));
    }
    let applied = outcomes.len() - not_applied;
    let undone = |outcome: &Outcome| matches!(outcome, Outcome::RolledBack | Outcome::RollbackFailed(_));
    match atomicity {
        Atomicity::Atomic if applied != 0 && not_applied != 0 => {
            Err("the batch is atomic, and some of its items were applied".to_owned())
        }
        Atomicity::Independent if outcomes.iter().any(undone) => {
            Err("the batch is not atomic, and some of its items were rolled back".to_owned())
        }
        _ => Ok(outcomes),
    }
}

/// One outcome, or `None` if state and status contradict each other.
fn outcome(item: &Item, row: &ItemOutcome) -> Option<Outcome> {
    let field = field(row.field)?;
    let succeeded = row.status == NtStatus::SUCCESS;
    let error = |attempt: Attempt| Error::of_outcome(&attempt, row, field);
    match row.state {
        state if state == ItemState::Applied as u8 => succeeded.then_some(Outcome::Applied),
        state if state == ItemState::Failed as u8 => (!succeeded).then(|| Outcome::Failed(error(item.attempt()))),
        state if state == ItemState::NotAttempted as u8 => Some(Outcome::NotAttempted),
        state if state == ItemState::RolledBack as u8 => Some(Outcome::RolledBack),
        state if state == ItemState::RollbackFailed as u8 => Some(Outcome::RollbackFailed(error(item.undoing()))),
        _ => None,
    }
}

fn field(number: u8) -> Option<Field> {
    [Field::None, Field::Family, Field::Address, Field::Interface, Field::Lifetime, Field::Flags]
        .into_iter()
        .find(|field| *field as u8 == number)
}
