//! Whose doing something is: which driver, and from where in it.

use std::sync::Arc;

use crate::core::Core;
use crate::driver::LoadedDriver;
use crate::image::{self, StackPointers};
use crate::processor;
use crate::violation::Frame;

/// The number of a driver in its kernel, other for each that is loaded. Zero is the kernel itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DriverNumber(pub(crate) u32);

/// Who has made something that must be given back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Maker {
    pub(crate) driver: DriverNumber,
    /// The call stack, without names, for the report if it is not given back.
    pub(crate) stack: Vec<Frame>,
}

impl Core {
    /// The driver that has called the service which is running, and its call stack.
    pub(crate) fn maker(&self) -> Maker {
        let stack = processor::call().map(|call| self.offsets(call.stack)).unwrap_or_default();
        let stack = stack.into_iter().map(|(driver, offset)| driver.bare_frame(offset)).collect();
        Maker { driver: processor::driver(), stack }
    }

    /// A loaded driver.
    pub(crate) fn driver(&self, number: DriverNumber) -> Option<Arc<LoadedDriver>> {
        self.state().drivers.values().find(|driver| driver.number() == number).cloned()
    }

    /// The name of a loaded driver.
    pub(crate) fn name_of(&self, number: DriverNumber) -> Option<String> {
        self.driver(number).map(|driver| driver.name().to_owned())
    }

    /// The driver whose image an address is in, or the code through which it calls services.
    pub(crate) fn driver_at(&self, address: usize) -> Option<Arc<LoadedDriver>> {
        self.state().drivers.values().find(|driver| driver.has_code(address)).cloned()
    }

    /// The drivers' calls that lead to `stack`, the innermost first: each with its driver.
    fn offsets(&self, stack: StackPointers) -> Vec<(Arc<LoadedDriver>, usize)> {
        let drivers: Vec<_> = self.state().drivers.values().cloned().collect();
        let images: Vec<_> = drivers.iter().map(|driver| driver.image()).collect();
        let calls = image::call_stack(&images, stack).into_iter();
        calls.map(|(number, offset)| (Arc::clone(&drivers[number]), offset)).collect()
    }

    /// Which driver has called the last service, and its call stack as offsets.
    pub(crate) fn call_site(&self) -> (String, Vec<usize>) {
        let stack = processor::call().map(|call| self.offsets(call.stack)).unwrap_or_default();
        let driver = self.name_of(processor::driver()).unwrap_or_default();
        (driver, stack.into_iter().map(|(_, offset)| offset).collect())
    }

    /// The drivers' call stack with names, as far as there are any.
    pub(crate) fn frames(&self, stack: Option<StackPointers>) -> Vec<Frame> {
        let calls = stack.map(|stack| self.offsets(stack)).unwrap_or_default();
        let running = stack.is_some_and(|stack| stack.instruction.is_some());
        let frame = |(depth, (driver, offset)): (usize, (Arc<LoadedDriver>, usize))| {
            driver.frame(offset, running && depth == 0)
        };
        calls.into_iter().enumerate().map(frame).collect()
    }

    /// The drivers' calls that lead to the service which runs, those of drivers that wait for the calling one last.
    pub(crate) fn call_stack(&self) -> Vec<Frame> {
        let mut stack = self.frames(processor::call().map(|call| call.stack));
        stack.extend(self.outer_frames());
        stack
    }

    /// The calls of the drivers that wait for the one that runs.
    pub(crate) fn outer_frames(&self) -> Vec<Frame> {
        processor::callers().into_iter().flat_map(|stack| self.frames(Some(stack))).collect()
    }

    /// Gives the frames of a [`Maker`] their names, as far as their drivers are still loaded.
    pub(crate) fn named(&self, stack: &[Frame]) -> Vec<Frame> {
        let drivers: Vec<_> = self.state().drivers.values().cloned().collect();
        let named = |frame: &Frame| {
            let driver = drivers.iter().find(|driver| driver.name() == frame.driver);
            driver.map_or_else(|| frame.clone(), |driver| driver.frame(frame.offset, false))
        };
        stack.iter().map(named).collect()
    }
}
