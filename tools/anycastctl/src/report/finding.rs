//! What is right and what is not.

use serde::Serialize;
use serde_json::{Value, json};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::human::{BAD, GOOD, LABEL, NOTE};
use crate::report::Report;

/// One thing that was looked at.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// What was looked at.
    subject: &'static str,
    verdict: Verdict,
    /// What was found.
    found: String,
    /// What to do, if anything.
    advice: Option<String>,
    /// With a verdict that is bad.
    exit_code: ExitCode,
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    /// As it should be.
    Good,
    /// Something that one should know.
    Note,
    /// In the way of this program's work.
    Bad,
}

impl Finding {
    pub(crate) fn good(subject: &'static str, found: impl Into<String>) -> Self {
        let exit_code = ExitCode::Success;
        Self { subject, verdict: Verdict::Good, found: found.into(), advice: None, exit_code }
    }

    pub(crate) fn note(subject: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { verdict: Verdict::Note, advice: Some(advice.into()), ..Self::good(subject, found) }
    }

    pub(crate) fn bad(
        subject: &'static str,
        found: impl Into<String>,
        advice: impl Into<String>,
        exit_code: ExitCode,
    ) -> Self {
        Self { verdict: Verdict::Bad, exit_code, ..Self::note(subject, found, advice) }
    }

    /// That looking failed is a finding as well.
    pub(crate) fn failure(subject: &'static str, failure: &Failure) -> Self {
        let codes = failure.codes();
        let codes = if codes.is_empty() { codes } else { format!(" [{codes}]") };
        Self::bad(subject, failure.why.clone() + &codes, failure.advice.clone(), failure.exit_code())
    }
}

/// Everything that was looked at.
pub(crate) struct Findings(pub(crate) Vec<Finding>);

impl Report for Findings {
    fn human(&self) -> String {
        let lines = self.0.iter().map(|finding| {
            let (style, verdict) = match finding.verdict {
                Verdict::Good => (GOOD, "ok"),
                Verdict::Note => (NOTE, "note"),
                Verdict::Bad => (BAD, "bad"),
            };
            let Finding { subject, found, .. } = finding;
            let advice = finding.advice.as_ref().map_or(String::new(), |advice| format!("{:17}{advice}\n", ""));
            format!("{style}{verdict:4}{style:#}  {LABEL}{subject:9}{LABEL:#}  {found}\n{advice}")
        });
        lines.collect()
    }

    fn json(&self) -> Value {
        let findings = self.0.iter().map(|finding| {
            json!({
                "subject": finding.subject.to_lowercase(),
                "verdict": finding.verdict,
                "found": finding.found,
                "advice": finding.advice,
            })
        });
        json!({ "findings": findings.collect::<Vec<_>>(), "exit_code": self.exit_code() as u8 })
    }

    /// That of the first thing that is in the way.
    fn exit_code(&self) -> ExitCode {
        let bad = self.0.iter().find(|finding| finding.verdict == Verdict::Bad);
        bad.map_or(ExitCode::Success, |finding| finding.exit_code)
    }
}
