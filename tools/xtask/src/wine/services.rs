//! The services of drivers: installed by their INFs, started and stopped by the service manager.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::host::{KernelHost, TOOL_LIMIT};
use crate::package::Package;

/// How long a driver may take to stop.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// How often it is looked whether it has.
const INTERVAL: Duration = Duration::from_millis(20);

impl KernelHost {
    /// Installs a driver through its INF.
    ///
    /// # Errors
    /// It imports what there is not, or the INF makes no service.
    pub(crate) fn install(&mut self, package: &Package) -> Result<()> {
        let inf = self.deploy_package(package)?;
        self.run_section("DefaultInstall", &inf)?;
        ensure!(self.state(&package.service)?.is_some(), "{inf} has made no service {}", package.service);
        Ok(())
    }

    /// Starts a driver.
    ///
    /// # Errors
    /// It does not start, or one that it depends on does not run: Wine would not start that first, as Windows does.
    pub(crate) fn start_driver(&mut self, package: &Package) -> Result<()> {
        for needed in &package.dependencies {
            let state = self.state(needed)?.unwrap_or_else(|| "not installed".to_owned());
            ensure!(state.contains("RUNNING"), "{} depends on {needed}, which is {state}", package.service);
        }
        self.service_control(&["start", &package.service])?;
        self.wait_for(&package.service, "RUNNING")
    }

    /// Stops a driver.
    ///
    /// # Errors
    /// It does not stop.
    pub(crate) fn stop_driver(&mut self, service: &str) -> Result<()> {
        self.service_control(&["stop", service])?;
        self.wait_for(service, "STOPPED")
    }

    /// Uninstalls a stopped driver through its INF.
    ///
    /// # Errors
    /// Its service is still there.
    pub(crate) fn uninstall(&mut self, package: &Package) -> Result<()> {
        self.run_section("DefaultUninstall", &format!(r"C:\packages\{0}\{0}.inf", package.service))?;
        ensure!(self.state(&package.service)?.is_none(), "the service {} is still there", package.service);
        Ok(())
    }

    /// Runs a section of an INF. What it has done has to be looked for: the exit code does not tell.
    fn run_section(&mut self, section: &str, inf: &str) -> Result<()> {
        let section = format!("{section}.NTamd64");
        self.run("rundll32", &["setupapi,InstallHinfSection", &section, "128", inf], TOOL_LIMIT).map(drop)
    }

    /// A service's state in the service manager's words, or `None` if there is no such service.
    fn state(&mut self, service: &str) -> Result<Option<String>> {
        let finished = self.run("sc", &["query", service], TOOL_LIMIT)?;
        // Wine's `sc` says no more of a service that is not there.
        if finished.code != 0 {
            return Ok(None);
        }
        let state = finished.output.lines().find_map(|line| line.trim().strip_prefix("STATE")).map(str::to_owned);
        let Some(state) = state else {
            bail!("`sc query {service}` tells no state: {}{}", finished.output, finished.errors);
        };
        Ok(Some(state))
    }

    fn wait_for(&mut self, service: &str, wanted: &str) -> Result<()> {
        let started = Instant::now();
        loop {
            let state = self.state(service)?.unwrap_or_default();
            if state.contains(wanted) {
                return Ok(());
            }
            ensure!(started.elapsed() < STOP_LIMIT, "{service} does not become {wanted}: {state}");
            sleep(INTERVAL);
        }
    }
}
