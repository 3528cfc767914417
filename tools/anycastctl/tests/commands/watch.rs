//! `watch`: changes as they come.

use std::rc::Rc;

use anycastctl::platform::ServiceState;
use insta::assert_snapshot;
use netio_anycast_client::protocol::row::Row;
use netio_anycast_client::protocol::status::NtStatus;
use netio_anycast_client::protocol::version::Features;
use netio_anycast_client::{Client, InterfaceId, Sharing};
use netio_model::{Fault, Function, Interface, Model};

use crate::fake::Fake;
use crate::in_process::{InProcessDriver, ethernet};
use crate::script::Step;
use crate::{ip, run, transcript};

fn row(address: &str, index: u32) -> Row {
    Row::on_luid(ip(address), ethernet(index).luid)
}

/// Somebody changes the addresses without the driver.
fn others(driver: &InProcessDriver, title: &'static str, change: impl FnOnce(&mut Model) + 'static) -> Step {
    let driver = driver.clone();
    Step::change(title, move |_| driver.by_others(change))
}

fn put(driver: &InProcessDriver, title: &'static str, address: &'static str, index: u32) -> Step {
    others(driver, title, move |model| model.insert(&row(address, index)).expect("it is not there yet"))
}

/// The steps of a day: addresses come and go, with their interface too.
fn a_day(driver: &InProcessDriver) -> Vec<Step> {
    let driver = driver.clone();
    vec![
        put(&driver, "192.0.2.1 is put on Ethernet", "192.0.2.1", 5),
        others(&driver, "192.0.2.2 takes the place of 192.0.2.1", |model| {
            model.remove(&row("192.0.2.1", 5)).expect("it is there");
            model.insert(&row("192.0.2.2", 5)).expect("it is not there yet");
        }),
        put(&driver, "2001:db8::1 is put on interface 7", "2001:db8::1", 7),
        others(&driver, "Ethernet is disabled", |model| {
            model.remove_interface(ethernet(5).luid).expect("it is there");
        }),
        others(&driver, "Ethernet is enabled, with another index", |model| {
            model.add_interface(Interface { index: 9, ..ethernet(5) }).expect("it has gone");
            model.insert(&row("192.0.2.2", 5)).expect("it has gone");
        }),
    ]
}

#[test]
fn a_day_of_changes() {
    let (platform, driver) = Fake::with_leases(|_| {});
    run(Ok(&platform), "add 192.0.2.80 --interface 7");
    platform.script.extend(a_day(&driver));
    assert_snapshot!(transcript(&platform, &["watch"]));
}

#[test]
fn a_day_of_changes_in_json() {
    let (platform, driver) = Fake::with_leases(|_| {});
    platform.script.extend(a_day(&driver));
    assert_snapshot!(transcript(&platform, &["watch --json"]));
}

#[test]
fn only_what_was_asked_for() {
    for (name, option) in [("family", "--family ipv6"), ("interface", "--interface Ethernet")] {
        let (platform, driver) = Fake::with_leases(|_| {});
        // Only of what somebody has read before can the driver tell that it changed.
        run(Ok(&platform), "list");
        platform.script.extend(a_day(&driver));
        let text = transcript(&platform, &[&format!("watch {option}")]);
        assert_snapshot!(format!("only_what_was_asked_for_{name}"), text);
    }
}

#[test]
fn a_lease_that_comes_and_goes() {
    let (platform, driver) = Fake::with_leases(|_| {});
    let holder = Rc::new(Client::connect(driver.open()).expect("it speaks this protocol"));
    let ends = holder.clone();
    platform.script.extend([
        Step::change("a program leases 192.0.2.1", move |_| {
            let lease = holder.lease(ip("192.0.2.1"), InterfaceId::Index(5), Sharing::Exclusive);
            let _ = lease.expect("nobody has it").until_the_client_goes();
        }),
        Step::change("the program is killed", |_| drop(ends)),
    ]);
    assert_snapshot!(transcript(&platform, &["watch"]));
}

fn restart() -> [Step; 4] {
    [
        Step::time("the driver is to stop", |platform| platform.service.put(ServiceState::Stopping)),
        Step::time("it has stopped", |platform| platform.service.put(ServiceState::Stopped)),
        Step::time("nothing", |_| {}),
        Step::time("it is started again", |platform| platform.service.put(ServiceState::Running)),
    ]
}

#[test]
fn a_driver_that_is_restarted() {
    for (name, option) in [("", ""), ("_in_json", " --json")] {
        let (platform, driver) = Fake::with_leases(|_| {});
        let lost =
            others(&driver, "192.0.2.1 is deleted", |model| model.remove(&row("192.0.2.1", 5)).expect("it is there"));
        platform.script.extend([put(&driver, "192.0.2.1 is put on Ethernet", "192.0.2.1", 5)]);
        platform.script.extend(restart());
        platform.script.extend([lost]);
        let text = transcript(&platform, &[&format!("watch{option}")]);
        assert_snapshot!(format!("a_driver_that_is_restarted{name}"), text);
    }
}

/// Where the driver is unloaded although its device is open, the request that pends tells of it.
#[test]
fn a_driver_that_goes_at_once() {
    let (platform, driver) = Fake::with_leases(|_| {});
    platform.script.extend([
        Step::change("the driver is stopped and started again", move |platform| {
            platform.service.put(ServiceState::Stopped);
            platform.service.put(ServiceState::Running);
            driver.by_others(|model| model.insert(&row("192.0.2.1", 7)).expect("it is not there yet"));
        }),
        Step::time("nothing", |_| {}),
    ]);
    assert_snapshot!(transcript(&platform, &["watch"]));
}

#[test]
fn a_table_that_cannot_be_read() {
    let (platform, driver) = Fake::with_leases(|_| {});
    platform.script.extend([Step::change("NetIO fails", move |_| {
        driver.by_others(|model| model.insert(&row("192.0.2.1", 7)).expect("it is not there yet"));
        driver.model().plan(Fault::next(Function::Table, NtStatus::INSUFFICIENT_RESOURCES));
    })]);
    assert_snapshot!(transcript(&platform, &["watch"]));
}

#[test]
fn what_cannot_be_watched() {
    let platform = Fake::with_driver(InProcessDriver::over(Model::new()).offering(Features::ANYCAST));
    let text = transcript(&platform, &["watch", "watch --json"]);
    let platform = Fake::with_model(|_| {});
    let text = text + &transcript(&platform, &["watch --interface 99"]);
    platform.service.put(ServiceState::Stopped);
    assert_snapshot!(text + &transcript(&platform, &["watch", "watch --json"]));
}

/// `watch | more`, and somebody quits.
#[test]
fn a_reader_that_goes() {
    struct Gone;

    impl std::io::Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let (platform, driver) = Fake::with_leases(|_| {});
    platform.script.extend(a_day(&driver));
    let (mut stdout, mut stderr) = (Gone, Vec::new());
    let mut console = anycastctl::console::Console::new(&mut stdout, &mut stderr);
    assert_eq!(anycastctl::run(crate::words("watch"), Ok(&platform), &mut console), 0);
    assert!(stderr.is_empty());
    assert_eq!(platform.screen.take(), "  (192.0.2.1 is put on Ethernet)\n");
}
