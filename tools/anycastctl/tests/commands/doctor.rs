//! `doctor`: everything that can be wrong, and what to do about it.

use std::time::Duration;

use anycastctl::platform::{ServiceState, Verifier};
use insta::assert_snapshot;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::version::Features;
use netio_anycast_client::protocol::win32::Win32Error;
use netio_anycast_client::{Client, InterfaceId, OsError, Sharing};
use netio_model::{Fault, Function, Model};

use crate::fake::{Fake, NoDriver};
use crate::in_process::InProcessDriver;
use crate::refusals::Driver;
use crate::{ip, run, transcript};

/// With the image that its service has.
fn whole(mut platform: Fake) -> Fake {
    platform.files.push(r"C:\drivers\netio_anycast.sys".into());
    platform
}

#[test]
fn a_system_without_fault() {
    let platform = whole(Fake::with_model(|_| {}));
    run(Ok(&platform), "add 192.0.2.1 --interface Ethernet");
    assert_snapshot!(transcript(&platform, &["doctor", "doctor --json"]));
}

#[test]
fn drivers_that_are_not_there() {
    let mut text = transcript(&whole(Fake::without_driver(NoDriver)), &["doctor", "doctor --json"]);
    for state in [ServiceState::Stopped, ServiceState::Starting, ServiceState::Stopping] {
        let platform = whole(Fake::without_driver(NoDriver));
        platform.service.put(state);
        text += &transcript(&platform, &["doctor"]);
    }
    assert_snapshot!(text + &transcript(&Fake::with_model(|_| {}), &["doctor"]));
}

#[test]
fn what_the_system_refuses() {
    let mut platform = whole(Fake::with_model(|_| {}));
    platform.open_fails = Some(OsError::from_status(NtStatus::ACCESS_DENIED));
    platform.verifier = Err(Win32Error::ACCESS_DENIED);
    platform.interfaces.all = Err(Win32Error::NOT_ENOUGH_MEMORY);
    let text = transcript(&platform, &["doctor", "doctor --json"]);
    platform.service.fails.set(Some(Win32Error::ACCESS_DENIED));
    platform.interfaces.all = Ok(Vec::new());
    assert_snapshot!(text + &transcript(&platform, &["doctor"]));
}

#[test]
fn drivers_of_other_versions() {
    let older = whole(Fake::running(Driver::of_protocol(0)));
    let newer = whole(Fake::running(Driver::answering(Err(OsError::from_status(NtStatus::NOT_FOUND)))));
    let lacks = whole(Fake::with_driver(
        InProcessDriver::over(Model::new()).offering(Features::ANYCAST | Features::STATISTICS),
    ));
    let text = transcript(&older, &["doctor"]) + &transcript(&newer, &["doctor"]);
    assert_snapshot!(text + &transcript(&lacks, &["doctor"]));
}

#[test]
fn a_withdrawal_that_netio_refuses() {
    let (platform, driver) = Fake::with_leases(|_| {});
    let holder = Client::connect(driver.open_as(4712)).expect("it speaks this protocol");
    let lease = holder.lease(ip("192.0.2.1"), InterfaceId::Index(5), Sharing::Exclusive).expect("nobody has it");
    let _ = lease.until_the_client_goes();
    driver.model().plan(Fault::next(Function::Delete, NtStatus::UNSUCCESSFUL).times(3));
    drop(holder);
    driver.pass(Duration::from_millis(500));
    assert_snapshot!(transcript(&whole(platform), &["doctor", "leases"]));
}

#[test]
fn interfaces_whose_addresses_cannot_be_listed() {
    let refuse = |model: &mut Model| model.plan(Fault::next(Function::Table, NtStatus::UNSUCCESSFUL).times(1));
    assert_snapshot!(transcript(&whole(Fake::with_model(refuse)), &["doctor"]));
}

#[test]
fn driver_verifier_is_told_of() {
    let mut text = String::new();
    for drivers in ["*", "ntfs.sys NETIO_ANYCAST.SYS", "ntfs.sys"] {
        let mut platform = whole(Fake::with_model(|_| {}));
        platform.verifier = Ok(Some(Verifier { drivers: drivers.to_owned(), level: 0x0009_09BB }));
        let output = transcript(&platform, &["doctor"]);
        let about =
            output.lines().skip_while(|line| !line.contains("Verifier")).take_while(|line| !line.contains("Interface"));
        text += &[drivers].into_iter().chain(about).chain([""]).map(|line| line.to_owned() + "\n").collect::<String>();
    }
    assert_snapshot!(text);
}
