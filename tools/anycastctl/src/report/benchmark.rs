//! How long requests take.

use std::fmt::Write as _;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::human::{self, LABEL};
use crate::report::Report;

/// The widest bar of a plot.
const WIDTH: u64 = 50;

/// What was measured.
pub(crate) struct Benchmark {
    /// The interface that it was done on.
    pub(crate) interface: String,
    /// Of single requests, each with its answer.
    pub(crate) latencies: Vec<Latency>,
    /// Of many at once.
    pub(crate) batches: Batches,
}

/// How long requests of one kind take.
pub(crate) struct Latency {
    /// The operation.
    pub(crate) request: &'static str,
    /// The times, in nanoseconds.
    pub(crate) histogram: Histogram<u64>,
}

/// How long batches take.
pub(crate) struct Batches {
    /// The items of each.
    pub(crate) items: usize,
    /// How often that was done.
    pub(crate) rounds: u32,
    /// The time that the creations took altogether.
    pub(crate) creating: Duration,
    /// The time that the deletions took altogether.
    pub(crate) deleting: Duration,
}

impl Latency {
    /// The times by name, in nanoseconds.
    fn times(&self) -> [(&'static str, u64); 6] {
        let quantile = |quantile| self.histogram.value_at_quantile(quantile);
        [
            ("min", self.histogram.min()),
            ("p50", quantile(0.5)),
            ("p90", quantile(0.9)),
            ("p99", quantile(0.99)),
            ("p99.9", quantile(0.999)),
            ("max", self.histogram.max()),
        ]
    }

    /// The requests that took up to so many nanoseconds and more than the half of it.
    fn buckets(&self) -> Vec<(u64, u64)> {
        let buckets = self.histogram.iter_log(1, 2.0);
        let buckets = buckets.map(|bucket| (bucket.value_iterated_to(), bucket.count_since_last_iteration()));
        buckets.skip_while(|(_, count)| *count == 0).collect()
    }

    /// Bars of blocks, which every console font has.
    fn plot(&self) -> String {
        let buckets = self.buckets();
        let most = buckets.iter().map(|(_, count)| *count).max().unwrap_or_default().max(1);
        let mut text = format!("\n{LABEL}{}{LABEL:#}\n", self.request);
        for (limit, count) in buckets {
            // A bar for whatever there is, however short.
            let bar = if count == 0 { 0 } else { (count * WIDTH / most).max(1) };
            let bar = "\u{2588}".repeat(usize::try_from(bar).unwrap_or_default());
            let bar = if bar.is_empty() { bar } else { bar + " " };
            let _ =
                writeln!(text, "{}", format!("  up to {:>9} µs  {bar} {count}", microseconds(limit + 1)).trim_end());
        }
        text
    }
}

impl Batches {
    /// The time of one item.
    fn per_item(&self, time: Duration) -> f64 {
        let items = u32::try_from(self.items).unwrap_or(u32::MAX).saturating_mul(self.rounds).max(1);
        time.as_secs_f64() / f64::from(items)
    }

    fn line(&self, what: &str, time: Duration, single: u64) -> String {
        let seconds = self.per_item(time).max(1e-9);
        let times = Duration::from_nanos(single).as_secs_f64() / seconds;
        format!(
            "{what} {:.0} a second, {:.1} µs each; a single one takes {times:.1} times that\n",
            1.0 / seconds,
            seconds * 1e6
        )
    }
}

/// A time in microseconds, with a decimal.
fn microseconds(nanoseconds: u64) -> String {
    format!("{}.{}", nanoseconds / 1000, nanoseconds % 1000 / 100)
}

impl Report for Benchmark {
    fn human(&self) -> String {
        let count = self.latencies.first().map_or(0, |latency| latency.histogram.len());
        let rows = self.latencies.iter().map(|latency| {
            let [min, p50, p90, p99, p999, max] = latency.times().map(|(_, time)| microseconds(time));
            [latency.request.to_owned(), min, p50, p90, p99, p999, max]
        });
        let headings = ["REQUEST (µs)", "MIN", "P50", "P90", "P99", "P99.9", "MAX"];
        let table = human::table(headings, rows);
        let plots: String = self.latencies.iter().map(Latency::plot).collect();
        let median = |request| {
            let latency = self.latencies.iter().find(|latency| latency.request == request);
            latency.map_or(0, |latency| latency.histogram.value_at_quantile(0.5))
        };
        let Batches { items, rounds, creating, deleting } = self.batches;
        format!(
            "{count} requests of each kind on interface {}, one after the other\n\n{table}{plots}\n\
             {LABEL}APPLY{LABEL:#}, {items} items at a time, {rounds} times\n  {}  {}",
            self.interface,
            self.batches.line("leases created: ", creating, median("CREATE")),
            self.batches.line("leases deleted: ", deleting, median("DELETE")),
        )
    }

    fn json(&self) -> Value {
        let latencies = self.latencies.iter().map(|latency| {
            let times: serde_json::Map<String, Value> =
                latency.times().iter().map(|(name, time)| ((*name).to_owned(), json!(time))).collect();
            let buckets: Vec<Value> = latency
                .buckets()
                .iter()
                .map(|(limit, count)| json!({ "up_to_ns": limit + 1, "count": count }))
                .collect();
            json!({
                "request": latency.request,
                "count": latency.histogram.len(),
                "ns": times,
                "distribution": buckets,
            })
        });
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        json!({
            "interface": self.interface,
            "latencies": latencies.collect::<Vec<_>>(),
            "batches": {
                "items": self.batches.items,
                "rounds": self.batches.rounds,
                "creating_ns": nanoseconds(self.batches.creating),
                "deleting_ns": nanoseconds(self.batches.deleting),
            },
        })
    }
}
