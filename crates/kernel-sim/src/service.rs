//! The services that drivers may call: which there are, at which IRQL, and where that is said.

mod device;
mod irp;
mod irql;
mod memory;
mod netio;
mod object;
mod pool;
mod registry;
mod string;

use crate::processor::Irql;

/// The module of services that no driver can import: the kernel puts them in the driver's structures itself.
pub(crate) const INTERNAL: &str = "";
const NTOSKRNL: &str = "ntoskrnl.exe";
const NETIO: &str = "netio.sys";

/// A service's code, by the Windows calling convention.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
struct Code(*const ());

// SAFETY: code can be called from any thread.
unsafe impl Sync for Code {}

/// A service that drivers may call.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Service {
    /// First, since the trampoline jumps through it.
    code: Code,
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
    /// The highest IRQL at which it may be called.
    pub(crate) highest: Irql,
    /// The page that says so, below <https://learn.microsoft.com/windows-hardware/drivers/>.
    pub(crate) page: &'static str,
}

const fn service(
    module: &'static str,
    name: &'static str,
    code: *const (),
    highest: Irql,
    page: &'static str,
) -> Service {
    Service { code: Code(code), module, name, highest, page }
}

macro_rules! services {
    ($($module:ident $name:literal = $code:path, $highest:ident, $page:literal;)+) => {
        /// Every service.
        pub(crate) static SERVICES: &[Service] =
            &[$(service($module, $name, $code as *const (), Irql::$highest, $page)),+];
    };
}

services! {
    INTERNAL "IopInvalidDeviceRequest" = irp::invalid_device_request, DISPATCH_LEVEL, "ddi/wdm/nc-wdm-driver_dispatch";
    NTOSKRNL "DbgPrint" = memory::debug_print, HIGH_LEVEL, "ddi/wdm/nf-wdm-dbgprint";
    NTOSKRNL "ExAllocatePool2" = pool::allocate_pool2, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exallocatepool2";
    NTOSKRNL "ExAllocatePoolWithTag" = pool::allocate_pool_with_tag, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exallocatepoolwithtag";
    NTOSKRNL "ExFreePool" = pool::free_pool, DISPATCH_LEVEL, "ddi/ntddk/nf-ntddk-exfreepool";
    NTOSKRNL "ExFreePoolWithTag" = pool::free_pool_with_tag, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exfreepoolwithtag";
    NTOSKRNL "IoCreateDevice" = device::create, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-iocreatedevice";
    NTOSKRNL "IoCreateSymbolicLink" = device::create_link, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-iocreatesymboliclink";
    NTOSKRNL "IoDeleteDevice" = device::delete, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-iodeletedevice";
    NTOSKRNL "IoDeleteSymbolicLink" = device::delete_link, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-iodeletesymboliclink";
    NTOSKRNL "IofCompleteRequest" = irp::complete, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-iofcompleterequest";
    NTOSKRNL "KeAcquireSpinLockRaiseToDpc" = irql::acquire_spin_lock, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-keacquirespinlockraisetodpc";
    NTOSKRNL "KeGetCurrentIrql" = irql::current, HIGH_LEVEL, "ddi/wdm/nf-wdm-kegetcurrentirql";
    NTOSKRNL "KeLowerIrql" = irql::lower, HIGH_LEVEL, "ddi/wdm/nf-wdm-kelowerirql";
    NTOSKRNL "KeReleaseSpinLock" = irql::release_spin_lock, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kereleasespinlock";
    NTOSKRNL "KfRaiseIrql" = irql::raise, HIGH_LEVEL, "ddi/wdm/nf-wdm-keraiseirql";
    NTOSKRNL "MmGetSystemRoutineAddress" = memory::system_routine_address, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-mmgetsystemroutineaddress";
    NTOSKRNL "ObOpenObjectByPointer" = object::open_by_pointer, PASSIVE_LEVEL, "ddi/ntifs/nf-ntifs-obopenobjectbypointer";
    NTOSKRNL "RtlAppendUnicodeStringToString" = string::append_string, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-rtlappendunicodestringtostring";
    NTOSKRNL "RtlAppendUnicodeToString" = string::append_characters, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-rtlappendunicodetostring";
    NTOSKRNL "RtlFreeUnicodeString" = string::free, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-rtlfreeunicodestring";
    NTOSKRNL "RtlInitUnicodeString" = string::initialize, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-rtlinitunicodestring";
    NTOSKRNL "RtlStringFromGUID" = string::from_guid, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-rtlstringfromguid";
    NTOSKRNL "RtlValidRelativeSecurityDescriptor" = object::valid_descriptor, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-rtlvalidrelativesecuritydescriptor";
    NTOSKRNL "ZwClose" = object::close, PASSIVE_LEVEL, "ddi/ntifs/nf-ntifs-ntclose";
    NTOSKRNL "ZwOpenKey" = registry::open_key, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-zwopenkey";
    NTOSKRNL "ZwQueryValueKey" = registry::query_value, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-zwqueryvaluekey";
    NTOSKRNL "ZwSetSecurityObject" = object::set_security, PASSIVE_LEVEL, "ddi/ntifs/nf-ntifs-ntsetsecurityobject";
    NTOSKRNL "memcmp" = memory::compare, HIGH_LEVEL, "ddi/wdm/nf-wdm-rtlequalmemory";
    NTOSKRNL "memcpy" = memory::copy, HIGH_LEVEL, "ddi/wdm/nf-wdm-rtlcopymemory";
    NTOSKRNL "memmove" = memory::copy, HIGH_LEVEL, "ddi/wdm/nf-wdm-rtlmovememory";
    NTOSKRNL "memset" = memory::set, HIGH_LEVEL, "ddi/wdm/nf-wdm-rtlfillmemory";
    // The SDK's header annotates NetIO's functions with PASSIVE_LEVEL; the pages say "< DISPATCH_LEVEL".
    NETIO "ConvertInterfaceIndexToLuid" = netio::luid_from_index, PASSIVE_LEVEL, "network/convertinterfaceindextoluid";
    NETIO "ConvertInterfaceLuidToIndex" = netio::index_from_luid, PASSIVE_LEVEL, "network/convertinterfaceluidtoindex";
    NETIO "CreateAnycastIpAddressEntry" = netio::create, PASSIVE_LEVEL, "network/createanycastipaddressentry";
    NETIO "DeleteAnycastIpAddressEntry" = netio::delete, PASSIVE_LEVEL, "network/deleteanycastipaddressentry";
    NETIO "FreeMibTable" = netio::free_table, PASSIVE_LEVEL, "network/freemibtable";
    NETIO "GetAnycastIpAddressEntry" = netio::get, PASSIVE_LEVEL, "network/getanycastipaddressentry";
    NETIO "GetAnycastIpAddressTable" = netio::table, PASSIVE_LEVEL, "network/getanycastipaddresstable";
}

/// The number of a service in [`SERVICES`].
pub(crate) fn find(module: &str, name: &str) -> Option<usize> {
    SERVICES.iter().position(|service| service.module == module && service.name == name)
}
