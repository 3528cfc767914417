//! Devices that are told when the system shuts down.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-ioregistershutdownnotification>

use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;

use super::pool;
use crate::core::Core;
use crate::file::FileRequest;
use crate::major::Major;
use crate::owner::Maker;
use crate::process::{Context, Mode};
use crate::processor::{self, Irql};
use crate::request::{Buffers, Lengths};
use crate::violation::Rule;

/// A device that is to be told.
#[derive(Debug)]
pub(crate) struct ShutdownNotification {
    pub(crate) device: usize,
    /// Who has registered it.
    pub(crate) maker: Maker,
}

/// `IoRegisterShutdownNotification`, and `IoRegisterLastChanceShutdownNotification`: here nothing happens in between.
///
/// # Safety
/// Only the driver may call it, with a device of its own.
pub(super) unsafe extern "win64" fn register(device: usize) -> i32 {
    let core = processor::core();
    if core.fault() {
        return pool::NO_MEMORY.0;
    }
    if !core.state().devices.contains_key(&device) {
        core.report(Rule::ObjectInvalid, format!("{device:#x} is no device"));
        return NtStatus::INVALID_PARAMETER.0;
    }
    let maker = core.maker();
    core.state().shutdown.push(ShutdownNotification { device, maker });
    NtStatus::SUCCESS.0
}

/// `IoUnregisterShutdownNotification`.
///
/// # Safety
/// Only the driver may call it, with a device.
pub(super) unsafe extern "win64" fn unregister(device: usize) {
    processor::core().state().shutdown.retain(|notification| notification.device != device);
}

impl Core {
    /// Tells every device that wants to know that the system shuts down, the last that was registered first.
    pub(crate) fn shut_down(self: &Arc<Self>) {
        let registered = std::mem::take(&mut self.state().shutdown);
        for notification in registered.into_iter().rev().filter(|_| !self.is_stopped()) {
            processor::in_context(Context::SYSTEM, || self.send_shutdown(notification.device));
        }
    }

    fn send_shutdown(self: &Arc<Self>, device: usize) {
        let (lengths, poison, parameters) = (Lengths::default(), self.poison(), [0; 4]);
        let (major, mode, buffers) = (Major::SHUTDOWN, Mode::Kernel, Buffers::default());
        let request =
            self.build_request(FileRequest { device, file: 0, major, parameters, lengths, buffers, poison, mode });
        if self.send(device, &request, Irql::PASSIVE_LEVEL).is_none() {
            self.wait_for_request(device, &request);
        }
        self.state().forget_request(&request);
    }
}
