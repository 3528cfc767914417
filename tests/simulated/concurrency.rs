//! Many threads at once.

use std::net::Ipv4Addr;
use std::thread;

use kernel_sim::{Caller, DesiredAccess};
use netio_anycast_protocol::address::AddressFamily;
use netio_anycast_protocol::create::{CreateRequest, DeleteRequest};
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use zerocopy::IntoBytes as _;

use crate::bench::{Bench, DEVICE, ETHERNET};

const THREADS: u32 = 8;
const ROUNDS: u32 = 200;

#[test]
fn handles_of_many_threads_do_not_disturb_each_other() {
    let bench = Bench::new();
    let kernel = &bench.kernel;
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let address = Ipv4Addr::from(0x0A00_0000 | thread << 16 | round);
                    let row = Row::on_luid(address.into(), ETHERNET.luid);
                    let handle = kernel.open(DEVICE, &Caller::system(), DesiredAccess::READ_WRITE).expect("it opens");
                    let create = CreateRequest { row, lifetime: 0, flags: 0 };
                    let delete = DeleteRequest { row, flags: 0, reserved: 0 };
                    let send = |operation: Operation, input: &[u8]| {
                        handle.control(operation.definition().control_code(), input, 48).status
                    };
                    assert_eq!(send(Operation::Create, create.as_bytes()), NtStatus::SUCCESS);
                    assert_eq!(send(Operation::Get, row.as_bytes()), NtStatus::SUCCESS);
                    assert_eq!(send(Operation::Delete, delete.as_bytes()), NtStatus::SUCCESS);
                    assert_eq!(send(Operation::Get, row.as_bytes()), NtStatus::NOT_FOUND);
                }
            });
        }
        for _ in 0..ROUNDS {
            let (status, header, _) = bench.table(AddressFamily::UNSPECIFIED, THREADS as usize);
            assert!(matches!(status, NtStatus::SUCCESS | NtStatus::BUFFER_OVERFLOW), "{status}");
            assert!(header.is_some_and(|header| header.total <= THREADS));
        }
    });
    assert_eq!(bench.addresses(), []);
}
