//! A Wine prefix: the directory that holds drive C and the registry.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::output::run_to_file;
use super::processes;

/// The files of the registry.
const REGISTRY: [&str; 3] = ["system.reg", "user.reg", "userdef.reg"];
/// How long a new prefix may take: 10 to 20 seconds were seen.
const CREATION_LIMIT: Duration = Duration::from_mins(3);
/// How long the processes of a prefix may take to end.
const END_LIMIT: Duration = Duration::from_secs(20);
/// What drivers write with DbgPrint, and what goes wrong while modules are loaded.
const KERNEL_CHANNELS: &str = "-all,+debugstr,err+module,err+ntoskrnl";

/// A prefix that no process runs in, with the registry as it was when it was new.
pub(crate) struct Prefix {
    directory: PathBuf,
    /// Held as long as the prefix is used.
    _lock: File,
}

impl Prefix {
    /// The prefix in `target/wine`: made if there is none, and freed of whatever an interrupted run left in it.
    ///
    /// # Errors
    /// Another process uses it, Wine is missing or can't make it, or processes in it do not end.
    pub(crate) fn prepare(root: &Path, logs: &Path) -> Result<Self> {
        let home = root.join("target/wine");
        fs::create_dir_all(&home).with_context(|| format!("cannot create {}", home.display()))?;
        let lock = lock(&home)?;
        // In its canonical form, so that processes are recognised by it.
        let directory = home.canonicalize()?.join("prefix");
        processes::end_all(&directory, END_LIMIT)?;
        let prefix = Self { directory, _lock: lock };
        let registry = home.join("registry");
        let version = wine_version()?;
        // Written last, so that it tells a complete prefix from one whose making was interrupted.
        let stamp = registry.join("wine-version");
        if fs::read_to_string(&stamp).is_ok_and(|made_by| made_by == version) {
            copy_registry(&registry, &prefix.directory)?;
        } else {
            prefix.create(logs)?;
            remove_directory(&registry)?;
            fs::create_dir_all(&registry).with_context(|| format!("cannot create {}", registry.display()))?;
            copy_registry(&prefix.directory, &registry)?;
            fs::write(&stamp, version).with_context(|| format!("cannot write {}", stamp.display()))?;
        }
        Ok(prefix)
    }

    fn create(&self, logs: &Path) -> Result<()> {
        remove_directory(&self.directory)?;
        let log = logs.join("wine-new-prefix.log");
        let finished = run_to_file(self.command("wineboot").arg("--init"), &log, &log, CREATION_LIMIT)
            .with_context(|| format!("Wine cannot make a new prefix; its output is in {}", log.display()))?;
        ensure!(finished.success(), "making a Wine prefix ended with {finished}; its output is in {}", log.display());
        // The server writes the registry when it ends.
        self.end_processes()?;
        for file in REGISTRY {
            ensure!(
                self.directory.join(file).exists(),
                "the new Wine prefix has no {file}; Wine's output is in {}",
                log.display()
            );
        }
        Ok(())
    }

    /// A command of Wine's for this prefix, with the kernel's messages on its standard error.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env("WINEPREFIX", &self.directory)
            .env("WINEDEBUG", KERNEL_CHANNELS)
            // Neither .NET nor a browser nor a debugger is needed; netio.sys is the project's instead of Wine's.
            .env("WINEDLLOVERRIDES", "mscoree,mshtml,winedbg.exe=;netio.sys=n")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY");
        command
    }

    /// A directory or file on drive C, its path relative to `C:\`.
    pub(crate) fn drive_c(&self, path: &str) -> PathBuf {
        self.directory.join("drive_c").join(path)
    }

    /// Ends every process in the prefix, and waits until they are gone.
    ///
    /// # Errors
    /// Some do not end.
    pub(crate) fn end_processes(&self) -> Result<()> {
        processes::end_all(&self.directory, END_LIMIT)
    }

    /// Where it is.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }
}

/// Keeps other processes away from the prefix.
fn lock(home: &Path) -> Result<File> {
    let path = home.join("lock");
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => {
            bail!("another cargo xtask uses the Wine prefix in {}; wait for its end", home.display())
        }
        Err(fs::TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

/// What `wine --version` says.
fn wine_version() -> Result<String> {
    let output = Command::new("wine").arg("--version").output();
    let output = output.context("cannot run Wine; `cargo xtask setup` installs Debian's wine and wine64")?;
    ensure!(output.status.success(), "`wine --version` ended with {}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn copy_registry(from: &Path, to: &Path) -> Result<()> {
    for file in REGISTRY {
        let (from, to) = (from.join(file), to.join(file));
        fs::copy(&from, &to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    }
    Ok(())
}

fn remove_directory(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
