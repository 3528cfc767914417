//! `anycastctl.exe` on the driver: programs that are held for, health checks, files, and what happens as it goes on.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use netio_anycast_client::Access;

use crate::bench::{Driver, ETHERNET, Simulation, on, program};
use crate::linux;

/// Longer than anything takes here that happens at all.
const PATIENCE: Duration = Duration::from_mins(1);

fn anycastctl(command_line: &str) -> Command {
    let mut command = Command::new(program("anycastctl.exe"));
    command.args(command_line.split_whitespace()).stdin(Stdio::null());
    command
}

/// Runs it to its end.
fn run(command: &mut Command) -> Output {
    command.output().expect("anycastctl.exe can be started")
}

#[track_caller]
fn assert_ends(command_line: &str, exit_code: i32) -> String {
    let output = run(&mut anycastctl(command_line));
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit_code), "anycastctl {command_line}:\n{text}");
    text
}

/// One that goes on until it is ended.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        Self(command.spawn().expect("anycastctl.exe can be started"))
    }

    fn lines(&mut self) -> BufReader<ChildStdout> {
        BufReader::new(self.0.stdout.take().expect("its output is a pipe"))
    }

    fn end(&mut self) -> i32 {
        self.0.wait().expect("it ends").code().expect("it has an exit code")
    }

    fn kill(&mut self) {
        self.0.kill().expect("it runs");
        self.end();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed leaves it running.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until NetIO has exactly these addresses, all of them on Ethernet.
#[track_caller]
fn wait_until_there(simulation: &Simulation, expected: &[&str]) {
    let expected: Vec<_> = expected.iter().map(|address| on(ETHERNET, address).address).collect();
    let start = Instant::now();
    loop {
        let there: Vec<_> = simulation.addresses().iter().map(|row| row.address).collect();
        if there == expected {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "NetIO has {there:?} instead of {expected:?}");
        thread::yield_now();
    }
}

/// A file in the folder for temporary ones, which goes when this does.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let file = Self(std::env::temp_dir().join(format!("anycast-{}-{name}", std::process::id())));
        file.remove();
        file
    }

    fn write(&self, contents: &str) {
        fs::write(&self.0, contents).expect("the folder for temporary files can be written to");
    }

    fn remove(&self) {
        // It may not be there.
        let _ = fs::remove_file(&self.0);
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.remove();
    }
}

#[test]
fn the_driver_passes_its_selftest() {
    let simulation = Simulation::new();
    let junit = File::new("junit.xml");
    let command_line = format!("selftest --interface 12 --junit {}", junit.path().display());
    let text = assert_ends(&command_line, 0);
    assert!(text.contains("TAP version 14") && text.contains(" 0 failed, 0 skipped"), "{text}");
    let report = fs::read_to_string(junit.path()).expect("it was written");
    assert!(report.contains("failures=\"0\""), "{report}");
    assert!(simulation.addresses().is_empty());
}

#[test]
fn a_programs_exit_code_is_that_of_hold_and_its_addresses_go() {
    let simulation = Simulation::new();
    for exit_code in [0, 7, -1_073_741_510] {
        assert_ends(&format!("hold 192.0.2.53 -i 12 -- cmd /C exit {exit_code}"), exit_code);
        wait_until_there(&simulation, &[]);
    }
    assert_ends("hold 192.0.2.53 -i 12 -- no-such-program.exe", 3);
    wait_until_there(&simulation, &[]);
}

/// A program that ends when there is a line, or no more input.
const READS_A_LINE: &str = "cmd /C set /p line=";

#[test]
fn addresses_are_held_while_a_program_runs() {
    let simulation = Simulation::new();
    let command_line = format!("hold 192.0.2.53 2001:db8::53 --interface 12 -- {READS_A_LINE}");
    let mut hold = Running::start(anycastctl(&command_line).stdin(Stdio::piped()));
    wait_until_there(&simulation, &["192.0.2.53", "2001:db8::53"]);
    let leases = assert_ends("leases", 0);
    assert!(leases.contains("anycastctl.exe"), "{leases}");
    assert_ends("delete 192.0.2.53 --interface 12", 5);
    hold.0.stdin.take().expect("its input is a pipe").write_all(b"enough\r\n").expect("the program reads");
    assert_eq!(hold.end(), 0);
    wait_until_there(&simulation, &[]);
}

