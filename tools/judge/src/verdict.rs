//! What is said of a driver in the end.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::message::{End, Finding, Work};

/// The verdict on an image, and why.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) image: PathBuf,
    #[serde(flatten)]
    pub(crate) verdict: Verdict,
    /// The rules that were broken, each once for each place.
    pub(crate) findings: Vec<Finding>,
}

/// What a driver is.
#[derive(Debug, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// It has broken no rule.
    Clean(Work),
    /// Its image can't be loaded.
    NotLoaded {
        /// Why.
        reason: String,
    },
    /// DriverEntry has failed, and no rule was broken.
    Refused {
        /// The status that it has returned.
        status: String,
    },
    /// It crashes: the findings tell how.
    Crashes,
    /// It does not come back.
    Spins,
    /// It waits for something that does not come.
    WaitsForever,
    /// It breaks other rules.
    BreaksRules,
    /// It ends the process that runs it.
    EndsWorker {
        /// The signal or the exit code.
        how: String,
        last: Last,
        /// What the process has written to its standard error.
        complaints: Vec<String>,
    },
    /// It keeps the simulated kernel itself from going on.
    Hangs {
        /// For how long nothing came of it.
        seconds: f64,
        last: Last,
        complaints: Vec<String>,
    },
}

/// What a worker was at when it was last heard of.
#[derive(Debug, Serialize)]
pub(crate) struct Last {
    /// What had been asked of the driver.
    pub(crate) step: String,
    /// The service that it had called.
    pub(crate) service: Option<String>,
    /// The place in the driver that had called it.
    pub(crate) place: Option<String>,
}

impl Verdict {
    /// The verdict on a driver that was judged as far as `end` says.
    pub(crate) fn of(end: Option<End>, findings: &[Finding]) -> Self {
        let breaks = |rule| findings.iter().any(|finding| finding.rule == rule);
        match end {
            Some(End::NotLoaded(reason)) => Self::NotLoaded { reason },
            _ if breaks("Crash") => Self::Crashes,
            _ if breaks("TimeLimit") => Self::Spins,
            _ if breaks("WaitForever") => Self::WaitsForever,
            Some(End::Whole(work)) if findings.is_empty() => Self::Clean(work),
            Some(End::Refused(status)) if findings.is_empty() => Self::Refused { status },
            _ => Self::BreaksRules,
        }
    }

    pub(crate) const fn is_clean(&self) -> bool {
        matches!(self, Self::Clean(_))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.image.display())?;
        match &self.verdict {
            Verdict::Clean(work) => write!(formatter, "clean\n  {work}")?,
            Verdict::NotLoaded { reason } => write!(formatter, "cannot be loaded\n  {reason}")?,
            Verdict::Refused { status } => {
                write!(formatter, "does not start\n  DriverEntry failed with {status} and broke no rule")?;
            }
            Verdict::Crashes => formatter.write_str("crashes")?,
            Verdict::Spins => formatter.write_str("does not come back")?,
            Verdict::WaitsForever => formatter.write_str("waits for ever")?,
            Verdict::BreaksRules => formatter.write_str("breaks rules")?,
            Verdict::EndsWorker { how, last, complaints } => {
                write!(formatter, "ends the process that runs it ({how})\n  {last}")?;
                complaints.iter().try_for_each(|line| write!(formatter, "\n  it wrote: {line}"))?;
            }
            Verdict::Hangs { seconds, last, complaints } => {
                write!(formatter, "hangs: it was stopped after {seconds} s\n  {last}")?;
                complaints.iter().try_for_each(|line| write!(formatter, "\n  it wrote: {line}"))?;
            }
        }
        let mut lines = self.findings.iter().flat_map(|finding| finding.report.lines());
        lines.try_for_each(|line| write!(formatter, "\n  {line}"))
    }
}

impl fmt::Display for Last {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "that was when {}\n  ", self.step)?;
        let Some(service) = &self.service else { return formatter.write_str("it had called no service") };
        write!(formatter, "it had last called {service}")?;
        self.place.iter().try_for_each(|place| write!(formatter, " from {place}"))
    }
}

impl fmt::Display for Work {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { devices, closed, requests, calls, is_unloaded } = self;
        write!(formatter, "devices opened: {devices}; device controls sent: {requests}; ")?;
        write!(formatter, "calls of services judged: {calls}; ")?;
        formatter.write_str(if *is_unloaded { "unloaded" } else { "not unloaded: it has no DriverUnload" })?;
        closed.iter().try_for_each(|device| write!(formatter, "\n  not opened: {device}"))
    }
}
