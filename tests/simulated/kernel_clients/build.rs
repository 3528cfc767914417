//! The images of the drivers that are clients.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use kernel_sim::Image;

use crate::controls::build;

/// The driver that does what a test tells it.
pub(super) fn proxy() -> Image {
    static IMAGE: LazyLock<Image> = LazyLock::new(|| compile("tests/simulated/kernel_clients/proxy.c"));
    IMAGE.clone()
}

/// `samples/kernel-client-c`, compiled here as `cargo xtask samples` does.
pub(super) fn sample_in_c() -> Image {
    static IMAGE: LazyLock<Image> = LazyLock::new(|| compile("samples/kernel-client-c/anycast_client_c.c"));
    IMAGE.clone()
}

/// `samples/kernel-client-rust`, as `cargo xtask samples` has built it. `NETIO_ANYCAST_RUST_SAMPLE` names another image.
pub(super) fn sample_in_rust() -> Image {
    let path = std::env::var_os("NETIO_ANYCAST_RUST_SAMPLE")
        .map_or_else(|| root().join("target/samples/anycast_client_rust.sys"), PathBuf::from);
    assert!(path.exists(), "{} is not there. Build the samples first: cargo xtask samples --build", path.display());
    Image::read(&path).expect("the sample's image can be loaded")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn compile(source: &str) -> Image {
    Image::read(&build::driver(source)).expect("the driver's image can be loaded")
}
