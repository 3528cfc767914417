//! Prints everything that wdk-build answers about a WDK tree, one answer a line.
//!
//! It is compiled twice: with the Linux port, for Linux, and with the published crate, for Windows, to be run in Wine.
//! `cargo xtask parity` runs both over the same tree and compares what they print. Like a build script it is told about the
//! build by the environment: `OUT_DIR`, `WDKContentRoot` and cargo's `CARGO_CFG_*`.

#![forbid(unsafe_code)]

use std::env;

use anyhow::Context as _;
use wdk_build::{ApiSubset, BuilderExt as _, Config, DriverConfig, KmdfConfig, UmdfConfig};

const SUBSETS: [ApiSubset; 8] = [
    ApiSubset::Base,
    ApiSubset::Wdf,
    ApiSubset::Gpio,
    ApiSubset::Hid,
    ApiSubset::ParallelPorts,
    ApiSubset::Spb,
    ApiSubset::Storage,
    ApiSubset::Usb,
];

fn main() -> anyhow::Result<()> {
    // wdk-build runs `cargo metadata`. Wine has no cargo: this program is named as one (CARGO) and answers with what the
    // host's cargo said.
    if env::args().nth(1).as_deref() == Some("metadata") {
        let recorded = env::var_os("PARITY_METADATA").context("PARITY_METADATA names no file")?;
        print!("{}", std::fs::read_to_string(recorded)?);
        return Ok(());
    }

    let mut config = Config::from_env_auto()?;
    section("driver model", format!("{:?}", config.driver_config));
    answers(&config)?;

    // The other driver models. Nothing of theirs is in the tree, so that only what needs no directory can be asked.
    let minimum =
        KmdfConfig { kmdf_version_major: 1, target_kmdf_version_minor: 33, minimum_kmdf_version_minor: Some(31) };
    let old = UmdfConfig { umdf_version_major: 1, target_umdf_version_minor: 11, minimum_umdf_version_minor: Some(9) };
    for driver in [
        DriverConfig::Kmdf(KmdfConfig::new()),
        DriverConfig::Kmdf(minimum),
        DriverConfig::Umdf(UmdfConfig::new()),
        DriverConfig::Umdf(old),
    ] {
        config.driver_config = driver;
        answers(&config)?;
    }
    Ok(())
}

/// Prints what `config` answers to every question.
fn answers(config: &Config) -> anyhow::Result<()> {
    println!("== {:?}", config.driver_config);
    for (name, value) in config.preprocessor_definitions() {
        section("definition", format!("{name}={value:?}"));
    }
    for subset in SUBSETS {
        match config.headers(subset) {
            Ok(headers) => section("headers", format!("{subset:?}: {}", headers.collect::<Vec<_>>().join(" "))),
            // Their names are found in a directory that the tree lacks.
            Err(_) => section("headers", format!("{subset:?}: none")),
        }
        let lines = config.bindgen_library_link_raw_lines(subset);
        section("link attributes", format!("{subset:?}: {lines:?}"));
    }
    section("header", format!("{:?}", config.bindgen_header_contents([ApiSubset::Base, ApiSubset::Hid])?));
    section("table", format!("{:?}", config.compute_wdffunctions_symbol_name()));
    section("library build", "");
    config.configure_library_build()?;
    if config.driver_config == DriverConfig::Wdm {
        answers_of_tree(config)?;
    }
    Ok(())
}

/// Prints what `config` answers from the WDK tree.
fn answers_of_tree(config: &Config) -> anyhow::Result<()> {
    for directory in config.include_paths()? {
        section("include", directory.display());
    }
    for directory in config.library_paths()? {
        section("library", directory.display());
    }
    for flag in bindgen::Builder::wdk_default(config)?.command_line_flags() {
        section("bindgen", flag);
    }
    section("binary build", "");
    config.configure_binary_build()?;
    Ok(())
}

fn section(name: &str, answer: impl std::fmt::Display) {
    println!("{name}: {answer}");
}
