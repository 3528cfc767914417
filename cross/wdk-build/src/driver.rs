//! What kind of driver is built, and for which processor.

use serde::Deserialize;

/// The driver model, as `[package.metadata.wdk.driver-model]` of a `Cargo.toml` names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(tag = "driver-type", rename_all = "UPPERCASE", deny_unknown_fields)]
pub enum DriverConfig {
    /// Windows Driver Model.
    Wdm,
    /// Kernel-Mode Driver Framework.
    Kmdf(KmdfConfig),
    /// User-Mode Driver Framework.
    Umdf(UmdfConfig),
}

impl DriverConfig {
    /// The three driver models' names, as they appear in manifests and in `cfg(driver_model__driver_type)`.
    pub(crate) const NAMES: [&'static str; 3] = ["WDM", "KMDF", "UMDF"];

    pub(crate) fn name(&self) -> &'static str {
        let [wdm, kmdf, umdf] = Self::NAMES;
        match self {
            Self::Wdm => wdm,
            Self::Kmdf(_) => kmdf,
            Self::Umdf(_) => umdf,
        }
    }

    pub(crate) fn is_kernel_mode(&self) -> bool {
        !matches!(self, Self::Umdf(_))
    }
}

/// The versions of KMDF a driver is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KmdfConfig {
    /// Major version.
    pub kmdf_version_major: u8,
    /// Minor version the driver is built against.
    pub target_kmdf_version_minor: u8,
    /// Lowest minor version the driver runs on; the target version where absent.
    pub minimum_kmdf_version_minor: Option<u8>,
}

impl Default for KmdfConfig {
    fn default() -> Self {
        Self { kmdf_version_major: 1, target_kmdf_version_minor: 33, minimum_kmdf_version_minor: None }
    }
}

impl KmdfConfig {
    /// KMDF 1.33.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// The versions of UMDF a driver is built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct UmdfConfig {
    /// Major version.
    pub umdf_version_major: u8,
    /// Minor version the driver is built against.
    pub target_umdf_version_minor: u8,
    /// Lowest minor version the driver runs on; the target version where absent.
    pub minimum_umdf_version_minor: Option<u8>,
}

impl Default for UmdfConfig {
    fn default() -> Self {
        Self { umdf_version_major: 2, target_umdf_version_minor: 33, minimum_umdf_version_minor: None }
    }
}

impl UmdfConfig {
    /// UMDF 2.33.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// The processors that Windows drivers are built for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CpuArchitecture {
    /// x86-64.
    Amd64,
    /// `AArch64`.
    Arm64,
}

impl CpuArchitecture {
    /// The name of the WDK's library directory for this processor.
    #[must_use]
    pub const fn as_windows_str(&self) -> &str {
        match self {
            Self::Amd64 => "x64",
            Self::Arm64 => "ARM64",
        }
    }

    /// The processor that cargo calls `name` (`CARGO_CFG_TARGET_ARCH`), if Windows drivers exist for it.
    #[must_use]
    pub fn try_from_cargo_str<S: AsRef<str>>(name: S) -> Option<Self> {
        match name.as_ref() {
            "x86_64" => Some(Self::Amd64),
            "aarch64" => Some(Self::Arm64),
            _ => None,
        }
    }
}
