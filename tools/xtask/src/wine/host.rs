//! A running kernel host, and what is done in it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::image::{self, KERNEL_EXTENSION};
use super::output::run_to_file;
use super::prefix::Prefix;
use super::processes;
use crate::package::Package;

/// The service of the project's netio.sys, as `netio_model::control` names it.
const NETIO_SERVICE: &str = "netio";
/// The load order group that the driver's INF names: services of one group share a kernel host.
const LOAD_ORDER_GROUP: &str = "NetioAnycast";
/// How long Wine's own small programs may take.
pub(super) const TOOL_LIMIT: Duration = Duration::from_mins(1);
/// What Wine writes, besides other things, when a kernel host ends without being asked to.
const ENDED: [&str; 2] = ["wine: Unhandled", "unimplemented function"];

/// The project's kernel modules for Wine, as they were built.
pub(crate) struct Modules {
    /// What `wine-kernel-extension` was built into.
    pub(crate) kernel_extension: PathBuf,
    /// What `wine-netio` was built into.
    pub(crate) netio: PathBuf,
}

/// Wine with its services and the project's netio.sys running.
pub(crate) struct KernelHost {
    prefix: Prefix,
    modules: Modules,
    logs: PathBuf,
    programs: usize,
}

/// A program that ran to its end.
pub(crate) struct Finished {
    /// Its exit code, of which Linux sees the lowest 8 bits.
    pub(crate) code: i32,
    /// What it wrote to standard output.
    pub(crate) output: String,
    /// What it wrote to standard error.
    pub(crate) errors: String,
    /// The file that the output is in; that of the errors is beside it.
    pub(crate) log: PathBuf,
}

impl KernelHost {
    /// Starts Wine's services and netio.sys in a prefix without a driver. `logs` is an existing directory.
    ///
    /// # Errors
    /// The prefix can't be made or is in use, or the service does not start.
    pub(crate) fn start(root: &Path, modules: Modules, logs: &Path) -> Result<Self> {
        image::check_kernel_module(&modules.netio)?;
        let prefix = Prefix::prepare(root, logs)?;
        end_at_interruption(prefix.directory());
        let mut host = Self { prefix, modules, logs: logs.to_owned(), programs: 0 };
        // From here on, an early return takes the host down.
        host.copy_modules()?;
        host.start_services()?;
        host.start_netio()?;
        Ok(host)
    }

    fn copy_modules(&self) -> Result<()> {
        copy(&self.modules.netio, &self.prefix.drive_c("windows/system32/drivers/netio.sys"))?;
        copy(&self.modules.kernel_extension, &self.prefix.drive_c("windows/system32").join(KERNEL_EXTENSION))
    }

    /// Starts the server and the services. Their messages, those of every kernel host included, go to the kernel log from
    /// now on.
    fn start_services(&self) -> Result<()> {
        let log = self.logs.join("wineserver.log");
        // It stays when no program runs any more, and with it the drivers stay loaded.
        let status = run_to_file(self.prefix.command("wineserver").arg("--persistent"), &log, &log, TOOL_LIMIT)?;
        ensure!(status.success(), "wineserver ended with {status}; its output is in {}", log.display());
        let log = self.kernel_log();
        let status = run_to_file(self.prefix.command("wine").arg("wineboot"), &log, &log, TOOL_LIMIT)?;
        ensure!(status.success(), "Wine's services do not start ({status}); Wine's output is in {}", log.display());
        Ok(())
    }

    fn start_netio(&mut self) -> Result<()> {
        let path = r"C:\windows\system32\drivers\netio.sys";
        self.service_control(&[
            "create",
            NETIO_SERVICE,
            "binPath=",
            path,
            "type=",
            "kernel",
            "start=",
            "demand",
            "group=",
            LOAD_ORDER_GROUP,
        ])?;
        self.service_control(&["start", NETIO_SERVICE])
    }

    /// Runs Wine's `sc`.
    ///
    /// # Errors
    /// It fails.
    pub(crate) fn service_control(&mut self, arguments: &[&str]) -> Result<()> {
        let finished = self.run("sc", arguments, TOOL_LIMIT)?;
        ensure!(
            finished.code == 0,
            "`sc {}` ended with {}:\n{}{}the kernel log is {}",
            arguments.join(" "),
            finished.code,
            finished.output,
            finished.errors,
            self.kernel_log().display()
        );
        Ok(())
    }