#[test]
fn addresses_go_when_hold_is_killed() {
    let simulation = Simulation::new();
    let mut hold = Running::start(&mut anycastctl("hold 192.0.2.53 --interface 12"));
    wait_until_there(&simulation, &["192.0.2.53"]);
    hold.kill();
    wait_until_there(&simulation, &[]);
}

/// Wine makes Ctrl+C of Linux' SIGINT.
#[test]
fn ctrl_c_releases_the_addresses() {
    let simulation = Simulation::new();
    let arguments = ["hold", "192.0.2.53", "--interface", "12"];
    let mut hold = Running::start(anycastctl(&arguments.join(" ")).stderr(Stdio::piped()));
    wait_until_there(&simulation, &["192.0.2.53"]);
    linux::signal("-INT", &arguments);
    assert_eq!(hold.end(), 0);
    let stderr = BufReader::new(hold.0.stderr.take().expect("a pipe"));
    let last = stderr.lines().map_while(Result::ok).last();
    assert_eq!(last.as_deref(), Some("anycastctl: released 192.0.2.53"));
    wait_until_there(&simulation, &[]);
}

/// On a console it would get Ctrl+C, too.
#[test]
fn ctrl_c_is_left_to_the_program() {
    let simulation = Simulation::new();
    let command_line = format!("hold 192.0.2.53 --interface 12 -- {READS_A_LINE}");
    let mut hold = Running::start(anycastctl(&command_line).stdin(Stdio::piped()));
    wait_until_there(&simulation, &["192.0.2.53"]);
    let arguments: Vec<&str> = command_line.split_whitespace().collect();
    linux::signal("-INT", &arguments);
    // What ends without the program has ended has let go of the addresses.
    assert_ends("bench --interface 12 --count 1 --batch 1 --rounds 1", 0);
    wait_until_there(&simulation, &["192.0.2.53"]);
    drop(hold.0.stdin.take());
    hold.end();
    wait_until_there(&simulation, &[]);
}

#[test]
fn addresses_come_and_go_with_the_health() {
    let simulation = Simulation::new();
    let healthy = File::new("healthy");
    let check = format!("if not exist {} exit 1", healthy.path().display());
    let options = "hold 192.0.2.53 --interface 12 --interval 200ms --rise 2 --fall 1 --health";
    let mut hold = Running::start(anycastctl(options).arg(check));
    for _ in 0..3 {
        healthy.write("");
        wait_until_there(&simulation, &["192.0.2.53"]);
        healthy.remove();
        wait_until_there(&simulation, &[]);
    }
    hold.kill();
}

#[test]
fn a_health_check_that_hangs_has_failed_and_is_ended() {
    let simulation = Simulation::new();
    let (healthy, ended) = (File::new("hangs"), File::new("ended"));
    healthy.write("");
    // What it starts would tell that it came to its end.
    let hangs = format!("ping -n 3 127.0.0.1 & echo > {}", ended.path().display());
    let check = format!("if not exist {} ({hangs})", healthy.path().display());
    let options = "hold 192.0.2.53 --interface 12 --interval 1s --rise 1 --fall 1 --health";
    let mut hold = Running::start(anycastctl(options).arg(check).stderr(Stdio::piped()));
    wait_until_there(&simulation, &["192.0.2.53"]);
    healthy.remove();
    wait_until_there(&simulation, &[]);
    let stderr = BufReader::new(hold.0.stderr.take().expect("a pipe"));
    let told = stderr.lines().map_while(Result::ok).any(|line| line.contains("it took longer than the interval of 1s"));
    assert!(told, "it does not tell that the check has been ended");
    hold.kill();
    // By the end of the same that has begun later, the other would have come to its end, too.
    let ping = Command::new("ping").args(["-n", "4", "127.0.0.1"]).stdout(Stdio::null()).status();
    assert!(ping.expect("ping can be started").success());
    assert!(!ended.path().exists(), "the check that was ended went on");
}

