//! Calling a driver's code.

use std::sync::Arc;

use netio_anycast_protocol::status::NtStatus;

use super::LoadedDriver;
use crate::core::Core;
use crate::crash::{self, Crash};
use crate::occasion::Occasion;
use crate::processor::{self, Irql};
use crate::request::Request;
use crate::trampoline::ARGUMENTS;
use crate::violation::Rule;
use crate::{schedule, watchdog};

/// How much of a thread's stack a call into a driver may have used.
const DRIVER_STACK: usize = 256 << 10;

/// An exception that was raised, in words.
fn raised(status: usize) -> String {
    let status = NtStatus::from_bits(u32::try_from(status).unwrap_or(u32::MAX));
    format!("the exception {status} was raised, and drivers' own handlers are not looked for")
}

impl Core {
    /// Calls the driver at an IRQL. Returns what it returns, and the IRQL at which it does.
    pub(crate) fn call_driver(
        self: &Arc<Self>,
        driver: &LoadedDriver,
        function: usize,
        arguments: &[usize],
        irql: Irql,
        request: Option<&Arc<Request>>,
    ) -> Result<(usize, Irql), Crash> {
        let mut all = [0; ARGUMENTS];
        all.iter_mut().zip(arguments).for_each(|(place, argument)| *place = *argument);
        let outer = processor::irql();
        let regions = (processor::critical_regions(), processor::guarded_regions());
        let _running = self.run();
        let result = processor::enter(self, driver, request, || {
            processor::set_irql(irql);
            let outer = schedule::open(Some(processor::activity()));
            self.occasion(Occasion::Entered);
            let _watch = watchdog::watch(self.options.time_limit);
            // SAFETY: the function is the driver's, whose image is mapped as long as it is loaded, or a service's.
            let result = unsafe { crash::call(self.arena.range(), function, all) };
            match &result {
                Err(crash) if crash.signal != crash::TERMINATED => self.report_crash(*crash),
                _ => {
                    self.occasion(Occasion::Returned);
                    self.judge_held(regions);
                    let end = processor::stack_end();
                    self.judge_memory(&(end - DRIVER_STACK..end));
                }
            }
            schedule::open(outer);
            result.map(|value| (value, processor::irql()))
        });
        processor::set_irql(outer);
        if crate::synchronization::depth() == 1 {
            // The thread leaves the kernel: nothing is disabled any more.
            self.hand_over();
        }
        result
    }

    /// Judges the IRQL at which a function of the driver was called, and at which it returned.
    pub(crate) fn judge_irql(
        &self,
        driver: &LoadedDriver,
        function: usize,
        (before, after): (Irql, Irql),
        request: Option<&Request>,
    ) {
        if before != after {
            let detail = format!("it was called at {before} and returned at {after}");
            self.report_at(Rule::IrqlChanged, detail, vec![driver.frame_of(function)], request);
        }
    }

    /// The driver crashed: on Windows this is the end of everything.
    fn report_crash(&self, crash: Crash) {
        self.stop();
        let mut stack = self.frames(Some(crash.stack));
        stack.extend(self.outer_frames());
        let request = processor::request();
        let (rule, detail) = match crash.signal {
            // It is the crash of another driver that this one has called, which was reported.
            crash::NESTED => return,
            crash::PAGED => (Rule::PagedMemory, self.paged_access(crash.address)),
            crash::RAISED => (Rule::Crash, raised(crash.address)),
            watchdog::SIGNAL => (Rule::TimeLimit, format!("it did not return within {:?}", self.options.time_limit)),
            libc::SIGSEGV | libc::SIGBUS => (Rule::Crash, self.access_violation(crash.address)),
            libc::SIGILL => (Rule::Crash, "illegal instruction".to_owned()),
            libc::SIGFPE => (Rule::Crash, "division by zero".to_owned()),
            signal => (Rule::Crash, format!("stopped by signal {signal}")),
        };
        self.report_at(rule, detail, stack, request.as_deref());
    }

    /// An access to memory that may be paged out, in words.
    fn paged_access(&self, address: usize) -> String {
        let driver = self.driver_at(address);
        let section = driver.as_ref().and_then(|driver| {
            let section = driver.image().pageable_section(address)?;
            Some(format!("the section {} of {}", section.name, driver.name()))
        });
        let what = section.unwrap_or_else(|| "paged pool".to_owned());
        format!("{what} is touched at {address:#x}, at {}", processor::irql())
    }

    /// An access violation in words.
    fn access_violation(&self, address: usize) -> String {
        let state = self.state();
        let unloaded = state.unloaded.iter().find(|(image, _)| image.contains(&address));
        let place =
            unloaded.map(|(_, name)| format!(", in the image of {name}, which was unloaded")).unwrap_or_default();
        format!("access violation at address {address:#x}{place}")
    }
}
