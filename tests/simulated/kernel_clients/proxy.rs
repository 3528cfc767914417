//! `proxy.c`, told what to do: each handle to it is a client with a file object of the netio-anycast driver's of its own.

use kernel_sim::{Caller, DesiredAccess, Driver, Handle, Irql, Kernel};
use netio_anycast_protocol::create::{CreateFlags, DeleteFlags, Lifetime};
use netio_anycast_protocol::interface::InterfaceRequest;
use netio_anycast_protocol::operation::Operation;
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::build;

const LINK: &str = r"\DosDevices\Proxy";

/// The control codes of proxy.c.
const fn code(function: u32) -> u32 {
    0x8ACE << 16 | (0x800 + function) << 2
}
const SEND: u32 = code(0);
const QUERY: u32 = code(1);
const CALL: u32 = code(2);
const REFERENCE: u32 = code(3);
const DEREFERENCE: u32 = code(4);
const FORGET: u32 = code(5);

/// How a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// IRP_MJ_DEVICE_CONTROL, by an IRP of the client's own.
    DeviceControl = 0,
    /// IRP_MJ_INTERNAL_DEVICE_CONTROL, by an IRP of the client's own.
    Internal = 1,
    /// By IoBuildDeviceIoControlRequest.
    Built = 2,
}

/// A request for the proxy to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Send<'a> {
    pub(crate) way: Way,
    pub(crate) irql: Irql,
    pub(crate) code: u32,
    pub(crate) input: &'a [u8],
    pub(crate) output_length: usize,
    /// Cancel it as soon as it is sent.
    pub(crate) cancel: bool,
    pub(crate) without_file: bool,
    /// On behalf of a program.
    pub(crate) user_mode: bool,
}

impl<'a> Send<'a> {
    pub(super) fn operation(operation: Operation, input: &'a [u8], output_length: usize) -> Self {
        let code = operation.definition().control_code();
        let (way, irql) = (Way::DeviceControl, Irql::PASSIVE_LEVEL);
        Self { way, irql, code, input, output_length, cancel: false, without_file: false, user_mode: false }
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: NtStatus,
    /// IoCallDriver returned STATUS_PENDING.
    pub(super) pended: bool,
    /// The output: as many bytes as Information says.
    pub(crate) output: Vec<u8>,
}

#[derive(Clone, Copy, Debug, IntoBytes, Immutable)]
#[repr(C)]
struct Command {
    way: u32,
    irql: u32,
    code: u32,
    output_length: u32,
    cancel: u32,
    without_file: u32,
    user_mode: u32,
}

impl Command {
    /// Says at which IRQL, and nothing else.
    fn at(irql: Irql) -> Self {
        let irql = u32::from(irql.0);
        Self { way: 0, irql, code: 0, output_length: 0, cancel: 0, without_file: 0, user_mode: 0 }
    }
}

/// A function of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Create = 0,
    Delete = 1,
    Get = 2,
    GetTable = 3,
}

/// What its functions take.
#[derive(Clone, Copy, Debug, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct Arguments {
    pub(crate) row: Row,
    pub(crate) lifetime: u32,
    pub(crate) flags: u32,
}

#[derive(Clone, Copy, Debug, FromBytes, KnownLayout, Immutable)]
#[repr(C)]
struct Outcome {
    status: NtStatus,
    pended: u32,
    information: u64,
}

/// Loads the proxy, beside the netio-anycast driver.
pub(crate) fn load(kernel: &Kernel) -> Driver {
    kernel.load(&build::proxy(), "proxy").expect("the proxy loads")
}

/// A client.
pub(crate) struct Proxy {
    handle: Handle,
}

impl Proxy {
    pub(crate) fn open(kernel: &Kernel) -> Result<Self, NtStatus> {
        Ok(Self { handle: kernel.open(LINK, &Caller::driver(), DesiredAccess::READ_WRITE)? })
    }

