//! Replies that break the contract: each is told as such, and nothing panics.

use std::cell::Cell;

use netio_anycast_kernel_client::protocol::apply::{ApplyFlags, ApplyItem, ApplyReply, ItemOutcome, ItemState};
use netio_anycast_kernel_client::protocol::lease::LeaseFilter;
use netio_anycast_kernel_client::protocol::operation::Operation;
use netio_anycast_kernel_client::protocol::row::Row;
use netio_anycast_kernel_client::protocol::statistics::Statistics;
use netio_anycast_kernel_client::protocol::status::NtStatus;
use netio_anycast_kernel_client::protocol::table::{TableFilter, TableHeader};
use netio_anycast_kernel_client::protocol::version::{PROTOCOL_VERSION, Version};
use netio_anycast_kernel_client::protocol::wait::Generation;
use netio_anycast_kernel_client::{Addresses, Client, Error, Reply, Transport};
use zerocopy::{FromZeros, IntoBytes};

use crate::driver::status;

/// A driver that answers QUERY_VERSION honestly, and everything else with this.
struct Liar {
    status: NtStatus,
    /// What is put into the output, as far as it fits.
    output: Vec<u8>,
    /// What is said to have been put there.
    length: usize,
    asked: Cell<u32>,
}

impl Transport for Liar {
    fn control(&self, control_code: u32, _input: &[u8], output: &mut [u8]) -> Reply {
        if control_code == Operation::QueryVersion.definition().control_code() {
            let version = Version { protocol: PROTOCOL_VERSION, ..Version::new_zeroed() };
            output.copy_from_slice(version.as_bytes());
            return Reply { status: NtStatus::SUCCESS, length: output.len() };
        }
        self.asked.set(self.asked.get() + 1);
        let length = self.output.len().min(output.len());
        output[..length].copy_from_slice(&self.output[..length]);
        Reply { status: self.status, length: self.length }
    }
}

fn liar(status: NtStatus, output: &[u8], length: usize) -> Client<Liar> {
    let transport = Liar { status, output: output.to_vec(), length, asked: Cell::new(0) };
    Client::connect(transport).expect("it tells its version honestly")
}

/// Header and rows of zeros.
fn table(count: u32, total: u32, rows: usize) -> Vec<u8> {
    let mut reply = TableHeader { count, total, generation: 1 }.as_bytes().to_vec();
    reply.resize(reply.len() + rows, 0);
    reply
}

#[test]
fn a_driver_of_another_protocol_is_told_as_such() {
    struct Other;
    impl Transport for Other {
        fn control(&self, _: u32, _: &[u8], output: &mut [u8]) -> Reply {
            output.copy_from_slice(Version { protocol: 2, ..Version::new_zeroed() }.as_bytes());
            Reply { status: NtStatus::SUCCESS, length: output.len() }
        }
    }
    assert_eq!(Client::connect(Other).map(|_| ()), Err(Error::OtherProtocol(2)));
}

#[test]
fn a_reply_of_another_length_is_malformed() {
    let row = Row::new_zeroed();
    for length in [0, 1, 47, 49, usize::MAX] {
        assert_eq!(liar(NtStatus::SUCCESS, &[], length).get(&row), Err(Error::Malformed), "{length}");
    }
    let mut statistics = Statistics::new_zeroed();
    assert_eq!(liar(NtStatus::SUCCESS, &[], 8).statistics(&mut statistics), Err(Error::Malformed));
    assert_eq!(
        liar(NtStatus::SUCCESS, &[], 1)
            .delete(&row, netio_anycast_kernel_client::protocol::create::DeleteFlags::empty()),
        Err(Error::Malformed)
    );
    assert_eq!(liar(NtStatus::SUCCESS, &[], 7).wait_change(Generation(0)), Err(Error::Malformed));
}

