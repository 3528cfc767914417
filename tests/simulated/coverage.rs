//! Whether the simulated kernel tells which of a driver's basic blocks have run, and whether the driver notices.

use std::collections::BTreeSet;
use std::thread;

use kernel_sim::{Caller, Coverage, DesiredAccess, Driver, Image, Kernel, Options, Rule};

use crate::bench::{image, kernel};
use crate::controls::build;

const CONTROL: u32 = crate::controls::CONTROL;

/// A control in a kernel that notes what runs.
fn load(image: &Image, coverage: &Coverage) -> (Kernel, Driver) {
    let kernel = kernel(Options { coverage: Some(coverage.clone()), ..Options::default() });
    let driver = kernel.load(image, "control").expect("the control loads");
    (kernel, driver)
}

/// The offsets of what has run.
fn covered(coverage: &Coverage) -> BTreeSet<usize> {
    coverage.blocks().filter(|(_, has_run)| *has_run).map(|(offset, _)| offset).collect()
}

/// The functions in which something has run.
fn functions(coverage: &Coverage) -> BTreeSet<String> {
    let offsets: Vec<usize> = covered(coverage).into_iter().collect();
    coverage.image().places(&offsets).into_iter().flatten().map(|place| place.function).collect()
}

#[test]
fn what_has_run_is_noted_and_nothing_else() {
    let image = build::image("clean");
    let coverage = Coverage::new(&image).expect("the image is whole");
    let (kernel, driver) = load(&image, &coverage);
    let ran = |function: &str| functions(&coverage).iter().any(|name| name.starts_with(function));
    assert!(ran("DriverEntry") && !ran("control") && !ran("remove_device"), "{:?}", functions(&coverage));
    let handle = kernel.open(crate::controls::DEVICE, &Caller::administrator(), DesiredAccess::READ).expect("it opens");
    assert!(handle.control(CONTROL + 4, &[], 0).status.is_error());
    assert!(ran("control") && !ran("echo"), "{:?}", functions(&coverage));
    assert_eq!(handle.control(CONTROL, b"twice", 16).output, b"eciwt");
    assert!(ran("echo") && !ran("remove_device"), "{:?}", functions(&coverage));
    let before = covered(&coverage);
    assert_eq!(handle.control(CONTROL, b"twice", 16).output, b"eciwt");
    assert_eq!(covered(&coverage), before, "what ran once is known");
    handle.close();
    assert!(driver.unload());
    assert!(ran("remove_device"), "{:?}", functions(&coverage));
    assert!(coverage.covered() < coverage.total(), "the failures of services have not been met");
    kernel.assert_clean();
}

#[test]
fn another_kernel_goes_on_from_what_is_known_or_begins_afresh() {
    let image = build::image("clean");
    let coverage = Coverage::new(&image).expect("the image is whole");
    let (_, driver) = load(&image, &coverage);
    assert!(driver.unload());
    let known = covered(&coverage);
    let (_, driver) = load(&image, &coverage);
    assert!(driver.unload());
    assert_eq!(covered(&coverage), known);
    let afresh = coverage.afresh();
    assert_eq!((afresh.covered(), afresh.total()), (0, coverage.total()));
    let (_, driver) = load(&image, &afresh);
    assert!(driver.unload());
    assert_eq!(covered(&afresh), known);
    let other = coverage.afresh();
    other.add(&afresh);
    assert_eq!(covered(&other), known);
}

#[test]
fn coverage_of_another_image_leaves_a_driver_alone() {
    let coverage = Coverage::new(&build::image("clean_locks")).expect("the image is whole");
    let (kernel, driver) = load(&build::image("clean"), &coverage);
    assert!(driver.unload());
    assert_eq!(coverage.covered(), 0);
    kernel.assert_clean();
}

/// Threads that come to the same breakpoints at once all go on.
#[test]
fn threads_may_meet_at_a_block() {
    let image = build::image("clean");
    for _ in 0..50 {
        let coverage = Coverage::new(&image).expect("the image is whole");
        let (kernel, driver) = load(&image, &coverage);
        let open = || kernel.open(crate::controls::DEVICE, &Caller::administrator(), DesiredAccess::READ);
        let handles = [open(), open(), open(), open()].map(|handle| handle.expect("it opens"));
        thread::scope(|scope| {
            for handle in &handles {
                scope.spawn(|| assert_eq!(handle.control(CONTROL, b"at once", 16).output, b"ecno ta"));
            }
        });
        drop(handles);
        assert!(driver.unload());
        kernel.assert_clean();
    }
}

#[test]
fn a_breakpoint_of_the_drivers_own_still_stops_it() {
    let image = build::image("breakpoint");
    let coverage = Coverage::new(&image).expect("the image is whole");
    let (kernel, _driver) = load(&image, &coverage);
    let handle = kernel.open(crate::controls::DEVICE, &Caller::administrator(), DesiredAccess::READ).expect("it opens");
    assert!(handle.control(CONTROL, &[], 0).status.is_error());
    let rules: Vec<Rule> = kernel.violations().iter().map(|violation| violation.rule).collect();
    assert_eq!(rules, [Rule::Crash]);
}

/// Every instruction of the driver is in a block, but for those that no way leads to.
#[test]
fn the_blocks_are_the_whole_of_the_drivers_code() {
    let unreached = image().unreached_instructions().expect("the image is whole");
    assert!(unreached.is_empty(), "instructions to which no way was found: {unreached:#x?}");
}

/// Tables of jumps that stand one behind the other are kept apart.
#[test]
fn no_block_begins_inside_an_instruction() {
    let inside = image().blocks_inside_instructions().expect("the image is whole");
    assert!(inside.is_empty(), "blocks inside of instructions: {inside:#x?}");
}
