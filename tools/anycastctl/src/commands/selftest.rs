//! `selftest`.

mod addresses;
mod batches;
mod context;
mod contract;
mod leases;
mod waits;

use std::io;
use std::path::Path;

use netio_anycast_client::Access;
use netio_anycast_client::protocol::version::Features;

use crate::arguments::SelftestArguments;
use crate::commands::connect;
use crate::commands::place::Place;
use crate::commands::selftest::context::{Context, Stop};
use crate::console::{Console, Stream};
use crate::failure::{Failure, FailureKind};
use crate::platform::Platform;
use crate::report::test_run::{TestPoint, TestResult, TestRun};

/// One thing that the contract promises.
struct Scenario {
    /// It, as a sentence.
    name: &'static str,
    /// The features that it is about.
    needs: Features,
    run: fn(&Context<'_>) -> Result<(), Stop>,
}

/// Holds the running driver to its contract, promise by promise. What it puts on the interface are addresses for documentation
/// that the interface did not have, and none of them is left.
pub(super) fn selftest(
    platform: &dyn Platform,
    arguments: &SelftestArguments,
    console: &mut Console<'_>,
) -> Result<TestRun, Failure> {
    if let Some(path) = &arguments.junit {
        // Better known before all the tests than after them.
        platform.write_file(path, &[]).map_err(|error| failure(path, &error))?;
    }
    let client = connect(platform, Access::ReadWrite)?;
    let place = Place::choose(platform, &client, arguments.interface.as_ref())?;
    let features = Features::from_bits_truncate(client.version().features);
    drop(client);
    let context = Context::new(platform, &place)?;
    let groups = [
        ("contract", contract::SCENARIOS),
        ("addresses", addresses::SCENARIOS),
        ("leases", leases::SCENARIOS),
        ("batches", batches::SCENARIOS),
        ("waits", waits::SCENARIOS),
    ];
    let count = groups.iter().map(|(_, scenarios)| scenarios.len()).sum::<usize>() + 1;
    let mut run = TestRun { interface: place.name, points: Vec::new() };
    tell(console, &TestRun::plan(count));
    let scenarios =
        groups.iter().flat_map(|(group, scenarios)| scenarios.iter().map(move |scenario| (group, scenario)));
    for (group, scenario) in scenarios {
        let point = try_out(platform, &context, features, group, scenario);
        tell(console, &point.tap(run.points.len() + 1));
        run.points.push(point);
    }
    let point = timed(platform, "cleanup", "nothing of all this is left", || context.check_nothing_left());
    tell(console, &point.tap(count));
    run.points.push(point);
    if let Some(path) = &arguments.junit {
        write_junit(platform, path, &run)?;
    }
    Ok(run)
}

fn try_out(
    platform: &dyn Platform,
    context: &Context<'_>,
    features: Features,
    group: &'static str,
    scenario: &Scenario,
) -> TestPoint {
    let missing = scenario.needs.difference(features);
    let names: Vec<String> = missing.iter_names().map(|(name, _)| name.to_lowercase().replace('_', " ")).collect();
    timed(platform, group, scenario.name, || {
        if !names.is_empty() {
            return Err(Stop::Skipped(format!("the driver lacks {}", names.join(", "))));
        }
        let result = (scenario.run)(context);
        // A promise that was broken may have left something.
        result.and(context.clean_up())
    })
}

fn timed(
    platform: &dyn Platform,
    group: &'static str,
    name: &'static str,
    run: impl FnOnce() -> Result<(), Stop>,
) -> TestPoint {
    let start = platform.clock();
    let result = match run() {
        Ok(()) => TestResult::Passed,
        Err(Stop::Failed(why)) => TestResult::Failed(why),
        Err(Stop::Skipped(why)) => TestResult::Skipped(why),
    };
    TestPoint { group, name, result, time: platform.clock().saturating_sub(start) }
}

/// As it happens, for people and for what reads the Test Anything Protocol; JSON is one document in the end.
fn tell(console: &mut Console<'_>, text: &str) {
    if !console.speaks_json() {
        // Nobody need read it: the exit code tells, too.
        let _ = console.write(Stream::Output, text);
    }
}

fn write_junit(platform: &dyn Platform, path: &Path, run: &TestRun) -> Result<(), Failure> {
    let report = run.junit().map_err(|error| failure(path, &error))?;
    platform.write_file(path, report.as_bytes()).map_err(|error| failure(path, &error))
}

fn failure(path: &Path, error: &io::Error) -> Failure {
    let (kind, why, advice) = match error.kind() {
        io::ErrorKind::NotFound => (FailureKind::NotFound, "there is no such folder".to_owned(), "Check its path"),
        io::ErrorKind::PermissionDenied => {
            (FailureKind::AccessDenied, "you may not write it".to_owned(), "Choose another folder")
        }
        _ => (FailureKind::Other, format!("the system gave a reason: {error}"), "Check the disk or the share"),
    };
    Failure::new(kind, format!("cannot write the file {}", path.display()), why, advice)
}