/// The statuses that `NT_SUCCESS` takes for success, and are none.
#[test]
fn only_success_is_success() {
    let row = Row::new_zeroed();
    for positive in [NtStatus::RAW_WIN32_OBJECT_ALREADY_EXISTS, NtStatus::PENDING, NtStatus::from_bits(0x4000_0000)] {
        assert_eq!(liar(positive, &[], 48).get(&row), status(positive));
        assert_eq!(liar(positive, &table(0, 0, 0), 16).table(&TableFilter::ALL).map(|_| ()), status(positive));
    }
    assert_eq!(liar(NtStatus::BUFFER_OVERFLOW, &[], 48).get(&row), Err(Error::Malformed), "a row does not overflow");
}

#[test]
fn tables_that_contradict_themselves_are_malformed() {
    let success = NtStatus::SUCCESS;
    let lies = [
        (success, table(1, 1, 48), 16, "a row is counted and does not come"),
        (success, table(0, 0, 48), 64, "a row comes and is not counted"),
        (success, table(1, 1, 47), 63, "no whole number of rows"),
        (success, table(0, 0, 0), 15, "less than a header"),
        (success, table(1, 2, 48), 64, "success, and more exist"),
        (success, table(1, 0, 48), 64, "more than exist"),
        (success, table(0, 0, 0), usize::MAX, "more than there is room for"),
        (NtStatus::BUFFER_OVERFLOW, table(1, 1, 48), 64, "an overflow, and no more exist"),
        (NtStatus::BUFFER_OVERFLOW, table(1, u32::MAX, 48), 64, "more than can be"),
    ];
    for (status, output, length, lie) in lies {
        let client = liar(status, &output, length);
        assert_eq!(client.table(&TableFilter::ALL).map(|_| ()), Err(Error::Malformed), "{lie}");
    }
    let row_of_a_table = liar(success, &table(1, 1, 48), 64);
    let filter = LeaseFilter { table: TableFilter::ALL, process_id: 0, reserved: 0 };
    assert_eq!(row_of_a_table.leases(&filter).map(|_| ()), Err(Error::Malformed), "a lease's row is longer");
}

#[test]
fn a_table_that_grows_for_ever_is_given_up() {
    let client = liar(NtStatus::BUFFER_OVERFLOW, &table(0, 1000, 0), 16);
    assert_eq!(client.table(&TableFilter::ALL).map(|_| ()), Err(Error::GrowsTooFast));
    assert_eq!(client.transport().asked.get(), 8);
}

#[test]
fn batches_that_contradict_themselves_are_malformed() {
    let outcome = |state: ItemState, status| ItemOutcome {
        status,
        netio_status: NtStatus::SUCCESS,
        win32: 0,
        field: 0,
        state: state as u8,
        reserved: 0,
    };
    let reply = |count, not_applied, outcome: ItemOutcome| {
        [ApplyReply { count, not_applied }.as_bytes(), outcome.as_bytes()].concat()
    };
    let (applied, failed) = (ItemState::Applied, ItemState::Failed);
    let lies = [
        (reply(2, 0, outcome(applied, NtStatus::SUCCESS)), 24, "another count"),
        (reply(1, 1, outcome(applied, NtStatus::SUCCESS)), 24, "applied, and counted as not applied"),
        (reply(1, 0, outcome(failed, NtStatus::NOT_FOUND)), 24, "failed, and not counted"),
        (reply(1, 0, outcome(applied, NtStatus::NOT_FOUND)), 24, "applied, and yet failed"),
        (reply(1, 1, outcome(failed, NtStatus::SUCCESS)), 24, "failed with success"),
        (reply(1, 0, outcome(applied, NtStatus::SUCCESS)), 8, "no outcome"),
    ];
    for (output, length, lie) in lies {
        let client = liar(NtStatus::SUCCESS, &output, length);
        let result = client.apply(&[ApplyItem::new_zeroed()], ApplyFlags::empty());
        assert_eq!(result.map(|_| ()), Err(Error::Malformed), "{lie}");
    }
}
