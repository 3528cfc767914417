//! Failing services: every way to reach one, once.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};

use crate::core::lock;

/// A way to reach a service that can fail: the service, and the driver's calls that lead to it, the innermost first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    /// The service.
    pub service: &'static str,
    /// Offsets in the driver's image.
    pub stack: Vec<usize>,
}

impl fmt::Display for Site {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.service)?;
        self.stack.iter().try_for_each(|offset| write!(formatter, " < {offset:#x}"))
    }
}

/// Which calls of services fail. Clones share what they know.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    plan: Arc<Mutex<Plan>>,
}

#[derive(Debug, Default)]
struct Plan {
    active: bool,
    suspended: bool,
    tried: BTreeSet<Site>,
    struck: Option<Site>,
}

impl Faults {
    /// Runs `scenario` again and again. In each run the first call of a service from a call stack that has not been tried yet
    /// fails, and no other; the last run has none left to fail. `scenario` is told the site that failed, by
    /// [`struck`](Self::struck), as soon as it has. Returns every site.
    pub fn at_every_site(mut scenario: impl FnMut(&Self)) -> Vec<Site> {
        let faults = Self::default();
        loop {
            let mut plan = lock(&faults.plan);
            plan.active = true;
            plan.suspended = false;
            plan.struck = None;
            drop(plan);
            scenario(&faults);
            let mut plan = lock(&faults.plan);
            plan.active = false;
            if plan.struck.is_none() {
                return plan.tried.iter().cloned().collect();
            }
        }
    }

    /// Runs `work` without failures: what is there only to arrange the scenario.
    pub fn suspended<R>(&self, work: impl FnOnce() -> R) -> R {
        lock(&self.plan).suspended = true;
        let result = work();
        lock(&self.plan).suspended = false;
        result
    }

    /// What has failed in this run.
    #[must_use]
    pub fn struck(&self) -> Option<Site> {
        lock(&self.plan).struck.clone()
    }

    /// Whether a call of `service` fails now.
    pub(crate) fn strikes(&self, service: &'static str, stack: impl FnOnce() -> Vec<usize>) -> bool {
        let plan = lock(&self.plan);
        if !plan.active || plan.suspended || plan.struck.is_some() {
            return false;
        }
        drop(plan);
        let site = Site { service, stack: stack() };
        let mut plan = lock(&self.plan);
        let strikes = plan.struck.is_none() && plan.tried.insert(site.clone());
        if strikes {
            plan.struck = Some(site);
        }
        strikes
    }
}
