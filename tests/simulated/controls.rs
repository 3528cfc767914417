//! The controls: small drivers in C that each break one rule on purpose, built with the kit, and clean ones.
//!
//! A rule that no control breaks would be a rule that nobody knows to work.

pub(crate) mod build;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kernel_sim::{Caller, DesiredAccess, Kernel, LoadError, Options, Registry, Rule, Violation};

use netio_anycast_tests::facts;

use crate::bench::kernel;

/// `IOCTL_CONTROL` of `controls/control.h`.
pub(crate) const CONTROL: u32 = 0x8ACC << 16 | 0x800 << 2;
pub(crate) const DEVICE: &str = r"\DosDevices\Control";

/// A key of the registry that controls open.
const KEY: &str = r"\Registry\Machine\Control";

/// Loads a control, makes it do what it is there for, and unloads it.
fn run(name: &str) -> (Kernel, Vec<Violation>) {
    let registry = Registry::from([(KEY.to_owned(), BTreeMap::new())]);
    let kernel = kernel(Options { time_limit: Duration::from_millis(300), registry, ..Options::default() });
    kernel.netio(|model| model.insert(&crate::bench::on(crate::bench::ETHERNET, "192.0.2.1")).expect("a new address"));
    let target = build::calls_target(name)
        .then(|| kernel.load(&build::image("clean_target"), "clean_target").expect("the driver that it calls loads"));
    let driver = kernel.load(&build::image(name), name).expect("the control loads");
    let handle = kernel.open(DEVICE, &Caller::administrator(), DesiredAccess::READ_WRITE).expect("it can be opened");
    let request = handle.start(CONTROL, &[], 16);
    request.cancel();
    handle.close();
    drop(request);
    assert!(driver.unload(), "the control can be unloaded");
    let violations = kernel.violations();
    let is_left_open = violations.iter().any(|violation| violation.rule == Rule::ObjectLeft);
    let unloaded = target.is_none_or(|target| target.unload());
    assert!(unloaded || is_left_open, "nobody has the driver open that it called");
    (kernel, violations)
}

/// The control is caught by exactly this rule.
fn is_caught(name: &str, rule: Rule) {
    let (kernel, violations) = run(name);
    let rules: BTreeSet<Rule> = violations.iter().map(|violation| violation.rule).collect();
    let reported = rules.iter().map(|rule| format!("{rule:?}")).collect();
    facts::write(name, &facts::Control { rule: format!("{rule:?}"), reported });
    assert_eq!(rules, BTreeSet::from([rule]), "{violations:#?}");
    let occasions = kernel.judgements().iter().filter(|it| it.rule == rule).map(|it| it.judged).sum::<u64>();
    assert!(occasions > 0, "{rule:?} was broken and, by its occasions in kernel-sim's occasion.rs, never judged");
}

