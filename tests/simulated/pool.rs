//! Pool that is charged to a process, and pool with the newer flags. The driver is `controls/clean_pool.c`.

use kernel_sim::{Caller, DesiredAccess, Driver, Handle, Kernel, Options, ProcessId, Rule};
use netio_anycast_protocol::status::NtStatus;

use crate::bench::kernel;
use crate::controls::{CONTROL, DEVICE, build};

/// The control codes of `controls/clean_pool.c`.
const fn code(function: u32) -> u32 {
    CONTROL + (function << 2)
}
const QUOTA_FLAG: u32 = code(1);
const QUOTA_TAG: u32 = code(2);
const QUOTA_TAG_RAISE: u32 = code(3);
const CACHE_ALIGNED: u32 = code(4);
const UNINITIALIZED: u32 = code(5);

/// The driver, in a system where each process may have 1,000 bytes of pool.
fn load() -> (Kernel, Driver) {
    let kernel = kernel(Options { pool_quota: 1000, ..Options::default() });
    let driver = kernel.load(&build::image("clean_pool"), "clean_pool").expect("the driver loads");
    (kernel, driver)
}

fn open(kernel: &Kernel, caller: &Caller) -> Handle {
    kernel.open(DEVICE, caller, DesiredAccess::READ).expect("it can be opened")
}

fn allocate(handle: &Handle, code: u32, bytes: u32) -> NtStatus {
    handle.control(code, &bytes.to_le_bytes(), 0).status
}

#[test]
fn a_process_has_its_quota_of_pool_and_gets_it_back() {
    let (kernel, driver) = load();
    let program = |id| open(&kernel, &Caller::administrator().of(ProcessId(id)));
    let (one, other, system) = (program(100), program(200), open(&kernel, &Caller::driver()));
    for code in [QUOTA_FLAG, QUOTA_TAG] {
        assert_eq!(allocate(&one, code, 600), NtStatus::SUCCESS);
        assert_eq!(allocate(&one, code, 401), NtStatus::INSUFFICIENT_RESOURCES, "only 400 are left");
        assert_eq!(allocate(&one, code, 400), NtStatus::SUCCESS);
        assert_eq!(allocate(&other, code, 1000), NtStatus::SUCCESS, "another process has its own");
        assert_eq!(allocate(&system, code, 5000), NtStatus::SUCCESS, "the system has no quota");
        // Whoever frees it, it is given back to whom it was charged.
        assert_eq!(other.control(code, &[], 0).status, NtStatus::SUCCESS);
    }
    drop((one, other, system));
    assert!(driver.unload());
    kernel.assert_clean();
}

#[test]
fn pool_is_zeroed_and_aligned_as_its_flags_say() {
    let (kernel, driver) = load();
    let handle = open(&kernel, &Caller::administrator());
    for bytes in [8, 63, 64, 65, 4096, 10_000] {
        assert_eq!(allocate(&handle, CACHE_ALIGNED, bytes), NtStatus::SUCCESS);
        assert_eq!(allocate(&handle, UNINITIALIZED, bytes), NtStatus::SUCCESS);
    }
    handle.close();
    assert!(driver.unload());
    kernel.assert_clean();
}

#[test]
fn a_failure_that_raises_is_a_verdict_with_its_status_and_the_place() {
    let (kernel, _driver) = load();
    let handle = open(&kernel, &Caller::administrator());
    assert_eq!(allocate(&handle, QUOTA_TAG_RAISE, 1000), NtStatus::SUCCESS);
    assert!(allocate(&handle, QUOTA_TAG_RAISE, 1000).is_error());
    let violations = kernel.violations();
    let [violation] = violations.as_slice() else { panic!("{violations:#?}") };
    assert_eq!((violation.rule, violation.call), (Rule::Crash, Some("ExAllocatePoolWithQuotaTag")));
    assert!(violation.detail.contains("STATUS_QUOTA_EXCEEDED"), "{}", violation.detail);
    assert!(violation.stack[0].symbol.as_deref().is_some_and(|symbol| symbol.starts_with("control(")), "{violation}");
}
