//! The far end of the model's control device: what a test says to the NetIO that it runs on.

#![forbid(unsafe_code)]

use netio_anycast_client::{OsError, Transport};
use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_model::control::Command;
use netio_model::control::wire::{
    ConfigureRequest, EntriesHeader, FaultRequest, GateRequest, InterfaceRequest, LuidRequest, Name, OpenNameReply,
    OpenNameRequest, PopulateRequest, StateReply,
};
use netio_model::{Fault, Function, Interface, Settings};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// The model of NetIO that the driver runs on.
#[derive(Debug)]
pub struct ModelDevice<T> {
    transport: T,
}

impl<T: Transport> ModelDevice<T> {
    /// The model behind `transport`, which is an open handle to [`netio_model::control::DEVICE_PATH`].
    pub const fn new(transport: T) -> Self {
        Self { transport }
    }

    /// No interfaces, no addresses, no faults, default settings; tables that are still out stay counted.
    ///
    /// # Errors
    /// As the device says; so for all functions here.
    pub fn reset(&self) -> Result<(), OsError> {
        self.send(Command::Reset, &())
    }

    /// Changes how the model reads the documentation where it is open to reading.
    ///
    /// # Errors
    /// As the device says.
    pub fn configure(&self, settings: Settings) -> Result<(), OsError> {
        self.send(Command::Configure, &ConfigureRequest::from(settings))
    }

    /// Adds a network interface.
    ///
    /// # Errors
    /// As the device says.
    pub fn add_interface(&self, interface: Interface) -> Result<(), OsError> {
        self.send(Command::AddInterface, &InterfaceRequest::from(interface))
    }

    /// Removes a network interface with its addresses.
    ///
    /// # Errors
    /// As the device says.
    pub fn remove_interface(&self, luid: Luid) -> Result<(), OsError> {
        self.send(Command::RemoveInterface, &LuidRequest { luid })
    }

    /// Makes some of the next calls of a function fail.
    ///
    /// # Errors
    /// As the device says.
    pub fn plan(&self, fault: Fault) -> Result<(), OsError> {
        self.send(Command::PlanFault, &FaultRequest::from(fault))
    }

    /// Puts an address there, as somebody other than the driver.
    ///
    /// # Errors
    /// As the device says.
    pub fn insert(&self, row: &Row) -> Result<(), OsError> {
        self.send(Command::Insert, row)
    }

    /// Puts `count` addresses there: those that [`netio_model::control::wire::populated_address`] numbers from 0.
    ///
    /// # Errors
    /// As the device says.
    pub fn populate(&self, luid: Luid, family: AddressFamily, count: u32) -> Result<(), OsError> {
        self.send(Command::Populate, &PopulateRequest { luid, family, reserved: 0, first: 0, count, reserved2: 0 })
    }

    /// What was called, what there is and what is wrong.
    ///
    /// # Errors
    /// As the device says.
    pub fn state(&self) -> Result<StateReply, OsError> {
        self.ask(Command::QueryState, &())
    }

    /// Every address, sorted by LUID, family and address.
    ///
    /// # Errors
    /// As the device says.
    ///
    /// # Panics
    /// If the device's reply is not as long as it says.
    pub fn entries(&self) -> Result<Vec<Row>, OsError> {
        let expected = usize::try_from(self.state()?.entries).expect("a count fits");
        let mut reply = vec![0; size_of::<EntriesHeader>() + expected * size_of::<Row>()];
        let returned = self.transport.control(Command::ReadEntries.control_code(), &[], &mut reply)?;
        let (header, rows) = EntriesHeader::read_from_prefix(&reply[..returned.length]).expect("the header is there");
        let rows: Vec<Row> =
            rows.chunks_exact(size_of::<Row>()).map(|row| Row::read_from_bytes(row).expect("a whole row")).collect();
        assert_eq!(rows.len(), header.count as usize, "the reply has as many rows as it says");
        Ok(rows)
    }

    /// Makes the next call of `function` set the event `entered` and wait for the event `release`; both are names of
    /// events that were created as `Global\NAME`.
    ///
    /// # Errors
    /// As the device says.
    ///
    /// # Panics
    /// If a name is longer than the contract has room for.
    pub fn gate(&self, function: Function, entered: &str, release: &str) -> Result<(), OsError> {
        let name = |name: &str| Name::new(&format!(r"\BaseNamedObjects\{name}")).expect("the name is short");
        let request =
            GateRequest { function: function as u32, reserved: 0, entered: name(entered), release: name(release) };
        self.send(Command::SetGate, &request)
    }

    /// What the driver answers to an open of `name` below its device.
    ///
    /// # Errors
    /// As the device says.
    ///
    /// # Panics
    /// If the name is longer than the contract has room for.
    pub fn open_name(&self, name: &str) -> Result<NtStatus, OsError> {
        let request = OpenNameRequest { name: Name::new(name).expect("the name is short") };
        self.ask::<_, OpenNameReply>(Command::OpenName, &request).map(|reply| reply.status)
    }

    fn send(&self, command: Command, input: &(impl IntoBytes + Immutable)) -> Result<(), OsError> {
        self.transport.control(command.control_code(), input.as_bytes(), &mut []).map(drop)
    }

    fn ask<I, O>(&self, command: Command, input: &I) -> Result<O, OsError>
    where
        I: IntoBytes + Immutable,
        O: FromBytes + IntoBytes,
    {
        let mut output = O::new_zeroed();
        self.transport.control(command.control_code(), input.as_bytes(), output.as_mut_bytes())?;
        Ok(output)
    }
}
