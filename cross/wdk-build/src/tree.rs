//! Where the WDK is and which of its directories a build uses.

use std::{
    env, fs,
    path::{Path, PathBuf, absolute},
};

use crate::{Config, ConfigError, DriverConfig, IoError};

/// The root of the WDK tree: `WDKContentRoot`, as a WDK command prompt sets it.
pub(crate) fn content_root() -> Result<PathBuf, ConfigError> {
    env::var_os("WDKContentRoot").map(PathBuf::from).filter(|root| root.is_dir()).ok_or(ConfigError::NoWdk)
}

/// The version of the SDK below `root`: `Version_Number` where the environment says so, otherwise the greatest one.
pub(crate) fn sdk_version(root: &Path) -> Result<String, ConfigError> {
    if let Ok(version) = env::var("Version_Number") {
        return Ok(version);
    }
    let directory = root.join("Lib");
    let entries = fs::read_dir(&directory).map_err(|error| IoError::with_path(&directory, error))?;
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with("10."))
        .max()
        .ok_or(ConfigError::DirectoryNotFound(directory.join("10.*")))
}

fn existing(directory: &Path) -> Result<PathBuf, ConfigError> {
    if !directory.is_dir() {
        return Err(ConfigError::DirectoryNotFound(directory.to_owned()));
    }
    Ok(absolute(directory).map_err(|error| IoError::with_path(directory, error))?)
}

impl Config {
    /// The directories that headers are looked for in, in that order.
    ///
    /// # Errors
    /// One of them does not exist.
    pub fn include_paths(&self) -> Result<impl Iterator<Item = PathBuf>, ConfigError> {
        let include = self.wdk_content_root.join("Include");
        let sdk = include.join(sdk_version(&self.wdk_content_root)?);
        let mode = sdk.join(self.mode());

        let mut directories = vec![sdk.join("km/crt"), mode.clone(), sdk.join("shared")];
        match &self.driver_config {
            DriverConfig::Wdm => {}
            DriverConfig::Kmdf(kmdf) => {
                let (major, minor) = (kmdf.kmdf_version_major, kmdf.target_kmdf_version_minor);
                directories.push(include.join(format!("wdf/kmdf/{major}.{minor}")));
                directories.push(mode.join("ufx/1.1"));
            }
            DriverConfig::Umdf(umdf) => {
                let (major, minor) = (umdf.umdf_version_major, umdf.target_umdf_version_minor);
                directories.push(include.join(format!("wdf/umdf/{major}.{minor}")));
            }
        }
        let directories = directories.iter().map(|directory| existing(directory)).collect::<Result<Vec<_>, _>>()?;
        Ok(directories.into_iter())
    }

    /// The directories that libraries are looked for in, in that order.
    ///
    /// # Errors
    /// One of them does not exist.
    pub fn library_paths(&self) -> Result<impl Iterator<Item = PathBuf>, ConfigError> {
        let libraries = self.wdk_content_root.join("Lib");
        let processor = self.cpu_architecture.as_windows_str();

        let mut directories = Vec::new();
        match &self.driver_config {
            DriverConfig::Wdm => {}
            DriverConfig::Kmdf(kmdf) => {
                let (major, minor) = (kmdf.kmdf_version_major, kmdf.target_kmdf_version_minor);
                directories.push(libraries.join(format!("wdf/kmdf/{processor}/{major}.{minor}")));
            }
            DriverConfig::Umdf(umdf) => {
                let (major, minor) = (umdf.umdf_version_major, umdf.target_umdf_version_minor);
                directories.push(libraries.join(format!("wdf/umdf/{processor}/{major}.{minor}")));
            }
        }
        directories.push(self.sdk_library_path()?);
        let directories = directories.iter().map(|directory| existing(directory)).collect::<Result<Vec<_>, _>>()?;
        Ok(directories.into_iter())
    }

    /// The SDK's own library directory.
    pub(crate) fn sdk_library_path(&self) -> Result<PathBuf, ConfigError> {
        Ok(self
            .wdk_content_root
            .join("Lib")
            .join(sdk_version(&self.wdk_content_root)?)
            // One string, not two joins: the published crate joins "km/x64", which shows in paths printed on Windows.
            .join(format!("{}/{}", self.mode(), self.cpu_architecture.as_windows_str())))
    }

    fn mode(&self) -> &'static str {
        if self.driver_config.is_kernel_mode() { "km" } else { "um" }
    }
}
