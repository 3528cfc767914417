//! Which headers each part of the WDK's API is declared in.

use std::{fmt, fs};

use crate::{Config, ConfigError, DriverConfig, IoError};

/// A part of the WDK's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiSubset {
    /// What every driver uses.
    Base,
    /// Windows Driver Framework.
    Wdf,
    /// General-purpose input and output pins.
    Gpio,
    /// Human interface devices.
    Hid,
    /// Parallel and serial ports.
    ParallelPorts,
    /// Simple peripheral bus.
    Spb,
    /// Disks, tapes, optical drives and volumes.
    Storage,
    /// Universal serial bus.
    Usb,
}

/// The headers of one subset: those that every driver model has and those that some add.
struct Headers {
    all: &'static [&'static str],
    kernel_mode: &'static [&'static str],
    kmdf: &'static [&'static str],
    wdf: &'static [&'static str],
}

impl Headers {
    const NONE: Self = Self { all: &[], kernel_mode: &[], kmdf: &[], wdf: &[] };

    const fn of(subset: ApiSubset) -> Self {
        match subset {
            // `windows.h`, the user-mode base, is the one header that only UMDF has: see `Config::headers`.
            ApiSubset::Base => Self { kernel_mode: &["ntifs.h", "ntddk.h", "ntstrsafe.h"], ..Self::NONE },
            ApiSubset::Wdf => Self { wdf: &["wdf.h"], ..Self::NONE },
            ApiSubset::Gpio => Self { all: &["gpio.h"], kmdf: &["gpioclx.h"], ..Self::NONE },
            ApiSubset::Hid => Self {
                all: &["hidclass.h", "hidsdi.h", "hidpi.h", "vhf.h"],
                kernel_mode: &["hidpddi.h", "hidport.h", "kbdmou.h", "ntdd8042.h"],
                kmdf: &["HidSpiCx/1.0/hidspicx.h"],
                ..Self::NONE
            },
            ApiSubset::ParallelPorts => {
                Self { all: &["ntddpar.h", "ntddser.h"], kernel_mode: &["parallel.h"], ..Self::NONE }
            }
            ApiSubset::Spb => Self {
                all: &["spb.h", "reshub.h"],
                kernel_mode: &["pwmutil.h"],
                kmdf: &["spb/1.1/spbcx.h"],
                ..Self::NONE
            },
            ApiSubset::Storage => Self {
                all: &[
                    "ehstorioctl.h",
                    "ntddcdrm.h",
                    "ntddcdvd.h",
                    "ntdddisk.h",
                    "ntddmmc.h",
                    "ntddscsi.h",
                    "ntddstor.h",
                    "ntddtape.h",
                    "ntddvol.h",
                    "ufs.h",
                ],
                kernel_mode: &["mountdev.h", "mountmgr.h", "ntddchgr.h", "ntdddump.h", "storduid.h", "storport.h"],
                kmdf: &["ehstorbandmgmt.h"],
                ..Self::NONE
            },
            ApiSubset::Usb => Self {
                all: &["usb.h", "usbfnbase.h", "usbioctl.h", "usbspec.h", "Usbpmapi.h"],
                kernel_mode: &["usbbusif.h", "usbdlib.h", "usbfnattach.h", "usbfnioctl.h"],
                wdf: &["wdfusb.h"],
                kmdf: &[
                    "ucm/1.0/UcmCx.h",
                    "UcmTcpci/1.0/UcmTcpciCx.h",
                    "UcmUcsi/1.0/UcmucsiCx.h",
                    "ude/1.1/UdeCx.h",
                    "ufx/1.1/ufxbase.h",
                    "ufxproprietarycharger.h",
                    "urs/1.0/UrsCx.h",
                ],
            },
        }
    }
}

impl Config {
    /// The headers that declare `subset` for this driver model, in the order they must be included in.
    ///
    /// # Errors
    /// The one header whose name depends on what is installed (USB host controllers, KMDF only) is not.
    pub fn headers(&self, subset: ApiSubset) -> Result<impl Iterator<Item = String>, ConfigError> {
        let headers = Headers::of(subset);
        let is_kmdf = matches!(self.driver_config, DriverConfig::Kmdf(_));
        let groups = [
            (true, headers.all),
            (self.driver_config.is_kernel_mode(), headers.kernel_mode),
            (self.driver_config != DriverConfig::Wdm, headers.wdf),
            (is_kmdf, headers.kmdf),
        ];
        let mut names: Vec<String> = groups
            .into_iter()
            .filter(|(applies, _)| *applies)
            .flat_map(|(_, group)| group.iter().copied().map(str::to_owned))
            .collect();
        if subset == ApiSubset::Base && !self.driver_config.is_kernel_mode() {
            names.push("windows.h".to_owned());
        }
        if subset == ApiSubset::Usb && is_kmdf {
            names.push(self.host_controller_header()?);
            if clang_reads_ufxclient() {
                names.push("ufx/1.1/ufxclient.h".to_owned());
            }
        }
        Ok(names.into_iter())
    }

    /// The header of the newest installed version of the USB host controller extension.
    fn host_controller_header(&self) -> Result<String, ConfigError> {
        let directory = self.sdk_library_path()?.join("ucx");
        let entries = fs::read_dir(&directory).map_err(|error| IoError::with_path(&directory, error))?;
        let (major, minor) = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().is_dir())
            .filter_map(|entry| two_part_version(entry.file_name().to_str()?))
            .max()
            .ok_or(ConfigError::DirectoryNotFound(directory.join("MAJOR.MINOR")))?;
        Ok(format!("ucx/{major}.{minor}/ucxclass.h"))
    }

    /// The text of a header that includes everything `subsets` are declared in.
    ///
    /// # Errors
    /// Those of [`Config::headers`].
    pub fn bindgen_header_contents(
        &self,
        subsets: impl IntoIterator<Item = ApiSubset> + fmt::Debug,
    ) -> Result<String, ConfigError> {
        let mut contents = String::new();
        for subset in subsets {
            for header in self.headers(subset)? {
                contents.push_str("#include \"");
                contents.push_str(&header);
                contents.push_str("\"\n");
            }
        }
        Ok(contents)
    }
}

fn two_part_version(name: &str) -> Option<(u32, u32)> {
    let (major, minor) = name.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// ufxclient.h has `FORCEINLINE` where C does not permit it; clang accepts that from version 20 on.
fn clang_reads_ufxclient() -> bool {
    bindgen::clang_version().parsed.is_some_and(|(major, _)| major >= 20)
}

#[cfg(test)]
mod tests {
    use super::two_part_version;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(two_part_version("1.10") > two_part_version("1.9"));
        assert_eq!(two_part_version("1"), None);
        assert_eq!(two_part_version("1.2.3"), None);
        assert_eq!(two_part_version("um.1"), None);
    }
}
