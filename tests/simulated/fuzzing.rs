//! Requests that nobody thought of, to the image itself: whatever comes, no rule is broken and NetIO's tables all come back.
//!
//! Every request follows from the seed, which a failure names. `KERNEL_SIM_IRPS` asks for more requests than a test run has
//! time for, and `KERNEL_SIM_SEED` for others.

use std::collections::BTreeMap;

use kernel_sim::{Activity, Caller, DesiredAccess, Handle, Irql, Kernel, Options};
use netio_anycast_protocol::create::CreateRequest;
use netio_anycast_protocol::operation::{OPERATIONS, Operation};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;
use netio_anycast_protocol::{SERVICE_NAME, address::AddressFamily};
use netio_anycast_tests::facts::{Fuzzing, Sent, write};
use netio_model::{Fault, Function};
use zerocopy::IntoBytes as _;

use crate::bench::{DEVICE, ETHERNET, SECOND, address, image, kernel};
use crate::report;

/// The requests of a test run.
const IRPS: u64 = 60_000;
/// After so many the driver is unloaded and loaded again.
const IRPS_PER_LOAD: u64 = 5_000;

/// A sequence of numbers that looks random and follows from its seed: SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let word = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ word >> 31
    }

    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("a usize has at most 64 bits");
        usize::try_from(self.next() % bound).expect("it is below a usize")
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

/// A request that is well-formed, before it is spoilt.
fn well_formed(random: &mut Random, operation: Operation) -> Vec<u8> {
    const ADDRESSES: [&str; 8] =
        ["192.0.2.1", "192.0.2.2", "2001:db8::1", "fe80::1", "0.0.0.0", "224.0.0.1", "ff02::1", "::ffff:192.0.2.1"];
    let text = *random.pick(&ADDRESSES);
    let interface = *random.pick(&[ETHERNET, SECOND]);
    let row = match random.below(4) {
        0 => Row::on_index(address(text), interface.index),
        _ => Row::on_luid(address(text), interface.luid),
    };
    match operation {
        Operation::Create | Operation::Delete => CreateRequest { row, lifetime: 0, flags: 0 }.as_bytes().to_vec(),
        Operation::Get => row.as_bytes().to_vec(),
        Operation::GetTable => {
            let family = *random.pick(&[AddressFamily::UNSPECIFIED, AddressFamily::IPV4, AddressFamily::IPV6]);
            TableFilter { family, ..TableFilter::ALL }.as_bytes().to_vec()
        }
        _ => vec![0; operation.definition().input.fixed],
    }
}

/// Flips bits, cuts short, or makes longer; more often than not it leaves a request alone.
fn spoil(random: &mut Random, input: &mut Vec<u8>) {
    if random.one_in(3) && !input.is_empty() {
        for _ in 0..=random.below(4) {
            let position = random.below(input.len());
            let flipped = input[position] ^ 1 << random.below(8);
            input[position] = *random.pick(&[0, 1, 0x7F, 0x80, 0xFF, flipped]);
        }
    }
    if random.one_in(8) {
        let length = random.below(2 * input.len() + 9);
        input.resize(length, 0xA5);
    }
}

/// What happens to the network meanwhile.
fn disturb(random: &mut Random, kernel: &Kernel) {
    const STATUSES: [NtStatus; 6] = [
        NtStatus::SUCCESS,
        NtStatus::PENDING,
        NtStatus::BUFFER_OVERFLOW,
        NtStatus::NO_MEMORY,
        NtStatus::DUPLICATE_OBJECTID,
        NtStatus::RAW_WIN32_OBJECT_ALREADY_EXISTS,
    ];
    let (function, status) = (*random.pick(&Function::ALL), *random.pick(&STATUSES));
    let interface = *random.pick(&[ETHERNET, SECOND]);
    kernel.netio(|model| match random.below(4) {
        0 if model.interface(interface.luid).is_some() => {
            model.remove_interface(interface.luid).expect("the interface is there");
        }
        0 | 1 if model.interface(interface.luid).is_none() => {
            model.add_interface(interface).expect("the interface is not there");
        }
        2 => model.clear_faults(),
        _ => model.plan(Fault::next(function, status)),
    });
}

/// Sends one request through one of the handles.
fn request(random: &mut Random, handles: &[Handle], sent: &mut Outcomes) {
    let definition = random.pick(&OPERATIONS);
    let mut code = definition.control_code();
    if random.one_in(16) {
        code ^= 1 << random.below(32);
    }
    let mut input = well_formed(random, definition.operation);
    spoil(random, &mut input);
    let room = match random.below(4) {
        0 => random.below(200),
        1 => 0x4000,
        _ => definition.output.fixed + definition.output.row * random.below(6),
    };
    let irql = *random.pick(&[Irql::PASSIVE_LEVEL, Irql::PASSIVE_LEVEL, Irql::APC_LEVEL, Irql::DISPATCH_LEVEL]);
    let reply = random.pick(handles).control_at(irql, code, &input, room);
    *sent.entry((report::name(Activity::Control(code)), reply.status)).or_default() += 1;
    assert!(reply.output.len() <= room, "{code:#x}: more output than room");
    assert!(!reply.status.is_error() || reply.information == 0, "{code:#x}: {} with output", reply.status);
}

/// How often requests ended how, by operation and status.
type Outcomes = BTreeMap<(String, NtStatus), u64>;

/// Loads the driver, sends requests, and unloads it.
fn run(seed: u64, irps: u64, sent: &mut Outcomes) {
    let mut random = Random(seed);
    let options = Options { allocate_pool2: !random.one_in(2), ..Options::default() };
    let kernel = kernel(options);
    let driver = kernel.load(&image(), SERVICE_NAME).expect("the driver loads");
    let open = |access| kernel.open(DEVICE, &Caller::administrator(), access).expect("an administrator may");
    let mut handles = vec![open(DesiredAccess::READ_WRITE), open(DesiredAccess::READ), open(DesiredAccess::WRITE)];
    for _ in 0..irps {
        match random.below(64) {
            0 => {
                let position = random.below(handles.len());
                handles[position] = open(DesiredAccess::READ_WRITE);
            }
            1..4 => disturb(&mut random, &kernel),
            _ => request(&mut random, &handles, sent),
        }
    }
    handles.clear();
    let unloaded = driver.unload();
    report::judged(&kernel);
    assert!(unloaded, "seed {seed}: the driver can be unloaded");
    let violations = kernel.violations();
    let text: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(violations.is_empty(), "seed {seed}: the driver broke rules:\n{}", text.join("\n"));
}

/// Writes what was sent so far.
fn write_outcomes(seed: u64, loads: u64, outcomes: &Outcomes) {
    let sent: Vec<Sent> = outcomes
        .iter()
        .map(|((operation, status), times)| Sent {
            operation: operation.clone(),
            status: status.to_string(),
            times: *times,
        })
        .collect();
    let irps = sent.iter().map(|sent| sent.times).sum();
    write("image", &Fuzzing { seed, loads, irps, sent });
}

#[test]
fn no_request_breaks_a_rule() {
    let (irps, seed) = (setting("KERNEL_SIM_IRPS", IRPS), setting("KERNEL_SIM_SEED", 1));
    let mut outcomes = Outcomes::new();
    for load in 0..irps.div_ceil(IRPS_PER_LOAD) {
        run(seed.wrapping_add(load), IRPS_PER_LOAD.min(irps), &mut outcomes);
        write_outcomes(seed, load + 1, &outcomes);
    }
}
