//! The Wine lane: everything built, a kernel host running, and the driver's package ready to be installed in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cross::{self, Programs};
use crate::package::{self, Package};
use crate::step::{self, Log, Steps};
use crate::wine::{Finished, KernelHost};

/// How long one run of a small program may take: the service manager and the INF installer are slow on a busy machine.
const PROGRAM_LIMIT: Duration = Duration::from_mins(2);

/// The key that the driver reads its limits from.
const PARAMETERS: &str = r"HKLM\System\CurrentControlSet\Services\netio_anycast\Parameters";

/// A running kernel host with the driver's package on its drive C.
pub(crate) struct Lane {
    pub(crate) host: KernelHost,
    programs: Programs,
    inf: String,
    /// Further drivers, each after those that it depends on.
    others: Vec<Package>,
}

impl Lane {
    /// Builds what is needed and starts the kernel host. `image` is the driver's.
    ///
    /// # Errors
    /// Something can't be built or started.
    pub(crate) fn prepare(root: &Path, image: &Path, steps: &mut Steps) -> Result<Self> {
        let modules = steps.run("Build the Wine modules (NetIO's model, kernel extension)", |log| {
            cross::build_wine_modules(root, log)
        })?;
        let programs = steps.run("Build the Windows programs", |log| cross::build_programs(root, log))?;
        steps.run("Start Wine's kernel", |_| {
            let package = package::assemble(root, image)?;
            let logs = step::empty_log_directory(root, "wine")?;
            let host = KernelHost::start(root, modules, &logs)?;
            let inf = host.deploy_package(&package)?;
            Ok(Self { host, programs, inf, others: Vec::new() })
        })
    }

    /// Runs anycastctl.
    ///
    /// # Errors
    /// It can't be started or does not end; whatever its exit code is, is no error.
    pub(crate) fn anycastctl(&mut self, arguments: &[&str]) -> Result<Finished> {
        self.host.run(&self.programs.anycastctl, arguments, PROGRAM_LIMIT)
    }

    /// Runs model-control, which arranges the simulated NetIO.
    ///
    /// # Errors
    /// It fails.
    pub(crate) fn model_control(&mut self, arguments: &[&str]) -> Result<String> {
        let finished = self.host.run(&self.programs.model_control, arguments, PROGRAM_LIMIT)?;
        ensure!(finished.code == 0, "model-control {}: {}", arguments.join(" "), finished.errors);
        Ok(finished.output)
    }

    /// The path of the driver's INF, as Windows programs see it.
    pub(crate) fn inf(&self) -> &str {
        &self.inf
    }

    /// Installs the driver through its INF and starts it.
    ///
    /// # Errors
    /// Either fails.
    pub(crate) fn start_driver(&mut self, log: &Log) -> Result<()> {
        let inf = self.inf.clone();
        self.must(&["install", "--inf", &inf], log)?;
        self.must(&["start"], log)
    }

    /// Installs further drivers through their INFs and starts them, given each after those that it depends on.
    ///
    /// # Errors
    /// One can't be installed or started, or comes before one that it depends on.
    pub(crate) fn start_others(&mut self, drivers: Vec<Package>) -> Result<()> {
        for driver in drivers {
            self.host.install(&driver)?;
            self.host.start_driver(&driver)?;
            self.others.push(driver);
        }
        Ok(())
    }

    /// Stops and uninstalls those drivers, each before those that it depends on.
    ///
    /// # Errors
    /// One can't be stopped or uninstalled.
    pub(crate) fn end_others(&mut self) -> Result<()> {
        let drivers = std::mem::take(&mut self.others);
        for driver in drivers.iter().rev() {
            self.host.stop_driver(&driver.service)?;
            self.host.uninstall(driver)?;
        }
        Ok(())
    }

    /// Runs the tests of `tests/wine` on the running driver.
    ///
    /// # Errors
    /// A test fails.
    pub(crate) fn run_tests(&mut self, limit: Duration, log: &Log) -> Result<()> {
        self.test_program(&["--test-threads", "1"], limit, log).map(drop)
    }

