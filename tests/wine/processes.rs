//! Many processes that use the driver and are killed at any moment: nothing of them is left.

use std::env::VarError;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use netio_anycast_client::{Access, Client, DeviceTransport, LeaseEntry, LeaseSelection, Selection};
use test_clients::{Mode, Numbers, is_lease_address};

use crate::bench::{Simulation, program};
use crate::linux;

/// How many processes are killed in all, in CI and at a developer's desk; `ANYCAST_PROCESSES` asks for another number.
const PROCESSES_IN_CI: u64 = 200;
const PROCESSES: u64 = 40;
/// How many there are at a time.
const AT_A_TIME: usize = 12;
/// The most requests that this program makes before it kills: by these the moment is chosen.
const MOMENTS: usize = 24;
/// How long it may take until the leases of a process that has died are gone.
const LIMIT: Duration = Duration::from_secs(1);

/// Which of the seeds is used; `ANYCAST_SEED` asks for another.
const SEED: u64 = 2611;

/// A number from the environment.
fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")),
        Err(VarError::NotPresent) => default,
        Err(error) => panic!("{name}: {error}"),
    }
}

/// One process that uses the driver.
struct Process {
    mode: Mode,
    seed: u64,
    child: Child,
}

impl Process {
    fn start(mode: Mode, seed: u64) -> Self {
        let mut command = Command::new(program("lease-client.exe"));
        command.args([mode.name(), &seed.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        Self { mode, seed, child: command.spawn().expect("lease-client.exe can be started") }
    }

    /// Waits until it is at work.
    fn is_at_work(&mut self) {
        let output = self.child.stdout.take().expect("its output is a pipe");
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).expect("its output can be read");
        assert_eq!(line.trim_end(), "at work", "{} {}", self.mode.name(), self.seed);
    }

    /// Kills it from inside Wine, by TerminateProcess, or from outside, by Linux' `kill -9`, and waits for its end.
    fn kill(&mut self, from_outside: bool) {
        let ended = self.child.try_wait().expect("a child can be asked");
        assert_eq!(ended, None, "{} {} has ended by itself", self.mode.name(), self.seed);
        if from_outside {
            linux::signal("-9", &[self.mode.name(), &self.seed.to_string()]);
        } else {
            self.child.kill().expect("the process is alive");
        }
        self.child.wait().expect("the process ends");
    }
}

/// Whatever becomes of a test, its processes don't outlive it.
impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What looks on.
struct Observer {
    client: Client<DeviceTransport>,
    /// The leases that it has seen processes hold which were alive.
    seen: usize,
    slowest: Duration,
}

impl Observer {
    fn new() -> Self {
        let device = DeviceTransport::open(Access::Read).expect("the driver runs");
        Self { client: Client::connect(device).expect("the versions match"), seen: 0, slowest: Duration::ZERO }
    }

    fn leases_of(&self, process_id: u32) -> Vec<LeaseEntry> {
        let selection = LeaseSelection { process_id: Some(process_id), ..LeaseSelection::default() };
        self.client.leases(selection).expect("the leases can be listed").leases
    }

    /// Lets some time pass, in requests.
    fn let_pass(&self, requests: usize) {
        for _ in 0..requests {
            self.client.statistics().expect("the driver serves");
        }
    }

    /// Waits until a process that has died has no lease any more.
    fn has_no_lease(&mut self, process_id: u32) {
        let died = Instant::now();
        loop {
            let leases = self.leases_of(process_id);
            let elapsed = died.elapsed();
            if leases.is_empty() {
                self.slowest = self.slowest.max(elapsed);
                return;
            }
            assert!(elapsed < LIMIT, "after {elapsed:?} process {process_id} still has {leases:?}");
            thread::yield_now();
        }
    }

    /// Nobody uses the driver any more: there are no leases, no waits, no addresses of clients, and the driver lists what NetIO has.
    fn finds_nothing_left(&self, simulation: &Simulation) {
        let started = Instant::now();
        let counters = loop {
            let counters = self.client.statistics().expect("the driver serves");
            if counters.pending_waits == 0 || started.elapsed() > LIMIT {
                break counters;
            }
            thread::yield_now();
        };
        assert_eq!((counters.live_leases, counters.pending_waits), (0, 0), "something is left");
        let leases = self.client.leases(LeaseSelection::default()).expect("the leases can be listed").leases;
        assert_eq!(leases, []);
        let table = self.client.table(Selection::ALL).expect("the table can be read").entries;
        let listed: Vec<_> = table.iter().map(|entry| (entry.luid, Some(entry.address))).collect();
        let truth: Vec<_> = simulation.addresses().iter().map(|row| (row.luid, row.address.ip())).collect();
        assert_eq!(listed, truth, "the driver lists what NetIO does not have, or the other way round");
        let left: Vec<_> = table.iter().filter(|entry| is_lease_address(entry.address)).collect();
        assert!(left.is_empty(), "leased addresses are left: {left:?}");
    }
}

/// Starts processes in every mode and kills them at moments that the seed chooses, half of them from inside Wine and half from
/// outside.
fn kill_at_random(observer: &mut Observer, processes: usize, seed: u64) {
    let mut numbers = Numbers::new(seed);
    let mut running: Vec<Process> = Vec::new();
    for started in 0..processes {
        let mode = Mode::ALL[started % Mode::ALL.len()];
        running.push(Process::start(mode, seed.wrapping_mul(1_000_003).wrapping_add(started as u64)));
        if running.len() == AT_A_TIME {
            kill_one(observer, &mut running, &mut numbers);
        }
    }
    while !running.is_empty() {
        kill_one(observer, &mut running, &mut numbers);
    }
}

fn kill_one(observer: &mut Observer, running: &mut Vec<Process>, numbers: &mut Numbers) {
    let mut victim = running.swap_remove(numbers.below(running.len()));
    // Now and then one is killed while it is only starting.
    if numbers.below(8) != 0 {
        victim.is_at_work();
    }
    observer.let_pass(numbers.below(MOMENTS));
    observer.seen += observer.leases_of(victim.child.id()).len();
    victim.kill(numbers.below(2) == 0);
    observer.has_no_lease(victim.child.id());
}

#[test]
fn of_processes_that_are_killed_at_any_moment_nothing_is_left_within_a_second() {
    let simulation = Simulation::new();
    let mut observer = Observer::new();
    let default = if std::env::var_os("CI").is_some() { PROCESSES_IN_CI } else { PROCESSES };
    let processes = setting("ANYCAST_PROCESSES", default);
    let seed = setting("ANYCAST_SEED", SEED);
    println!("seed {seed}");
    kill_at_random(&mut observer, usize::try_from(processes).expect("so many fit"), seed);
    observer.finds_nothing_left(&simulation);
    let Observer { seen, slowest, .. } = observer;
    assert!(seen as u64 > processes / 4, "{processes} processes held {seen} leases: hardly any of them was at work");
    println!(
        "{processes} processes killed that held {seen} leases: the last of one was gone after at most {slowest:?}"
    );
}
