//! What runs the operations: NetIO's model itself, a driver above it, or plain copying and sorting.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use kernel_sim::{Caller, DesiredAccess, Driver, Handle, Image, Kernel, Options};
use netio_anycast_protocol::address::AddressFamily;
use netio_anycast_protocol::apply::{ApplyReply, MAX_APPLY_ITEMS};
use netio_anycast_protocol::create::Lifetime;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use zerocopy::{FromBytes as _, IntoBytes as _};

use crate::sort;
use crate::workload::{Case, INTERFACE, OperationName, batch, outcomes_length};

/// Who runs an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Subject {
    /// NetIO's model, called directly.
    Model,
    /// The pass-through driver in C.
    PassThrough,
    /// The driver in C that does what the contract demands of CREATE, DELETE and GET.
    Checked,
    /// The driver.
    Driver,
    /// For GET_TABLE: the rows copied.
    Copy,
    /// For GET_TABLE: the rows sorted as the driver sorts them, and copied.
    CopyAndSort,
}

impl Subject {
    /// Those that an operation is measured with.
    pub(crate) fn of(operation: OperationName) -> &'static [Self] {
        const DRIVERS: &[Subject] = &[Subject::Model, Subject::PassThrough, Subject::Checked, Subject::Driver];
        const ALL: &[Subject] =
            &[Subject::Model, Subject::PassThrough, Subject::Driver, Subject::Copy, Subject::CopyAndSort];
        const BEYOND: &[Subject] = &[Subject::Model, Subject::Driver];
        match operation {
            OperationName::GetTable => ALL,
            plain if plain.is_plain() => DRIVERS,
            _ => BEYOND,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Model => "NetIO's model",
            Self::PassThrough => "pass-through in C",
            Self::Checked => "the contract in C",
            Self::Driver => "driver",
            Self::Copy => "copy",
            Self::CopyAndSort => "copy and sort",
        })
    }
}

/// Where the drivers are.
#[derive(Clone, Debug)]
pub(crate) struct Images {
    pub(crate) driver: PathBuf,
    pub(crate) pass_through: PathBuf,
    pub(crate) checked: PathBuf,
}

impl Images {
    /// The image that `subject` runs, if it is a driver.
    pub(crate) fn of(&self, subject: Subject) -> &Path {
        match subject {
            Subject::PassThrough => &self.pass_through,
            Subject::Checked => &self.checked,
            _ => &self.driver,
        }
    }
}

/// A subject with everything in place: only the operations are left to be run.
#[derive(Debug)]
pub(crate) struct Prepared {
    kernel: Kernel,
    case: Case,
    doer: Doer,
    /// The addresses of each round.
    targets: Vec<Vec<Row>>,
    /// The inputs of the rounds.
    inputs: Vec<Vec<u8>>,
}

#[derive(Debug)]
enum Doer {
    Model,
    Driver { driver: Driver, handle: Handle },
    Copy { sorts: bool, tables: Vec<Vec<Row>>, output: Vec<u8> },
}

impl Prepared {
    /// Prepares `case` for `subject`, whose image is `image` if it is a driver.
    ///
    /// # Errors
    /// The driver can't be loaded or opened.
    pub(crate) fn new(subject: Subject, case: Case, image: &Path) -> Result<Self> {
        let kernel = Kernel::new(Options::default()).context("no address space for the simulated kernel")?;
        let targets = case.targets();
        let existing: Vec<Row> =
            targets.iter().flatten().copied().filter(|_| case.targets_exist()).chain(case.bystanders()).collect();
        let leased = case.operation.is_among_leases() && subject == Subject::Driver;
        kernel.netio(|model| -> Result<()> {
            model.add_interface(INTERFACE).context("the model takes no interface")?;
            for row in existing.iter().filter(|_| !leased) {
                ensure!(model.insert(row).is_ok(), "the model takes no address");
            }
            Ok(())
        })?;
        let doer = match subject {
            Subject::Model => Doer::Model,
            Subject::PassThrough => load(&kernel, image, r"\DosDevices\PassThrough")?,
            Subject::Checked => load(&kernel, image, r"\DosDevices\Checked")?,
            Subject::Driver => load(&kernel, image, netio_anycast_protocol::SYMBOLIC_LINK_NAME)?,
            Subject::Copy | Subject::CopyAndSort => {
                // As NetIO's table has them.
                let rows = kernel.netio(|model| model.table(AddressFamily::UNSPECIFIED)).unwrap_or_default();
                let output = vec![0; size_of_val(rows.as_slice())];
                Doer::Copy { sorts: subject == Subject::CopyAndSort, tables: vec![rows; targets.len()], output }
            }
        };
        if let (true, Doer::Driver { handle, .. }) = (leased, &doer) {
            lease(handle, &existing)?;
        }
        let inputs = targets.iter().map(|rows| case.input(rows)).collect();
        Ok(Self { kernel, case, doer, targets, inputs })
    }

