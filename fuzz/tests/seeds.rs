//! The seeds of the fuzzer: the requests that matter, each well-formed or wrong in one way.
//!
//! They are kept as files so that the fuzzer starts from them; `UPDATE_SEEDS=1 cargo test -p netio-anycast-fuzz` writes them
//! anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use netio_anycast_fuzz::{Case, check};
use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::apply::{ApplyAction, ApplyFlags, ApplyItem, ApplyRequest};
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest, Lifetime};
use netio_anycast_protocol::lease::LeaseFilter;
use netio_anycast_protocol::operation::{OPERATIONS, Operation};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::TableFilter;
use netio_anycast_protocol::wait::Generation;
use zerocopy::IntoBytes;

const ETHERNET: Luid = Luid::new(6, 1);

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/decode")
}

fn row(address: &str) -> Row {
    Row::on_luid(address.parse().expect("an address"), ETHERNET)
}

/// What NetIO fills in, with what it may leave behind in the padding.
fn found(address: &str) -> Row {
    Row { padding: [0xDE; 4], index: 11, scope_id: 11, ..row(address) }
}

fn case(operation: Operation, input: &[u8], netio_status: NtStatus) -> Case {
    let rows = ["2001:db8::2", "192.0.2.9", "2001:db8::1"].map(found).to_vec();
    let control_code = operation.definition().control_code();
    Case { control_code, input: input.to_vec(), output_length: 2048, netio_status, rows }
}

fn create(row: Row) -> Vec<u8> {
    CreateRequest { row, lifetime: 0, flags: 0 }.as_bytes().to_vec()
}

/// A batch that creates, leases, shares and deletes, and has an item that can't be.
fn batch(flags: ApplyFlags) -> Vec<u8> {
    let item = |action: ApplyAction, address, lifetime: Lifetime, flags| ApplyItem {
        row: row(address),
        action: action as u32,
        lifetime: lifetime as u32,
        flags,
        reserved: 0,
    };
    let (create, delete) = (ApplyAction::Create, ApplyAction::Delete);
    let items = [
        item(create, "192.0.2.1", Lifetime::Unowned, 0),
        item(create, "192.0.2.2", Lifetime::Handle, 0),
        item(create, "2001:db8::1", Lifetime::Handle, 1),
        item(delete, "192.0.2.2", Lifetime::Unowned, 0),
        item(delete, "2001:db8::1", Lifetime::Unowned, 1),
        item(create, "224.0.0.1", Lifetime::Unowned, 0),
    ];
    // Only without `atomic` does it get to the last.
    let items = if flags.contains(ApplyFlags::ATOMIC) { &items[..5] } else { &items };
    let count = u32::try_from(items.len()).expect("few");
    [ApplyRequest { flags: flags.bits(), count }.as_bytes(), items.as_bytes()].concat()
}

/// Requests for many addresses and of leases.
fn leases_and_batches() -> Vec<(String, Case)> {
    let (success, failure) = (NtStatus::SUCCESS, NtStatus::NO_MEMORY);
    let lease = CreateRequest { row: row("192.0.2.1"), lifetime: 1, flags: 0 };
    let filter = LeaseFilter { table: TableFilter::ALL, process_id: 4, reserved: 0 };
    [
        ("create-exclusive-lease", case(Operation::Create, lease.as_bytes(), success)),
        ("create-lease-fails", case(Operation::Create, lease.as_bytes(), failure)),
        ("apply-nothing", case(Operation::Apply, &[0; 8], success)),
        ("apply", case(Operation::Apply, &batch(ApplyFlags::empty()), success)),
        ("apply-atomic", case(Operation::Apply, &batch(ApplyFlags::ATOMIC), success)),
        ("apply-fails", case(Operation::Apply, &batch(ApplyFlags::empty()), failure)),
        ("apply-atomic-fails", case(Operation::Apply, &batch(ApplyFlags::ATOMIC), failure)),
        ("wait-change", case(Operation::WaitChange, Generation(0).as_bytes(), success)),
        ("wait-change-over", case(Operation::WaitChange, Generation(7).as_bytes(), success)),
        ("list-leases", case(Operation::ListLeases, filter.as_bytes(), success)),
    ]
    .map(|(name, case)| (name.to_owned(), case))
    .to_vec()
}

