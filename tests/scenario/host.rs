//! What a kernel host does for a scenario.

use model_control::ModelDevice;
use netio_anycast_client::Transport;
use netio_anycast_protocol::status::NtStatus;

use super::AccessName;

/// A kernel with the driver in it, just started, and the model of NetIO below.
pub trait Host {
    /// An open handle, closed when it is dropped.
    type Handle;
    /// The way to the model's control device.
    type Model: Transport;

    /// Opens the driver's device, or the name `below` it, by a program of an administrator.
    ///
    /// # Errors
    /// The status that says why not.
    fn open(&self, below: &str, access: AccessName) -> Result<Self::Handle, NtStatus>;

    /// Has the driver answer an IRP_MJ_CREATE whose file object has this name. A file that is open then is closed again.
    fn create(&self, name: &str) -> NtStatus;

    /// Sends a request.
    fn control(&self, handle: &Self::Handle, code: u32, input: &[u8], output_length: usize) -> Reply;

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
