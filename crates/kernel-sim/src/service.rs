//! The services that drivers may call: which there are, at which IRQL, and where that is said.

mod built_irp;
mod callback;
mod cancel;
mod cancel_safe_queue;
mod deferred_call;
mod device;
mod dispatcher;
mod event;
mod event_object;
mod exception;
mod fast_mutex;
mod irp;
mod irql;
mod lock;
mod memory;
mod netio;
mod object;
mod open;
mod pageable_section;
mod pool;
mod process;
mod protected_completion;
mod reference;
mod registry;
mod registry_values;
mod resource;
mod rundown;
mod shutdown;
mod spin_lock;
mod string;
mod thread;
mod time;
mod timer;
mod tracing;
mod wait;
mod work_item;

pub(crate) use callback::Callbacks;
pub(crate) use deferred_call::DeferredCalls;
pub(crate) use event::set_event;
pub(crate) use resource::Resource;
pub(crate) use rundown::Rundown;
pub(crate) use shutdown::ShutdownNotification;
pub(crate) use thread::SystemThread;
pub(crate) use timer::Timer;
pub(crate) use work_item::WorkItem;

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
    INTERNAL succeeds "IopCsqCancelRoutine" = cancel_safe_queue::cancel_routine, DISPATCH_LEVEL, "ddi/wdm/nc-wdm-driver_cancel";
    INTERNAL succeeds "IopInvalidDeviceRequest" = irp::invalid_device_request, DISPATCH_LEVEL, "ddi/wdm/nc-wdm-driver_dispatch";
    NTOSKRNL succeeds "DbgPrint" = memory::debug_print, HIGH_LEVEL, "ddi/wdm/nf-wdm-dbgprint";
    NTOSKRNL may_fail "ExAllocatePool2" = pool::allocate_pool2, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exallocatepool2";
    NTOSKRNL may_fail "ExAllocatePoolWithTag" = pool::allocate_pool_with_tag, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exallocatepoolwithtag";
    NTOSKRNL succeeds "ExAcquirePushLockExclusiveEx" = lock::acquire_exclusive, APC_LEVEL, "ddi/wdm/nf-wdm-exacquirepushlockexclusive";
    NTOSKRNL succeeds "ExAcquirePushLockSharedEx" = lock::acquire_shared, APC_LEVEL, "ddi/wdm/nf-wdm-exacquirepushlockshared";
    NTOSKRNL succeeds "ExFreePool" = pool::free_pool, DISPATCH_LEVEL, "ddi/ntddk/nf-ntddk-exfreepool";
    NTOSKRNL succeeds "ExFreePoolWithTag" = pool::free_pool_with_tag, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exfreepoolwithtag";
    NTOSKRNL succeeds "ExInitializePushLock" = lock::initialize_push_lock, APC_LEVEL, "ddi/wdm/nf-wdm-exinitializepushlock";
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
    NTOSKRNL succeeds "KeAcquireSpinLockRaiseToDpc" = spin_lock::acquire_raise, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-keacquirespinlockraisetodpc";
    NTOSKRNL succeeds "KeClearEvent" = event::reset, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-keclearevent";
    NTOSKRNL succeeds "KeEnterCriticalRegion" = lock::enter_critical_region, APC_LEVEL, "ddi/ntddk/nf-ntddk-keentercriticalregion";
    NTOSKRNL succeeds "KeGetCurrentIrql" = irql::current, HIGH_LEVEL, "ddi/wdm/nf-wdm-kegetcurrentirql";
    NTOSKRNL succeeds "KeInitializeEvent" = event::initialize, HIGH_LEVEL, "ddi/wdm/nf-wdm-keinitializeevent";
    NTOSKRNL succeeds "KeLeaveCriticalRegion" = lock::leave_critical_region, APC_LEVEL, "ddi/ntddk/nf-ntddk-keleavecriticalregion";
    NTOSKRNL succeeds "KeLowerIrql" = irql::lower, HIGH_LEVEL, "ddi/wdm/nf-wdm-kelowerirql";
    NTOSKRNL succeeds "KeReleaseSpinLock" = spin_lock::release_lower, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kereleasespinlock";
    NTOSKRNL succeeds "KeResetEvent" = event::reset, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-keresetevent";
    NTOSKRNL succeeds "KeSetEvent" = event::set, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kesetevent";
    NTOSKRNL succeeds "KeWaitForSingleObject" = wait::single, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kewaitforsingleobject";
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
    // Synchronization.
    NTOSKRNL succeeds "ExAcquireFastMutex" = fast_mutex::acquire, APC_LEVEL, "ddi/wdm/nf-wdm-exacquirefastmutex";
    NTOSKRNL succeeds "ExAcquireFastMutexUnsafe" = fast_mutex::acquire_unsafe, APC_LEVEL, "ddi/wdm/nf-wdm-exacquirefastmutexunsafe";
    NTOSKRNL succeeds "ExTryToAcquireFastMutex" = fast_mutex::try_acquire, APC_LEVEL, "ddi/wdm/nf-wdm-extrytoacquirefastmutex";
    NTOSKRNL succeeds "ExReleaseFastMutex" = fast_mutex::release, APC_LEVEL, "ddi/wdm/nf-wdm-exreleasefastmutex";
    NTOSKRNL succeeds "ExReleaseFastMutexUnsafe" = fast_mutex::release_unsafe, APC_LEVEL, "ddi/wdm/nf-wdm-exreleasefastmutexunsafe";
    NTOSKRNL succeeds "KeInitializeGuardedMutex" = fast_mutex::initialize_guarded, APC_LEVEL, "ddi/wdm/nf-wdm-keinitializeguardedmutex";
    NTOSKRNL succeeds "KeAcquireGuardedMutex" = fast_mutex::acquire_guarded, APC_LEVEL, "ddi/wdm/nf-wdm-keacquireguardedmutex";
    NTOSKRNL succeeds "KeTryToAcquireGuardedMutex" = fast_mutex::try_acquire_guarded, APC_LEVEL, "ddi/wdm/nf-wdm-ketrytoacquireguardedmutex";
    NTOSKRNL succeeds "KeReleaseGuardedMutex" = fast_mutex::release_guarded, APC_LEVEL, "ddi/wdm/nf-wdm-kereleaseguardedmutex";
    NTOSKRNL succeeds "KeAcquireGuardedMutexUnsafe" = fast_mutex::acquire_guarded_unsafe, APC_LEVEL, "ddi/wdm/nf-wdm-keacquireguardedmutexunsafe";
    NTOSKRNL succeeds "KeReleaseGuardedMutexUnsafe" = fast_mutex::release_guarded_unsafe, APC_LEVEL, "ddi/wdm/nf-wdm-kereleaseguardedmutexunsafe";
    NTOSKRNL succeeds "KeEnterGuardedRegion" = lock::enter_guarded_region, APC_LEVEL, "ddi/ntddk/nf-ntddk-keenterguardedregion";
    NTOSKRNL succeeds "KeLeaveGuardedRegion" = lock::leave_guarded_region, APC_LEVEL, "ddi/ntddk/nf-ntddk-keleaveguardedregion";
    NTOSKRNL succeeds "KeAreApcsDisabled" = lock::are_apcs_disabled, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-keareapcsdisabled";
    NTOSKRNL succeeds "KeAreAllApcsDisabled" = lock::are_all_apcs_disabled, DISPATCH_LEVEL, "ddi/ntddk/nf-ntddk-keareallapcsdisabled";
    NTOSKRNL succeeds "ExInitializeResourceLite" = resource::initialize, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exinitializeresourcelite";
    NTOSKRNL succeeds "ExReinitializeResourceLite" = resource::reinitialize, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exreinitializeresourcelite";
    NTOSKRNL succeeds "ExDeleteResourceLite" = resource::delete, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exdeleteresourcelite";
    NTOSKRNL succeeds "ExAcquireResourceExclusiveLite" = resource::acquire_exclusive, APC_LEVEL, "ddi/wdm/nf-wdm-exacquireresourceexclusivelite";
    NTOSKRNL succeeds "ExAcquireResourceSharedLite" = resource::acquire_shared, APC_LEVEL, "ddi/wdm/nf-wdm-exacquireresourcesharedlite";
    NTOSKRNL succeeds "ExAcquireSharedStarveExclusive" = resource::acquire_shared_first, APC_LEVEL, "ddi/wdm/nf-wdm-exacquiresharedstarveexclusive";
    NTOSKRNL succeeds "ExAcquireSharedWaitForExclusive" = resource::acquire_shared_last, APC_LEVEL, "ddi/wdm/nf-wdm-exacquiresharedwaitforexclusive";
    NTOSKRNL succeeds "ExReleaseResourceLite" = resource::release, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exreleaseresourcelite";
    NTOSKRNL succeeds "ExReleaseResourceForThreadLite" = resource::release_for_thread, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exreleaseresourceforthreadlite";
    NTOSKRNL succeeds "ExConvertExclusiveToSharedLite" = resource::convert, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exconvertexclusivetosharedlite";
    NTOSKRNL succeeds "ExIsResourceAcquiredExclusiveLite" = resource::is_exclusive, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exisresourceacquiredexclusivelite";
    NTOSKRNL succeeds "ExIsResourceAcquiredSharedLite" = resource::is_acquired, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exisresourceacquiredsharedlite";
    NTOSKRNL succeeds "ExGetExclusiveWaiterCount" = resource::exclusive_waiters, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exgetexclusivewaitercount";
    NTOSKRNL succeeds "ExGetSharedWaiterCount" = resource::shared_waiters, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exgetsharedwaitercount";
    NTOSKRNL succeeds "ExEnterCriticalRegionAndAcquireResourceExclusive" = resource::enter_and_acquire_exclusive, APC_LEVEL, "ddi/wdm/nf-wdm-exentercriticalregionandacquireresourceexclusive";
    NTOSKRNL succeeds "ExEnterCriticalRegionAndAcquireResourceShared" = resource::enter_and_acquire_shared, APC_LEVEL, "ddi/wdm/nf-wdm-exentercriticalregionandacquireresourceshared";
    NTOSKRNL succeeds "ExReleaseResourceAndLeaveCriticalRegion" = resource::release_and_leave, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exreleaseresourceandleavecriticalregion";
    NTOSKRNL succeeds "ExInitializeRundownProtection" = rundown::initialize, HIGH_LEVEL, "ddi/wdm/nf-wdm-exinitializerundownprotection";
    NTOSKRNL succeeds "ExReInitializeRundownProtection" = rundown::reinitialize, HIGH_LEVEL, "ddi/wdm/nf-wdm-exreinitializerundownprotection";
    NTOSKRNL succeeds "ExRundownCompleted" = rundown::completed, HIGH_LEVEL, "ddi/wdm/nf-wdm-exrundowncompleted";
    NTOSKRNL succeeds "ExAcquireRundownProtection" = rundown::acquire, HIGH_LEVEL, "ddi/wdm/nf-wdm-exacquirerundownprotection";
    NTOSKRNL succeeds "ExAcquireRundownProtectionEx" = rundown::acquire_many, HIGH_LEVEL, "ddi/wdm/nf-wdm-exacquirerundownprotectionex";
    NTOSKRNL succeeds "ExReleaseRundownProtection" = rundown::release, HIGH_LEVEL, "ddi/wdm/nf-wdm-exreleaserundownprotection";
    NTOSKRNL succeeds "ExReleaseRundownProtectionEx" = rundown::release_many, HIGH_LEVEL, "ddi/wdm/nf-wdm-exreleaserundownprotectionex";
    NTOSKRNL succeeds "ExWaitForRundownProtectionRelease" = rundown::wait, APC_LEVEL, "ddi/wdm/nf-wdm-exwaitforrundownprotectionrelease";
    NTOSKRNL succeeds "IoCsqInitialize" = cancel_safe_queue::initialize, HIGH_LEVEL, "ddi/wdm/nf-wdm-iocsqinitialize";
    NTOSKRNL succeeds "IoCsqInitializeEx" = cancel_safe_queue::initialize_ex, HIGH_LEVEL, "ddi/wdm/nf-wdm-iocsqinitializeex";
    NTOSKRNL succeeds "IoCsqInsertIrp" = cancel_safe_queue::insert, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-iocsqinsertirp";
    NTOSKRNL succeeds "IoCsqInsertIrpEx" = cancel_safe_queue::insert_ex, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-iocsqinsertirpex";
    NTOSKRNL succeeds "IoCsqRemoveIrp" = cancel_safe_queue::remove, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-iocsqremoveirp";
    NTOSKRNL succeeds "IoCsqRemoveNextIrp" = cancel_safe_queue::remove_next, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-iocsqremovenextirp";
    NTOSKRNL succeeds "KeInitializeTimer" = timer::initialize, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-keinitializetimer";
    NTOSKRNL succeeds "KeInitializeTimerEx" = timer::initialize_as, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-keinitializetimerex";
    NTOSKRNL succeeds "KeSetTimer" = timer::set, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kesettimer";
    NTOSKRNL succeeds "KeSetTimerEx" = timer::set_periodic, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kesettimerex";
    NTOSKRNL succeeds "KeSetCoalescableTimer" = timer::set_coalescable, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kesetcoalescabletimer";
    NTOSKRNL succeeds "KeCancelTimer" = timer::cancel, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kecanceltimer";
    NTOSKRNL succeeds "KeReadStateTimer" = timer::state, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kereadstatetimer";
    NTOSKRNL succeeds "KeInitializeDpc" = deferred_call::initialize, HIGH_LEVEL, "ddi/wdm/nf-wdm-keinitializedpc";
    NTOSKRNL succeeds "KeInitializeThreadedDpc" = deferred_call::initialize_threaded, HIGH_LEVEL, "ddi/wdm/nf-wdm-keinitializethreadeddpc";
    NTOSKRNL succeeds "KeInsertQueueDpc" = deferred_call::insert, HIGH_LEVEL, "ddi/wdm/nf-wdm-keinsertqueuedpc";
    NTOSKRNL succeeds "KeRemoveQueueDpc" = deferred_call::remove, HIGH_LEVEL, "ddi/wdm/nf-wdm-keremovequeuedpc";
    NTOSKRNL succeeds "KeSetImportanceDpc" = deferred_call::set_attribute, HIGH_LEVEL, "ddi/wdm/nf-wdm-kesetimportancedpc";
    NTOSKRNL succeeds "KeSetTargetProcessorDpc" = deferred_call::set_attribute, HIGH_LEVEL, "ddi/wdm/nf-wdm-kesettargetprocessordpc";
    NTOSKRNL succeeds "KeFlushQueuedDpcs" = deferred_call::flush, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-keflushqueueddpcs";
    NTOSKRNL succeeds "KeDelayExecutionThread" = wait::delay, APC_LEVEL, "ddi/wdm/nf-wdm-kedelayexecutionthread";
    NTOSKRNL succeeds "KeWaitForMultipleObjects" = wait::multiple, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kewaitformultipleobjects";
    NTOSKRNL succeeds "KeWaitForMutexObject" = wait::single, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kewaitformutexobject";
    NTOSKRNL succeeds "KeReadStateEvent" = event::state, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kereadstateevent";
    NTOSKRNL succeeds "KeInitializeSemaphore" = event::initialize_semaphore, HIGH_LEVEL, "ddi/wdm/nf-wdm-keinitializesemaphore";
    NTOSKRNL succeeds "KeReleaseSemaphore" = event::release_semaphore, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kereleasesemaphore";
    NTOSKRNL succeeds "KeReadStateSemaphore" = event::state, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kereadstatesemaphore";
    NTOSKRNL succeeds "KeInitializeMutex" = event::initialize_mutex, HIGH_LEVEL, "ddi/wdm/nf-wdm-keinitializemutex";
    NTOSKRNL succeeds "KeReleaseMutex" = event::release_mutex, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kereleasemutex";
    NTOSKRNL succeeds "KeReadStateMutex" = event::mutex_state, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kereadstatemutex";
    NTOSKRNL succeeds "KeAcquireSpinLockAtDpcLevel" = spin_lock::acquire_raised, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-keacquirespinlockatdpclevel";
    NTOSKRNL succeeds "KeReleaseSpinLockFromDpcLevel" = spin_lock::release_raised, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kereleasespinlockfromdpclevel";
    NTOSKRNL succeeds "KeTryToAcquireSpinLockAtDpcLevel" = spin_lock::try_acquire_raised, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-ketrytoacquirespinlockatdpclevel";
    NTOSKRNL succeeds "KeTestSpinLock" = spin_lock::test, HIGH_LEVEL, "ddi/wdm/nf-wdm-ketestspinlock";
    NTOSKRNL succeeds "KeAcquireInStackQueuedSpinLock" = spin_lock::acquire_queued, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-keacquireinstackqueuedspinlock";
    NTOSKRNL succeeds "KeReleaseInStackQueuedSpinLock" = spin_lock::release_queued, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kereleaseinstackqueuedspinlock";
    NTOSKRNL succeeds "KeAcquireInStackQueuedSpinLockAtDpcLevel" = spin_lock::acquire_queued_raised, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-keacquireinstackqueuedspinlockatdpclevel";
    NTOSKRNL succeeds "KeReleaseInStackQueuedSpinLockFromDpcLevel" = spin_lock::release_queued_raised, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-kereleaseinstackqueuedspinlockfromdpclevel";
    NTOSKRNL succeeds "KeQueryInterruptTimePrecise" = time::interrupt_time_precise, HIGH_LEVEL, "ddi/wdm/nf-wdm-kequeryinterrupttimeprecise";
    NTOSKRNL succeeds "KeQuerySystemTimePrecise" = time::system_time_precise, HIGH_LEVEL, "ddi/wdm/nf-wdm-kequerysystemtimeprecise";
    NTOSKRNL succeeds "KeQueryUnbiasedInterruptTime" = time::unbiased_interrupt_time, HIGH_LEVEL, "ddi/wdm/nf-wdm-kequeryunbiasedinterrupttime";
    NTOSKRNL succeeds "KeQueryPerformanceCounter" = time::performance_counter, HIGH_LEVEL, "ddi/wdm/nf-wdm-kequeryperformancecounter";
    NTOSKRNL succeeds "KeQueryTimeIncrement" = time::time_increment, HIGH_LEVEL, "ddi/wdm/nf-wdm-kequerytimeincrement";
    // Objects, and driver to driver.
    NTOSKRNL may_fail "IoAllocateIrp" = irp::allocate, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-ioallocateirp";
    // The page says APC_LEVEL; the rule IrqlIoPassive1 and wdm.h say PASSIVE_LEVEL.
    NTOSKRNL may_fail "IoBuildDeviceIoControlRequest" = built_irp::device_control, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-iobuilddeviceiocontrolrequest";
    NTOSKRNL succeeds "IoCancelIrp" = cancel::cancel, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-iocancelirp";
    NTOSKRNL succeeds "IoFreeIrp" = irp::free, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-iofreeirp";
    NTOSKRNL succeeds "IoGetCurrentProcess" = process::current, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-iogetcurrentprocess";
    NTOSKRNL may_fail "IoGetDeviceObjectPointer" = open::device_object_pointer, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-iogetdeviceobjectpointer";
    NTOSKRNL succeeds "IoGetRelatedDeviceObject" = open::related_device, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-iogetrelateddeviceobject";
    NTOSKRNL succeeds "IoGetRequestorProcess" = process::requestor, DISPATCH_LEVEL, "ddi/ntifs/nf-ntifs-iogetrequestorprocess";
    NTOSKRNL succeeds "IoGetRequestorProcessId" = process::requestor_id, DISPATCH_LEVEL, "ddi/ntifs/nf-ntifs-iogetrequestorprocessid";
    NTOSKRNL succeeds "IoInitializeIrp" = irp::initialize, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-ioinitializeirp";
    NTOSKRNL may_fail "IoSetCompletionRoutineEx" = protected_completion::set, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-iosetcompletionroutineex";
    NTOSKRNL succeeds "IoReuseIrp" = irp::reuse, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-ioreuseirp";
    NTOSKRNL succeeds "IofCallDriver" = irp::call_driver, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-iofcalldriver";
    NTOSKRNL succeeds "ExGetPreviousMode" = process::previous_mode, HIGH_LEVEL, "ddi/wdm/nf-wdm-exgetpreviousmode";
    NTOSKRNL succeeds "KeGetCurrentThread" = process::current_thread, HIGH_LEVEL, "ddi/wdm/nf-wdm-kegetcurrentthread";
    NTOSKRNL succeeds "ObDereferenceObjectDeferDelete" = reference::dereference_deferred, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-obdereferenceobjectdeferdelete";
    NTOSKRNL succeeds "ObDereferenceObjectDeferDeleteWithTag" = reference::dereference_deferred_with_tag, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-obdereferenceobjectdeferdeletewithtag";
    NTOSKRNL succeeds "ObReferenceObjectByHandle" = reference::reference_by_handle, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-obreferenceobjectbyhandle";
    NTOSKRNL succeeds "ObReferenceObjectByHandleWithTag" = reference::reference_by_handle_with_tag, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-obreferenceobjectbyhandlewithtag";
    NTOSKRNL succeeds "ObReferenceObjectByPointer" = reference::reference_by_pointer, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-obreferenceobjectbypointer";
    NTOSKRNL succeeds "ObReferenceObjectByPointerWithTag" = reference::reference_by_pointer_with_tag, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-obreferenceobjectbypointerwithtag";
    NTOSKRNL succeeds "ObfDereferenceObject" = reference::dereference, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-obdereferenceobject";
    NTOSKRNL succeeds "ObfDereferenceObjectWithTag" = reference::dereference_with_tag, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-obdereferenceobjectwithtag";
    NTOSKRNL succeeds "ObfReferenceObject" = reference::reference, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-obfreferenceobject";
    NTOSKRNL succeeds "ObfReferenceObjectWithTag" = reference::reference_with_tag, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-obreferenceobjectwithtag";
    NTOSKRNL succeeds "PsGetCurrentProcessId" = process::current_id, HIGH_LEVEL, "ddi/ntddk/nf-ntddk-psgetcurrentprocessid";
    NTOSKRNL succeeds "PsGetCurrentThread" = process::current_thread, HIGH_LEVEL, "ddi/ntddk/nf-ntddk-psgetcurrentthread";
    NTOSKRNL succeeds "PsGetCurrentThreadId" = process::current_thread_id, HIGH_LEVEL, "ddi/ntddk/nf-ntddk-psgetcurrentthreadid";
    NTOSKRNL succeeds "PsGetProcessId" = process::id, HIGH_LEVEL, "ddi/ntddk/nf-ntddk-psgetprocessid";
    NTOSKRNL succeeds "PsGetThreadProcessId" = process::of_thread, HIGH_LEVEL, "ddi/ntddk/nf-ntddk-psgetthreadprocessid";
    NTOSKRNL may_fail "ZwCreateFile" = open::create_file, PASSIVE_LEVEL, "ddi/ntifs/nf-ntifs-ntcreatefile";
    NTOSKRNL may_fail "ZwOpenFile" = open::open_file, PASSIVE_LEVEL, "ddi/ntifs/nf-ntifs-ntopenfile";
    NTOSKRNL may_fail "IoCreateNotificationEvent" = event_object::create_notification, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-iocreatenotificationevent";
    NTOSKRNL may_fail "IoCreateSynchronizationEvent" = event_object::create_synchronization, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-iocreatesynchronizationevent";
    NTOSKRNL may_fail "ZwCreateEvent" = event_object::create, PASSIVE_LEVEL, "ddi/ntifs/nf-ntifs-zwcreateevent";
    // Callback objects, threads, work items in the driver's own memory.
    NTOSKRNL may_fail "ExCreateCallback" = callback::create, APC_LEVEL, "ddi/wdm/nf-wdm-excreatecallback";
    NTOSKRNL succeeds "ExNotifyCallback" = callback::notify, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exnotifycallback";
    NTOSKRNL may_fail "ExRegisterCallback" = callback::register, APC_LEVEL, "ddi/wdm/nf-wdm-exregistercallback";
    NTOSKRNL succeeds "ExUnregisterCallback" = callback::unregister, APC_LEVEL, "ddi/wdm/nf-wdm-exunregistercallback";
    NTOSKRNL succeeds "IoInitializeWorkItem" = work_item::initialize, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-ioinitializeworkitem";
    NTOSKRNL succeeds "IoQueueWorkItemEx" = work_item::queue_with_item, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-ioqueueworkitemex";
    NTOSKRNL succeeds "IoSizeofWorkItem" = work_item::size, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-iosizeofworkitem";
    NTOSKRNL succeeds "IoUninitializeWorkItem" = work_item::uninitialize, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-iouninitializeworkitem";
    NTOSKRNL may_fail "PsCreateSystemThread" = thread::create, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-pscreatesystemthread";
    NTOSKRNL succeeds "PsTerminateSystemThread" = thread::terminate, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-psterminatesystemthread";
    // Sections that may be paged out.
    NTOSKRNL succeeds "MmLockPagableDataSection" = pageable_section::lock, APC_LEVEL, "ddi/wdm/nf-wdm-mmlockpagabledatasection";
    NTOSKRNL succeeds "MmLockPagableSectionByHandle" = pageable_section::lock_again, APC_LEVEL, "ddi/ntddk/nf-ntddk-mmlockpagablesectionbyhandle";
    NTOSKRNL succeeds "MmUnlockPagableImageSection" = pageable_section::unlock, APC_LEVEL, "ddi/wdm/nf-wdm-mmunlockpagableimagesection";
    // Pool with quota, and exceptions.
    NTOSKRNL may_fail "ExAllocatePoolWithQuotaTag" = pool::allocate_pool_with_quota, DISPATCH_LEVEL, "ddi/wdm/nf-wdm-exallocatepoolwithquotatag";
    NTOSKRNL succeeds "ExRaiseAccessViolation" = exception::raise_access_violation, APC_LEVEL, "ddi/ntddk/nf-ntddk-exraiseaccessviolation";
    NTOSKRNL succeeds "ExRaiseDatatypeMisalignment" = exception::raise_datatype_misalignment, APC_LEVEL, "ddi/ntddk/nf-ntddk-exraisedatatypemisalignment";
    NTOSKRNL succeeds "ExRaiseStatus" = exception::raise_status, APC_LEVEL, "ddi/ntddk/nf-ntddk-exraisestatus";
    // The registry, and the end of the system.
    NTOSKRNL may_fail "IoOpenDriverRegistryKey" = registry::open_driver_key, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-ioopendriverregistrykey";
    NTOSKRNL may_fail "IoRegisterLastChanceShutdownNotification" = shutdown::register, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-ioregisterlastchanceshutdownnotification";
    NTOSKRNL may_fail "IoRegisterShutdownNotification" = shutdown::register, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-ioregistershutdownnotification";
    NTOSKRNL succeeds "IoUnregisterShutdownNotification" = shutdown::unregister, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-iounregistershutdownnotification";
    NTOSKRNL may_fail "RtlQueryRegistryValues" = registry_values::query, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-rtlqueryregistryvalues";
    NTOSKRNL may_fail "ZwEnumerateKey" = registry::enumerate_keys, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-zwenumeratekey";
    NTOSKRNL may_fail "ZwEnumerateValueKey" = registry::enumerate_values, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-zwenumeratevaluekey";
    NTOSKRNL may_fail "ZwOpenKeyEx" = registry::open_key_with_options, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-zwopenkeyex";
    NTOSKRNL may_fail "ZwQueryKey" = registry::query_key, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-zwquerykey";
    // Event tracing. Events may be written at any IRQL; what they lead to is another matter.
    NTOSKRNL succeeds "EtwEventEnabled" = tracing::event_enabled, HIGH_LEVEL, "ddi/wdm/nf-wdm-etweventenabled";
    NTOSKRNL succeeds "EtwProviderEnabled" = tracing::provider_enabled, HIGH_LEVEL, "ddi/wdm/nf-wdm-etwproviderenabled";
    NTOSKRNL may_fail "EtwRegister" = tracing::register, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-etwregister";
    NTOSKRNL may_fail "EtwSetInformation" = tracing::set_information, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-etwsetinformation";
    NTOSKRNL succeeds "EtwUnregister" = tracing::unregister, PASSIVE_LEVEL, "ddi/wdm/nf-wdm-etwunregister";
    NTOSKRNL may_fail "EtwWrite" = tracing::write, HIGH_LEVEL, "ddi/wdm/nf-wdm-etwwrite";
    NTOSKRNL may_fail "EtwWriteEx" = tracing::write_filtered, HIGH_LEVEL, "ddi/wdm/nf-wdm-etwwriteex";
    NTOSKRNL may_fail "EtwWriteString" = tracing::write_string, HIGH_LEVEL, "ddi/wdm/nf-wdm-etwwritestring";
    NTOSKRNL may_fail "EtwWriteTransfer" = tracing::write_transfer, HIGH_LEVEL, "ddi/wdm/nf-wdm-etwwritetransfer";
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