/// Requests that are served, with the answers of NetIO's that matter.
fn served() -> Vec<(String, Case)> {
    let delete = DeleteRequest { row: row("192.0.2.1"), flags: 0, reserved: 0 };
    let by_index = Row::on_index("2001:db8::1".parse().expect("an address"), 11);
    let ipv6 = TableFilter { family: AddressFamily::IPV6, luid: ETHERNET, ..TableFilter::ALL };
    let success = NtStatus::SUCCESS;
    let already_exists = NtStatus::RAW_WIN32_OBJECT_ALREADY_EXISTS;
    let table =
        |room, status| Case { output_length: room, ..case(Operation::GetTable, TableFilter::ALL.as_bytes(), status) };
    [
        ("query-version", case(Operation::QueryVersion, &[], success)),
        ("query-statistics", case(Operation::QueryStatistics, &[], success)),
        ("create-ipv4", case(Operation::Create, &create(row("192.0.2.1")), success)),
        ("create-ipv6-by-index", case(Operation::Create, &create(by_index), success)),
        ("create-duplicate", case(Operation::Create, &create(row("192.0.2.1")), already_exists)),
        ("create-pending", case(Operation::Create, &create(row("192.0.2.1")), NtStatus::PENDING)),
        ("delete", case(Operation::Delete, delete.as_bytes(), success)),
        ("delete-not-found", case(Operation::Delete, delete.as_bytes(), NtStatus::NOT_FOUND)),
        ("get", case(Operation::Get, row("192.0.2.1").as_bytes(), success)),
        ("get-not-supported", case(Operation::Get, row("::1").as_bytes(), NtStatus::NOT_SUPPORTED)),
        ("table", table(2048, success)),
        ("table-that-does-not-fit", table(100, success)),
        ("table-of-one-interface", case(Operation::GetTable, ipv6.as_bytes(), success)),
        ("table-empty", table(16, NtStatus::NOT_FOUND)),
        ("table-no-memory", table(16, NtStatus::NO_MEMORY)),
    ]
    .map(|(name, case)| (name.to_owned(), case))
    .to_vec()
}

/// Addresses, interfaces and flags that are refused.
fn refused() -> Vec<(String, Case)> {
    let no_interface = Row { luid: Luid::UNSET, ..row("192.0.2.1") };
    let mut unix = row("192.0.2.1");
    unix.address.family = AddressFamily(1);
    let rows = [
        ("unspecified", row("0.0.0.0")),
        ("multicast-ipv4", row("224.0.0.1")),
        ("multicast-ipv6", row("ff02::1")),
        ("broadcast", row("255.255.255.255")),
        ("no-interface", no_interface),
        ("af-unix", unix),
    ];
    let mut seeds: Vec<_> = rows
        .into_iter()
        .map(|(name, row)| (format!("create-{name}"), case(Operation::Create, &create(row), NtStatus::SUCCESS)))
        .collect();
    let unowned = CreateRequest { row: row("192.0.2.1"), lifetime: 0, flags: 1 };
    let reserved = TableFilter { reserved: 1, ..TableFilter::ALL };
    seeds.push(("create-shared-unowned".to_owned(), case(Operation::Create, unowned.as_bytes(), NtStatus::SUCCESS)));
    seeds.push(("table-reserved".to_owned(), case(Operation::GetTable, reserved.as_bytes(), NtStatus::SUCCESS)));
    seeds
}

/// For every operation: input one byte short and one long, output one byte short, another method.
fn malformed() -> Vec<(String, Case)> {
    let mut seeds = Vec::new();
    for definition in &OPERATIONS {
        let name = definition.name.to_lowercase().replace('_', "-");
        let whole = case(definition.operation, &vec![0; definition.input.fixed], NtStatus::SUCCESS);
        let long = Case { input: vec![0; definition.input.fixed + 1], ..whole.clone() };
        seeds.push((format!("{name}-input-long"), long));
        if let Some(short) = definition.input.fixed.checked_sub(1) {
            seeds.push((format!("{name}-input-short"), Case { input: vec![0; short], ..whole.clone() }));
        }
        if let Some(short) = definition.output.fixed.checked_sub(1) {
            let output_length = u16::try_from(short).expect("short");
            seeds.push((format!("{name}-output-short"), Case { output_length, ..whole.clone() }));
        }
        let other_method = Case { control_code: whole.control_code | 3, ..whole };
        seeds.push((format!("{name}-method-neither"), other_method));
    }
    seeds
}

fn seeds() -> BTreeMap<String, Case> {
    [served(), leases_and_batches(), refused(), malformed()].into_iter().flatten().collect()
}

#[test]
fn the_corpus_is_these_seeds() {
    let directory = directory();
    if env::var_os("UPDATE_SEEDS").is_some() {
        fs::create_dir_all(&directory).expect("the corpus can be made");
        for (name, case) in seeds() {
            fs::write(directory.join(name), case.to_bytes().expect("short input")).expect("the seed can be written");
        }
    }
    for (name, case) in seeds() {
        let path = directory.join(&name);
        let stored = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(Some(stored) == case.to_bytes(), "seed {name} has changed: run with UPDATE_SEEDS=1");
    }
}

#[test]
fn every_seed_passes_the_check() {
    for case in seeds().values() {
        check(case);
    }
}

/// Files beside the seeds are inputs that once broke something.
#[test]
fn every_other_file_of_the_corpus_passes_the_check() {
    let seeds = seeds();
    for entry in fs::read_dir(directory()).expect("the corpus") {
        let entry = entry.expect("an entry");
        if !seeds.contains_key(&*entry.file_name().to_string_lossy()) {
            let bytes = fs::read(entry.path()).expect("a file that can be read");
            Case::from_bytes(&bytes).iter().for_each(check);
        }
    }
}

#[test]
fn bytes_and_cases_mean_the_same() {
    for (name, case) in seeds() {
        assert_eq!(case.to_bytes().as_deref().and_then(Case::from_bytes), Some(case), "{name}");
    }
    assert_eq!(Case::from_bytes(&[0; 11]), None);
}
