//! `hold`: addresses that go with a program, its health and the interface.

use std::io;
use std::time::Duration;

use anycastctl::event::{CheckResult, Event};
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
use crate::{ip, leases, transcript};

const HOLD: &str = "hold 192.0.2.53 2001:db8::53 --interface Ethernet";
const HEALTH: &str = r#"hold 192.0.2.53 --interface Ethernet --health "nslookup localhost" --rise 2 --fall 3"#;

fn check(title: &'static str, result: CheckResult) -> Step {
    Step::event(title, Event::Checked(result))
}

fn passes() -> Step {
    check("the check passes", CheckResult::Passed)
}

fn fails() -> Step {
    check("the check fails", CheckResult::Failed(1))
}

fn ends(exit_code: i32) -> Step {
    Step::event("the program ends", Event::Ended(exit_code))
}

/// A look at the leases that there are.
fn look(driver: &InProcessDriver, addresses: &'static [&str]) -> Step {
    let driver = driver.clone();
    Step::event("Ctrl+C, while it holds what it should", Event::Interrupted).after(move |_| {
        assert_eq!(on_ethernet(&driver), addresses);
    })
}

fn on_ethernet(driver: &InProcessDriver) -> Vec<String> {
    let model = driver.model();
    let rows = model.entries().filter(|row| row.luid == ethernet(5).luid);
    rows.filter_map(|row| Some(row.address.ip()?.to_string())).collect()
}

/// Something changes elsewhere, so that whoever waits looks.
fn wake(driver: &InProcessDriver) {
    let row = Row::on_luid(ip("192.0.2.99"), ethernet(7).luid);
    driver.by_others(|model| {
        let was_there = model.remove(&row).is_ok();
        if !was_there {
            model.insert(&row).expect("it is not there");
        }
    });
}

fn no_leases(driver: &InProcessDriver) {
    assert_eq!((leases(driver), on_ethernet(driver)), (0, Vec::new()));
}

#[test]
fn until_ctrl_c() {
    for (name, options) in [("", ""), ("_in_json", " --json"), ("_shared", " --shared")] {
        let (platform, driver) = Fake::with_leases(|_| {});
        platform.script.extend([look(&driver, &["192.0.2.53", "2001:db8::53"])]);
        let text = transcript(&platform, &[&format!("{HOLD}{options}")]);
        assert_snapshot!(format!("until_ctrl_c{name}"), text);
        no_leases(&driver);
    }
}

#[test]
fn while_a_program_runs() {
    let (platform, driver) = Fake::with_leases(|_| {});
    // Ctrl+C is for the program, which may have something to do before it ends.
    platform.script.extend([look(&driver, &["192.0.2.53", "2001:db8::53"]), ends(-1_073_741_510)]);
    assert_snapshot!(transcript(&platform, &[&format!("{HOLD} -- dns.exe -f --verbose")]));
    no_leases(&driver);
}

#[test]
fn what_is_told_is_out_of_the_programs_way() {
    let (platform, _) = Fake::with_leases(|_| {});
    for options in ["", "--json"] {
        platform.script.extend([ends(0)]);
        let output = crate::run(Ok(&platform), &format!("{HOLD} {options} -- dns.exe"));
        assert_eq!(output.stdout, "");
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    }
    let output = crate::run(Ok(&platform), "hold 192.0.2.53 --interface 99 --json -- dns.exe");
    assert_eq!(output.stdout, "");
    assert!(output.stderr.starts_with("{\"error\":"), "{}", output.stderr);
}

#[test]
fn while_it_is_healthy() {
    for (name, options) in [("", ""), ("_in_json", " --json")] {
        let (platform, driver) = Fake::with_leases(|_| {});
        platform.script.extend([fails(), passes(), fails(), passes(), passes(), passes()]);
        platform.script.extend([look(&driver, &["192.0.2.53"]), fails(), passes(), fails(), fails(), fails()]);
        platform.script.extend([look(&driver, &[]), fails(), passes(), passes(), ends(3)]);
        let text = transcript(&platform, &[&format!("{HEALTH}{options} --interval 500ms -- dns.exe")]);
        assert_snapshot!(format!("while_it_is_healthy{name}"), text);
        no_leases(&driver);
    }
}