    /// Puts a driver package onto drive C, the driver's imports from the kernel led to the kernel extension, and returns the
    /// Windows path of its INF.
    ///
    /// # Errors
    /// The driver imports what there is not, or a file can't be copied.
    pub(crate) fn deploy_package(&self, package: &Package) -> Result<String> {
        let folder = format!("packages/{}", package.service);
        let target = self.prefix.drive_c(&folder);
        fs::create_dir_all(&target).with_context(|| format!("cannot create {}", target.display()))?;
        let source = &package.directory;
        for entry in fs::read_dir(source).with_context(|| format!("cannot read {}", source.display()))? {
            let source = entry?.path();
            let name = source.file_name().context("a directory's entry has a name")?;
            if source.extension() == Some(OsStr::new("sys")) {
                image::check_imports(&source, &self.modules.kernel_extension, &self.modules.netio)?;
                let image = fs::read(&source).with_context(|| format!("cannot read {}", source.display()))?;
                let redirected = image::with_kernel_extension(&image)
                    .with_context(|| format!("cannot prepare {} for Wine", source.display()))?;
                fs::write(target.join(name), redirected)
                    .with_context(|| format!("cannot write to {}", target.display()))?;
            } else if source.is_file() {
                copy(&source, &target.join(name))?;
            }
        }
        Ok(format!(r"C:\packages\{0}\{0}.inf", package.service))
    }

    /// Puts a driver's image onto drive C as it is, into the folder `unchanged`: its imports stay those of Wine's own kernel.
    ///
    /// # Errors
    /// It can't be copied.
    pub(crate) fn deploy_unchanged(&self, package: &Package) -> Result<()> {
        let target = self.prefix.drive_c("unchanged");
        fs::create_dir_all(&target).with_context(|| format!("cannot create {}", target.display()))?;
        let image = package.image();
        copy(&image, &target.join(image.file_name().context("an image has a name")?))
    }

    /// Checks that these drivers together use every function that the kernel extension implements.
    ///
    /// # Errors
    /// They do not.
    pub(crate) fn check_extension_is_used(&self, drivers: &[Package]) -> Result<()> {
        let images: Vec<PathBuf> = drivers.iter().map(Package::image).collect();
        image::check_is_used(&self.modules.kernel_extension, &images)
    }

    /// Runs a Windows program, given by its path here or by a name that Wine finds.
    ///
    /// # Errors
    /// It can't be started or does not end within `limit`. Whatever its exit code is, is no error.
    pub(crate) fn run<A: AsRef<OsStr>>(
        &mut self,
        program: impl AsRef<OsStr>,
        arguments: &[A],
        limit: Duration,
    ) -> Result<Finished> {
        self.programs += 1;
        let name = Path::new(program.as_ref()).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let log = self.logs.join(format!("{:03}-{name}.out", self.programs));
        let error_log = log.with_extension("err");
        let mut command = self.program(program);
        command.args(arguments);
        let status = run_to_file(&mut command, &log, &error_log, limit)
            .with_context(|| format!("running {name} in Wine; the kernel log is {}", self.kernel_log().display()))?;
        let code = status.code().with_context(|| format!("{name} was ended by a signal ({status})"))?;
        Ok(Finished { code, output: read(&log)?, errors: read(&error_log)?, log })
    }

    /// A command that runs a Windows program, to be started by the caller: its output must go to files, not to pipes.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = self.prefix.command("wine");
        // The program's own standard error, without Wine's messages about it.
        command.env("WINEDEBUG", "-all").arg(program);
        command
    }

    /// Checks that no kernel host has ended without being asked to: the service manager goes on saying that its drivers run.
    ///
    /// # Errors
    /// One has; the error has Wine's own words.
    pub(crate) fn check(&self) -> Result<()> {
        let log = read(&self.kernel_log())?;
        let found: Vec<&str> = log.lines().filter(|line| ENDED.iter().any(|mark| line.contains(mark))).collect();
        ensure!(
            found.is_empty(),
            "Wine's kernel host has ended:\n{}\nthe whole log is {}",
            found.join("\n"),
            self.kernel_log().display()
        );
        Ok(())
    }

    /// The messages of Wine's services and kernel hosts.
    pub(crate) fn kernel_log(&self) -> PathBuf {
        self.logs.join("wine-kernel.log")
    }

    /// Takes everything down.
    ///
    /// # Errors
    /// A kernel host had ended before, or processes do not end.
    pub(crate) fn stop(self) -> Result<()> {
        self.prefix.end_processes()?;
        self.check()
    }
}

impl Drop for KernelHost {
    fn drop(&mut self) {
        if let Err(error) = self.prefix.end_processes() {
            eprintln!("warning: {error:#}");
        }
    }
}

/// Takes the host down when the user interrupts this program: nothing goes out of scope then.
fn end_at_interruption(prefix: &Path) {
    static INSTALLED: Once = Once::new();
    let prefix = prefix.to_owned();
    INSTALLED.call_once(|| {
        let installed = ctrlc::set_handler(move || {
            if let Err(error) = processes::end_all(&prefix, Duration::from_secs(10)) {
                eprintln!("{error:#}");
            }
            // 128 and the number of SIGINT, as a shell has it.
            std::process::exit(130);
        });
        if let Err(error) = installed {
            eprintln!("warning: Ctrl+C will leave Wine running until the next start: {error}");
        }
    });
}

fn read(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map(drop).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}
