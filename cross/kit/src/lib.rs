//! Arranges what Debian's packages have for building Windows drivers as a WDK tree, so that the published wdk crates can
//! be built on Linux, and builds drivers in C against it.
//!
//! The tree holds mingw-w64's headers and import libraries, clang's own headers, and what those lack or have otherwise
//! than the WDK: `include/` and `lib/` of this crate. It is found through the environment variable `WDKContentRoot`, like
//! the WDK itself.
//!
//! ```no_run
//! # fn main() -> Result<(), netio_anycast_kit::Error> {
//! let root = std::path::Path::new("target/cross/wdk");
//! netio_anycast_kit::arrange(&netio_anycast_kit::Sources::debian(), root)?;
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod driver;
mod files;
mod headers;
mod libraries;

use std::path::{Path, PathBuf};

pub use driver::CDriver;

/// The version the tree's directories carry: that of Windows 10 1809, which the headers declare.
pub const VERSION: &str = "10.0.17763.0";

/// What bindgen's clang must be told besides `wdk-build`'s flags to read mingw-w64's headers: the value of
/// `BINDGEN_EXTRA_CLANG_ARGS`.
///
/// These come last on clang's command line and so override. mingw-w64's `va_list` does not compile with
/// `-fms-compatibility`, nor for the `msvc` target, whose record layout and calling convention are the same.
pub const BINDGEN_EXTRA_CLANG_ARGS: &str = "--target=x86_64-pc-windows-gnu -nostdinc -fno-ms-compatibility";

/// Where the headers and libraries come from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// mingw-w64's headers, with those for drivers in `ddk`.
    pub mingw_headers: PathBuf,
    /// mingw-w64's libraries for x86-64.
    pub mingw_libraries: PathBuf,
    /// The headers of the clang whose libclang bindgen loads.
    pub clang_headers: PathBuf,
}

impl Sources {
    /// Where the packages mingw-w64-x86-64-dev and libclang-common-19-dev of Debian 12 install them.
    #[must_use]
    pub fn debian() -> Self {
        Self {
            mingw_headers: "/usr/share/mingw-w64/include".into(),
            mingw_libraries: "/usr/x86_64-w64-mingw32/lib".into(),
            clang_headers: "/usr/lib/llvm-19/lib/clang/19/include".into(),
        }
    }
}

/// Why the tree could not be arranged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or directory could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// What it was tried on.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },

    /// A tool could not be started.
    #[error("cannot run {tool}: {source}; Debian's packages clang-19, lld-19 and llvm-19 have it")]
    Tool {
        /// The tool.
        tool: &'static str,
        /// What the operating system says.
        source: std::io::Error,
    },

    /// A tool reported an error.
    #[error("{tool} failed:\n{output}")]
    ToolFailed {
        /// The tool.
        tool: &'static str,
        /// What it printed.
        output: String,
    },
}

/// Arranges the tree below `root`. What is there already and right is left untouched, so that nothing is built again for
/// its sake.
///
/// # Errors
/// A package's files are missing, `root` cannot be written, or a tool fails.
pub fn arrange(sources: &Sources, root: &Path) -> Result<(), Error> {
    let include = root.join("Include").join(VERSION);
    headers::arrange(sources, &include)?;
    let libraries = root.join("Lib").join(VERSION).join("km/x64");
    libraries::arrange(sources, &include, &libraries, &root.join("work"))
}
