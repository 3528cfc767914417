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
    /// The driver.
    pub driver: String,
    /// Offsets in the driver's image; those of another driver too, if that has called this one's code directly.
    pub stack: Vec<usize>,
}

impl fmt::Display for Site {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {}", self.service, self.driver)?;
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
    /// The most failures in one run; none outside of runs.
    depth: usize,
    suspended: bool,
    /// What has failed in this run.
    struck: Vec<Site>,
    /// The failures, in their order, that are not tried again.
    exhausted: BTreeSet<Vec<Site>>,
    /// Calls that succeed, and then calls that fail, whatever they are.
    shortage: (u32, u32),
}

impl Plan {
    /// Whether the next call is one of a shortage's.
    const fn is_short(&mut self) -> bool {
        match &mut self.shortage {
            (0, 0) => false,
            (0, failures) => {
                *failures -= 1;
                true
            }
            (calls, _) => {
                *calls -= 1;
                false
            }
        }
    }
}

impl Faults {
    /// Runs `scenario` again and again. In each run the first call of a service from a call stack that has not been tried yet
    /// fails, and no other; the last run has none left to fail. [`struck`](Self::struck) tells what has failed. Returns every
    /// site.
    pub fn at_every_site(scenario: impl FnMut(&Self)) -> Vec<Site> {
        Self::up_to(1, scenario).into_iter().flatten().collect()
    }

    /// The same with up to two failures in each run. Returns every pair, and every site that no second failure follows.
    pub fn at_every_pair(scenario: impl FnMut(&Self)) -> Vec<Vec<Site>> {
        Self::up_to(2, scenario)
    }

    fn up_to(depth: usize, mut scenario: impl FnMut(&Self)) -> Vec<Vec<Site>> {
        let faults = Self::default();
        loop {
            let mut plan = lock(&faults.plan);
            *plan = Plan { depth, exhausted: std::mem::take(&mut plan.exhausted), ..Plan::default() };
            drop(plan);
            scenario(&faults);
            let mut plan = lock(&faults.plan);
            plan.depth = 0;
            if plan.struck.is_empty() {
                return plan.exhausted.iter().cloned().collect();
            }
            // Fewer failures than may be: nothing new follows them.
            let struck = plan.struck.clone();
            plan.exhausted.insert(struck);
        }
    }

    /// Of the calls of services that may fail, `calls` more succeed, and the `failures` after them fail, whoever makes them and
    /// wherever: as when memory runs short. It takes the place of an earlier shortage.
    pub fn run_short(&self, calls: u32, failures: u32) {
        lock(&self.plan).shortage = (calls, failures);
    }

    /// Runs `work` without failures: what is there only to arrange the scenario.
    pub fn suspended<R>(&self, work: impl FnOnce() -> R) -> R {
        lock(&self.plan).suspended = true;
        let result = work();
        lock(&self.plan).suspended = false;
        result
    }

    /// What has failed last in this run.
    #[must_use]
    pub fn struck(&self) -> Option<Site> {
        lock(&self.plan).struck.last().cloned()
    }

    /// Whether a call of `service` fails now, from the call stack of a driver that `site` gives.
    pub(crate) fn strikes(&self, service: &'static str, site: impl FnOnce() -> (String, Vec<usize>)) -> bool {
        let may_strike = |plan: &Plan| !plan.suspended && plan.struck.len() < plan.depth;
        let mut plan = lock(&self.plan);
        if !plan.suspended && plan.is_short() {
            return true;
        }
        if !may_strike(&plan) {
            return false;
        }
        drop(plan);
        let (driver, stack) = site();
        let site = Site { service, driver, stack };
        let mut plan = lock(&self.plan);
        let mut path = plan.struck.clone();
        path.push(site);
        let strikes = may_strike(&plan) && !plan.exhausted.contains(&path);
        if strikes {
            plan.struck = path;
        }
        strikes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> (String, Vec<usize>) {
        ("driver".to_owned(), Vec::new())
    }

    /// Calls services until one fails, then one more.
    fn scenario(faults: &Faults) -> Vec<&'static str> {
        let mut failed = Vec::new();
        for service in ["a", "b", "c"] {
            if faults.strikes(service, site) {
                failed.push(service);
                if faults.strikes("cleanup", site) {
                    failed.push("cleanup");
                }
                break;
            }
        }
        failed
    }

    #[test]
    fn every_service_fails_once() {
        let mut runs = Vec::new();
        let sites = Faults::at_every_site(|faults| runs.push(scenario(faults)));
        assert_eq!(runs, [vec!["a"], vec!["b"], vec!["c"], vec![]]);
        assert_eq!(sites.len(), 3);
    }

    #[test]
    fn a_shortage_begins_after_some_calls_and_ends_after_some_failures() {
        let faults = Faults::default();
        faults.run_short(2, 3);
        let calls = || (0..7).map(|_| faults.strikes("any", site)).collect::<Vec<_>>();
        assert_eq!(calls(), [false, false, true, true, true, false, false]);
        faults.run_short(0, 9);
        faults.suspended(|| assert!(!faults.strikes("any", site)));
        assert!(faults.strikes("any", site));
        faults.run_short(0, 0);
        assert!(!faults.strikes("any", site));
    }

    #[test]
    fn every_failure_is_followed_by_every_other_that_can_follow() {
        let mut runs = Vec::new();
        let pairs = Faults::at_every_pair(|faults| runs.push(scenario(faults)));
        let expected =
            [vec!["a", "cleanup"], vec!["a"], vec!["b", "cleanup"], vec!["b"], vec!["c", "cleanup"], vec!["c"], vec![]];
        assert_eq!(runs, expected);
        assert_eq!(pairs.len(), 6);
    }
}
