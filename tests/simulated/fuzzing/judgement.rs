//! What must hold whatever was done to the driver, besides the simulated kernel's rules.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use kernel_sim::{Activity, Reply};
use netio_anycast_protocol::address::Luid;
use netio_anycast_protocol::apply::{ApplyAction, ApplyItem, ApplyRequest};
use netio_anycast_protocol::create::{CreateRequest, Lifetime};
use netio_anycast_protocol::interface::QUERY_INTERFACE;
use netio_anycast_protocol::lease::LeaseRow;
use netio_anycast_protocol::operation::{Access as Needed, OPERATIONS, Operation};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::statistics::{OperationCounters, Statistics};
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableHeader;
use netio_anycast_protocol::wait::Generation;
use netio_model::Function;
use zerocopy::FromBytes as _;

use super::step::{Access, Level, Opener};
use crate::report;

/// What NetIO may answer with if an address that is to be deleted is not there.
const NOT_THERE: [NtStatus; 4] =
    [NtStatus::NOT_FOUND, NtStatus::OBJECT_NAME_NOT_FOUND, NtStatus::NO_SUCH_FILE, NtStatus::OBJECTID_NOT_FOUND];
const INVALID_HANDLE: NtStatus = NtStatus::from_bits(0xC000_0008);

/// How often requests ended how, by operation and status.
pub(super) type Outcomes = BTreeMap<(String, NtStatus), u64>;

/// A request, as far as its answer is judged by it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) code: u32,
    pub(super) input: Vec<u8>,
    pub(super) room: usize,
    pub(super) opener: Opener,
    pub(super) access: Access,
    pub(super) level: Level,
    pub(super) internal: bool,
}

impl Asked {
    pub(super) fn is_wait(&self) -> bool {
        Operation::from_control_code(self.code) == Some(Operation::WaitChange)
    }

    /// Whether a driver has sent it on its own behalf.
    pub(super) fn is_from_kernel_mode(&self) -> bool {
        self.opener == Opener::Driver || self.internal || self.level != Level::Passive
    }

    /// Whether the I/O manager hands it to the driver.
    fn is_admitted(&self) -> bool {
        let (reads, writes) = match self.access {
            Access::ReadWrite => (true, true),
            Access::Read => (true, false),
            Access::Write => (false, true),
            Access::Attributes => (false, false),
        };
        let wants = |access: Needed| self.code >> 14 & access as u32 != 0;
        self.is_from_kernel_mode() || (reads || !wants(Needed::Read)) && (writes || !wants(Needed::Write))
    }

    /// How often at least and at most the driver has counted it, which has ended with `status`.
    fn counted(&self, status: NtStatus) -> (u64, u64) {
        let is_query = self.code == QUERY_INTERFACE && self.internal;
        if status == INVALID_HANDLE || is_query || (status == NtStatus::ACCESS_DENIED && !self.is_admitted()) {
            return (0, 0);
        }
        let ended_in_queue = [NtStatus::CANCELLED, NtStatus::INSUFFICIENT_RESOURCES, NtStatus::DEVICE_NOT_READY];
        let refused_at_once = self.internal && status == NtStatus::INVALID_DEVICE_REQUEST;
        let perhaps = refused_at_once || self.level != Level::Passive && ended_in_queue.contains(&status);
        (u64::from(!perhaps), 1)
    }
}

/// What an observer sees of the driver.
pub(super) struct State {
    pub(super) statistics: Statistics,
    pub(super) leases: Vec<LeaseRow>,
    /// What NetIO has.
    pub(super) addresses: Vec<Row>,
}