    /// Runs those of them whose name contains `filter`: those that are ignored otherwise, or the others.
    ///
    /// # Errors
    /// A test fails, or there is none.
    pub(crate) fn run_selected(&mut self, filter: &str, ignored: bool, limit: Duration, log: &Log) -> Result<()> {
        let mut arguments = vec![filter, "--test-threads", "1", "--nocapture"];
        arguments.extend(ignored.then_some("--ignored"));
        let output = self.test_program(&arguments, limit, log)?;
        ensure!(!output.contains("running 0 tests"), "no test in Wine has {filter:?} in its name");
        Ok(())
    }

    /// Runs the scenario of `tests/scenario` on the driver, started anew with these values in its Parameters key, and returns what the
    /// test program wrote. Afterwards the driver runs without them.
    ///
    /// # Errors
    /// The driver can't be stopped or started, the values can't be set, or the test fails.
    pub(crate) fn run_scenario(
        &mut self,
        parameters: &BTreeMap<String, u32>,
        limit: Duration,
        log: &Log,
    ) -> Result<String> {
        self.must(&["stop"], log)?;
        for (name, value) in parameters {
            self.registry(&["add", PARAMETERS, "/v", name, "/t", "REG_DWORD", "/d", &value.to_string(), "/f"], log)?;
        }
        self.must(&["start"], log)?;
        let arguments = ["--exact", "agreement::the_scenario_runs", "--ignored", "--nocapture"];
        let output = self.test_program(&arguments, limit, log)?;
        self.must(&["stop"], log)?;
        if !parameters.is_empty() {
            self.registry(&["delete", PARAMETERS, "/f"], log)?;
        }
        self.must(&["start"], log)?;
        Ok(output)
    }

    /// Runs `reg`, which must succeed.
    fn registry(&mut self, arguments: &[&str], log: &Log) -> Result<()> {
        let finished = self.host.run("reg", arguments, PROGRAM_LIMIT)?;
        log.append(&format!("$ reg {}\n{}{}", arguments.join(" "), finished.output, finished.errors))?;
        ensure!(finished.code == 0, "reg {} ended with {}", arguments.join(" "), finished.code);
        Ok(())
    }

    /// Runs the test program with these arguments, and returns what it wrote.
    fn test_program(&mut self, arguments: &[&str], limit: Duration, log: &Log) -> Result<String> {
        let finished = self.host.run(&self.programs.wine_tests, arguments, limit)?;
        log.append(&finished.output)?;
        log.append(&finished.errors)?;
        // The host's end explains failed tests better than they do themselves.
        self.host.check()?;
        ensure!(finished.code == 0, "tests failed in Wine (exit code {})", finished.code);
        Ok(finished.output)
    }

    /// Stops the driver, uninstalls it, and takes the kernel host down.
    ///
    /// # Errors
    /// Any of that fails, or the kernel host had ended before.
    pub(crate) fn end(mut self, log: &Log) -> Result<()> {
        let inf = self.inf.clone();
        self.must(&["stop"], log)?;
        self.must(&["uninstall", "--inf", &inf], log)?;
        self.host.stop()
    }

    /// Runs anycastctl, which must succeed.
    fn must(&mut self, arguments: &[&str], log: &Log) -> Result<()> {
        let finished = self.anycastctl(arguments)?;
        log.append(&format!("$ anycastctl {}\n{}{}", arguments.join(" "), finished.output, finished.errors))?;
        ensure!(finished.code == 0, "anycastctl {} ended with {}", arguments.join(" "), finished.code);
        Ok(())
    }
}

/// Builds the driver: what every command that uses it starts with.
///
/// # Errors
/// The build fails.
pub(crate) fn build_driver(root: &Path, steps: &mut Steps) -> Result<PathBuf> {
    steps.run("Build the driver", |log| cross::build_driver(root, &cross::DRIVER, log))
}
