//! Drivers that call each other: `controls/clean_client.c` calls `controls/clean_target.c` in every way that there is.

use kernel_sim::{
    Caller, Control, DesiredAccess, Driver, Faults, Handle, Irql, Kernel, Options, ProcessId, Work, interleave,
};
use netio_anycast_protocol::status::NtStatus;

use crate::bench::kernel;
use crate::controls::{CONTROL, DEVICE, build};

pub(crate) const TARGET: &str = r"\Device\Target";

/// The control codes of `controls/target.h`.
const fn code(function: u32) -> u32 {
    0x8ACD << 16 | (0x800 + function) << 2
}
const REVERSE: u32 = code(0);
const WAIT: u32 = code(1);
const RELEASE: u32 = code(2);
const CALLER: u32 = code(3);
const INTERFACE: u32 = code(4);

fn load(kernel: &Kernel, name: &str) -> Driver {
    kernel.load(&build::image(name), name).expect("the driver loads")
}

/// The target, and the client that has opened it.
fn load_both(options: Options) -> (Kernel, Driver, Driver) {
    let kernel = kernel(options);
    let target = load(&kernel, "clean_target");
    let client = load(&kernel, "clean_client");
    (kernel, target, client)
}

fn open(kernel: &Kernel, path: &str, caller: &Caller) -> Handle {
    kernel.open(path, caller, DesiredAccess::READ_WRITE).expect("it can be opened")
}

fn open_client(kernel: &Kernel) -> Handle {
    open(kernel, DEVICE, &Caller::administrator())
}

#[test]
fn a_driver_may_call_another_in_every_way_that_there_is() {
    let (kernel, target, client) = load_both(Options::default());
    let handle = open_client(&kernel);
    assert_eq!(handle.control(CONTROL, &[], 0).status, NtStatus::SUCCESS, "{:#?}", kernel.violations());
    handle.close();
    assert!(client.unload() && target.unload());
    kernel.assert_clean();
}

#[test]
fn a_request_that_is_sent_on_comes_back_to_who_has_made_it() {
    let (kernel, target, client) = load_both(Options::default());
    let handle = open_client(&kernel);
    let reply = handle.control(REVERSE, b"onward", 6);
    assert_eq!((reply.status, reply.output.as_slice()), (NtStatus::SUCCESS, b"drawno".as_slice()));
    let pending = handle.start(WAIT, &[], 0);
    assert!(pending.is_pending());
    assert_eq!(handle.control(RELEASE, &[], 0).status, NtStatus::SUCCESS);
    assert_eq!(pending.wait().status, NtStatus::SUCCESS);
    let cancelled = handle.start(WAIT, &[], 0);
    cancelled.cancel();
    assert_eq!(cancelled.wait().status, NtStatus::CANCELLED);
    handle.close();
    assert!(client.unload() && target.unload());
    kernel.assert_clean();
}

#[test]
fn a_driver_that_is_open_is_unloaded_when_it_is_closed_and_not_opened_meanwhile() {
    let (kernel, target, client) = load_both(Options::default());
    assert!(!target.unload(), "the client has it open");
    let refused = kernel.open(TARGET, &Caller::driver(), DesiredAccess::READ).err();
    assert_eq!(refused, Some(NtStatus::from_bits(0xC000_000E)), "STATUS_NO_SUCH_DEVICE");
    let handle = open_client(&kernel);
    assert_eq!(handle.control(REVERSE, b"still", 5).output, b"llits");
    handle.close();
    assert!(client.unload());
    assert!(kernel.devices().is_empty(), "the target went with its last file object");
    assert!(target.unload(), "it is gone");
    kernel.assert_clean();
}

#[test]
fn whoever_sends_a_request_is_known() {
    let (kernel, target, client) = load_both(Options::default());
    // Requestor, current process, requestor mode, previous mode.
    let words = |reply: kernel_sim::Reply| -> Vec<u32> {
        assert_eq!(reply.status, NtStatus::SUCCESS);
        reply.output.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().expect("four bytes"))).collect()
    };
    let program = open(&kernel, TARGET, &Caller::administrator().of(ProcessId(1234)));
    assert_eq!(words(program.control(CALLER, &[], 16)), [1234, 1234, 1, 1]);
    let driver = open(&kernel, TARGET, &Caller::driver());
    assert_eq!(words(driver.control(CALLER, &[], 16)), [4, 4, 0, 0]);
    let through = open(&kernel, DEVICE, &Caller::administrator().of(ProcessId(5678)));
    assert_eq!(words(through.control(CALLER, &[], 16)), [5678, 5678, 1, 1]);
    drop((program, driver, through));
    assert!(client.unload() && target.unload());
    kernel.assert_clean();
}

