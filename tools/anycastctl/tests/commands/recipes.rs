//! The recipes of `docs/operators.md`: each session there is what this program prints.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anycastctl::event::{CheckResult, Event};
use anycastctl::platform::ServiceState;
use netio_anycast_client::protocol::row::Row;
use netio_anycast_client::{Client, InterfaceId, Sharing};

use crate::fake::{DNS, Fake};
use crate::in_process::{Handle, InProcessDriver, ethernet};
use crate::script::Step;
use crate::{ip, run, transcript};

const ETHERNET: InterfaceId = InterfaceId::Index(5);
const HOLD: &str = "hold 192.0.2.53 2001:db8::53 --interface Ethernet --interval 5s --rise 2 --fall 3 --health \
                    \"powershell -NoProfile -Command Resolve-DnsName health.example -Server 10.0.0.53 -QuickTimeout -ErrorAction Stop\"";

/// The sessions by name, in the order of the page.
fn sessions() -> Vec<(&'static str, String)> {
    vec![
        ("in place", in_place()),
        ("health", health()),
        ("drain", drain()),
        ("drained", drained()),
        ("files", files()),
        ("audit", audit()),
        ("record", record("watch")),
        ("record in json", record("watch --json")),
    ]
}

fn system() -> (Fake, InProcessDriver) {
    let (mut platform, driver) = Fake::with_leases(|_| {});
    platform.files.push(r"C:\drivers\netio_anycast.sys".into());
    platform.interfaces.all.as_mut().expect("there are interfaces").retain(|interface| interface.alias == "Ethernet");
    (platform, driver)
}

fn in_place() -> String {
    transcript(&system().0, &["doctor"])
}

fn check(title: &'static str, result: CheckResult) -> Step {
    Step::event(title, Event::Checked(result))
}

fn passes(title: &'static str) -> Step {
    check(title, CheckResult::Passed)
}

fn fails(title: &'static str) -> Step {
    check(title, CheckResult::Failed(1))
}

fn health() -> String {
    let (platform, _) = system();
    platform.script.extend([
        passes("the server answers"),
        passes("and again"),
        fails("the server hangs"),
        check("still", CheckResult::TimedOut(Duration::from_secs(5))),
        fails("still"),
        passes("it was restarted"),
        passes("and answers"),
    ]);
    transcript(&platform, &[HOLD])
}

/// The program that holds the addresses of DNS.
fn dns(driver: &InProcessDriver) -> Client<Handle> {
    let dns = Client::connect(driver.open_as(DNS)).expect("it speaks this protocol");
    for address in ["192.0.2.53", "2001:db8::53"] {
        let lease = dns.lease(ip(address), ETHERNET, Sharing::Exclusive).expect("nobody has it");
        let _ = lease.until_the_client_goes();
    }
    driver.pass(Duration::from_hours(26));
    dns
}

fn drain() -> String {
    let (platform, driver) = system();
    let dns = dns(&driver);
    let text = transcript(
        &platform,
        &[
            "leases",
            "delete 192.0.2.53 --interface Ethernet",
            "delete 192.0.2.53 --interface Ethernet --force",
            "delete 2001:db8::53 --interface Ethernet --force",
            "list",
        ],
    );
    drop(dns);
    text
}

fn drained() -> String {
    let (platform, driver) = system();
    let administrator = Client::connect(driver.open()).expect("it speaks this protocol");
    platform.script.extend([
        passes("the server answers"),
        passes("and again"),
        Step::change("in another window, both are deleted by force", move |_| {
            for address in ["192.0.2.53", "2001:db8::53"] {
                administrator.force_delete(ip(address), ETHERNET).expect("it is there");
            }
        }),
    ]);
    transcript(&platform, &[HOLD])
}

fn files() -> String {
    let (platform, _) = system();
    let page = page();
    for name in ["serves.toml", "drained.toml"] {
        let start = format!("`{name}`:\n```toml\n");
        let (_, file) = page.split_once(&start).expect("the page has the file");
        let (file, _) = file.split_once("```").expect("the file ends");
        platform.contents.borrow_mut().insert(name.into(), file.into());
    }
    run(Ok(&platform), "apply serves.toml");
    transcript(
        &platform,
        &[
            "apply drained.toml --prune --dry-run",
            "apply drained.toml --prune --atomic",
            "list",
            "apply serves.toml --atomic",
        ],
    )
}

fn audit() -> String {
    let (platform, driver) = system();
    let dns = dns(&driver);
    run(Ok(&platform), "add 192.0.2.80 --interface Ethernet");
    let text = transcript(&platform, &["list", "leases", "leases --process 4711 --family ipv6 --json", "stats"]);
    drop(dns);
    text
}

fn record(command_line: &str) -> String {
    let (platform, driver) = system();
    let (puts, takes) = (driver.clone(), driver);
    let row = Row::on_luid(ip("192.0.2.80"), ethernet(5).luid);
    platform.script.extend([
        Step::change("somebody adds 192.0.2.80", move |_| {
            puts.by_others(|model| model.insert(&row).expect("it is not there yet"));
        }),
        Step::time("the driver is stopped", |platform| platform.service.put(ServiceState::Stopped)),
        Step::time("and started again", move |platform| {
            takes.model().remove(&row).expect("it is there");
            platform.service.put(ServiceState::Running);
        }),
    ]);
    transcript(&platform, &[command_line])
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operators.md")
}

fn page() -> String {
    std::fs::read_to_string(path()).expect("docs/operators.md can be read")
}

/// A session as the page shows it: with the prompt of Windows, and exit codes only where something failed.
fn shown(session: &str) -> String {
    // That the check is run is plain from the command line.
    let is_shown = |line: &&str| *line != "[exit code 0]" && !line.starts_with("  (runs every ");
    let lines = session.lines().filter(is_shown);
    let lines: Vec<String> = lines.map(|line| line.replacen("$ anycastctl", "> anycastctl", 1)).collect();
    format!("```\n{}\n```\n", lines.join("\n").replace("\n\n\n", "\n\n").trim_end())
}

#[test]
fn the_page_has_the_sessions_as_they_are() {
    let page = page();
    let mut expected = page.clone();
    for (name, session) in sessions() {
        let start = format!("<!-- session: {name} -->\n");
        let (before, rest) = expected.split_once(&start).unwrap_or_else(|| panic!("the page lacks the session {name}"));
        let (_, after) = rest.split_once("<!-- end -->").expect("each session has an end");
        let mut with_session = before.to_owned();
        write!(with_session, "{start}{}<!-- end -->{after}", shown(&session)).expect("a string takes any text");
        expected = with_session;
    }
    assert_eq!(page.matches("<!-- session: ").count(), sessions().len(), "the page has sessions that nobody runs");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path(), expected).expect("docs/operators.md can be written");
        return;
    }
    let difference = page.lines().zip(expected.lines()).find(|(page, expected)| page != expected);
    assert!(page == expected, "{difference:?}: run UPDATE_DOCS=1 cargo test -p anycastctl");
}
