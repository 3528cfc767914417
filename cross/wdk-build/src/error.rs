//! What can go wrong while a build is configured.

use std::path::PathBuf;

/// An input or output error together with the file or directory it happened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot access {}: {source}", path.display())]
pub struct IoError {
    path: PathBuf,
    source: std::io::Error,
}

impl IoError {
    /// Joins `source` with the path it happened on.
    pub fn with_path(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        Self { path: path.into(), source }
    }
}

/// Why a build could not be configured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A file or directory could not be accessed.
    #[error(transparent)]
    IoError(#[from] IoError),

    /// A directory that every WDK has is missing.
    #[error("no such directory in the WDK tree: {}; `cargo xtask build` arranges that tree", .0.display())]
    DirectoryNotFound(PathBuf),

    /// There is no WDK.
    #[error(
        "the environment variable WDKContentRoot does not name a directory with a WDK tree; \
         build the driver with `cargo xtask build`, which arranges one and sets it"
    )]
    NoWdk,

    /// Cargo does not say what it builds for, or it is a processor without Windows drivers.
    #[error("no Windows drivers exist for the target architecture {0:?} (CARGO_CFG_TARGET_ARCH)")]
    UnsupportedArchitecture(String),

    /// `cargo metadata` failed.
    #[error("cannot read the build's manifests: {0}")]
    CargoMetadata(#[from] cargo_metadata::Error),

    /// No crate of the build names a driver model.
    #[error("no [package.metadata.wdk.driver-model] in any Cargo.toml of the build")]
    NoDriverModel,

    /// Two crates of the build name different driver models.
    #[error("the build's manifests name several driver models, of which only one can be: {0}")]
    SeveralDriverModels(String),

    /// The section of the manifest that names the driver model is malformed.
    #[error("the metadata.wdk section of {manifest} is malformed: {source}")]
    MalformedDriverModel {
        /// The manifest.
        manifest: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },

    /// The C runtime would be a DLL, which kernel mode does not have.
    #[error(
        "a driver needs the C runtime linked statically: add rustflags = [\"-Ctarget-feature=+crt-static\"] \
         for the target in .cargo/config.toml"
    )]
    StaticCrtNotEnabled,

    /// bindgen does not know the version of Rust that bindings are generated for.
    #[error("bindgen cannot generate bindings for Rust 1.{minor}: {reason}")]
    RustTarget {
        /// The minor version asked for.
        minor: u64,
        /// What bindgen says.
        reason: String,
    },
}
