//! WAIT_CHANGE: waiting without asking again and again.

use std::time::Duration;

use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::wait::Generation;
use zerocopy::{FromBytes, IntoBytes};

use crate::attempt::Attempt;
use crate::error::Error;
use crate::transport::{PendingRequest, Transport};

/// A wait for a change that is under way. Dropping it ends it.
///
/// Threads may share it, so that one waits and another cancels:
///
/// ```
/// # #[path = "../tests/support/in_process.rs"]
/// # mod in_process;
/// # use in_process::InProcessDriver;
/// use netio_anycast_client::protocol::status::NtStatus;
/// use netio_anycast_client::{Client, Selection};
///
/// # fn main() -> Result<(), netio_anycast_client::Error> {
/// # let driver = InProcessDriver::with_interface(5);
/// # let client = Client::connect(driver.open())?;
/// let seen = client.table(Selection::ALL)?.generation;
/// let wait = client.begin_wait(seen)?;
/// assert_eq!(wait.poll(), None);
/// std::thread::scope(|scope| {
///     let waiting = scope.spawn(|| wait.wait());
///     wait.cancel();
///     let error = waiting.join().unwrap().unwrap_err();
///     assert_eq!(error.status(), Some(NtStatus::CANCELLED));
/// });
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "dropping it ends the wait"]
pub struct ChangeWait<'a> {
    request: Box<dyn PendingRequest + 'a>,
    seen: u64,
}

impl<'a> ChangeWait<'a> {
    /// Begins to wait until the generation differs from `seen`.
    pub(crate) fn begin(transport: &'a impl Transport, seen: u64) -> Result<Self, Error> {
        let code = Operation::WaitChange.definition().control_code();
        let request = transport
            .begin(code, Generation(seen).as_bytes(), size_of::<Generation>())
            .map_err(|code| Error::refused(&Attempt::WaitChange, code))?;
        Ok(Self { request, seen })
    }

    /// Waits for as long as it takes, and returns the generation that there is now.
    ///
    /// # Errors
    /// `Other` with STATUS_CANCELLED if the wait was cancelled; `NoDriver` if the driver is being unloaded; and the kinds
    /// that every operation can end with.
    pub fn wait(&self) -> Result<u64, Error> {
        match self.request.wait(None) {
            Some(ended) => self.generation(ended.map_err(refused)?.as_slice()),
            None => Err(Error::malformed(&Attempt::WaitChange, "the wait ended before the request")),
        }
    }

    /// Waits for at most `timeout`; `None` if nothing has changed until then. It may be waited for again.
    ///
    /// # Errors
    /// As for [`wait`](Self::wait).
    pub fn wait_for(&self, timeout: Duration) -> Option<Result<u64, Error>> {
        let ended = self.request.wait(Some(timeout))?;
        Some(ended.map_err(refused).and_then(|output| self.generation(&output)))
    }

    /// Looks whether something has changed, without waiting.
    ///
    /// # Errors
    /// As for [`wait`](Self::wait).
    #[must_use]
    pub fn poll(&self) -> Option<Result<u64, Error>> {
        self.wait_for(Duration::ZERO)
    }

    /// Ends the wait, which then fails with STATUS_CANCELLED unless it has ended before.
    pub fn cancel(&self) {
        self.request.cancel();
    }

    fn generation(&self, output: &[u8]) -> Result<u64, Error> {
        let malformed = |detail: &str| Error::malformed(&Attempt::WaitChange, detail);
        let Generation(generation) = Generation::read_from_bytes(output)
            .map_err(|_| malformed(&format!("it is {} bytes long and should be 8", output.len())))?;
        if generation == self.seen {
            return Err(malformed(&format!("it tells of a change, and the generation is still {generation}")));
        }
        Ok(generation)
    }
}

fn refused(code: crate::transport::OsError) -> Error {
    Error::refused(&Attempt::WaitChange, code)
}
