//! Loading and unloading.

use kernel_sim::{Caller, DesiredAccess, Options};
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::{DEVICE_NAME, SERVICE_NAME};

use crate::bench::{Bench, DEVICE, ETHERNET, image, kernel, on};
use crate::report;

#[test]
fn it_loads_with_and_without_ex_allocate_pool2() {
    for allocate_pool2 in [true, false] {
        let bench = Bench::with(Options { allocate_pool2, ..Options::default() });
        let calls = bench.kernel.calls();
        assert_eq!(calls.contains(&"ExAllocatePool2"), allocate_pool2);
        assert_eq!(calls.contains(&"ExAllocatePoolWithTag"), !allocate_pool2);
        bench.create(on(ETHERNET, "192.0.2.1")).expect("the driver works either way");
    }
}

#[test]
fn it_has_its_device_and_its_link_while_it_is_loaded_and_only_then() {
    let bench = Bench::new();
    let kernel = bench.kernel.clone();
    assert_eq!(kernel.devices(), [DEVICE_NAME.to_lowercase()]);
    assert_eq!(kernel.links(), [DEVICE.to_lowercase()]);
    drop(bench);
    assert!(kernel.devices().is_empty() && kernel.links().is_empty());
    let gone = kernel.open(DEVICE, &Caller::system(), DesiredAccess::READ).err();
    assert_eq!(gone, Some(NtStatus::OBJECT_NAME_NOT_FOUND));
}

#[test]
fn it_is_not_unloaded_while_it_is_open() {
    let mut bench = Bench::new();
    assert!(!bench.driver.unload());
    bench.create(on(ETHERNET, "192.0.2.1")).expect("it is still there");
    drop(bench.client.take());
}

#[test]
fn it_can_be_loaded_again_after_it_was_unloaded() {
    let kernel = kernel(Options::default());
    for _ in 0..3 {
        let driver = kernel.load(&image(), SERVICE_NAME).expect("the driver loads");
        assert!(driver.unload());
    }
    report::judged(&kernel);
    kernel.assert_clean();
}

#[test]
fn a_second_copy_finds_the_name_taken_and_leaves_nothing() {
    let bench = Bench::new();
    let second = bench.kernel.load(&image(), "second").expect_err("the device's name is taken");
    assert_eq!(second.to_string(), format!("DriverEntry failed with {}", NtStatus::OBJECT_NAME_COLLISION));
    bench.create(on(ETHERNET, "192.0.2.1")).expect("the first is as it was");
}
