//! What a kernel host does for a scenario.

use model_control::ModelDevice;
use netio_anycast_client::Transport;
use netio_anycast_protocol::status::NtStatus;

use super::{AccessName, DeviceName, Scenario};

/// A kernel with the driver in it, just started, the partner beside it, and the model of NetIO below; as one process sees it.
pub trait Host {
    /// An open handle.
    type Handle;
    /// A request that may be pending.
    type Pending;
    /// Another process.
    type Client;
    /// The way to the model's control device.
    type Model: Transport;

    /// Opens a device, or the name `below` it, by a program of an administrator.
    ///
    /// # Errors
    /// The status that says why not.
    fn open(&self, device: DeviceName, below: &str, access: AccessName) -> Result<Self::Handle, NtStatus>;

    /// Closes a handle, through which the requests are pending that are given: they are not cancelled before.
    fn close(&self, handle: Self::Handle, pending: Vec<Self::Pending>);

    /// Has the driver answer an IRP_MJ_CREATE whose file object has this name. A file that is open then is closed again.
    fn create(&self, name: &str) -> NtStatus;

    /// Sends a request and waits for its end.
    fn control(&self, handle: &Self::Handle, code: u32, input: &[u8], output_length: usize) -> Reply;

    /// Sends a request that may pend. It has not come to the driver yet, perhaps; what is sent after it comes after it.
    fn begin(&self, handle: &Self::Handle, code: u32, input: &[u8], output_length: usize) -> Self::Pending;

    /// Cancels a request of this handle.
    fn cancel(&self, handle: &Self::Handle, pending: &Self::Pending);

    /// Waits for the end of a request of this handle.
    fn finish(&self, handle: &Self::Handle, pending: Self::Pending) -> Reply;

    /// Has another process do the steps of the scenario's client of this name, and stay. Returns its transcript, too.
    fn client(&self, scenario: &Scenario, name: &str) -> (Self::Client, Vec<String>);

    /// Kills it.
    fn kill(&self, client: Self::Client);

    /// The id of a client; of the process that does the steps if it is none's.
    fn process_id(&self, client: Option<&Self::Client>) -> u32;

    /// The model of NetIO.
    fn model(&self) -> &ModelDevice<Self::Model>;
}

/// What a request ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: NtStatus,
    /// `IO_STATUS_BLOCK.Information`, where the host tells: a program does not hear of it with an error.
    pub information: Option<usize>,
    /// What the caller's buffer was given.
    pub output: Vec<u8>,
}
