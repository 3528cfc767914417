//! `start`, `stop` and `status`.

use std::time::Duration;

use anycastctl::codes;
use anycastctl::platform::ServiceState;
use insta::assert_snapshot;
use netio_anycast_client::protocol::win32::Win32Error;

use crate::fake::Fake;
use crate::transcript;

/// A system whose driver is installed and does not run.
fn stopped() -> Fake {
    let platform = Fake::with_model(|_| {});
    platform.service.put(ServiceState::Stopped);
    platform
}

#[test]
fn starting_and_stopping() {
    assert_snapshot!(transcript(&stopped(), &["status", "start", "start", "status", "list", "stop", "stop", "list"],));
}

#[test]
fn starting_and_stopping_in_json() {
    assert_snapshot!(transcript(
        &stopped(),
        &["status --json", "start --json", "start --json", "status --json", "stop --json", "stop --json"],
    ));
}

#[test]
fn a_driver_that_takes_its_time() {
    let platform = stopped();
    platform.service.transitions.borrow_mut().extend([ServiceState::Starting; 3]);
    assert_snapshot!(transcript(&platform, &["start"]), @r"
    $ anycastctl start
    Started the driver.
    [exit code 0]
    ");
    assert_eq!(platform.slept.get(), Duration::from_millis(300));
}

#[test]
fn a_driver_that_takes_too_long() {
    let platform = Fake::with_model(|_| {});
    platform.service.transitions.borrow_mut().extend([ServiceState::Stopping; 1300]);
    assert_snapshot!(transcript(&platform, &["stop", "--json stop"]));
    platform.service.transitions.borrow_mut().clear();
    platform.service.transitions.borrow_mut().extend([ServiceState::Starting; 1000]);
    assert_snapshot!("a_driver_that_starts_too_slowly", transcript(&platform, &["start"]));
    // One that does as if nothing had been asked of it.
    let mut text = String::new();
    for (command_line, state) in [("start", ServiceState::Stopped), ("stop", ServiceState::Running)] {
        platform.service.transitions.borrow_mut().clear();
        platform.service.transitions.borrow_mut().extend([state; 1300]);
        text += &transcript(&platform, &[command_line]);
    }
    assert_snapshot!("a_driver_that_does_not_care", text);
}

#[test]
fn states_in_between() {
    let platform = stopped();
    platform.service.transitions.borrow_mut().extend([ServiceState::Starting, ServiceState::Stopping]);
    assert_snapshot!(transcript(&platform, &["status", "status"]));
}

#[test]
fn a_driver_that_is_not_installed() {
    let platform = stopped();
    *platform.service.info.borrow_mut() = None;
    assert_snapshot!(transcript(&platform, &["start", "stop", "status", "uninstall", "--json status"]));
}

#[test]
fn what_the_service_control_manager_refuses() {
    let mut text = String::new();
    for code in [
        Win32Error::ACCESS_DENIED,
        Win32Error::FILE_NOT_FOUND,
        codes::SERVICE_MARKED_FOR_DELETE,
        codes::SERVICE_DISABLED,
        codes::INVALID_IMAGE_HASH,
        codes::DRIVER_BLOCKED,
        codes::BAD_EXE_FORMAT,
        codes::DLL_INIT_FAILED,
        codes::SERVICE_REQUEST_TIMEOUT,
        Win32Error(12345),
    ] {
        let platform = stopped();
        platform.service.fails.set(Some(code));
        text += &transcript(&platform, &["start"]);
    }
    assert_snapshot!(text);
}

#[test]
fn what_the_service_control_manager_refuses_in_json() {
    let platform = stopped();
    platform.service.fails.set(Some(Win32Error::ACCESS_DENIED));
    assert_snapshot!(transcript(
        &platform,
        &["--json start", "--json stop", "--json status", "--json install", "--json uninstall"],
    ));
}
