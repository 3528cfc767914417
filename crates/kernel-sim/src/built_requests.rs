//! How the requests come back that drivers have had built: what they bring is handed over in the thread that has built them, by
//! an asynchronous procedure call, so not while that thread has those disabled.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iobuilddeviceiocontrolrequest>,
//! <https://learn.microsoft.com/windows-hardware/drivers/kernel/types-of-apcs>

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::core::Core;
use crate::driver_memory;
use crate::layout::StatusBlock;
use crate::leftovers::Leftover;
use crate::owner::Maker;
use crate::processor::{self, Irql};
use crate::request::Outcome;
use crate::service;
use crate::synchronization::Synchronization;
use crate::violation::Rule;

/// Where what an IRP brings goes.
#[derive(Clone, Debug)]
pub(crate) struct Recipient {
    /// The thread whose it is, by its object.
    pub(crate) thread: usize,
    /// The addresses of the `IO_STATUS_BLOCK`, of the `KEVENT`, and of the buffer for output, as far as there are any.
    pub(crate) status_block: usize,
    pub(crate) event: usize,
    pub(crate) output: usize,
    /// Who has had it built.
    pub(crate) maker: Maker,
    /// What it brings, once it has ended.
    pub(crate) outcome: Option<Outcome>,
}

/// The requests that drivers have had built and that have not come back, by the addresses of their IRPs.
#[derive(Debug, Default)]
pub(crate) struct BuiltRequests {
    pub(crate) recipients: BTreeMap<usize, Recipient>,
    /// The threads in which a driver's code is running, by their objects.
    pub(crate) threads: BTreeMap<usize, usize>,
}

impl BuiltRequests {
    /// Takes away those that would be handed over to memory that goes.
    pub(crate) fn take_from(&mut self, memory: &Range<usize>) -> Vec<Leftover> {
        let goes = |recipient: &Recipient| {
            [recipient.status_block, recipient.event, recipient.output].iter().any(|address| memory.contains(address))
        };
        let gone = self.recipients.extract_if(.., |_, recipient| goes(recipient));
        gone.map(|(_, recipient)| {
            (
                Rule::IrpBuffer,
                "what the IRP writes to goes before it has come back; built from here".to_owned(),
                recipient.maker,
            )
        })
        .collect()
    }

    /// Whether something has come back for a thread.
    fn has_ended_for(&self, thread: usize) -> bool {
        self.recipients.values().any(|recipient| recipient.thread == thread && recipient.outcome.is_some())
    }

    /// Takes what has come back for a thread.
    fn take_ended_for(&mut self, thread: usize) -> Option<Recipient> {
        let ended = |recipient: &Recipient| recipient.thread == thread && recipient.outcome.is_some();
        self.recipients.extract_if(.., |_, recipient| ended(recipient)).next().map(|(_, recipient)| recipient)
    }
}

/// Whether the thread can be interrupted by the procedure call that hands over a request.
fn may_be_interrupted() -> bool {
    processor::irql() == Irql::PASSIVE_LEVEL && !processor::are_all_apcs_disabled()
}

impl Core {
    /// A request that a driver has had built has ended.
    pub(crate) fn come_back(self: &Arc<Self>, irp: usize, outcome: Outcome) {
        let elsewhere = self.change(|it| {
            let recipient = it.built.recipients.get_mut(&irp)?;
            recipient.outcome = Some(outcome);
            let thread = recipient.thread;
            self.ended_requests.fetch_add(1, Ordering::Relaxed);
            // A thread that is not in a driver has nothing disabled.
            (thread != processor::thread() && !it.built.threads.contains_key(&thread)).then_some(thread)
        });
        match elsewhere {
            Some(thread) => while self.hand_over_to(thread) {},
            None => self.hand_over(),
        }
    }

    /// Hands over what has come back for this thread, if it can be interrupted.
    pub(crate) fn hand_over(&self) {
        if self.ended_requests.load(Ordering::Relaxed) > 0 && may_be_interrupted() {
            while self.hand_over_to(processor::thread()) {}
        }
    }

    /// Whether there is something to hand over to this thread, which waits.
    pub(crate) fn interrupts_wait(&self, it: &Synchronization) -> bool {
        self.ended_requests.load(Ordering::Relaxed) > 0
            && may_be_interrupted()
            && it.built.has_ended_for(processor::thread())
    }

    /// A thread ends: what it has had built is cancelled, and brings nothing any more.
    pub(crate) fn cancel_built_requests(self: &Arc<Self>, thread: usize) {
        let irps: Vec<usize> = self.change(|it| {
            let own = it.built.recipients.extract_if(.., |_, recipient| recipient.thread == thread);
            own.map(|(irp, _)| irp).collect()
        });
        for irp in irps {
            let request = self.state().requests.get(&irp).cloned();
            if let Some(request) = request {
                self.cancel(&request);
            }
        }
    }

    /// Hands over one request that has come back for a thread. Returns false if there is none.
    fn hand_over_to(&self, thread: usize) -> bool {
        let Some(recipient) = self.change(|it| it.built.take_ended_for(thread)) else { return false };
        self.ended_requests.fetch_sub(1, Ordering::Relaxed);
        let Some(outcome) = recipient.outcome else { return true };
        let status_block = StatusBlock { status: outcome.status.0, padding: 0, information: outcome.information };
        if recipient.output != 0 {
            // SAFETY: the driver that had it built vouches for its buffer, which has not gone since.
            unsafe { driver_memory::write_bytes(recipient.output, &outcome.output) };
        }
        if recipient.status_block != 0 {
            // SAFETY: as above.
            unsafe { driver_memory::write(recipient.status_block, status_block) };
        }
        if recipient.event != 0 {
            // SAFETY: as above.
            unsafe { service::set_event(self, recipient.event) };
        }
        true
    }
}
