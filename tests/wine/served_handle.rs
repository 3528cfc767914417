//! A handle with the requests that pend through it, on a thread of its own: a request borrows its handle, and here both are kept by name.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use netio_anycast_client::{DeviceTransport, OsError, PendingRequest, Transport as _};

/// The requests that were begun, by their numbers; or why they were refused at once.
type Requests<'d> = BTreeMap<u64, Result<Box<dyn PendingRequest + 'd>, OsError>>;

/// What the thread is asked to do.
type Work = Box<dyn for<'d> FnOnce(&'d DeviceTransport, &mut Requests<'d>) + Send>;

/// The handle; closed, like [`close`](Self::close) does, when it is dropped.
pub(crate) struct ServedHandle {
    work: Sender<Work>,
    /// Nothing is sent here: it ends when the handle is closed.
    closed: Receiver<()>,
}

impl ServedHandle {
    pub(crate) fn new(device: DeviceTransport) -> Self {
        let (work, works) = mpsc::channel::<Work>();
        let (closing, closed) = mpsc::channel();
        thread::spawn(move || {
            serve(&device, works);
            drop(device);
            drop(closing);
            // Windows cancels what a thread has sent when the thread ends, and this one is not to be the reason for that.
            loop {
                thread::park();
            }
        });
        Self { work, closed }
    }

    /// Does something with the device and the requests, and returns what came of it.
    pub(crate) fn run<R: Send + 'static>(
        &self,
        work: impl for<'d> FnOnce(&'d DeviceTransport, &mut Requests<'d>) -> R + Send + 'static,
    ) -> R {
        let (done, result) = mpsc::channel();
        let work: Work = Box::new(move |device, requests| {
            // The other end waits for it.
            let _ = done.send(work(device, requests));
        });
        self.work.send(work).expect("the thread of the handle is there");
        result.recv().expect("the thread of the handle answers")
    }

    /// Sends a request that may pend, and keeps it under this number.
    pub(crate) fn begin(&self, number: u64, code: u32, input: Vec<u8>, output_length: usize) {
        self.run(move |device, requests| {
            requests.insert(number, device.begin(code, &input, output_length));
        });
    }

    /// Closes it, and returns when it is closed. What is pending is not cancelled before.
    pub(crate) fn close(self) {
        drop(self.work);
        self.closed.recv().expect_err("nothing is sent");
    }
}

/// Does what it is asked until nobody can ask any more. What is pending then stays pending.
fn serve(device: &DeviceTransport, works: Receiver<Work>) {
    let mut requests = Requests::new();
    for work in works {
        work(device, &mut requests);
    }
    // Dropped they would be cancelled. The system writes to their buffers when they end, which therefore stay.
    requests.into_values().for_each(std::mem::forget);
}
