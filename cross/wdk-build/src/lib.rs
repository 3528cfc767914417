//! A Linux-host port of the part of `wdk-build` that the published `wdk`, `wdk-sys`, `wdk-alloc` and `wdk-panic` crates
//! call from their build scripts.
//!
//! The published crate refuses to compile on a host that is not Windows. This one has its name and version, so that
//! `[patch.crates-io]`, given on cargo's command line only, puts it in that crate's place when the driver is built on
//! Linux. On Windows nobody sees it. `cross/wdk-build-parity` holds its answers to those of the original.
//!
//! What differs between the real WDK and the tree that `netio-anycast-kit` arranges is **not** handled here but by that
//! tree and by `BINDGEN_EXTRA_CLANG_ARGS`, which bindgen itself reads: this crate answers as the original does.

#![forbid(unsafe_code)]

mod bindgen;
mod config;
mod definitions;
mod driver;
mod error;
mod headers;
mod libraries;
mod link;
mod metadata;
mod tree;

pub use crate::{
    bindgen::BuilderExt,
    config::Config,
    driver::{CpuArchitecture, DriverConfig, KmdfConfig, UmdfConfig},
    error::{ConfigError, IoError},
    headers::ApiSubset,
    metadata::find_top_level_cargo_manifest,
};

/// Configures the build of a library that depends on the WDK: tells rustc the driver model through `cfg`.
///
/// Where no crate of the build names a driver model only the permitted values of that `cfg` are told.
///
/// # Errors
/// `cargo metadata` fails, or the driver model is malformed or contradictory.
pub fn configure_wdk_library_build() -> Result<(), ConfigError> {
    configure_wdk_library_build_and_then(|_| Ok(()))
}

/// Does what [`configure_wdk_library_build`] does, then calls `then` with the configuration, if there is one.
///
/// # Errors
/// Those of [`configure_wdk_library_build`] and those of `then`.
pub fn configure_wdk_library_build_and_then<F, E>(mut then: F) -> Result<(), E>
where
    F: FnMut(Config) -> Result<(), E>,
    E: From<ConfigError>,
{
    match Config::from_env_auto() {
        Ok(config) => {
            config.configure_library_build()?;
            then(config)
        }
        Err(ConfigError::NoDriverModel) => {
            Config::emit_check_cfg_settings();
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Configures the build of a driver: search paths and linker arguments, and what a library build is told.
///
/// # Errors
/// No crate of the build names a driver model, a directory of the WDK is missing, or the C runtime is not linked
/// statically.
pub fn configure_wdk_binary_build() -> Result<(), ConfigError> {
    Config::from_env_auto()?.configure_binary_build()
}
