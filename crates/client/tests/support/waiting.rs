//! A wait for a change that pends.

use std::fmt;
use std::time::{Duration, Instant};

use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::{OsError, PendingRequest};

use super::leasing::{Handle, State};

/// WAIT_CHANGE.
pub(super) struct Wait<'a> {
    handle: &'a Handle,
    seen: u64,
    number: u64,
}

impl<'a> Wait<'a> {
    pub(super) fn new(handle: &'a Handle, seen: u64) -> Self {
        let mut state = handle.inner().state();
        state.waits += 1;
        Self { handle, seen, number: state.waits }
    }

    fn ended(&self, state: &State) -> Option<Result<Vec<u8>, OsError>> {
        if state.cancelled.contains(&self.number) {
            return Some(Err(OsError::from_status(NtStatus::CANCELLED)));
        }
        let generation = self.handle.inner().generation();
        (generation != self.seen).then(|| Ok(generation.to_le_bytes().to_vec()))
    }
}

impl PendingRequest for Wait<'_> {
    /// While there is a script, time does not pass: the next thing in it happens.
    fn wait(&self, timeout: Option<Duration>) -> Option<Result<Vec<u8>, OsError>> {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        loop {
            let mut state = self.handle.inner().state();
            if let Some(ended) = self.ended(&state) {
                return Some(ended);
            }
            if timeout != Some(Duration::ZERO)
                && let Some(action) = state.script.pop_front()
            {
                drop(state);
                action(&self.handle.driver);
                // One thing happens in the time that a bounded wait takes.
                if timeout.is_some() && self.ended(&self.handle.inner().state()).is_none() {
                    return None;
                }
                continue;
            }
            let remaining = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            match remaining {
                Some(Duration::ZERO) => return None,
                Some(remaining) => drop(self.handle.inner().changed.wait_timeout(state, remaining)),
                None => drop(self.handle.inner().changed.wait(state)),
            }
        }
    }

    fn cancel(&self) {
        self.handle.inner().state().cancelled.insert(self.number);
        self.handle.inner().changed.notify_all();
    }
}

impl fmt::Debug for Wait<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Wait").field("seen", &self.seen).field("number", &self.number).finish_non_exhaustive()
    }
}