    /// The addresses of the driver's image.
    pub(crate) fn code(&self) -> Option<Range<usize>> {
        match &self.doer {
            Doer::Driver { driver, .. } => Some(driver.code()),
            _ => None,
        }
    }

    /// Runs every round; how often the driver has called each service meanwhile, and the statuses that were not success.
    pub(crate) fn counted_rounds(&mut self) -> (BTreeMap<&'static str, u64>, Vec<NtStatus>) {
        self.kernel.forget_calls();
        let failures = self.measured_rounds();
        let mut counts = BTreeMap::new();
        for service in self.kernel.calls() {
            *counts.entry(service).or_default() += 1;
        }
        (counts, failures)
    }

    /// Runs every round; the statuses that were not success.
    ///
    /// Callgrind counts between entering this and leaving it, and knows it by its name.
    #[inline(never)]
    pub(crate) fn measured_rounds(&mut self) -> Vec<NtStatus> {
        let mut failures = Vec::new();
        for round in 0..self.targets.len() {
            let status = self.round(round);
            if status != NtStatus::SUCCESS {
                failures.push(status);
            }
        }
        failures
    }

    #[inline(never)]
    fn round(&mut self, round: usize) -> NtStatus {
        let case = self.case;
        match &mut self.doer {
            Doer::Model => {
                let rows = &self.targets[round];
                let each = |work: &mut dyn FnMut(&Row) -> NtStatus| {
                    rows.iter().map(work).find(|status| *status != NtStatus::SUCCESS).unwrap_or(NtStatus::SUCCESS)
                };
                self.kernel.netio(|model| match case.operation {
                    OperationName::Create | OperationName::Lease | OperationName::Apply => {
                        each(&mut |row| model.create(row))
                    }
                    OperationName::Delete | OperationName::EndLease => each(&mut |row| model.delete(row)),
                    OperationName::Get => each(&mut |row| model.get(&mut row.clone())),
                    OperationName::GetTable => {
                        model.table(AddressFamily::UNSPECIFIED).err().unwrap_or(NtStatus::SUCCESS)
                    }
                })
            }
            Doer::Driver { handle, .. } => {
                let code = case.operation.operation().definition().control_code();
                handle.control(code, &self.inputs[round], case.output_length()).status
            }
            Doer::Copy { sorts, tables, output } => {
                let rows = &mut tables[round];
                if *sorts {
                    sort::sort_by(rows, Row::table_order);
                }
                output.copy_from_slice(rows.as_bytes());
                NtStatus::SUCCESS
            }
        }
    }

    /// Closes and unloads the driver, which must have broken no rule.
    ///
    /// # Errors
    /// It has, or the operations did not do what they should.
    pub(crate) fn finish(self, failures: &[NtStatus]) -> Result<()> {
        // NetIO may answer that there is no address instead of an empty table, and the pass-through driver passes that on.
        let empty = self.case.operation == OperationName::GetTable && self.case.present == 0;
        let unexpected = failures.iter().find(|status| !(empty && **status == NtStatus::NOT_FOUND));
        ensure!(unexpected.is_none(), "{} failed with {unexpected:?}", self.case);
        if let Doer::Driver { driver, handle } = self.doer {
            handle.close();
            ensure!(driver.unload(), "the driver can't be unloaded");
            let violations: Vec<String> = self.kernel.violations().iter().map(ToString::to_string).collect();
            ensure!(violations.is_empty(), "the driver broke rules:\n{}", violations.join("\n"));
        }
        Ok(())
    }
}

/// Leases these addresses.
fn lease(handle: &Handle, rows: &[Row]) -> Result<()> {
    for rows in rows.chunks(MAX_APPLY_ITEMS as usize) {
        let code = OperationName::Apply.operation().definition().control_code();
        let reply = handle.control(code, &batch(rows, Lifetime::Handle), outcomes_length(rows.len()));
        let not_applied = ApplyReply::read_from_prefix(&reply.output).map(|(reply, _)| reply.not_applied);
        ensure!(not_applied.is_ok_and(|number| number == 0), "leasing addresses ended with {}", reply.status);
    }
    Ok(())
}

fn load(kernel: &Kernel, image: &Path, link: &str) -> Result<Doer> {
    let image = Image::read(image).with_context(|| format!("cannot read {}", image.display()))?;
    let driver = kernel.load(&image, "benchmark").context("the driver can't be loaded")?;
    let handle = kernel.open(link, &Caller::administrator(), DesiredAccess::READ_WRITE);
    let handle = handle.map_err(|status| anyhow::anyhow!("{link} can't be opened: {status}"))?;
    Ok(Doer::Driver { driver, handle })
}