#[test]
fn addresses_come_back_with_their_interface() {
    let simulation = Simulation::new();
    let mut hold = Running::start(&mut anycastctl("hold 192.0.2.53 --interface 12"));
    wait_until_there(&simulation, &["192.0.2.53"]);
    simulation.model.remove_interface(ETHERNET.luid).expect("it is there");
    wait_until_there(&simulation, &[]);
    simulation.model.add_interface(netio_model::Interface { index: 99, ..ETHERNET }).expect("it has gone");
    wait_until_there(&simulation, &["192.0.2.53"]);
    hold.kill();
    wait_until_there(&simulation, &[]);
}

#[test]
fn what_was_deleted_by_force_stays_away() {
    let simulation = Simulation::new();
    let mut hold = Running::start(&mut anycastctl("hold 192.0.2.53 --interface 12"));
    wait_until_there(&simulation, &["192.0.2.53"]);
    assert_ends("delete 192.0.2.53 --interface 12 --force", 0);
    assert_eq!(hold.end(), 1);
    assert!(simulation.addresses().is_empty());
}

#[test]
fn a_file_is_applied_and_applied_again() {
    let simulation = Simulation::new();
    let file = File::new("wanted.toml");
    let addresses: Vec<String> = (0..8).flat_map(|c| (0..=255).map(move |d| format!("\"10.9.{c}.{d}\""))).collect();
    file.write(&format!("[[interface]]\nname = 12\naddresses = [{}]", addresses.join(", ")));
    let apply = format!("apply {}", file.path().display());
    assert!(assert_ends(&apply, 0).ends_with("Added 2048 and removed 0.\n"));
    assert_eq!(simulation.addresses().len(), 2048);
    assert_eq!(assert_ends(&apply, 0), "Nothing to do. 2048 addresses were as wanted already.\n");
    file.write("[[interface]]\nname = 12\naddresses = []");
    assert!(assert_ends(&format!("{apply} --prune --atomic"), 0).ends_with("Added 0 and removed 2048.\n"));
    assert!(simulation.addresses().is_empty());
}

#[test]
fn changes_are_watched_over_a_restart_of_the_driver() {
    let simulation = Simulation::new();
    let mut watch = Running::start(anycastctl("watch --json").stdout(Stdio::piped()));
    let mut lines = watch.lines();
    let mut next = || {
        let mut line = String::new();
        lines.read_line(&mut line).expect("it writes text");
        line
    };
    wait_until_watched();
    assert_ends("add 10.8.0.1 --interface 12", 0);
    let line = next();
    assert!(line.contains("\"event\":\"added\"") && line.contains("10.8.0.1"), "{line}");
    // By somebody else, without the driver.
    simulation.model.insert(&on(ETHERNET, "10.9.0.1")).expect("it is not there yet");
    let line = next();
    assert!(line.contains("\"event\":\"added\"") && line.contains("10.9.0.1"), "{line}");
    // It lets go of the driver, which is stopped, and has it again.
    assert_ends("stop", 0);
    assert_ends("start", 0);
    assert_eq!(next(), "{\"event\":\"driver-gone\"}\n");
    assert_eq!(next(), "{\"event\":\"driver-back\"}\n");
    wait_until_watched();
    simulation.model.remove_interface(ETHERNET.luid).expect("it is there");
    for address in ["10.8.0.1", "10.9.0.1"] {
        let line = next();
        assert!(line.contains("\"event\":\"removed\"") && line.contains(address), "{line}");
    }
    watch.kill();
}

/// Waits until somebody waits for changes.
fn wait_until_watched() {
    let driver = Driver::open(Access::Read);
    let start = Instant::now();
    while driver.statistics().pending_waits == 0 {
        assert!(start.elapsed() < PATIENCE, "nobody watches");
        thread::yield_now();
    }
}

#[test]
fn the_doctor_sees_the_driver() {
    let _simulation = Simulation::new();
    let text = assert_ends("doctor", 0);
    for finding in ["ok    Service", "ok    Image", "ok    Driver", "ok    Access", "ok    Features", "ok    Verifier"]
    {
        assert!(text.contains(finding), "{text}");
    }
}

#[test]
fn a_benchmark_leaves_nothing() {
    let simulation = Simulation::new();
    let text = assert_ends("bench --interface 12 --count 50 --batch 100 --rounds 2", 0);
    assert!(text.contains("APPLY, 100 items at a time, 2 times"), "{text}");
    wait_until_there(&simulation, &[]);
}
