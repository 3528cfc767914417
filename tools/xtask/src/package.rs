//! Driver packages: an image with its INF, as Windows and Wine install it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use time::OffsetDateTime;
use time::macros::format_description;

/// A driver package, and the service that its INF makes.
pub(crate) struct Package {
    /// The service's name, which is also that of the image and of the INF.
    pub(crate) service: String,
    /// The services that have to run before it, by its INF.
    pub(crate) dependencies: Vec<String>,
    /// The folder with image and INF.
    pub(crate) directory: PathBuf,
}

/// The package of this driver, in `target/driver/package`.
///
/// # Errors
/// The image was not built, or the INX is not one that can be stamped.
pub(crate) fn assemble(root: &Path, image: &Path) -> Result<Package> {
    assemble_in(&root.join("target/driver/package"), &root.join("inf/netio_anycast.inx"), image)
}

/// Puts a driver's image and its stamped INF side by side into `directory`. The INX is named for the service.
///
/// # Errors
/// As for [`assemble`].
pub(crate) fn assemble_in(directory: &Path, inx: &Path, image: &Path) -> Result<Package> {
    fs::create_dir_all(directory).with_context(|| format!("creating {}", directory.display()))?;
    let service = inx.file_stem().and_then(OsStr::to_str).context("an INX has a name")?.to_owned();
    let template = fs::read_to_string(inx).with_context(|| format!("reading {}", inx.display()))?;
    let inf = stamp(&template, OffsetDateTime::now_utc(), env!("CARGO_PKG_VERSION"))?;
    let package = Package { service, dependencies: dependencies(&template), directory: directory.to_owned() };
    fs::write(package.inf(), inf).context("writing the INF")?;
    let copy = package.image();
    fs::copy(image, &copy).with_context(|| format!("copying {} to {}", image.display(), copy.display()))?;
    Ok(package)
}

impl Package {
    /// Its image.
    pub(crate) fn image(&self) -> PathBuf {
        self.file("sys")
    }

    /// Its INF.
    fn inf(&self) -> PathBuf {
        self.file("inf")
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.directory.join(&self.service).with_extension(extension)
    }
}

/// What the INF's `Dependencies` lines name. The service manager of Windows starts those services first; Wine's installer passes the
/// line over.
fn dependencies(inf: &str) -> Vec<String> {
    let lines = inf.lines().filter_map(|line| line.split(';').next()?.split_once('='));
    let lists = lines.filter(|(key, _)| key.trim().eq_ignore_ascii_case("Dependencies")).map(|(_, list)| list);
    lists.flat_map(|list| list.split(',')).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

/// What stampinf does to an INX on Windows: the architecture and DriverVer filled in.
///
/// Source: <https://learn.microsoft.com/windows-hardware/drivers/devtest/stampinf>
fn stamp(inx: &str, date: OffsetDateTime, version: &str) -> Result<String> {
    let date = date.format(format_description!("[month]/[day]/[year]")).context("formatting the date")?;
    let mut stamped = 0;
    let mut lines = Vec::new();
    for line in inx.lines() {
        if line.trim_end().strip_suffix('=').is_some_and(|key| key.trim() == "DriverVer") {
            lines.push(format!("DriverVer   = {date},{version}.0"));
            stamped += 1;
        } else {
            lines.push(line.replace("$ARCH$", "amd64"));
        }
    }
    if stamped != 1 {
        bail!("the INX has {stamped} empty DriverVer lines where there should be one");
    }
    Ok(lines.join("\r\n") + "\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamping_fills_in_architecture_and_version() {
        let inx = "[Version]\nDriverVer   =\n[DefaultInstall.NT$ARCH$]\n";
        let inf = stamp(inx, OffsetDateTime::UNIX_EPOCH, "1.2.3").expect("the INX can be stamped");
        assert_eq!(inf, "[Version]\r\nDriverVer   = 01/01/1970,1.2.3.0\r\n[DefaultInstall.NTamd64]\r\n");
    }

    #[test]
    fn dependencies_are_those_that_the_inf_names() {
        let inf = "; Dependencies = none\n[Service]\nDependencies = one, two ; and no more\nLoadOrderGroup = three\n";
        assert_eq!(dependencies(inf), ["one", "two"]);
        assert!(dependencies("[Service]\nDependencies =\n").is_empty());
    }

    #[test]
    fn an_inx_without_a_driver_ver_to_fill_in_is_refused() {
        let error = stamp("[Version]\n", OffsetDateTime::UNIX_EPOCH, "1.2.3").expect_err("nothing to stamp");
        assert!(error.to_string().contains("DriverVer"));
    }
}
