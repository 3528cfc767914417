//! The services that drivers may call: which there are, at which IRQL, and where that is said.

mod cancel;
mod device;
mod event;
mod irp;
mod irql;
mod lock;
mod memory;
mod netio;
mod object;
mod pool;
mod registry;
mod string;
mod work_item;

use crate::processor::Irql;

/// The module of services that no driver can import: the kernel puts them in the driver's structures itself.
pub(crate) const INTERNAL: &str = "";
pub(crate) const NTOSKRNL: &str = "ntoskrnl.exe";
const NETIO: &str = "netio.sys";

/// A service's code, by the Windows calling convention.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Code(*const ());

// SAFETY: code can be called from any thread.
unsafe impl Send for Code {}
// SAFETY: code can be called from any thread.
unsafe impl Sync for Code {}

/// A service that drivers may call.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) code: Code,
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
    /// Whether it fails when the caller has done nothing wrong, for want of memory for instance.
    pub(crate) may_fail: bool,
    /// The highest IRQL at which it may be called.
    pub(crate) highest: Irql,
    /// The page that says so, below <https://learn.microsoft.com/windows-hardware/drivers/>.
    pub(crate) page: &'static str,
}

macro_rules! may_fail {
    (may_fail) => {
        true
    };
    (succeeds) => {
        false
    };
}

macro_rules! services {
    ($($module:ident $failure:ident $name:literal = $code:path, $highest:ident, $page:literal;)+) => {
        /// Every service.
        pub(crate) static SERVICES: &[Service] = &[$(Service {
            code: Code($code as *const ()),
            module: $module,
            name: $name,
            may_fail: may_fail!($failure),
            highest: Irql::$highest,
            page: $page,
        }),+];
    };
}

