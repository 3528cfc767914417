//! Counting instructions: this program runs itself in callgrind, once for each subject and case, and reads what it wrote.
//!
//! Source: <https://valgrind.org/docs/manual/cl-format.html>

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum as _;

use crate::subject::{Prepared, Subject};
use crate::workload::Case;

/// The function between whose entry and exit is counted.
const MEASURED: &str = "*measured_rounds";
/// The functions of the simulated kernel that stand for `memcpy` and `memset`: work that a driver might as well do itself.
const MEMORY_SERVICES: &str = "kernel_sim::service::memory::";
const ALLOCATION_SERVICES: [&str; 3] = ["ExAllocatePool2", "ExAllocatePoolWithTag", "ExAllocatePool"];

/// What one operation takes, on average over the rounds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// Instructions: of a driver only its own.
    pub(crate) instructions: f64,
    /// Calls of the kernel's and NetIO's functions.
    pub(crate) calls: f64,
    /// Allocations of pool.
    pub(crate) allocations: f64,
}

/// Runs the case once, as callgrind's child, and says what callgrind does not know: where the image is, how often services
/// were called and how often pool was allocated.
///
/// # Errors
/// The case can't be run.
pub(crate) fn observe(subject: Subject, case: Case, image: &Path) -> Result<String> {
    let mut prepared = Prepared::new(subject, case, image)?;
    let (calls, failures) = prepared.counted_rounds();
    let allocations: u64 = ALLOCATION_SERVICES.iter().filter_map(|service| calls.get(service)).sum();
    let code = prepared.code().unwrap_or(0..0);
    prepared.finish(&failures)?;
    Ok(format!("{} {} {} {allocations}", code.start, code.end, calls.values().sum::<u64>()))
}

/// Counts the instructions of a case; of a driver also by their offset in its image, for all rounds.
///
/// # Errors
/// Valgrind is not there or fails.
pub(crate) fn count(
    subject: Subject,
    case: Case,
    image: &Path,
    directory: &Path,
) -> Result<(Cost, BTreeMap<usize, u64>)> {
    let name =
        |value: Option<clap::builder::PossibleValue>| value.map(|it| it.get_name().to_owned()).unwrap_or_default();
    let (subject_name, operation) = (name(subject.to_possible_value()), name(case.operation.to_possible_value()));
    let present = case.present.to_string();
    let file = directory.join(format!("callgrind.{subject_name}.{operation}.{present}"));
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--dump-instr=yes", "--compress-pos=no", "--compress-strings=no"]);
    valgrind.arg(format!("--toggle-collect={MEASURED}")).arg(format!("--callgrind-out-file={}", file.display()));
    valgrind.arg(std::env::current_exe().context("this program has a path")?);
    valgrind.args(["one", &subject_name, &operation, &present]).arg(image);
    let output = valgrind.output().context("cannot run valgrind; Debian's package is called valgrind")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{valgrind:?} failed:\n{errors}");
    let words = String::from_utf8(output.stdout).context("the measured program writes text")?;
    let numbers: Vec<usize> = words.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [start, end, calls, allocations] = numbers[..] else {
        anyhow::bail!("the measured program wrote {words:?}");
    };
    let profile = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let counted = Counted::read(&profile, start..end).with_context(|| format!("{} makes no sense", file.display()))?;
    let instructions = if start == end { counted.total } else { counted.image() + counted.memory };
    ensure!(instructions > 0, "callgrind has counted nothing of {case}");
    let average = |sum: u64| per_round(sum, case);
    let cost = Cost {
        instructions: average(instructions),
        calls: average(calls as u64),
        allocations: average(allocations as u64),
    };
    Ok((cost, counted.offsets))
}

/// The average of what was counted in all rounds.
#[expect(clippy::cast_precision_loss, reason = "no count here comes near to 2^52")]
pub(crate) fn per_round(sum: u64, case: Case) -> f64 {
    sum as f64 / f64::from(case.operations())
}

/// What callgrind has counted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counted {
    /// Everything.
    total: u64,
    /// Instructions in the image, by their offset in it.
    offsets: BTreeMap<usize, u64>,
    /// What the kernel's memory functions executed, and all that they called.
    memory: u64,
}

impl Counted {
    /// Instructions in the image.
    fn image(&self) -> u64 {
        self.offsets.values().sum()
    }

    /// Reads callgrind's output, written with one line for each instruction and nothing compressed.
    fn read(profile: &str, image: Range<usize>) -> Option<Self> {
        let mut counted = Self::default();
        let mut callee = "";
        let mut lines = profile.lines();
        while let Some(line) = lines.next() {
            if let Some(name) = line.strip_prefix("cfn=") {
                callee = name;
            } else if line.starts_with("calls=") {
                // The next line has what the called function took, with all that it called.
                let (_, cost) = cost_line(lines.next()?)?;
                if callee.contains(MEMORY_SERVICES) {
                    counted.memory += cost;
                }
            } else if let Some((address, cost)) = cost_line(line) {
                counted.total += cost;
                if image.contains(&address) {
                    *counted.offsets.entry(address - image.start).or_default() += cost;
                }
            }
        }
        Some(counted)
    }
}

/// Address and cost of a line that has them: `0xADDRESS LINE COST`.
fn cost_line(line: &str) -> Option<(usize, u64)> {
    let mut words = line.strip_prefix("0x")?.split(' ');
    let address = usize::from_str_radix(words.next()?, 16).ok()?;
    let _source_line = words.next()?;
    // Zeros at the end are left out.
    let cost = words.next().map_or(Ok(0), str::parse).ok()?;
    Some((address, cost))
}

#[cfg(test)]
mod tests {
    use super::{Counted, cost_line};

    const PROFILE: &str = "\
positions: instr line
events: Ir

fn=???
0x1000 0 5
0x1004 0 7
cfn=kernel_sim::service::memory::copy
calls=2 0x9000 0
0x1008 0 40
cfn=kernel_sim::service::netio::get
calls=1 0x9100 0
0x1008 0 900

fn=kernel_sim::service::memory::copy
0x9000 12 40
0x9004 13
totals: 52
";

    #[test]
    fn only_the_image_and_the_memory_functions_count_for_a_driver() {
        let counted = Counted::read(PROFILE, 0x1000..0x2000).expect("it can be read");
        assert_eq!((counted.total, counted.image(), counted.memory), (52, 12, 40));
        assert_eq!(counted.offsets.get(&4), Some(&7));
    }

    #[test]
    fn a_profile_that_ends_in_a_call_is_damaged() {
        assert_eq!(Counted::read("cfn=x\ncalls=1 0x9000 0\n", 0..1), None);
    }

    #[test]
    fn other_lines_have_no_cost() {
        assert_eq!(cost_line("fn=0x12"), None);
        assert_eq!(cost_line("0xZZ 1 2"), None);
    }
}
