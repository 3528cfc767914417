//! The driver in this process: its engine over the model of NetIO, asked as the I/O manager asks the driver.

mod netio;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::vec;
use std::vec::Vec;

use netio_anycast_protocol::status::NtStatus;
use netio_model::Model;

use crate::buffer::SystemBuffer;
use crate::engine::{Completion, Engine, HandleId, Wait};
use crate::host_kernel::HostKernel;
use crate::limits::Limits;

pub use netio::{ModelNetio, ModelTable};

/// What the buffer holds before a call, so that a byte written by mistake is seen.
const UNTOUCHED: u8 = 0xA5;

/// A driver. Clones are the same driver.
///
/// Its time is that of its [`HostKernel`]: it passes when somebody [waits](HostRequest::wait) and nothing else can happen, up to
/// the next thing that the driver wants to do, or on a test's demand.
#[derive(Clone)]
pub struct HostDriver {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Engine<ModelNetio, HostKernel>,
    netio: ModelNetio,
    kernel: HostKernel,
}

/// What a device control ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostReply {
    /// The status.
    pub status: NtStatus,
    /// The output: as many bytes as were reported.
    pub output: Vec<u8>,
}

impl HostDriver {
    /// A driver over a NetIO like `model`.
    ///
    /// # Panics
    /// Never: the host has memory for it.
    #[must_use]
    pub fn new(model: Model, limits: Limits) -> Self {
        let (netio, kernel) = (ModelNetio::new(model), HostKernel::new());
        let engine = Engine::new(netio.clone(), kernel.clone(), limits).expect("the host has memory");
        Self { shared: Arc::new(Shared { engine, netio, kernel }) }
    }

    /// NetIO, for what others than the driver do. The driver can't call it while this is held.
    pub fn model(&self) -> MutexGuard<'_, Model> {
        self.shared.netio.model()
    }

    /// The kernel that the driver stands on.
    #[must_use]
    pub fn kernel(&self) -> &HostKernel {
        &self.shared.kernel
    }

    /// Opens a handle, as `process_id`. It is closed when it is dropped.
    ///
    /// # Errors
    /// As for [`Engine::open`].
    pub fn open(&self, process_id: u32) -> Result<HostHandle, NtStatus> {
        let id = self.shared.engine.open(process_id)?;
        Ok(HostHandle { driver: self.clone(), id, waits: Mutex::default() })
    }

    /// Lets the time pass, and the driver do what it wants to do meanwhile.
    pub fn advance(&self, milliseconds: u64) {
        let kernel = self.kernel();
        let mut left = milliseconds;
        while let Some(due) = kernel.due_in().filter(|due| *due <= left) {
            kernel.advance(due);
            left -= due;
            self.run_deferred();
        }
        kernel.advance(left);
    }

    /// Unloads the driver: the withdrawals that NetIO has refused are tried once more. Returns how many addresses are left behind.
    #[must_use]
    pub fn shut_down(&self) -> u32 {
        self.shared.engine.shut_down(())
    }

    /// Does what the driver wants to do, if it is time.
    fn run_deferred(&self) {
        if self.kernel().is_due() {
            self.shared.engine.run_deferred(());
        }
    }
}

/// A handle to the device.
pub struct HostHandle {
    driver: HostDriver,
    id: HandleId,
    /// The requests that pend, each with whether it was cancelled.
    waits: Mutex<Vec<Arc<Mutex<Progress>>>>,
}

impl HostHandle {
    /// The driver.
    #[must_use]
    pub const fn driver(&self) -> &HostDriver {
        &self.driver
    }

    /// One DeviceIoControl, to its end. Every byte that is not output is checked to be as it was, and every table of NetIO's to
    /// have been given back.
    ///
    /// # Panics
    /// If one is not.
    #[must_use]
    pub fn control(&self, control_code: u32, input: &[u8], output_length: usize) -> HostReply {
        self.start(control_code, input, output_length).wait()
    }

    /// The same with a buffer of the caller's own making, for a request that does not pend.
    ///
    /// # Panics
    /// If it pends.
    pub fn serve(&self, control_code: u32, buffer: SystemBuffer<'_>) -> Completion {
        let completion = self.driver.shared.engine.serve((), self.id, control_code, buffer);
        assert_eq!(completion.pending(), None, "the request pends");
        completion
    }