#[test]
fn what_drivers_alone_may_send_reaches_the_driver_as_such() {
    let kernel = kernel(Options::default());
    let target = load(&kernel, "clean_target");
    let handle = open(&kernel, TARGET, &Caller::driver());
    let internal = Control::new(REVERSE, b"abc", 3).internal().at(Irql::DISPATCH_LEVEL);
    assert_eq!(handle.send(&internal).wait().output, b"cba");
    let program = open(&kernel, TARGET, &Caller::administrator());
    let refused = program.control(INTERFACE, &[], 32).status;
    assert_eq!(refused, NtStatus::INVALID_DEVICE_REQUEST, "a program has no internal device controls");
    drop((handle, program));
    assert!(target.unload());
    kernel.assert_clean();
}

#[test]
fn the_end_of_a_process_cancels_what_it_has_pending_and_closes_its_handles() {
    let kernel = kernel(Options::default());
    let target = load(&kernel, "clean_target");
    let (one, other) = (ProcessId(100), ProcessId(200));
    let (mine, theirs) = (
        open(&kernel, TARGET, &Caller::administrator().of(one)),
        open(&kernel, TARGET, &Caller::administrator().of(other)),
    );
    let shared = mine.duplicate(other).expect("it is open");
    let pending = [mine.start(WAIT, &[], 0), theirs.start(WAIT, &[], 0)];
    kernel.kill(one);
    assert!(!pending[0].is_pending());
    assert!(pending[1].is_pending(), "that of the other process stays");
    assert_eq!(mine.control(RELEASE, &[], 0).status, NtStatus::from_bits(0xC000_0008), "STATUS_INVALID_HANDLE");
    assert_eq!(shared.control(RELEASE, &[], 0).status, NtStatus::SUCCESS, "the file object has another handle");
    assert_eq!(pending.map(|pending| pending.wait().status), [NtStatus::CANCELLED, NtStatus::SUCCESS]);
    kernel.kill(other);
    assert!(target.unload(), "nobody has it open");
    kernel.assert_clean();
}

#[test]
fn whatever_fails_on_the_way_nothing_is_left_of_it() {
    let sites = Faults::at_every_site(|faults| {
        let (kernel, target, client) =
            faults.suspended(|| load_both(Options { faults: faults.clone(), ..Options::default() }));
        let handle = open_client(&kernel);
        let status = handle.control(CONTROL, &[], 0).status;
        let expected = if faults.struck().is_some() { NtStatus::INSUFFICIENT_RESOURCES } else { NtStatus::SUCCESS };
        // One failure is as good as the error that is asked for there.
        assert!(status == expected || status == NtStatus::SUCCESS, "{:?}: {status}", faults.struck());
        handle.close();
        assert!(client.unload() && target.unload());
        kernel.assert_clean();
    });
    let mut services: Vec<_> = sites.iter().map(|site| site.service).collect();
    services.sort_unstable();
    services.dedup();
    let expected = [
        "ExAllocatePoolWithTag",
        "IoAllocateIrp",
        "IoBuildDeviceIoControlRequest",
        "IoSetCompletionRoutineEx",
        "ZwOpenFile",
    ];
    assert_eq!(services, expected);
}

#[test]
fn two_who_use_a_client_do_not_disturb_each_other_whatever_the_schedule() {
    for seed in 0..300 {
        let (kernel, target, client) = load_both(Options::default());
        let use_it = || -> Work<'_> {
            Box::new(|| {
                let handle = open_client(&kernel);
                assert_eq!(handle.control(CONTROL, &[], 0).status, NtStatus::SUCCESS, "seed {seed}");
            })
        };
        interleave(seed, vec![use_it(), use_it()]);
        assert!(client.unload() && target.unload(), "seed {seed}");
        kernel.assert_clean();
    }
}

#[test]
fn the_target_may_go_and_requests_be_cancelled_at_any_moment() {
    let mut ends = std::collections::BTreeSet::new();
    for seed in 0..300 {
        let (kernel, target, client) = load_both(Options::default());
        let handle = open_client(&kernel);
        let pending = handle.start(WAIT, &[], 0);
        let cancel: Work<'_> = Box::new(|| pending.cancel());
        let release: Work<'_> = Box::new(|| drop(handle.control(RELEASE, &[], 0)));
        let unload: Work<'_> = Box::new(|| assert!(!target.unload(), "the client has it open"));
        interleave(seed, vec![cancel, release, unload]);
        ends.insert(pending.wait().status);
        handle.close();
        assert!(client.unload() && kernel.devices().is_empty(), "seed {seed}");
        kernel.assert_clean();
    }
    assert_eq!(ends, [NtStatus::CANCELLED, NtStatus::SUCCESS].into(), "both happen");
}