    /// Sends a request and waits for its end. The error is the proxy's own: no memory.
    pub(crate) fn send(&self, send: &Send<'_>) -> Result<Answer, NtStatus> {
        let length = |bytes: usize| u32::try_from(bytes).expect("as long as a test makes it");
        let command = Command {
            way: send.way as u32,
            irql: u32::from(send.irql.0),
            code: send.code,
            output_length: length(send.output_length),
            cancel: send.cancel.into(),
            without_file: send.without_file.into(),
            user_mode: send.user_mode.into(),
        };
        let input = [command.as_bytes(), send.input].concat();
        let reply = self.handle.control(SEND, &input, size_of::<Outcome>() + send.output_length);
        done(reply.status)?;
        let (outcome, output) = Outcome::read_from_prefix(&reply.output).expect("the whole of it came back");
        let length = usize::try_from(outcome.information).expect("a length").min(output.len());
        Ok(Answer { status: outcome.status, pended: outcome.pended != 0, output: output[..length].to_vec() })
    }

    /// Asks for the direct-call interface.
    pub(super) fn query(&self) -> Result<(), NtStatus> {
        self.query_with(InterfaceRequest::CURRENT)
    }

    pub(crate) fn query_with(&self, request: InterfaceRequest) -> Result<(), NtStatus> {
        done(self.handle.control(QUERY, request.as_bytes(), 0).status)
    }

    /// Calls a function. Returns its information, and as many rows as it has written into room for `rows`.
    pub(crate) fn call(
        &self,
        irql: Irql,
        function: Function,
        arguments: Arguments,
        rows: usize,
    ) -> Result<(u64, Vec<Row>), NtStatus> {
        let command = Command { code: function as u32, ..Command::at(irql) };
        let input = [command.as_bytes(), arguments.as_bytes()].concat();
        let reply = self.handle.control(CALL, &input, size_of::<Outcome>() + rows * size_of::<Row>());
        done(reply.status)?;
        let (outcome, rest) = Outcome::read_from_prefix(&reply.output).expect("the whole of it came back");
        done(outcome.status)?;
        let rows = rest.chunks_exact(size_of::<Row>()).map(|row| Row::read_from_bytes(row).expect("a row's length"));
        Ok((outcome.information, rows.collect()))
    }

    pub(super) fn create(&self, irql: Irql, row: Row, lifetime: Lifetime, flags: CreateFlags) -> Result<Row, NtStatus> {
        let arguments = Arguments { row, lifetime: lifetime as u32, flags: flags.bits() };
        self.call(irql, Function::Create, arguments, 1).map(|(_, rows)| rows[0])
    }

    pub(super) fn lease(&self, row: Row) -> Result<Row, NtStatus> {
        self.create(Irql::PASSIVE_LEVEL, row, Lifetime::Handle, CreateFlags::empty())
    }

    pub(super) fn delete(&self, irql: Irql, row: Row, flags: DeleteFlags) -> Result<(), NtStatus> {
        self.call(irql, Function::Delete, Arguments { row, lifetime: 0, flags: flags.bits() }, 0).map(drop)
    }

    pub(super) fn get(&self, irql: Irql, row: Row) -> Result<Row, NtStatus> {
        self.call(irql, Function::Get, Arguments { row, lifetime: 0, flags: 0 }, 1).map(|(_, rows)| rows[0])
    }

    /// As many rows of the table as `room`, and how many there are.
    pub(crate) fn table(&self, irql: Irql, room: usize) -> Result<(u64, Vec<Row>), NtStatus> {
        let nothing = Arguments { row: Row::on_index([0, 0, 0, 0].into(), 0), lifetime: 0, flags: 0 };
        let (count, mut rows) = self.call(irql, Function::GetTable, nothing, room)?;
        rows.truncate(usize::try_from(count).expect("a count"));
        Ok((count, rows))
    }

    /// Takes a reference to the interface.
    pub(crate) fn reference(&self, irql: Irql) -> NtStatus {
        self.count(REFERENCE, irql)
    }

    /// Gives one back.
    pub(crate) fn dereference(&self, irql: Irql) -> NtStatus {
        self.count(DEREFERENCE, irql)
    }

    fn count(&self, code: u32, irql: Irql) -> NtStatus {
        self.handle.control(code, Command::at(irql).as_bytes(), 0).status
    }

    /// Never gives back what it has.
    pub(super) fn forget(&self) {
        assert_eq!(self.handle.control(FORGET, &[], 0).status, NtStatus::SUCCESS);
    }
}

fn done(status: NtStatus) -> Result<(), NtStatus> {
    match status {
        NtStatus::SUCCESS => Ok(()),
        failure => Err(failure),
    }
}
