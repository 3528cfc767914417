//! `install` and `uninstall`.

use std::cell::RefCell;
use std::time::Duration;

use anycastctl::platform::{InfError, InfSection, ServiceState};
use insta::assert_snapshot;
use netio_anycast_client::protocol::win32::Win32Error;

use crate::fake::{Fake, NoDriver};
use crate::transcript;

fn not_installed() -> Fake {
    Fake::without_driver(NoDriver)
}

#[test]
fn installing_and_uninstalling() {
    assert_snapshot!(transcript(&not_installed(), &["install", "status", "install", "start", "uninstall", "status"],));
}

#[test]
fn installing_and_uninstalling_in_json() {
    let inf = "--inf /package/netio_anycast.inf";
    assert_snapshot!(transcript(
        &not_installed(),
        &[
            &format!("install --json {inf}"),
            &format!("install --json {inf}"),
            &format!("uninstall --json {inf}"),
            &format!("uninstall --json {inf}"),
        ],
    ));
}

#[test]
fn files_that_are_missing() {
    let mut platform = not_installed();
    platform.files.pop();
    assert_snapshot!(transcript(
        &platform,
        &["install", "install --inf /elsewhere/my.inf", "uninstall --inf /elsewhere/my.inf", "--json install"],
    ));
}

#[test]
fn a_service_that_comes_at_the_third_try() {
    let mut platform = not_installed();
    let mut tries = 0;
    platform.inf = RefCell::new(Box::new(move |section, service| {
        assert_eq!(section, InfSection::Install);
        tries += 1;
        if tries == 3 {
            service.put(ServiceState::Stopped);
        }
        Ok(())
    }));
    assert_snapshot!(transcript(&platform, &["install"]));
    assert_eq!(platform.slept.get(), Duration::from_secs(2));
}

#[test]
fn a_service_that_never_comes() {
    let mut platform = not_installed();
    platform.inf = RefCell::new(Box::new(|_, _| Ok(())));
    assert_snapshot!(transcript(&platform, &["install", "--json install"]));
}

#[test]
fn an_inf_that_cannot_be_run() {
    for (name, error) in [
        ("not_started", InfError::NotStarted(Win32Error::FILE_NOT_FOUND)),
        ("too_slow", InfError::TimedOut(Duration::from_mins(2))),
    ] {
        let mut platform = not_installed();
        platform.inf = RefCell::new(Box::new(move |_, _| Err(error)));
        let text = transcript(&platform, &["install", "--json install"]);
        assert_snapshot!(format!("an_inf_that_cannot_be_run_{name}"), text);
    }
}

#[test]
fn an_inf_that_leaves_the_service() {
    let mut platform = not_installed();
    platform.service.put(ServiceState::Running);
    platform.inf = RefCell::new(Box::new(|_, _| Ok(())));
    assert_snapshot!(transcript(&platform, &["uninstall", "status"]));
}

#[test]
fn uninstalling_without_the_inf() {
    let mut platform = not_installed();
    platform.service.put(ServiceState::Running);
    platform.files.clear();
    assert_snapshot!(transcript(&platform, &["uninstall"]));
}

#[test]
fn a_service_that_somebody_has_open() {
    let mut platform = not_installed();
    platform.service.put(ServiceState::Stopped);
    platform.service.held_open.set(true);
    platform.inf = RefCell::new(Box::new(|_, _| Ok(())));
    assert_snapshot!(transcript(&platform, &["uninstall", "--json uninstall"]));
}
