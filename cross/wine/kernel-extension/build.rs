//! Gives the module its exports: everything that Wine's ntoskrnl.exe exports, forwarded to it, except for what this module
//! implements itself.
//!
//! A forwarder is an export whose address is the name of another module's export; the loader follows it, so that a call
//! through one costs nothing. See "The .edata Section" of <https://learn.microsoft.com/windows/win32/debug/pe-format>.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};
use object::read::pe::PeFile64;

/// Where distributions install Wine's Windows modules.
const WINE_MODULES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/wine/x86_64-windows",
    "/usr/lib/wine/x86_64-windows",
    "/usr/lib64/wine/x86_64-windows",
    "/opt/wine-stable/lib64/wine/x86_64-windows",
];

/// What this module implements: `NAME` is the function `extension_NAME` of src/.
const IMPLEMENTED: &[&str] = &[
    // callback.rs
    "ExCreateCallback",
    "ExNotifyCallback",
    "ExRegisterCallback",
    "ExUnregisterCallback",
    // cancel_safe_queue.rs
    "IoCsqInitialize",
    "IoCsqInitializeEx",
    "IoCsqInsertIrp",
    "IoCsqInsertIrpEx",
    "IoCsqRemoveIrp",
    "IoCsqRemoveNextIrp",
    // cleanup.rs
    "IofCompleteRequest",
    // clock.rs
    "KeQueryInterruptTimePrecise",
    "KeQuerySystemTimePrecise",
    // device_control.rs
    "IoBuildDeviceIoControlRequest",
    // device_names.rs
    "IoCreateDevice",
    "IoDeleteDevice",
    // device_pointer.rs
    "IoGetDeviceObjectPointer",
    // dpc.rs
    "KeFlushQueuedDpcs",
    "KeInitializeDpc",
    "KeInsertQueueDpc",
    "KeRemoveQueueDpc",
    // irql.rs
    "KeAcquireSpinLockRaiseToDpc",
    "KeGetCurrentIrql",
    "KeReleaseSpinLock",
    // lookup.rs
    "MmGetSystemRoutineAddress",
    // objects.rs
    "ObReferenceObjectByPointer",
    "ObfDereferenceObject",
    "ObfReferenceObject",
    // pool.rs
    "ExAllocatePool2",
    // previous_mode.rs
    "ExGetPreviousMode",
    "IoGetRequestorProcessId",
    // push_lock.rs
    "ExAcquirePushLockExclusiveEx",
    "ExAcquirePushLockSharedEx",
    "ExInitializePushLock",
    "ExReleasePushLockExclusiveEx",
    "ExReleasePushLockSharedEx",
    // rundown.rs
    "ExAcquireRundownProtection",
    "ExInitializeRundownProtection",
    "ExReInitializeRundownProtection",
    "ExReleaseRundownProtection",
    "ExRundownCompleted",
    "ExWaitForRundownProtectionRelease",
    // timer.rs
    "KeCancelTimer",
    "KeReadStateTimer",
    "KeSetTimer",
    "KeSetTimerEx",
    // tracing.rs
    "EtwEventEnabled",
    "EtwProviderEnabled",
    "EtwRegister",
    "EtwSetInformation",
    "EtwUnregister",
    "EtwWrite",
    "EtwWriteTransfer",
    // work_item.rs
    "ExQueueWorkItem",
];

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=WINE_NTOSKRNL");
    let kernel = wine_kernel()?;
    println!("cargo::rerun-if-changed={}", kernel.display());
    for argument in ["/SUBSYSTEM:NATIVE", "/ENTRY:DllMain", "/NODEFAULTLIB"] {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
    for name in IMPLEMENTED {
        println!("cargo::rustc-cdylib-link-arg=/EXPORT:{name}=extension_{name}");
    }
    let implemented: BTreeSet<&str> = IMPLEMENTED.iter().copied().collect();
    for name in exports(&kernel)?.iter().filter(|name| !implemented.contains(name.as_str())) {
        println!("cargo::rustc-cdylib-link-arg=/EXPORT:{name}=ntoskrnl.exe.{name}");
    }
    Ok(())
}

/// Wine's ntoskrnl.exe: where `WINE_NTOSKRNL` says, or where distributions put it.
fn wine_kernel() -> Result<PathBuf> {
    if let Some(path) = env::var_os("WINE_NTOSKRNL") {
        return Ok(path.into());
    }
    let candidates = WINE_MODULES.iter().map(|folder| PathBuf::from(folder).join("ntoskrnl.exe"));
    let Some(found) = candidates.into_iter().find(|path| path.exists()) else {
        bail!("no ntoskrnl.exe of Wine in {WINE_MODULES:?}; install Debian's wine64, or set WINE_NTOSKRNL to the file");
    };
    Ok(found)
}

/// The names that a module exports.
fn exports(module: &PathBuf) -> Result<Vec<String>> {
    let bytes = fs::read(module).with_context(|| format!("reading {}", module.display()))?;
    let file = PeFile64::parse(bytes.as_slice()).with_context(|| format!("parsing {}", module.display()))?;
    let table = file.export_table()?.with_context(|| format!("{} exports nothing", module.display()))?;
    let names = table.exports()?.into_iter().filter_map(|export| export.name);
    names.map(|name| Ok(str::from_utf8(name)?.to_owned())).collect()
}
