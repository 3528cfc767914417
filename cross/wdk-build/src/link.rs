//! What rustc and the linker are told, through cargo.

use std::env;

use crate::{Config, ConfigError, DriverConfig};

impl Config {
    /// Tells rustc which values of `cfg(driver_model__driver_type)` are possible.
    ///
    /// Only needed by a library whose build names no driver model; the other functions do this too.
    pub fn emit_check_cfg_settings() {
        let values = DriverConfig::NAMES.join("\",\"");
        println!("cargo::rustc-check-cfg=cfg(driver_model__driver_type, values(\"{values}\",))");
    }

    /// Configures the build of a library: tells rustc the driver model.
    ///
    /// # Errors
    /// None; the published crate's signature allows for some.
    pub fn configure_library_build(&self) -> Result<(), ConfigError> {
        Self::emit_check_cfg_settings();
        println!("cargo::rustc-cfg=driver_model__driver_type=\"{}\"", self.driver_config.name());
        Ok(())
    }

    /// Configures the build of a driver: search paths, linker arguments, and what a library is told.
    ///
    /// # Errors
    /// The C runtime is not linked statically, or a library directory is missing.
    pub fn configure_binary_build(&self) -> Result<(), ConfigError> {
        // Cargo's list of enabled target features.
        let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
        if !features.contains("crt-static") {
            return Err(ConfigError::StaticCrtNotEnabled);
        }
        for directory in self.library_paths()? {
            println!("cargo::rustc-link-search={}", directory.display());
        }
        for argument in self.linker_arguments() {
            println!("cargo::rustc-cdylib-link-arg={argument}");
        }
        self.configure_library_build()
    }

    fn linker_arguments(&self) -> Vec<&'static str> {
        const KERNEL: [&str; 4] = ["/DRIVER", "/NODEFAULTLIB", "/SUBSYSTEM:NATIVE", "/KERNEL"];
        const COMMON: [&str; 7] = [
            "/NXCOMPAT",
            "/DYNAMICBASE",
            "/MAP",
            "/MAPINFO:EXPORTS",
            "/OPT:REF,ICF",
            "/INTEGRITYCHECK",
            "/MANIFEST:NO",
        ];
        let of_model = match &self.driver_config {
            // 4257: objects not compiled with /kernel, an option rustc lacks. 4216: the entry point is exported, because
            // Rust cannot name a symbol without exporting it.
            DriverConfig::Wdm => [&KERNEL[..], &["/ENTRY:DriverEntry", "/IGNORE:4257", "/IGNORE:4216"]].concat(),
            DriverConfig::Kmdf(_) => [&KERNEL[..], &["/ENTRY:FxDriverEntry", "/IGNORE:4257"]].concat(),
            DriverConfig::Umdf(_) => {
                vec!["/NODEFAULTLIB:kernel32.lib", "/NODEFAULTLIB:user32.lib", "/SUBSYSTEM:WINDOWS"]
            }
        };
        [&of_model[..], &COMMON].concat()
    }
}
