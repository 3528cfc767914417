//! The configuration of a build.

use std::{env, path::PathBuf};

use crate::{ConfigError, CpuArchitecture, DriverConfig, metadata, tree};

/// Everything the build of a driver depends on: the WDK, the processor, the driver model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub(crate) wdk_content_root: PathBuf,
    pub(crate) cpu_architecture: CpuArchitecture,
    /// The driver model.
    pub driver_config: DriverConfig,
}

impl Config {
    /// The configuration of the build that the running build script is part of, and the directives that have cargo run
    /// it again when a manifest changes.
    ///
    /// # Errors
    /// `cargo metadata` fails; the manifests name no driver model, a malformed one, or more than one; there is no WDK.
    pub fn from_env_auto() -> Result<Self, ConfigError> {
        let manifests = metadata::read()?;
        for path in &manifests.paths {
            println!("cargo:rerun-if-changed={path}");
        }
        let architecture = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
        Ok(Self {
            wdk_content_root: tree::content_root()?,
            cpu_architecture: CpuArchitecture::try_from_cargo_str(&architecture)
                .ok_or(ConfigError::UnsupportedArchitecture(architecture))?,
            driver_config: manifests.driver,
        })
    }

    /// The name of the symbol through which WDF's functions are reached; `None` for WDM.
    #[must_use]
    pub fn compute_wdffunctions_symbol_name(&self) -> Option<String> {
        let (major, minor) = match &self.driver_config {
            DriverConfig::Wdm => return None,
            DriverConfig::Kmdf(kmdf) => (kmdf.kmdf_version_major, kmdf.target_kmdf_version_minor),
            DriverConfig::Umdf(umdf) => (umdf.umdf_version_major, umdf.target_umdf_version_minor),
        };
        Some(format!("WdfFunctions_{major:02}0{minor:02}"))
    }
}
