//! How bindgen reads the WDK's headers.

use std::{borrow::Borrow, fmt};

use bindgen::{
    Builder, EnumVariation, Formatter, RustEdition, RustTarget,
    callbacks::{ItemInfo, ItemKind, ParseCallbacks},
};

use crate::{Config, ConfigError, DriverConfig};

/// The version of Rust, 1.N, that the published crate has bindings generated for: its own `rust-version`.
const RUST_MINOR: u64 = 91;

/// Items the published crate keeps out: superseded functions, and types that bindgen translates wrongly.
const BLOCKLIST: [&str; 30] = [
    "ExAllocatePoolWithTag",
    "ExAllocatePoolWithQuotaTag",
    "ExAllocatePoolWithTagPriority",
    "ExAllocatePool",
    "USBD_CalculateUsbBandwidth",
    "USBD_CreateConfigurationRequest",
    "USBD_Debug_LogEntry",
    "USBD_GetUSBDIVersion",
    "USBD_ParseConfigurationDescriptor",
    "USBD_QueryBusTime",
    "USBD_RegisterHcFilter",
    "IOCTL_USB_DIAG_IGNORE_HUBS_OFF",
    "IOCTL_USB_DIAG_IGNORE_HUBS_ON",
    "IOCTL_USB_DIAGNOSTIC_MODE_OFF",
    "IOCTL_USB_DIAGNOSTIC_MODE_ON",
    "IOCTL_USB_GET_HUB_CAPABILITIES",
    "IOCTL_USB_HCD_DISABLE_PORT",
    "IOCTL_USB_HCD_ENABLE_PORT",
    "IOCTL_USB_HCD_GET_STATS_1",
    "IOCTL_USB_HCD_GET_STATS_2",
    "IOCTL_USB_RESET_HUB",
    ".*MCG_CAP(?:__bindgen.*)?",
    ".*WHEA_XPF_MCA_SECTION",
    ".*WHEA_ARM_BUS_ERROR(?:__bindgen.*)?",
    ".*WHEA_ARM_PROCESSOR_ERROR",
    ".*WHEA_ARM_CACHE_ERROR",
    ".*ADDRESS0_OWNERSHIP_ACQUIRE",
    ".*USBDEVICE_ABORTIO",
    ".*USBDEVICE_STARTIO",
    ".*USBDEVICE_TREE_PURGEIO",
];

/// Makes bindgen ready for the WDK.
pub trait BuilderExt {
    /// A [`Builder`] with everything set that `config` decides.
    ///
    /// # Errors
    /// A directory of the WDK is missing.
    fn wdk_default(config: impl Borrow<Config> + fmt::Debug) -> Result<Builder, ConfigError>;
}

impl BuilderExt for Builder {
    fn wdk_default(config: impl Borrow<Config> + fmt::Debug) -> Result<Builder, ConfigError> {
        let config = config.borrow();
        let rust_target = RustTarget::stable(RUST_MINOR, 0)
            .map_err(|error| ConfigError::RustTarget { minor: RUST_MINOR, reason: error.to_string() })?;
        let mut builder = Self::default()
            .use_core()
            .derive_default(true)
            .generate_cstr(true)
            .detect_include_paths(false)
            .clang_args(clang_arguments(config)?)
            // Declared in the WDK without a definition.
            .opaque_type("_KGDTENTRY64")
            .opaque_type("_KIDTENTRY64")
            .no_default(".*tagMONITORINFOEXA")
            .must_use_type("NTSTATUS")
            .must_use_type("HRESULT")
            .default_enum_style(EnumVariation::ModuleConsts)
            .parse_callbacks(Box::new(bindgen::CargoCallbacks::new()))
            .parse_callbacks(Box::new(FunctionTableName(config.compute_wdffunctions_symbol_name())))
            .formatter(Formatter::Prettyplease)
            .rust_target(rust_target)
            .rust_edition(RustEdition::Edition2024);
        for item in BLOCKLIST {
            builder = builder.blocklist_item(item);
        }
        if let DriverConfig::Umdf(_) = config.driver_config {
            // Without members in user mode; bindgen does not support empty structs.
            builder = builder.opaque_type("_USBPM_CLIENT_CONFIG_EXTRA_INFO");
        }
        Ok(builder)
    }
}

fn clang_arguments(config: &Config) -> Result<Vec<String>, ConfigError> {
    // Without clang's builtin declarations of memcpy and its like, whose size_t would become u64 rather than usize.
    let mut arguments = vec!["-fno-builtin".to_owned()];
    for directory in config.include_paths()? {
        arguments.push(format!("--include-directory={}", directory.display()));
    }
    for (name, value) in config.preprocessor_definitions() {
        arguments.push(match value {
            Some(value) => format!("--define-macro={name}={value}"),
            None => format!("--define-macro={name}"),
        });
    }
    arguments.extend(Config::wdk_bindgen_compiler_flags());
    Ok(arguments)
}

/// Gives WDF's function table, whose symbol carries the version, the name that wdk-sys knows it by.
#[derive(Debug)]
struct FunctionTableName(Option<String>);

impl ParseCallbacks for FunctionTableName {
    fn generated_name_override(&self, item: ItemInfo<'_>) -> Option<String> {
        let is_table = matches!(item.kind, ItemKind::Var) && self.0.as_deref() == Some(item.name);
        is_table.then(|| "WdfFunctions".to_owned())
    }
}
