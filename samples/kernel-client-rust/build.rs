//! Links the driver as the WDK links drivers.

fn main() -> Result<(), wdk_build::ConfigError> {
    // A checksum in the header, as the WDK's own build has it: Windows verifies that of a driver.
    println!("cargo::rustc-cdylib-link-arg=/RELEASE");
    wdk_build::configure_wdk_binary_build()
}
