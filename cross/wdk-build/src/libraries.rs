//! Which import libraries the bindings of each API subset need.

use std::fmt::Write as _;

use crate::{ApiSubset, Config, CpuArchitecture, DriverConfig};

impl Config {
    /// Rust source, to be put into the bindings of `subset`, that links the libraries it needs; `None` if it needs none.
    ///
    /// The libraries are left out of unit tests and where the feature `suppress-wdk-linking` is on.
    #[must_use]
    pub fn bindgen_library_link_raw_lines(&self, subset: ApiSubset) -> Option<String> {
        let libraries = match subset {
            ApiSubset::Base => self.base_libraries(),
            ApiSubset::Hid if self.driver_config.is_kernel_mode() => vec!["VhfKm"],
            ApiSubset::Hid => vec!["VhfUm"],
            ApiSubset::Wdf
            | ApiSubset::Gpio
            | ApiSubset::ParallelPorts
            | ApiSubset::Spb
            | ApiSubset::Storage
            | ApiSubset::Usb => vec![],
        };
        (!libraries.is_empty()).then(|| libraries.into_iter().map(link_attribute).collect())
    }

    fn base_libraries(&self) -> Vec<&'static str> {
        let kernel = ["BufferOverflowFastFailK", "ntoskrnl", "hal", "wmilib"];
        let of_processor = match self.cpu_architecture {
            CpuArchitecture::Amd64 => &[][..],
            CpuArchitecture::Arm64 => &["arm64rt"],
        };
        match &self.driver_config {
            DriverConfig::Wdm => [&kernel, of_processor].concat(),
            DriverConfig::Kmdf(_) => [&kernel, &["WdfLdr", "WdfDriverEntry"][..], of_processor].concat(),
            DriverConfig::Umdf(umdf) if umdf.umdf_version_major >= 2 => {
                vec!["WdfDriverStubUm", "ntdll", "OneCoreUAP"]
            }
            DriverConfig::Umdf(_) => vec!["OneCoreUAP"],
        }
    }
}

fn link_attribute(library: &str) -> String {
    let mut source = String::from("#[cfg(not(any(test, feature = \"suppress-wdk-linking\")))]\n");
    writeln!(source, "#[link(name = \"{library}\", kind = \"static\", modifiers = \"-bundle\")]")
        .expect("writing to a String cannot fail");
    source.push_str("unsafe extern \"C\" {}\n");
    source
}