#[test]
fn how_a_check_may_fail() {
    let (platform, driver) = Fake::with_leases(|_| {});
    platform.script.extend([
        passes(),
        check("the check hangs", CheckResult::TimedOut(Duration::from_secs(5))),
        passes(),
        check("there is no cmd.exe", CheckResult::NotRun("file not found".to_owned())),
    ]);
    let command_line = "hold 192.0.2.53 --interface 5 --health check --rise 1 --fall 1";
    assert_snapshot!(transcript(&platform, &[command_line]));
    no_leases(&driver);
}

/// It goes, and comes back with another index a while later.
fn interface_goes_and_comes_back(driver: &InProcessDriver) -> [Step; 3] {
    let (goes, comes) = (driver.clone(), driver.clone());
    [
        Step::change("Ethernet is disabled", move |_| {
            goes.by_others(|model| model.remove_interface(ethernet(5).luid).expect("it is there"));
        }),
        Step::time("nothing", |_| {}),
        Step::time("Ethernet is enabled again", move |_| {
            comes.model().add_interface(Interface { index: 9, ..ethernet(5) }).expect("it has gone");
        }),
    ]
}

#[test]
fn an_interface_that_goes_and_comes_back() {
    for (name, options) in [("", ""), ("_in_json", " --json")] {
        let (platform, driver) = Fake::with_leases(|_| {});
        platform.script.extend(interface_goes_and_comes_back(&driver));
        platform.script.extend([look(&driver, &["192.0.2.53", "2001:db8::53"])]);
        // By index: it has to be found again under another.
        let text = transcript(&platform, &[&format!("hold 192.0.2.53 2001:db8::53 --interface 5{options}")]);
        assert_snapshot!(format!("an_interface_that_goes_and_comes_back{name}"), text);
        no_leases(&driver);
    }
}

/// So quickly that nobody saw it gone.
#[test]
fn an_interface_that_flaps() {
    let (platform, driver) = Fake::with_leases(|_| {});
    let flaps = driver.clone();
    platform.script.extend([
        Step::change("Ethernet is disabled and enabled", move |_| {
            flaps.by_others(|model| {
                model.remove_interface(ethernet(5).luid).expect("it is there");
                model.add_interface(ethernet(5)).expect("it has gone");
            });
        }),
        look(&driver, &["192.0.2.53", "2001:db8::53"]),
    ]);
    assert_snapshot!(transcript(&platform, &[HOLD]));
    no_leases(&driver);
}

/// By another program that has a handle of its own.
fn deleted_by_force(driver: &InProcessDriver, title: &'static str, address: &'static str) -> Step {
    let administrator = Client::connect(driver.open()).expect("it speaks this protocol");
    Step::change(title, move |_| {
        administrator.force_delete(ip(address), InterfaceId::Index(5)).expect("it is there");
    })
}

#[test]
fn what_somebody_deletes_by_force_stays_away() {
    for (name, options) in [("", ""), ("_in_json", " --json"), ("_from_a_program", " -- dns.exe")] {
        let (platform, driver) = Fake::with_leases(|_| {});
        platform.script.extend([
            deleted_by_force(&driver, "192.0.2.53 is deleted by force", "192.0.2.53"),
            deleted_by_force(&driver, "2001:db8::53 is deleted by force", "2001:db8::53"),
        ]);
        if name == "_from_a_program" {
            platform.script.extend([ends(0)]);
        }
        let text = transcript(&platform, &[&format!("{HOLD}{options}")]);
        assert_snapshot!(format!("what_somebody_deletes_by_force_stays_away{name}"), text);
        no_leases(&driver);
    }
}

#[test]
fn what_was_deleted_by_force_does_not_come_back_with_the_health() {
    let (platform, driver) = Fake::with_leases(|_| {});
    platform.script.extend([passes(), passes()]);
    platform.script.extend([deleted_by_force(&driver, "192.0.2.53 is deleted by force", "192.0.2.53")]);
    platform.script.extend([fails(), fails(), fails(), passes(), passes(), look(&driver, &[]), ends(0)]);
    assert_snapshot!(transcript(&platform, &[&format!("{HEALTH} -- dns.exe")]));
}

