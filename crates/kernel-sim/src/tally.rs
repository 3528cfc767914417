//! How often each rule was judged, and while the driver did what: a rule that was never judged has shown nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use crate::core::lock;
use crate::major::Major;
use crate::occasion::{self, Occasion};
use crate::violation::Rule;

/// What a driver is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Activity {
    /// DriverEntry, and what is left if it fails.
    Load,
    /// An IRP of this major function, other than a device control.
    Irp(u8),
    /// A device control with this code.
    Control(u32),
    /// An internal device control with this code.
    InternalControl(u32),
    /// A routine that no IRP called: of a work item, for instance.
    Background,
    /// DriverUnload, and what is left after it.
    Unload,
}

impl Activity {
    /// What an IRP asks for; the code is that of device controls.
    pub(crate) fn of(major: Major, code: u32) -> Self {
        match major {
            Major::DEVICE_CONTROL => Self::Control(code),
            Major::INTERNAL_DEVICE_CONTROL => Self::InternalControl(code),
            Major(other) => Self::Irp(other),
        }
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Load => formatter.write_str("DriverEntry"),
            Self::Irp(major) => Major(major).fmt(formatter),
            Self::Control(code) => write!(formatter, "control code {code:#010x}"),
            Self::InternalControl(code) => write!(formatter, "internal control code {code:#010x}"),
            Self::Background => formatter.write_str("work items"),
            Self::Unload => formatter.write_str("DriverUnload"),
        }
    }
}

/// A rule during an activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The rule.
    pub rule: Rule,
    /// What the driver did.
    pub activity: Activity,
    /// How often there was an occasion to break the rule.
    pub judged: u64,
    /// How often it was broken.
    pub broken: u64,
}

/// The counts of one kernel.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: Mutex<BTreeMap<Activity, Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    occasions: BTreeMap<Occasion, u64>,
    broken: BTreeMap<Rule, u64>,
}

impl Tally {
    pub(crate) fn occasion(&self, activity: Activity, occasion: Occasion) {
        *lock(&self.counts).entry(activity).or_default().occasions.entry(occasion).or_default() += 1;
    }

    pub(crate) fn broken(&self, activity: Activity, rule: Rule) {
        *lock(&self.counts).entry(activity).or_default().broken.entry(rule).or_default() += 1;
    }

    /// Every rule during every activity in which it was judged or broken.
    pub(crate) fn judgements(&self) -> Vec<Judgement> {
        let counts = lock(&self.counts);
        let each = counts.iter().flat_map(|(activity, counts)| {
            Rule::ALL.iter().map(|rule| Judgement {
                rule: *rule,
                activity: *activity,
                judged: counts.judged(*rule),
                broken: counts.broken.get(rule).copied().unwrap_or_default(),
            })
        });
        each.filter(|judgement| judgement.judged + judgement.broken > 0).collect()
    }
}

impl Counts {
    fn judged(&self, rule: Rule) -> u64 {
        let judges = |occasion: &Occasion| occasion::judges(rule, *occasion);
        self.occasions.iter().filter(|(occasion, _)| judges(occasion)).map(|(_, times)| times).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::occasion::Occasion::{Call, Gone};

    #[test]
    fn occasions_count_for_their_rules_and_for_no_others() {
        let tally = Tally::default();
        tally.occasion(Activity::Load, Call("ExFreePool"));
        tally.occasion(Activity::Load, Call("DbgPrint"));
        tally.occasion(Activity::Unload, Gone);
        tally.broken(Activity::Unload, Rule::PoolLeak);
        let of = |activity, rule| {
            let judgements = tally.judgements();
            let found = judgements.iter().find(|it| it.activity == activity && it.rule == rule);
            found.map_or((0, 0), |it| (it.judged, it.broken))
        };
        assert_eq!(of(Activity::Load, Rule::IrqlTooHigh), (2, 0));
        assert_eq!(of(Activity::Load, Rule::PoolDoubleFree), (1, 0));
        assert_eq!(of(Activity::Load, Rule::PoolLeak), (0, 0));
        assert_eq!(of(Activity::Unload, Rule::PoolLeak), (1, 1));
        assert_eq!(of(Activity::Unload, Rule::IrqlTooHigh), (0, 0));
    }
}
