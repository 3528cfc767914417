//! The driver's counters.

use netio_anycast_client::protocol::operation::OPERATIONS;
use netio_anycast_client::protocol::statistics::{OperationCounters, Statistics};
use netio_anycast_client::protocol::status::NtStatus;
use serde_json::{Map, Value, json};

use crate::codes::NtStatusCode;
use crate::human;
use crate::report::Report;

/// The counters since the driver was started.
pub(crate) struct Counters(pub(crate) Statistics);

/// The results that requests are counted by, as JSON names them, with the counters of one operation.
fn results(counters: &OperationCounters) -> [(&'static str, u64); 10] {
    [
        ("succeeded", counters.succeeded),
        ("malformed", counters.malformed),
        ("invalid", counters.invalid),
        ("already_exists", counters.already_exists),
        ("not_found", counters.not_found),
        ("not_supported", counters.not_supported),
        ("access_denied", counters.access_denied),
        ("no_resources", counters.no_resources),
        ("cancelled", counters.cancelled),
        ("failed", counters.failed),
    ]
}

impl Counters {
    fn operations(&self) -> impl Iterator<Item = (&'static str, &OperationCounters)> {
        OPERATIONS.iter().zip(&self.0.operations).map(|(definition, counters)| (definition.name, counters))
    }

    fn state(&self) -> [(&'static str, &'static str, u64); 5] {
        let Statistics { unknown_codes, live_leases, pending_waits, withdrawal_retries, generation, .. } = self.0;
        [
            ("live_leases", "Live leases", live_leases),
            ("pending_waits", "Pending waits", pending_waits),
            ("withdrawal_retries", "Withdrawals retried", withdrawal_retries),
            ("unknown_codes", "Unknown requests", unknown_codes),
            ("generation", "Generation", generation),
        ]
    }
}

impl Report for Counters {
    /// A row for each operation that was asked for, with the results that there were.
    fn human(&self) -> String {
        let rows = self.operations().filter_map(|(name, counters)| {
            let [(_, succeeded), failures @ ..] = results(counters);
            let failures: Vec<String> = failures
                .iter()
                .filter(|(_, count)| *count != 0)
                .map(|(name, count)| format!("{count} {}", name.replace('_', " ")))
                .collect();
            let netio = match counters.last_netio_failure {
                NtStatus::SUCCESS => "-".to_owned(),
                status => status.to_string(),
            };
            let asked = succeeded != 0 || !failures.is_empty();
            let failures = if failures.is_empty() { "-".to_owned() } else { failures.join(", ") };
            asked.then(|| [name.to_owned(), succeeded.to_string(), failures, netio])
        });
        let operations = human::table(["OPERATION", "SUCCEEDED", "FAILED", "NETIO'S LAST FAILURE"], rows);
        let state = self.state().map(|(_, label, value)| (label, value.to_string()));
        format!("{operations}\n{}", human::list(&state))
    }

    fn json(&self) -> Value {
        let operations: Map<String, Value> = self
            .operations()
            .map(|(name, counters)| {
                let mut counts: Map<String, Value> =
                    results(counters).into_iter().map(|(name, count)| (name.to_owned(), json!(count))).collect();
                let netio = counters.last_netio_failure;
                let netio = (netio != NtStatus::SUCCESS).then(|| NtStatusCode::from(netio));
                counts.insert("last_netio_failure".to_owned(), json!(netio));
                (name.to_lowercase(), Value::Object(counts))
            })
            .collect();
        let state = self.state().map(|(name, _, value)| (name.to_owned(), json!(value)));
        let mut document: Map<String, Value> = state.into_iter().collect();
        document.insert("operations".to_owned(), Value::Object(operations));
        json!({ "statistics": document })
    }
}
