//! Who may open the device, and what an open handle may do.

use kernel_sim::{Caller, DesiredAccess, Kernel, Options};
use netio_anycast_protocol::create::CreateRequest;
use netio_anycast_protocol::operation::{Access, OPERATIONS, Operation};
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::{DEVICE_NAME, SERVICE_NAME};
use zerocopy::IntoBytes as _;

use crate::bench::{Bench, DEVICE, ETHERNET, class_setting, image, kernel, on};
use crate::report;

/// The status that opening ends with.
fn open(kernel: &Kernel, path: &str, caller: &Caller, access: DesiredAccess) -> NtStatus {
    kernel.open(path, caller, access).map_or_else(|status| status, |_| NtStatus::SUCCESS)
}

#[test]
fn system_and_administrators_have_all_access_and_nobody_else_any() {
    let bench = Bench::new();
    assert_eq!(bench.kernel.security_of(DEVICE_NAME).as_deref(), Some("D:P(A;;GA;;;SY)(A;;GA;;;BA)"));
    for access in [DesiredAccess::READ, DesiredAccess::WRITE, DesiredAccess::READ_WRITE, DesiredAccess::ATTRIBUTES] {
        assert_eq!(open(&bench.kernel, DEVICE, &Caller::system(), access), NtStatus::SUCCESS);
        assert_eq!(open(&bench.kernel, DEVICE, &Caller::administrator(), access), NtStatus::SUCCESS);
        assert_eq!(open(&bench.kernel, DEVICE, &Caller::user(), access), NtStatus::ACCESS_DENIED);
    }
}

#[test]
fn the_descriptor_is_set_before_the_link_leads_to_the_device() {
    let bench = Bench::new();
    let calls = bench.kernel.calls();
    let position = |name| calls.iter().position(|call| *call == name).expect(name);
    assert!(position("IoCreateDevice") < position("ZwSetSecurityObject"));
    assert!(position("ZwSetSecurityObject") < position("IoCreateSymbolicLink"));
}

#[test]
fn an_administrator_s_setting_for_the_class_takes_the_place_of_the_default() {
    let setting = kernel_sim::descriptor(&[(DesiredAccess::READ, "BU")]);
    let kernel = kernel(Options { registry: class_setting(Some(setting)), ..Options::default() });
    let driver = kernel.load(&image(), SERVICE_NAME).expect("the driver loads");
    assert_eq!(kernel.security_of(DEVICE_NAME).as_deref(), Some("D:P(A;;GR;;;BU)"));
    assert_eq!(open(&kernel, DEVICE, &Caller::user(), DesiredAccess::READ), NtStatus::SUCCESS);
    assert_eq!(open(&kernel, DEVICE, &Caller::user(), DesiredAccess::WRITE), NtStatus::ACCESS_DENIED);
    assert!(driver.unload());
    report::judged(&kernel);
    kernel.assert_clean();
}

#[test]
fn a_setting_that_is_no_descriptor_keeps_the_driver_from_loading() {
    let registry = class_setting(Some(b"no descriptor".to_vec()));
    let kernel = kernel(Options { registry, ..Options::default() });
    kernel.load(&image(), SERVICE_NAME).expect_err("a broken setting must not open the device to anybody");
    assert!(kernel.devices().is_empty());
    report::judged(&kernel);
    kernel.assert_clean();
}

#[test]
fn there_is_nothing_below_the_device() {
    let bench = Bench::new();
    for name in [r"\", r"\name", r"\..", r"\a\b"] {
        let path = format!("{DEVICE}{name}");
        let administrator = open(&bench.kernel, &path, &Caller::administrator(), DesiredAccess::READ);
        assert_eq!(administrator, NtStatus::OBJECT_NAME_INVALID, "{path}");
        // FILE_DEVICE_SECURE_OPEN: who may not open the device does not even reach the driver.
        let user = open(&bench.kernel, &path, &Caller::user(), DesiredAccess::READ);
        assert_eq!(user, NtStatus::ACCESS_DENIED, "{path}");
    }
}

#[test]
fn a_handle_does_only_what_it_was_opened_for() {
    let bench = Bench::new();
    let reader = bench.kernel.open(DEVICE, &Caller::administrator(), DesiredAccess::READ).expect("may read");
    let writer = bench.kernel.open(DEVICE, &Caller::administrator(), DesiredAccess::WRITE).expect("may write");
    let neither = bench.kernel.open(DEVICE, &Caller::administrator(), DesiredAccess::ATTRIBUTES).expect("may look");
    for definition in &OPERATIONS {
        let code = definition.control_code();
        let wrong = if definition.access == Access::Read { &writer } else { &reader };
        assert_eq!(wrong.control(code, &[], 0).status, NtStatus::ACCESS_DENIED, "{}", definition.name);
        assert_eq!(neither.control(code, &[], 0).status, NtStatus::ACCESS_DENIED, "{}", definition.name);
    }
    let request = CreateRequest { row: on(ETHERNET, "192.0.2.1"), lifetime: 0, flags: 0 };
    let code = Operation::Create.definition().control_code();
    assert_eq!(writer.control(code, request.as_bytes(), 48).status, NtStatus::SUCCESS);
}
