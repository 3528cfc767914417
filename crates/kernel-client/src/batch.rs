//! APPLY: many changes in one request.

use netio_anycast_protocol::apply::{ApplyFlags, ApplyItem, ApplyReply, ApplyRequest, ItemOutcome, ItemState};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::status::NtStatus;
use zerocopy::{FromBytes, IntoBytes};

use crate::error::Error;
use crate::rows::Buffer;
use crate::transport::Transport;

/// What became of a batch: an outcome for each of its items, in their order.
#[derive(Debug)]
pub struct Outcomes {
    reply: Buffer,
    length: usize,
}

impl Outcomes {
    /// The outcomes.
    #[must_use]
    pub fn as_slice(&self) -> &[ItemOutcome] {
        let outcomes = self.reply.bytes().get(size_of::<ApplyReply>()..self.length);
        outcomes.and_then(|outcomes| <[ItemOutcome]>::ref_from_bytes(outcomes).ok()).unwrap_or(&[])
    }

    /// Whether every item is applied.
    #[must_use]
    pub fn all_applied(&self) -> bool {
        self.as_slice().iter().all(is_applied)
    }

    /// The status of the first item that failed.
    #[must_use]
    pub fn first_failure(&self) -> Option<NtStatus> {
        self.as_slice().iter().find(|outcome| outcome.state == ItemState::Failed as u8).map(|outcome| outcome.status)
    }
}

fn is_applied(outcome: &ItemOutcome) -> bool {
    outcome.state == ItemState::Applied as u8
}

/// Sends a batch, and holds the reply to the contract.
pub(crate) fn apply(transport: &impl Transport, items: &[ApplyItem], flags: ApplyFlags) -> Result<Outcomes, Error> {
    let count = u32::try_from(items.len()).map_err(|_| NtStatus::INVALID_PARAMETER)?;
    let input_length = size_of::<ApplyRequest>().saturating_add(size_of_val(items));
    let mut input = Buffer::zeroed(input_length)?;
    let bytes = input.bytes_mut().get_mut(..input_length).ok_or(Error::Malformed)?;
    ApplyRequest { flags: flags.bits(), count }.write_to_prefix(bytes).map_err(|_| Error::Malformed)?;
    items.write_to_suffix(bytes).map_err(|_| Error::Malformed)?;

    let length = items.len().saturating_mul(size_of::<ItemOutcome>()).saturating_add(size_of::<ApplyReply>());
    let mut output = Buffer::zeroed(length)?;
    let room = output.bytes_mut().get_mut(..length).ok_or(Error::Malformed)?;
    transport.control(Operation::Apply.definition().control_code(), bytes, room).expect(length)?;
    let outcomes = Outcomes { reply: output, length };
    check(&outcomes, count)?;
    Ok(outcomes)
}

fn check(outcomes: &Outcomes, count: u32) -> Result<(), Error> {
    let (header, _) = ApplyReply::read_from_prefix(outcomes.reply.bytes()).map_err(|_| Error::Malformed)?;
    let not_applied = outcomes.as_slice().iter().filter(|outcome| !is_applied(outcome)).count();
    let contradicts = |outcome: &&ItemOutcome| is_applied(outcome) != (outcome.status == NtStatus::SUCCESS);
    let failed = |outcome: &&ItemOutcome| is_applied(outcome) || outcome.state == ItemState::Failed as u8;
    let contradiction = outcomes.as_slice().iter().filter(failed).find(contradicts);
    if header.count != count || header.not_applied as usize != not_applied || contradiction.is_some() {
        return Err(Error::Malformed);
    }
    Ok(())
}