macro_rules! controls {
    ($($name:ident: $rule:ident;)+) => {
        $(#[test] fn $name() { is_caught(stringify!($name), Rule::$rule); })+

        #[test]
        fn every_rule_has_a_control() {
            let broken = BTreeSet::from([$(Rule::$rule),+]);
            assert_eq!(broken, Rule::ALL.iter().copied().collect());
        }
    };
}

controls! {
    breakpoint: Crash;
    call_astray: Crash;
    callback_left: CallbackLeft;
    callback_object_left: ObjectLeft;
    callback_unregistered_twice: CallbackInvalid;
    cancel_lock_kept: CancelLock;
    cancel_missing: IrpLost;
    crash_of_callee: Crash;
    critical_region_kept: CriticalRegion;
    critical_region_missing: CriticalRegion;
    device_deleted_twice: DeviceInvalid;
    device_left: DeviceLeft;
    dpc_freed: DpcLeft;
    dpc_waits: IrqlTooHigh;
    event_data_missing: EventData;
    extension_overrun: Crash;
    fast_mutex_across_netio: IrqlTooHigh;
    fast_mutex_unsafe: CriticalRegion;
    guarded_mutex_not_held: LockOwner;
    handle_closed_twice: HandleInvalid;
    handle_left: HandleLeft;
    information_leak: InformationLeak;
    information_leak_of_pool: InformationLeak;
    information_too_large: InformationTooLarge;
    interface_left: ObjectLeft;
    irp_awaited_in_guarded_region: WaitForever;
    irp_built_and_freed: IrpFree;
    irp_cancel_routine: IrpCancelRoutine;
    irp_completed_pending: IrpCompletedPending;
    irp_completed_twice: IrpCompletedTwice;
    irp_freed_twice: IrpFree;
    irp_left: IrpLeft;
    irp_lost: IrpLost;
    irp_not_awaited: IrpBuffer;
    irp_not_completed: IrpNotCompleted;
    irp_not_kept: IrpEnd;
    irp_pending_not_marked: IrpPendingMismatch;
    irp_protected_not_sent: IrpFree;
    irp_pending_not_passed_on: IrpPendingMismatch;
    irp_stack_used_up: IrpStack;
    irp_status_mismatch: IrpStatusMismatch;
    irp_touched_after_completion: Crash;
    irp_unknown: IrpUnknown;
    irql_left_raised: IrqlChanged;
    irql_lowered_upwards: IrqlDirection;
    link_left: LinkLeft;
    lock_freed: LockFreed;
    lock_kept: LockKept;
    lock_order: LockOrder;
    lock_taken_twice: LockOwner;
    mutex_kept: LockKept;
    netio_at_dispatch_level: IrqlTooHigh;
    null_copied: Crash;
    null_for_service: Crash;
    null_pointer: Crash;
    object_gone: ObjectInvalid;
    object_left: ObjectLeft;
    object_not_referenced: ObjectDereferenced;
    paged_code_at_dispatch_level: PagedMemory;
    paged_data_at_dispatch_level: PagedMemory;
    paged_pool_at_dispatch_level: PagedMemory;
    pool_double_free: PoolDoubleFree;
    pool_invalid_free: PoolInvalidFree;
    pool_leak: PoolLeak;
    pool_no_tag: PoolParameter;
    pool_overrun: PoolOverrun;
    pool_use_after_free: Crash;
    pool_wrong_tag: PoolWrongTag;
    provider_left: ProviderLeft;
    provider_registered_twice: ProviderInvalid;
    registry_type: RegistryType;
    resource_deleted_while_held: Resource;
    resource_left: Resource;
    resource_outside_critical_region: CriticalRegion;
    resource_shared_then_exclusive: LockOwner;
    row_not_aligned: RowInvalid;
    rundown_left: Rundown;
    rundown_released_twice: Rundown;
    section_not_locked: SectionLock;
    semaphore_limit: SemaphoreLimit;
    shutdown_left: ShutdownLeft;
    spin: TimeLimit;
    spin_lock_at_passive_level: IrqlTooLow;
    spin_lock_kept: LockKept;
    spin_lock_taken_twice: LockOwner;
    table_freed_twice: TableInvalidFree;
    table_not_freed: TableLeak;
    thread_left: ThreadLeft;
    thread_terminated: ThreadInvalid;
    timer_left: TimerLeft;
    timer_not_initialized: NotInitialized;
    timer_on_stack: TimerLeft;
    wait_at_dispatch_level: IrqlTooHigh;
    wait_forever: WaitForever;
    work_item_freed_twice: WorkItemInvalid;
    work_item_left: WorkItemLeft;
    work_item_not_uninitialized: WorkItemLeft;
}

#[test]
fn a_clean_driver_in_c_breaks_no_rule() {
    let kernel = kernel(Options::default());
    let driver = kernel.load(&build::image("clean"), "clean").expect("the control loads");
    let handle = kernel.open(DEVICE, &Caller::administrator(), DesiredAccess::READ).expect("it can be opened");
    let reply = handle.control(CONTROL, b"backwards", 16);
    assert_eq!(reply.output, b"sdrawkcab");
    assert!(handle.control(CONTROL, &[], 16).status.is_error());
    handle.close();
    assert!(driver.unload());
    kernel.assert_clean();
}

#[test]
fn drivers_that_lock_and_wait_break_no_rule() {
    for name in ["clean_locks", "clean_synchronization"] {
        let (_, violations) = run(name);
        assert!(violations.is_empty(), "{violations:#?}");
    }
}

#[test]
fn a_report_tells_the_rule_the_service_the_irql_the_place_in_the_driver_and_what_became_of_the_irp() {
    let (_, violations) = run("netio_at_dispatch_level");
    let report = violations.first().expect("the rule is broken").to_string();
    for part in [
        "IrqlTooHigh",
        "in GetAnycastIpAddressTable at DISPATCH_LEVEL",
        "called from netio_at_dispatch_level+0x",
        " control(_DEVICE_OBJECT*, _IRP*) (controls/netio_at_dispatch_level.c:11)",
        "IRP IRP_MJ_DEVICE_CONTROL 0x8acc2000, 0 bytes in, 16 bytes out",
        "IRP sent to netio_at_dispatch_level at PASSIVE_LEVEL",
        "see https://learn.microsoft.com/windows-hardware/drivers/kernel/managing-hardware-priorities",
    ] {
        assert!(report.contains(part), "{part:?} is missing in:\n{report}");
    }
}

#[test]
fn a_leak_is_reported_with_its_size_its_tag_and_who_allocated_it() {
    let (_, violations) = run("pool_leak");
    let report = violations.first().expect("the rule is broken").to_string();
    assert!(report.contains("64 bytes with tag Ctrl"), "{report}");
    assert!(report.contains(" control(_DEVICE_OBJECT*, _IRP*) (controls/pool_leak.c:6)"), "{report}");
}

#[test]
fn a_driver_that_keeps_another_s_functions_is_reported_by_its_own_name() {
    let (_, violations) = run("interface_left");
    let report = violations.first().expect("the rule is broken").to_string();
    for part in [
        r"the file object 0x",
        r" of \device\target is still referenced; it was opened from here",
        "by interface_left",
        "called from interface_left+0x",
        "open_target",
    ] {
        assert!(report.contains(part), "{part:?} is missing in:\n{report}");
    }
}

#[test]
fn a_crash_while_loading_is_a_verdict_too() {
    let kernel = kernel(Options::default());
    let result = kernel.load(&build::image("crash_while_loading"), "crash_while_loading");
    assert!(matches!(result, Err(LoadError::Crash)), "{result:?}");
    let report = kernel.violations().first().expect("the crash is reported").to_string();
    assert!(report.contains("division by zero"), "{report}");
    assert!(
        report.contains(" DriverEntry(_DRIVER_OBJECT*, _UNICODE_STRING*) (controls/crash_while_loading.c:7)"),
        "{report}"
    );
    assert!(kernel.open(DEVICE, &Caller::system(), DesiredAccess::READ).is_err());
}

#[test]
fn a_call_of_what_is_not_there_is_reported_with_its_place() {
    let (_, violations) = run("call_astray");
    let report = violations.first().expect("the rule is broken").to_string();
    assert!(report.contains("access violation at address 0x40"), "{report}");
    assert!(report.contains(" control(_DEVICE_OBJECT*, _IRP*) (controls/call_astray.c:7)"), "{report}");
}

#[test]
fn whoever_has_called_a_driver_that_crashes_does_not_go_on_either() {
    let (_, violations) = run("crash_of_callee");
    let [violation] = violations.as_slice() else { panic!("{violations:#?}") };
    let symbols: Vec<&str> = violation.stack.iter().filter_map(|frame| frame.symbol.as_deref()).collect();
    assert!(symbols[0].starts_with("crash(") && symbols[1].starts_with("control("), "{symbols:?}");
}

#[test]
fn after_a_crash_no_code_of_the_driver_runs() {
    let (kernel, violations) = run("null_pointer");
    assert!(kernel.has_stopped());
    let report = violations.first().expect("the rule is broken").to_string();
    assert!(report.contains("access violation at address 0x0"), "{report}");
    assert!(report.contains(" control(_DEVICE_OBJECT*, _IRP*) (controls/null_pointer.c:7)"), "{report}");
    assert!(kernel.open(DEVICE, &Caller::administrator(), DesiredAccess::READ).is_err());
}
