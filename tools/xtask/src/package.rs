//! The driver package: the image with its INF, as Windows and Wine install it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use time::OffsetDateTime;
use time::macros::format_description;

/// Puts the driver's image and stamped INF side by side into `target/driver/package`, and returns that folder.
///
/// # Errors
/// The image was not built, or the INX is not one that can be stamped.
pub(crate) fn assemble(root: &Path, image: &Path) -> Result<PathBuf> {
    let package = root.join("target/driver/package");
    fs::create_dir_all(&package).with_context(|| format!("creating {}", package.display()))?;
    let inx = root.join("inf/netio_anycast.inx");
    let template = fs::read_to_string(&inx).with_context(|| format!("reading {}", inx.display()))?;
    let inf = stamp(&template, OffsetDateTime::now_utc(), env!("CARGO_PKG_VERSION"))?;
    fs::write(package.join("netio_anycast.inf"), inf).context("writing the INF")?;
    fs::copy(image, package.join("netio_anycast.sys")).with_context(|| format!("copying {}", image.display()))?;
    Ok(package)
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
    fn an_inx_without_a_driver_ver_to_fill_in_is_refused() {
        let error = stamp("[Version]\n", OffsetDateTime::UNIX_EPOCH, "1.2.3").expect_err("nothing to stamp");
        assert!(error.to_string().contains("DriverVer"));
    }
}