/// Where the driver is unloaded although its device is open, the leases are gone with it.
#[test]
fn a_driver_that_is_restarted() {
    for (name, options) in [("", ""), ("_in_json", " --json")] {
        let (platform, driver) = Fake::with_leases(|_| {});
        let stops = driver.clone();
        platform.script.extend([
            Step::change("the driver is stopped", move |platform| {
                platform.service.put(ServiceState::Stopped);
                wake(&stops);
            }),
            Step::time("nothing", |_| {}),
            Step::time("it is started again", |platform| platform.service.put(ServiceState::Running)),
            look(&driver, &["192.0.2.53", "2001:db8::53"]),
        ]);
        let text = transcript(&platform, &[&format!("{HOLD}{options}")]);
        assert_snapshot!(format!("a_driver_that_is_restarted{name}"), text);
        no_leases(&driver);
    }
}

/// It is no reason to let go.
#[test]
fn a_table_that_cannot_be_read() {
    let (platform, driver) = Fake::with_leases(|_| {});
    let fails = driver.clone();
    platform.script.extend([
        Step::change("NetIO fails, again and again", move |_| {
            wake(&fails);
            fails.model().plan(Fault::next(Function::Table, NtStatus::INSUFFICIENT_RESOURCES).times(2));
        }),
        Step::time("nothing", |_| {}),
        Step::time("nothing", |_| {}),
        look(&driver, &["192.0.2.53", "2001:db8::53"]),
    ]);
    assert_snapshot!(transcript(&platform, &[HOLD]));
    no_leases(&driver);
}

#[test]
fn somebody_else_has_the_address_when_it_gets_healthy() {
    for (name, options) in [("", ""), ("_in_json", " --json")] {
        let (platform, driver) = Fake::with_leases(|_| {});
        let row = Row::on_luid(ip("192.0.2.53"), ethernet(5).luid);
        driver.model().insert(&row).expect("it is not there yet");
        let frees = driver.clone();
        platform.script.extend([
            passes(),
            passes(),
            Step::time("nothing", |_| {}),
            Step::change("somebody deletes it", move |_| {
                frees.by_others(|model| model.remove(&row).expect("it is there"));
            }),
            look(&driver, &["192.0.2.53"]),
        ]);
        let text = transcript(&platform, &[&format!("{HEALTH}{options}")]);
        assert_snapshot!(format!("somebody_else_has_the_address_when_it_gets_healthy{name}"), text);
        no_leases(&driver);
    }
}

#[test]
fn nothing_is_held_and_nothing_runs_unless_all_can_be() {
    let (platform, driver) = Fake::with_leases(|_| {});
    let other = Client::connect(driver.open()).expect("it speaks this protocol");
    let lease = other.lease(ip("2001:db8::53"), InterfaceId::Index(5), Sharing::Shared).expect("nobody has it");
    assert_snapshot!(transcript(
        &platform,
        &[
            &format!("{HOLD} -- dns.exe"),
            &format!("{HOLD} --json -- dns.exe"),
            "list",
            "hold 192.0.2.53 --interface 99 -- dns.exe",
            "hold 192.0.2.53 --interface 99 --health check -- dns.exe",
            "hold 192.0.2.53 --interface Ethernat",
            "hold 224.0.0.1 --interface 5",
        ],
    ));
    lease.release().expect("it is held");
    no_leases(&driver);
}

#[test]
fn programs_that_cannot_be_started() {
    let mut text = String::new();
    for error in [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied, io::ErrorKind::OutOfMemory] {
        let (mut platform, driver) = Fake::with_leases(|_| {});
        platform.start_fails = Some(error);
        text += &transcript(&platform, &[&format!("{HOLD} -- dns.exe")]);
        no_leases(&driver);
    }
    assert_snapshot!(text);
}

#[test]
fn drivers_that_do_not_hold() {
    let platform = Fake::with_driver(InProcessDriver::over(Model::new()).offering(Features::ANYCAST));
    let text = transcript(&platform, &["hold 192.0.2.53 --interface 5"]);
    let platform = Fake::with_model(|_| {});
    platform.service.put(ServiceState::Stopped);
    assert_snapshot!(text + &transcript(&platform, &["hold 192.0.2.53 --interface 5", HEALTH]));
}

#[test]
fn what_the_system_does_not_let_be() {
    let mut deaf = Fake::with_model(|_| {});
    deaf.interrupt_fails = Some("Ctrl-C signal handler already registered");
    let mut busy = Fake::with_model(|_| {});
    busy.check_fails = Some(io::ErrorKind::OutOfMemory);
    assert_snapshot!(transcript(&deaf, &[HOLD, &format!("--json {HOLD}"), "watch"]) + &transcript(&busy, &[HEALTH]));
}