/// The judge of one sequence.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    /// What is wrong, in words.
    pub(super) wrong: Vec<String>,
    /// The requests that have ended.
    pub(super) outcomes: Outcomes,
    /// The generation that was last heard of.
    pub(super) generation: u64,
    /// How often at least and at most the driver has counted requests of each operation; of none: unknown codes.
    counts: BTreeMap<Option<u8>, (u64, u64)>,
    /// The addresses that may stay when everybody has gone.
    unowned: BTreeSet<IpAddr>,
    /// What somebody else than the driver has taken away.
    taken: BTreeSet<(Luid, IpAddr)>,
    /// NetIO says that something is so which is not.
    netio_lies: bool,
    /// A withdrawal may be refused, and the driver was told to go: then it tries but once more.
    refuses: bool,
    pub(super) was_unloaded: bool,
}

fn key(row: &Row) -> Option<(Luid, IpAddr)> {
    Some((row.luid, row.address.ip()?))
}

impl Judgement {
    pub(super) fn require(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(what());
        }
    }

    /// The driver was loaded: it counts from zero.
    pub(super) fn driver_is_new(&mut self) {
        self.counts.clear();
        self.generation = 0;
    }

    /// Somebody else has changed what NetIO has.
    pub(super) fn others_changed(&mut self, before: &[Row], after: &[Row]) {
        self.taken.extend(before.iter().filter(|row| !after.contains(row)).filter_map(key));
        self.unowned.extend(after.iter().filter(|row| !before.contains(row)).filter_map(|row| row.address.ip()));
    }

    /// NetIO is going to answer some calls with a status instead of serving them.
    pub(super) fn netio_will_fail(&mut self, function: Function, status: NtStatus) {
        let is_lie = status == NtStatus::SUCCESS || function == Function::Delete && NOT_THERE.contains(&status);
        self.netio_lies |= is_lie;
        self.refuses |= function == Function::Delete;
    }

    /// Services are going to fail, NetIO's among them.
    pub(super) const fn services_will_fail(&mut self) {
        self.refuses = true;
    }

    /// An address may be created that has no owner.
    pub(super) fn may_create(&mut self, row: &Row, lifetime: u32) {
        if lifetime == Lifetime::Unowned as u32 {
            self.unowned.extend(row.address.ip());
        }
    }

    /// A request is going to be sent.
    pub(super) fn asked(&mut self, asked: &Asked) {
        match Operation::from_control_code(asked.code) {
            Some(Operation::Create) => {
                if let Ok(request) = CreateRequest::read_from_bytes(&asked.input) {
                    self.may_create(&request.row, request.lifetime);
                }
            }
            Some(Operation::Apply) => {
                let items = asked.input.get(size_of::<ApplyRequest>()..).unwrap_or_default();
                for item in
                    items.chunks(size_of::<ApplyItem>()).filter_map(|item| ApplyItem::read_from_bytes(item).ok())
                {
                    if item.action == ApplyAction::Create as u32 {
                        self.may_create(&item.row, item.lifetime);
                    }
                }
            }
            _ => {}
        }
    }

    /// A request has ended.
    pub(super) fn answered(&mut self, asked: &Asked, reply: &Reply) {
        let Asked { code, room, .. } = *asked;
        let (status, length) = (reply.status, reply.output.len());
        let activity = if asked.internal { Activity::InternalControl(code) } else { Activity::Control(code) };
        *self.outcomes.entry((report::name(activity), status)).or_default() += 1;
        self.require(length <= room, || format!("{code:#x}: {length} bytes of output, and room for {room}"));
        let is_bare = !status.is_error() || reply.information == 0;
        self.require(is_bare, || format!("{code:#x}: {status} with Information {}", reply.information));
        let (least, most) = asked.counted(status);
        let operation = Operation::from_control_code(code);
        self.count(operation, least, most);
        if !status.is_error() {
            self.heard(operation, asked, reply);
        }
    }

    /// So many requests more were counted, at least and at most.
    pub(super) fn count(&mut self, operation: Option<Operation>, least: u64, most: u64) {
        let count = self.counts.entry(operation.map(|operation| operation as u8)).or_default();
        *count = (count.0 + least, count.1 + most);
    }

    /// Learns the generation from an answer.
    fn heard(&mut self, operation: Option<Operation>, asked: &Asked, reply: &Reply) {
        match operation {
            Some(Operation::WaitChange) => {
                let read = |bytes: &[u8]| Generation::read_from_bytes(bytes).ok();
                if let (Some(seen), Some(now)) = (read(&asked.input), read(&reply.output)) {
                    self.require(seen != now, || format!("a wait from generation {} ended with it", seen.0));
                    self.generation = self.generation.max(now.0);
                }
            }
            Some(Operation::GetTable) => {
                if let Ok((header, _)) = TableHeader::read_from_prefix(&reply.output) {
                    self.require(header.count <= header.total, || format!("{} of {} rows", header.count, header.total));
                    self.generation = self.generation.max(header.generation);
                }
            }
            Some(Operation::QueryStatistics) => {
                if let Ok(statistics) = Statistics::read_from_bytes(&reply.output) {
                    self.generation = self.generation.max(statistics.generation);
                }
            }
            _ => {}
        }
    }

    /// What the driver says while those who have used it have it open, `waiting` of them for a change.
    pub(super) fn while_open(&mut self, state: &State, waiting: usize) {
        let State { statistics, leases, addresses } = state;
        let (waits, live) = (statistics.pending_waits, statistics.live_leases);
        self.require(waits == waiting as u64, || format!("{waits} waits are told to pend, and {waiting} do"));
        self.require(live == leases.len() as u64, || {
            format!("{live} leases are told to live, and {} are listed", leases.len())
        });
        let there: BTreeSet<_> = addresses.iter().filter_map(key).collect();
        let held = leases.iter().filter(|lease| lease.holders > 0).filter_map(|lease| key(&lease.row));
        let vacant: Vec<_> = held.filter(|key| !there.contains(key) && !self.taken.contains(key)).collect();
        let lies = self.netio_lies;
        self.require(lies || vacant.is_empty(), || {
            format!("leases without their addresses, which nobody has taken: {vacant:?}")
        });
    }

    /// How the driver has counted what it was asked.
    pub(super) fn counted(&mut self, state: &State) {
        let statistics = &state.statistics;
        for definition in &OPERATIONS {
            let told = sum(&statistics.operations[definition.operation as usize]);
            let (least, most) = self.counts.get(&Some(definition.operation as u8)).copied().unwrap_or_default();
            self.require((least..=most).contains(&told), || {
                format!("{} was counted {told} times, and was asked {least} to {most} times", definition.name)
            });
        }
        let (least, most) = self.counts.get(&None).copied().unwrap_or_default();
        let told = statistics.unknown_codes;
        self.require((least..=most).contains(&told), || {
            format!("unknown codes were counted {told} times, and sent {least} to {most} times")
        });
    }

    /// What is left when everybody but the observer has gone.
    pub(super) fn after_closing(&mut self, state: &State) {
        let State { statistics, leases, addresses } = state;
        let (waits, live) = (statistics.pending_waits, statistics.live_leases);
        self.require(waits == 0, || format!("{waits} waits pend for nobody"));
        self.require(live == 0 && leases.is_empty(), || format!("{live} leases are nobody's: {leases:?}"));
        let mut left = addresses.iter().filter_map(|row| row.address.ip()).filter(|ip| !self.unowned.contains(ip));
        let leased = left.next();
        let may_stay = self.netio_lies || self.refuses && self.was_unloaded;
        self.require(may_stay || leased.is_none(), || format!("{leased:?} is still there, and was only ever leased"));
    }
}

/// The requests that were counted, however they ended.
fn sum(counters: &OperationCounters) -> u64 {
    let OperationCounters {
        succeeded,
        malformed,
        invalid,
        already_exists,
        not_found,
        not_supported,
        access_denied,
        no_resources,
        cancelled,
        failed,
        last_netio_failure: _,
        reserved: _,
    } = *counters;
    let failures =
        [malformed, invalid, already_exists, not_found, not_supported, access_denied, no_resources, cancelled, failed];
    succeeded + failures.iter().sum::<u64>()
}