services! {
    INTERNAL succeeds "IopInvalidDeviceRequest" = irp::invalid_device_request, DISPATCH_LEVEL, "ddi/wdm/nc-wdm-driver_dispatch";
    NTOSKRNL succeeds "DbgPrint" = memory::debug_print, HIGH_LEVEL, "ddi/wdm/nf-wdm-dbgprint";
    NTOSKRNL may_fail "ExAllocatePool2" = pool::allocate_pool2, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exallocatepool2";
    NTOSKRNL may_fail "ExAllocatePoolWithTag" = pool::allocate_pool_with_tag, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exallocatepoolwithtag";
    NTOSKRNL succeeds "ExAcquirePushLockExclusiveEx" = lock::acquire_exclusive, APC_LEVEL, "ddi/wdm/nf-wdm-exacquirepushlockexclusive";
    NTOSKRNL succeeds "ExAcquirePushLockSharedEx" = lock::acquire_shared, APC_LEVEL, "ddi/wdm/nf-wdm-exacquirepushlockshared";
    NTOSKRNL succeeds "ExFreePool" = pool::free_pool, DISPATCH_LEVEL, "ddi/ntddk/nf-ntddk-exfreepool";
    NTOSKRNL succeeds "ExFreePoolWithTag" = pool::free_pool_with_tag, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exfreepoolwithtag";
    NTOSKRNL succeeds "ExReleasePushLockExclusiveEx" = lock::release_exclusive, APC_LEVEL, "ddi/wdm/nf-wdm-exreleasepushlockexclusive";
    NTOSKRNL succeeds "ExReleasePushLockSharedEx" = lock::release_shared, APC_LEVEL, "ddi/wdm/nf-wdm-exreleasepushlockshared";
    NTOSKRNL succeeds "IoAcquireCancelSpinLock" = cancel::acquire_lock, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-ioacquirecancelspinlock";
    NTOSKRNL may_fail "IoAllocateWorkItem" = work_item::allocate, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-ioallocateworkitem";
    NTOSKRNL may_fail "IoCreateDevice" = device::create, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-iocreatedevice";
    NTOSKRNL may_fail "IoCreateSymbolicLink" = device::create_link, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-iocreatesymboliclink";
    NTOSKRNL succeeds "IoDeleteDevice" = device::delete, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-iodeletedevice";
    NTOSKRNL succeeds "IoDeleteSymbolicLink" = device::delete_link, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-iodeletesymboliclink";
    NTOSKRNL succeeds "IoFreeWorkItem" = work_item::free, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-iofreeworkitem";
    NTOSKRNL succeeds "IoQueueWorkItem" = work_item::queue, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-ioqueueworkitem";
    NTOSKRNL succeeds "IoReleaseCancelSpinLock" = cancel::release_lock, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-ioreleasecancelspinlock";
    NTOSKRNL succeeds "IofCompleteRequest" = irp::complete, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-iofcompleterequest";
    NTOSKRNL succeeds "KeAcquireSpinLockRaiseToDpc" = irql::acquire_spin_lock, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-keacquirespinlockraisetodpc";
    NTOSKRNL succeeds "KeClearEvent" = event::reset, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-keclearevent";
    NTOSKRNL succeeds "KeEnterCriticalRegion" = lock::enter_critical_region, APC_LEVEL, "ddi/ntddk/nf-ntddk-keentercriticalregion";
    NTOSKRNL succeeds "KeGetCurrentIrql" = irql::current, HIGH_LEVEL, "ddi/wdm/nf-wdm-kegetcurrentirql";
    NTOSKRNL succeeds "KeInitializeEvent" = event::initialize, HIGH_LEVEL, "ddi/wdm/nf-wdm-keinitializeevent";
    NTOSKRNL succeeds "KeLeaveCriticalRegion" = lock::leave_critical_region, APC_LEVEL, "ddi/ntddk/nf-ntddk-keleavecriticalregion";
    NTOSKRNL succeeds "KeLowerIrql" = irql::lower, HIGH_LEVEL, "ddi/wdm/nf-wdm-kelowerirql";
    NTOSKRNL succeeds "KeReleaseSpinLock" = irql::release_spin_lock, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kereleasespinlock";
    NTOSKRNL succeeds "KeResetEvent" = event::reset, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-keresetevent";
    NTOSKRNL succeeds "KeSetEvent" = event::set, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kesetevent";
    NTOSKRNL succeeds "KeWaitForSingleObject" = event::wait, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kewaitforsingleobject";
    NTOSKRNL succeeds "KfRaiseIrql" = irql::raise, HIGH_LEVEL, "ddi/wdm/nf-wdm-keraiseirql";
    NTOSKRNL succeeds "MmGetSystemRoutineAddress" = memory::system_routine_address, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-mmgetsystemroutineaddress";
    NTOSKRNL may_fail "ObOpenObjectByPointer" = object::open_by_pointer, PASSIVE_LEVEL, "ddi/ntifs/nf-ntifs-obopenobjectbypointer";
    NTOSKRNL succeeds "RtlAppendUnicodeStringToString" = string::append_string, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-rtlappendunicodestringtostring";
    NTOSKRNL succeeds "RtlAppendUnicodeToString" = string::append_characters, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-rtlappendunicodetostring";
    NTOSKRNL succeeds "RtlFreeUnicodeString" = string::free, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-rtlfreeunicodestring";
    NTOSKRNL succeeds "RtlInitUnicodeString" = string::initialize, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-rtlinitunicodestring";
    NTOSKRNL may_fail "RtlStringFromGUID" = string::from_guid, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-rtlstringfromguid";
    NTOSKRNL succeeds "RtlValidRelativeSecurityDescriptor" = object::valid_descriptor, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-rtlvalidrelativesecuritydescriptor";
    NTOSKRNL succeeds "ZwClose" = object::close, PASSIVE_LEVEL, "ddi/ntifs/nf-ntifs-ntclose";
    NTOSKRNL may_fail "ZwOpenKey" = registry::open_key, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-zwopenkey";
    NTOSKRNL may_fail "ZwQueryValueKey" = registry::query_value, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-zwqueryvaluekey";
    NTOSKRNL may_fail "ZwSetSecurityObject" = object::set_security, PASSIVE_LEVEL, "ddi/ntifs/nf-ntifs-ntsetsecurityobject";
    NTOSKRNL succeeds "memcmp" = memory::compare, HIGH_LEVEL, "ddi/wdm/nf-wdm-rtlequalmemory";
    NTOSKRNL succeeds "memcpy" = memory::copy, HIGH_LEVEL, "ddi/wdm/nf-wdm-rtlcopymemory";
    NTOSKRNL succeeds "memmove" = memory::copy, HIGH_LEVEL, "ddi/wdm/nf-wdm-rtlmovememory";
    NTOSKRNL succeeds "memset" = memory::set, HIGH_LEVEL, "ddi/wdm/nf-wdm-rtlfillmemory";
    // The SDK's header annotates NetIO's functions with PASSIVE_LEVEL; the pages say "< DISPATCH_LEVEL".
    NETIO may_fail "ConvertInterfaceIndexToLuid" = netio::luid_from_index, PASSIVE_LEVEL, "network/convertinterfaceindextoluid";
    NETIO may_fail "ConvertInterfaceLuidToIndex" = netio::index_from_luid, PASSIVE_LEVEL, "network/convertinterfaceluidtoindex";
    NETIO may_fail "CreateAnycastIpAddressEntry" = netio::create, PASSIVE_LEVEL, "network/createanycastipaddressentry";
    NETIO may_fail "DeleteAnycastIpAddressEntry" = netio::delete, PASSIVE_LEVEL, "network/deleteanycastipaddressentry";
    NETIO succeeds "FreeMibTable" = netio::free_table, PASSIVE_LEVEL, "network/freemibtable";
    NETIO may_fail "GetAnycastIpAddressEntry" = netio::get, PASSIVE_LEVEL, "network/getanycastipaddressentry";
    NETIO may_fail "GetAnycastIpAddressTable" = netio::table, PASSIVE_LEVEL, "network/getanycastipaddresstable";
}

/// The number of a service in [`SERVICES`].
pub(crate) fn find(module: &str, name: &str) -> Option<usize> {
    SERVICES.iter().position(|service| service.module == module && service.name == name)
}

/// Whether `module` exports a service of that name that may fail though its caller has done nothing wrong.
pub(crate) fn may_fail(module: &str, name: &str) -> bool {
    find(module, name).is_some_and(|index| SERVICES[index].may_fail)
}
