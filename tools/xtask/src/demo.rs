//! `cargo xtask demo`: the driver at work, for somebody who has never seen it.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::lane::{self, Lane};
use crate::step::Steps;

/// The exit codes of anycastctl that the demo provokes.
const DONE: i32 = 0;
const NOT_FOUND: i32 = 3;
const EXISTS: i32 = 4;
const REFUSED: i32 = 5;

/// What is said, what anycastctl is asked, and the exit code that it must end with.
type Scene = (&'static str, &'static [&'static str], i32);

const FIRST: &[Scene] = &[
    ("The service manager loads the driver", &["start"], DONE),
    ("What is it?", &["version"], DONE),
    ("Put an IPv4 address on interface 12", &["add", "192.0.2.53", "--interface", "12"], DONE),
    ("And an IPv6 address", &["add", "2001:db8::53", "--interface", "12"], DONE),
    ("Both are there", &["list"], DONE),
    ("One of them, for a program", &["--json", "get", "2001:db8::53", "--interface", "12"], DONE),
    ("A duplicate: Windows' code for it is 5010", &["add", "192.0.2.53", "--interface", "12"], EXISTS),
    ("A multicast address can't be anycast", &["add", "224.0.0.1", "--interface", "12"], REFUSED),
    ("There is no interface 99", &["add", "192.0.2.54", "--interface", "99"], NOT_FOUND),
];

const WITHOUT_IPV6: &[Scene] = &[("Without an IPv6 stack", &["add", "2001:db8::54", "--interface", "12"], REFUSED)];

const LEASES: &[Scene] = &[
    (
        "Hold an address while a program runs: here one that lists who holds what",
        &["hold", "192.0.2.60", "--interface", "12", "--", "anycastctl.exe", "leases"],
        DONE,
    ),
    ("It went with the program", &["get", "192.0.2.60", "--interface", "12"], NOT_FOUND),
];

const LAST: &[Scene] = &[
    ("Take the address away", &["delete", "192.0.2.53", "--interface", "12"], DONE),
    ("Now it is gone", &["get", "192.0.2.53", "--interface", "12"], NOT_FOUND),
    ("Nothing is left", &["list"], DONE),
    ("The service manager unloads the driver", &["stop"], DONE),
];

/// Builds everything, starts a kernel host, installs the driver through its INF and drives it.
///
/// # Errors
/// Something can't be built, or a command does not end as it should.
pub(crate) fn run(root: &Path) -> Result<()> {
    println!("netio-anycast: a Windows kernel driver for anycast addresses, at work in Wine's kernel\n");
    let mut steps = Steps::new(root, "demo")?;
    let image = lane::build_driver(root, &mut steps)?;
    let mut lane = Lane::prepare(root, &image, &mut steps)?;
    lane.model_control(&["reset"])?;

    let inf = lane.inf().to_owned();
    play(&mut lane, ("Install the driver through its INF", &["install", "--inf", &inf], DONE))?;
    play_all(&mut lane, FIRST)?;
    println!("\n# (the simulated NetIO loses its IPv6 stack)");
    lane.model_control(&["remove-ipv6"])?;
    play_all(&mut lane, WITHOUT_IPV6)?;
    play_all(&mut lane, LEASES)?;
    play_all(&mut lane, LAST)?;
    play(&mut lane, ("Uninstall it", &["uninstall", "--inf", &inf], DONE))?;

    let state = lane.model_control(&["state"])?;
    lane.host.stop()?;
    println!("\n# What the simulated NetIO saw\n{state}");
    summary(&steps);
    Ok(())
}

fn play_all(lane: &mut Lane, scenes: &[Scene]) -> Result<()> {
    scenes.iter().try_for_each(|scene| play(lane, *scene))
}

fn play(lane: &mut Lane, (title, arguments, expected): (&str, &[&str], i32)) -> Result<()> {
    println!("\n# {title}\n> anycastctl {}", arguments.join(" "));
    let finished = lane.anycastctl(arguments)?;
    print!("{}{}", finished.output, finished.errors);
    if expected != DONE {
        println!("(exit code {})", finished.code);
    }
    ensure!(
        finished.code == expected,
        "anycastctl {} ended with {} instead of {expected}; see {} and {}",
        arguments.join(" "),
        finished.code,
        finished.log.display(),
        lane.host.kernel_log().display()
    );
    Ok(())
}

fn summary(steps: &Steps) {
    println!(
        "\
What you have seen, in {:.0} s:
  A program asked the driver to put addresses on network interfaces, to list them, and to take them away. Every
  refusal came back with its own code and with what to do about it. One address was there for as long as a program ran.
Real:
  the driver's image as it ships (a copy has one import name changed for Wine), its INF, the Windows program,
  and Wine's loader, service manager and I/O path between the two.
Simulated:
  NetIO, the part of Windows' network stack that keeps the addresses: no packet was sent. And the kernel functions
  that Wine lacks, supplied by a module of this project.
Next:
  cargo xtask test runs every check; README.md tells how to install the driver on Windows.",
        steps.elapsed().as_secs_f64()
    );
}
