//! What the headers are preprocessed with.

use crate::{Config, CpuArchitecture, DriverConfig};

type Definition = (&'static str, Option<u8>);

impl Config {
    /// The macros defined before any header is read, with their values.
    pub fn preprocessor_definitions(&self) -> impl Iterator<Item = (String, Option<String>)> {
        self.processor_definitions()
            .into_iter()
            .chain(self.driver_definitions())
            .map(|(name, value)| (name.to_owned(), value.map(|value| value.to_string())))
    }

    fn processor_definitions(&self) -> Vec<Definition> {
        match self.cpu_architecture {
            CpuArchitecture::Amd64 => vec![("_WIN64", None), ("_AMD64_", None), ("AMD64", None)],
            CpuArchitecture::Arm64 => {
                vec![("_ARM64_", None), ("ARM64", None), ("_USE_DECLSPECS_FOR_SAL", Some(1)), ("STD_CALL", None)]
            }
        }
    }

    fn driver_definitions(&self) -> Vec<Definition> {
        match &self.driver_config {
            DriverConfig::Wdm => vec![("_KERNEL_MODE", None)],
            DriverConfig::Kmdf(kmdf) => {
                let mut definitions = vec![
                    ("_KERNEL_MODE", None),
                    ("KMDF_VERSION_MAJOR", Some(kmdf.kmdf_version_major)),
                    ("KMDF_VERSION_MINOR", Some(kmdf.target_kmdf_version_minor)),
                ];
                if let Some(minimum) = kmdf.minimum_kmdf_version_minor {
                    definitions.push(("KMDF_MINIMUM_VERSION_REQUIRED", Some(minimum)));
                }
                definitions
            }
            DriverConfig::Umdf(umdf) => {
                let mut definitions = vec![
                    ("UMDF_VERSION_MAJOR", Some(umdf.umdf_version_major)),
                    ("UMDF_VERSION_MINOR", Some(umdf.target_umdf_version_minor)),
                    ("_ATL_NO_WIN_SUPPORT", None),
                    ("WIN32_LEAN_AND_MEAN", Some(1)),
                ];
                if let Some(minimum) = umdf.minimum_umdf_version_minor {
                    definitions.push(("UMDF_MINIMUM_VERSION_REQUIRED", Some(minimum)));
                }
                if umdf.umdf_version_major >= 2 {
                    definitions.extend([("UMDF_USING_NTSTATUS", None), ("_UNICODE", None), ("UNICODE", None)]);
                }
                definitions
            }
        }
    }

    /// The flags, other than macros and directories, that bindgen's clang reads the WDK's headers with.
    pub fn wdk_bindgen_compiler_flags() -> impl Iterator<Item = String> {
        const SILENCED_WARNINGS: [&str; 10] = [
            "nonportable-include-path",
            "pragma-pack",
            "ignored-attributes",
            "ignored-pragma-intrinsic",
            "visibility",
            "switch",
            "comment",
            "deprecated-declarations",
            "invalid-token-paste",
            "microsoft",
        ];
        ["-fms-compatibility", "-fms-extensions", "-fdelayed-template-parsing"]
            .into_iter()
            .map(str::to_owned)
            .chain(SILENCED_WARNINGS.map(|warning| format!("--warn-=no-{warning}")))
    }
}
