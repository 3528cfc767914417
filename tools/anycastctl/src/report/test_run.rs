//! Tests of the running driver, as the Test Anything Protocol and JUnit put them.

use std::io;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report as JunitReport, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value, json};

use crate::exit_code::ExitCode;
use crate::report::Report;

/// What became of one test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TestResult {
    Passed,
    /// For this reason.
    Failed(String),
    /// For this reason.
    Skipped(String),
}

/// One test.
pub(crate) struct TestPoint {
    pub(crate) group: &'static str,
    pub(crate) name: &'static str,
    pub(crate) result: TestResult,
    pub(crate) time: Duration,
}

impl TestPoint {
    /// Its line, and with a failure why.
    ///
    /// Source: <https://testanything.org/tap-version-14-specification.html>
    pub(crate) fn tap(&self, number: usize) -> String {
        let Self { group, name, result, .. } = self;
        match result {
            TestResult::Passed => format!("ok {number} - {group}: {name}\n"),
            TestResult::Skipped(why) => format!("ok {number} - {group}: {name} # SKIP {why}\n"),
            // A string of JSON is one of YAML.
            TestResult::Failed(why) => {
                format!("not ok {number} - {group}: {name}\n  ---\n  message: {}\n  ...\n", json!(why))
            }
        }
    }

    fn junit(&self) -> TestCase {
        let status = match &self.result {
            TestResult::Passed => TestCaseStatus::success(),
            TestResult::Failed(why) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(why.clone());
                status
            }
            TestResult::Skipped(why) => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(why.clone());
                status
            }
        };
        let mut case = TestCase::new(self.name, status);
        case.set_classname(format!("netio_anycast.{}", self.group)).set_time(self.time);
        case
    }
}

/// All tests of a run.
pub(crate) struct TestRun {
    /// Where they put addresses.
    pub(crate) interface: String,
    pub(crate) points: Vec<TestPoint>,
}

impl TestRun {
    /// What comes before the lines of the tests.
    pub(crate) fn plan(count: usize) -> String {
        format!("TAP version 14\n1..{count}\n")
    }

    /// As JUnit's XML.
    ///
    /// # Errors
    /// None that could happen: it is written to memory.
    pub(crate) fn junit(&self) -> io::Result<String> {
        let mut suite = TestSuite::new("anycastctl selftest");
        suite.add_property(("interface", self.interface.as_str()));
        suite.add_test_cases(self.points.iter().map(TestPoint::junit));
        let mut report = JunitReport::new("netio_anycast");
        report.add_test_suite(suite);
        report.to_string().map_err(io::Error::other)
    }

    /// The numbers of those that passed, failed and were skipped.
    fn counts(&self) -> [usize; 3] {
        let count =
            |is_counted: fn(&TestResult) -> bool| self.points.iter().filter(|point| is_counted(&point.result)).count();
        [
            count(|result| *result == TestResult::Passed),
            count(|result| matches!(result, TestResult::Failed(_))),
            count(|result| matches!(result, TestResult::Skipped(_))),
        ]
    }
}

impl Report for TestRun {
    /// A comment of TAP's: the lines of the tests were told as they ended.
    fn human(&self) -> String {
        let [passed, failed, skipped] = self.counts();
        format!("# {passed} passed, {failed} failed, {skipped} skipped, on interface {}\n", self.interface)
    }

    fn json(&self) -> Value {
        let [passed, failed, skipped] = self.counts();
        let tests = self.points.iter().map(|point| {
            let (result, why) = match &point.result {
                TestResult::Passed => ("passed", None),
                TestResult::Failed(why) => ("failed", Some(why)),
                TestResult::Skipped(why) => ("skipped", Some(why)),
            };
            json!({ "group": point.group, "name": point.name, "result": result, "why": why })
        });
        json!({
            "interface": self.interface,
            "passed": passed,
            "failed": failed,
            "skipped": skipped,
            "tests": tests.collect::<Vec<_>>(),
            "exit_code": self.exit_code() as u8,
        })
    }

    fn exit_code(&self) -> ExitCode {
        let [_, failed, _] = self.counts();
        if failed == 0 { ExitCode::Success } else { ExitCode::Failure }
    }
}
