//! Memory that may be paged out. The driver is `controls/clean_paging.c`; who breaks the rule is among the controls.

use std::thread;

use kernel_sim::{Caller, DesiredAccess, Handle, Kernel, Options, Work, interleave};
use netio_anycast_protocol::status::NtStatus;

use crate::bench::kernel;
use crate::controls::{CONTROL, DEVICE, build};

/// The control codes of `controls/clean_paging.c`.
const RAISED: u32 = CONTROL + (1 << 2);
const LOCKED: u32 = CONTROL + (2 << 2);

fn open(kernel: &Kernel) -> Handle {
    kernel.open(DEVICE, &Caller::administrator(), DesiredAccess::READ).expect("it can be opened")
}

fn send(kernel: &Kernel, code: u32) {
    assert_eq!(open(kernel).control(code, &[], 0).status, NtStatus::SUCCESS);
}

#[test]
fn who_touches_paged_memory_below_dispatch_level_notices_nothing_of_who_is_at_that_level() {
    let kernel = kernel(Options::default());
    let driver = kernel.load(&build::image("clean_paging"), "clean_paging").expect("the driver loads");
    thread::scope(|scope| {
        for code in [CONTROL, RAISED, CONTROL, RAISED, LOCKED] {
            let kernel = &kernel;
            scope.spawn(move || {
                for _ in 0..4 {
                    send(kernel, code);
                }
            });
        }
    });
    assert!(driver.unload());
    kernel.assert_clean();
}

#[test]
fn the_same_holds_whatever_the_schedule() {
    for seed in 0..30 {
        let kernel = kernel(Options::default());
        let driver = kernel.load(&build::image("clean_paging"), "clean_paging").expect("the driver loads");
        let kernel = &kernel;
        let work = |code| -> Work<'_> { Box::new(move || send(kernel, code)) };
        interleave(seed, vec![work(CONTROL), work(RAISED), work(LOCKED)]);
        assert!(driver.unload(), "seed {seed}");
        kernel.assert_clean();
    }
}