    /// Begins a DeviceIoControl, which may pend.
    ///
    /// # Panics
    /// As for [`control`](Self::control).
    #[must_use]
    pub fn start(&self, control_code: u32, input: &[u8], output_length: usize) -> HostRequest {
        let mut bytes = vec![UNTOUCHED; input.len().max(output_length)];
        bytes[..input.len()].copy_from_slice(input);
        let before = bytes.clone();
        let buffer = SystemBuffer { bytes: &mut bytes, input_length: input.len(), output_length };
        let completion = self.driver.shared.engine.serve((), self.id, control_code, buffer);
        let wait = completion.pending();
        let reply = wait.is_none().then(|| reply(completion, &bytes, &before, output_length));
        let progress = Arc::new(Mutex::new(Progress { reply, wait, output_length }));
        guard(&self.waits).push(Arc::clone(&progress));
        HostRequest { driver: self.driver.clone(), progress }
    }

    /// What IRP_MJ_CLEANUP does: what pends ends, and the leases go. The handle may go on being used, as kernel callers do.
    pub fn clean_up(&self) {
        for progress in guard(&self.waits).drain(..) {
            self.driver.cancel(&progress);
        }
        self.driver.shared.engine.cleanup((), self.id);
    }
}

impl Drop for HostHandle {
    fn drop(&mut self) {
        self.clean_up();
        self.driver.shared.engine.close((), self.id);
    }
}

/// Where a request stands.
struct Progress {
    reply: Option<HostReply>,
    /// What it waits for, if it pends.
    wait: Option<Wait>,
    output_length: usize,
}

/// A DeviceIoControl that was begun.
pub struct HostRequest {
    driver: HostDriver,
    progress: Arc<Mutex<Progress>>,
}

impl HostRequest {
    /// Whether it is not over yet.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.driver.finish(&self.progress);
        guard(&self.progress).reply.is_none()
    }

    /// Cancels it, if it is not over yet: CancelIoEx.
    pub fn cancel(&self) {
        self.driver.finish(&self.progress);
        self.driver.cancel(&self.progress);
    }

    /// Waits for its end. While nothing else can happen, the driver's time passes.
    ///
    /// # Panics
    /// If the driver has nothing to do that could end it, and nobody else has changed anything for a minute of the host's time.
    #[must_use]
    pub fn wait(self) -> HostReply {
        loop {
            let wakes = self.driver.kernel().wakes();
            self.driver.finish(&self.progress);
            if let Some(reply) = guard(&self.progress).reply.take() {
                return reply;
            }
            match self.driver.kernel().due_in() {
                Some(due) => {
                    self.driver.kernel().advance(due);
                    self.driver.run_deferred();
                    // The others who live in this process have their turn.
                    std::thread::yield_now();
                }
                None => self.driver.kernel().wait_for_wake(wakes),
            }
        }
    }
}

impl HostDriver {
    /// Ends a request that pends and is over.
    fn finish(&self, progress: &Mutex<Progress>) {
        let mut progress = guard(progress);
        if progress.wait.take_if(|wait| self.shared.engine.is_over(*wait)).is_some() {
            let mut bytes = vec![UNTOUCHED; progress.output_length];
            let before = bytes.clone();
            let buffer = SystemBuffer { bytes: &mut bytes, input_length: 0, output_length: progress.output_length };
            let completion = self.shared.engine.finish_wait(buffer);
            progress.reply = Some(reply(completion, &bytes, &before, progress.output_length));
        }
    }

    fn cancel(&self, progress: &Mutex<Progress>) {
        let mut progress = guard(progress);
        if progress.wait.take().is_some() {
            let completion = self.shared.engine.cancel_wait();
            progress.reply = Some(HostReply { status: completion.status, output: Vec::new() });
            drop(progress);
            self.kernel().wake_everybody();
        }
    }
}

/// A request's end as the I/O manager hands it on, checked.
fn reply(completion: Completion, bytes: &[u8], before: &[u8], output_length: usize) -> HostReply {
    let Completion { status, information } = completion;
    assert!(information <= output_length, "{information} bytes reported in a buffer of {output_length}");
    assert!(!status.is_error() || information == 0, "{status} returned {information} bytes");
    assert_eq!(bytes[information..], before[information..], "written behind the {information} bytes reported");
    HostReply { status, output: bytes[..information].to_vec() }
}

/// A test that panics elsewhere has said enough.
fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
