//! Unloading a driver.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nc-wdm-driver_unload>

use std::mem::offset_of;
use std::sync::Arc;

use super::LoadedDriver;
use crate::core::{Core, State};
use crate::layout::DriverObject;
use crate::process::Context;
use crate::processor::{self, Irql};
use crate::tally::Activity;

impl State {
    /// Whether a driver is loaded.
    fn is_loaded(&self, driver: &Arc<LoadedDriver>) -> bool {
        let loaded = self.drivers.get(&driver.object().address());
        loaded.is_some_and(|other| Arc::ptr_eq(other, driver))
    }
}

impl Core {
    /// Unloads a driver, at once or, if one of its devices is open, when the last is closed; meanwhile nobody can open them.
    /// Returns whether it is gone. Without a DriverUnload nothing happens.
    pub(crate) fn unload(self: &Arc<Self>, driver: &Arc<LoadedDriver>) -> bool {
        let mut state = self.state();
        if self.is_stopped() || !state.is_loaded(driver) {
            // A driver that has crashed never goes: there may be anything left of it.
            return true;
        }
        let address = driver.object().address();
        if driver.unload_routine() == 0 {
            return false;
        }
        if state.unloading.get(&address) == Some(&true) {
            drop(state);
            // Another thread is at it.
            return self.wait_until(None, |_| (!self.state().is_loaded(driver)).then_some(())).is_ok();
        }
        let is_closed = !state.is_driver_open(driver);
        state.unloading.insert(address, is_closed);
        drop(state);
        if is_closed {
            self.run_unload(driver);
        }
        is_closed
    }

    /// Unloads a driver that is to be unloaded, if its devices are closed now.
    pub(crate) fn unload_when_closed(self: &Arc<Self>, driver: &Arc<LoadedDriver>) {
        let mut state = self.state();
        let address = driver.object().address();
        let waits = state.unloading.get(&address) == Some(&false) && !self.is_stopped();
        if waits && !state.is_driver_open(driver) {
            state.unloading.insert(address, true);
            drop(state);
            if processor::driver() == driver.number() {
                // It was closed by its own code, which goes on: a work item's routine, for instance.
                let driver = Arc::clone(driver);
                self.start_thread(move |core| core.run_unload(&driver));
            } else {
                self.run_unload(driver);
            }
        }
    }

    /// Runs DriverUnload, and takes the driver away.
    fn run_unload(self: &Arc<Self>, driver: &Arc<LoadedDriver>) {
        let routine = driver.unload_routine();
        let arguments = [driver.object().address()];
        let call = || self.call_driver(driver, routine, &arguments, Irql::PASSIVE_LEVEL, None);
        processor::during(Activity::Unload, || {
            if let Ok((_, after)) = processor::in_context(Context::SYSTEM, call) {
                self.judge_irql(driver, routine, (Irql::PASSIVE_LEVEL, after), None);
                self.remove(driver);
            }
        });
    }

    /// Takes away a driver whose code will not run any more, and reports what it has left.
    pub(super) fn remove(self: &Arc<Self>, driver: &Arc<LoadedDriver>) {
        self.finish_work(driver.number());
        if !self.judge_threads(driver) {
            // Its code stays: a thread runs there, and nobody can say until when.
            return self.stop();
        }
        self.finish_work_for(driver.number());
        self.judge_in_use(driver);
        self.report_leftovers(driver);
        self.forget(driver);
        let image = driver.image();
        image.discard();
        let mut state = self.state();
        state.unloaded.push((image.base()..image.base() + image.size(), driver.shared_name()));
        state.objects.remove(driver.object().address());
        state.drivers.remove(&driver.object().address());
        state.unloading.remove(&driver.object().address());
        drop(state);
        self.change(|_| ());
    }
}

impl LoadedDriver {
    /// The address of its DriverUnload; zero if it has none.
    fn unload_routine(&self) -> usize {
        self.object().read(offset_of!(DriverObject, driver_unload))
    }
}
