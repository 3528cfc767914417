//! Gives the module its exports: everything that Wine's ntoskrnl.exe exports and that does something, forwarded to it, except for
//! what this module implements itself.
//!
//! A forwarder is an export whose address is the name of another module's export; the loader follows it, so that a call
//! through one costs nothing. See "The .edata Section" of <https://learn.microsoft.com/windows/win32/debug/pe-format>.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};
use object::read::pe::{Export, ExportTarget, PeFile64};

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
    // completion_routine.rs
    "IoSetCompletionRoutineEx",
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
    for name in real_exports(&kernel)?.iter().filter(|name| !implemented.contains(name.as_str())) {
        println!("cargo::rustc-cdylib-link-arg=/EXPORT:{name}=ntoskrnl.exe.{name}");
    }
    Ok(())
}

/// What a function of Wine's begins with that does nothing but end the kernel host: `sub rsp, 28h`, `lea rcx, [module's name]`,
/// `lea rdx, [function's name]`, `call`. The addresses, which differ, are left out.
const STUB: [(usize, &[u8]); 4] =
    [(0, &[0x48, 0x83, 0xEC, 0x28]), (4, &[0x48, 0x8D, 0x0D]), (11, &[0x48, 0x8D, 0x15]), (18, &[0xE8])];

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

/// The names of what a module exports, but for stubs: whatever imports one of those is told that it is missing.
fn real_exports(module: &PathBuf) -> Result<Vec<String>> {
    let bytes = fs::read(module).with_context(|| format!("reading {}", module.display()))?;
    let file = PeFile64::parse(bytes.as_slice()).with_context(|| format!("parsing {}", module.display()))?;
    let table = file.export_table()?.with_context(|| format!("{} exports nothing", module.display()))?;
    let sections = file.section_table();
    let is_stub = |export: &Export<'_>| {
        let ExportTarget::Address(address) = export.target else { return false };
        let code = sections.pe_data_at(bytes.as_slice(), address).unwrap_or_default();
        STUB.iter().all(|(offset, part)| code.get(*offset..).is_some_and(|rest| rest.starts_with(part)))
    };
    let exports = table.exports()?;
    let names = exports.iter().filter(|export| !is_stub(export)).filter_map(|export| export.name);
    names.map(|name| Ok(str::from_utf8(name)?.to_owned())).collect()
}
