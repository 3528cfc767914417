//! `bench`.

use std::net::Ipv6Addr;
use std::time::Duration;

use hdrhistogram::Histogram;
use netio_anycast_client::{
    Access, Atomicity, Change, Client, Error, ErrorKind, Item, Outcome, Sharing, Transport, query_version,
};

use crate::arguments::BenchArguments;
use crate::commands::connect;
use crate::commands::place::Place;
use crate::failure::Failure;
use crate::platform::Platform;
use crate::report::benchmark::{Batches, Benchmark, Latency};

/// The longest time that is told from a longer one, in nanoseconds.
const LONGEST: u64 = 60_000_000_000;
/// The significant digits of a time.
const DIGITS: u8 = 3;

/// 2001:2::/48, which is reserved for benchmarks (RFC 5180).
const IPV6: Ipv6Addr = Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, 1);
/// The beginning of 198.18.0.0/15, which is reserved for benchmarks (RFC 2544).
const IPV4: [[u8; 3]; 64] = {
    let mut networks = [[198, 18, 0]; 64];
    let mut third = 0_u8;
    while (third as usize) < networks.len() {
        networks[third as usize][2] = third;
        third += 1;
    }
    networks
};

/// Measures how long requests take. Everything that it puts on the interface are leases of its own, so that nothing of it is left
/// however it ends.
pub(super) fn bench(platform: &dyn Platform, arguments: &BenchArguments) -> Result<Benchmark, Failure> {
    let client = connect(platform, Access::ReadWrite)?;
    let place = Place::choose(platform, &client, arguments.interface.as_ref())?;
    let batch = arguments.batch.get().min(client.version().max_apply_items.max(1));
    let batch = batch.min(client.version().max_leases_per_handle.max(1));
    let items = items(&client, &place, batch as usize)?;
    let latencies = latencies(platform, &client, &items, arguments.count.get())?;
    let batches = batches(platform, &client, &items, arguments.rounds.get())?;
    Ok(Benchmark { interface: place.name, latencies, batches })
}

/// A lease for each of so many addresses: of IPv6 if the interface has it, of IPv4 if not.
fn items<T: Transport>(client: &Client<T>, place: &Place, count: usize) -> Result<Vec<Item>, Error> {
    let item = |address| Item { address, interface: place.interface, change: Change::Lease(Sharing::Exclusive) };
    let ipv6: Vec<Item> = place.ipv6(IPV6).take(count).map(item).collect();
    let Some(first) = ipv6.first() else { return Ok(ipv6) };
    match client.lease(first.address, first.interface, Sharing::Exclusive) {
        Ok(lease) => lease.release().map(|()| ipv6),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotSupported) => {
            Ok(place.ipv4(&IPV4).take(count).map(item).collect())
        }
        Err(error) => Err(error),
    }
}

fn latencies<T: Transport>(
    platform: &dyn Platform,
    client: &Client<T>,
    items: &[Item],
    count: u32,
) -> Result<Vec<Latency>, Failure> {
    let mut version = latency("QUERY_VERSION");
    let mut create = latency("CREATE");
    let mut get = latency("GET");
    let mut delete = latency("DELETE");
    for &Item { address, interface, .. } in items.iter().cycle().take(count as usize) {
        version.measure(platform, || query_version(client.transport()))?;
        let lease = create.measure(platform, || client.lease(address, interface, Sharing::Exclusive))?;
        get.measure(platform, || client.get(address, interface))?;
        delete.measure(platform, || lease.release())?;
    }
    Ok(vec![version, create, get, delete])
}

fn latency(request: &'static str) -> Latency {
    // These bounds are always accepted.
    let histogram = Histogram::new_with_bounds(1, LONGEST, DIGITS);
    Latency { request, histogram: histogram.unwrap_or_else(|_| unreachable!("the bounds are in order")) }
}

impl Latency {
    fn measure<R>(&mut self, platform: &dyn Platform, request: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
        let (result, time) = timed(platform, request);
        // What took longer counts as the longest.
        self.histogram.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        result
    }
}

fn timed<R>(platform: &dyn Platform, action: impl FnOnce() -> R) -> (R, Duration) {
    let start = platform.clock();
    let result = action();
    (result, platform.clock().saturating_sub(start))
}

fn batches<T: Transport>(
    platform: &dyn Platform,
    client: &Client<T>,
    items: &[Item],
    rounds: u32,
) -> Result<Batches, Failure> {
    let deletions: Vec<Item> =
        items.iter().map(|item| Item { change: Change::Delete { force: false }, ..*item }).collect();
    let mut batches = Batches { items: items.len(), rounds, creating: Duration::ZERO, deleting: Duration::ZERO };
    for _ in 0..rounds {
        batches.creating += apply(platform, client, items)?;
        batches.deleting += apply(platform, client, &deletions)?;
    }
    Ok(batches)
}

fn apply<T: Transport>(platform: &dyn Platform, client: &Client<T>, items: &[Item]) -> Result<Duration, Failure> {
    let (outcomes, time) = timed(platform, || client.apply(items, Atomicity::Independent));
    match outcomes?.iter().find_map(Outcome::error) {
        None => Ok(time),
        Some(error) => Err(error.clone().into()),
    }
}
