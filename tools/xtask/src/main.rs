//! `cargo xtask`: every command that a developer of netio-anycast needs, on Debian 12.

#![forbid(unsafe_code)]

mod cargo;
mod cross;
mod setup;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about, disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install the Debian packages that the other commands need (each does so itself)
    Setup,
    /// Build the driver: target/driver/netio_anycast.sys and .pdb
    Build,
    /// Run clippy on the driver, as it is built for Windows
    Clippy,
    /// Build the driver's documentation
    Doc,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let workspace = workspace_root();
    match arguments.command {
        Command::Setup => setup::install_packages(setup::ALL),
        Command::Build => {
            let driver = cross::build_driver(&workspace)?;
            println!("built {}", driver.image.display());
            Ok(())
        }
        Command::Clippy => cross::clippy_driver(&workspace),
        Command::Doc => cross::doc_driver(&workspace),
    }
}

/// The directory of the workspace's Cargo.toml.
fn workspace_root() -> PathBuf {
    // This crate is tools/xtask of it.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("tools/xtask is two directories below the workspace's root")
        .to_owned()
}
