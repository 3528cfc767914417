//! What the driver does with the netio-anycast driver once it is there: everything is safe code.

use core::net::{IpAddr, Ipv4Addr};

use netio_anycast_kernel_client::protocol::lease::LeaseFilter;
use netio_anycast_kernel_client::protocol::row::Row;
use netio_anycast_kernel_client::protocol::status::NtStatus;
use netio_anycast_kernel_client::protocol::table::TableFilter;
use netio_anycast_kernel_client::protocol::version::Features;
use netio_anycast_kernel_client::{Addresses, Client, Device, DirectCalls, Error, Owner, Ready, Sharing};
use wdk_sys::ntddk::DbgPrint;

use crate::raised;

/// The address that is held by way of IRPs, from the block for documentation (RFC 5737).
const BY_IRP: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 53));
/// The address that is held by way of direct calls.
const DIRECT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 54));
/// An address that is given back at once.
const FOR_A_MOMENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 55));

/// Holds addresses on one interface.
pub(crate) struct AddressHolder {
    owner: Owner,
    interface: u32,
    held: Option<Held>,
}

/// The leases go with these.
struct Held {
    _calls: DirectCalls,
    _client: Client<Device>,
}

impl AddressHolder {
    pub(crate) const fn new(owner: Owner, interface: u32) -> Self {
        Self { owner, interface, held: None }
    }

    fn row(&self, address: IpAddr) -> Row {
        Row::on_index(address, self.interface)
    }

    /// Leases an address in each way of calling, lists what there is, and gives a third address back.
    fn hold(&self, device: Device) -> Result<Held, Error> {
        let client = Client::connect(device)?;
        client.require(Features::LEASES)?;
        // Kept for as long as the device is: dropped, a `Lease` gives its address back at once.
        let _ = client.lease(&self.row(BY_IRP), Sharing::Exclusive)?.keep();

        let calls = DirectCalls::query(client.transport())?;
        let _ = calls.lease(&self.row(DIRECT), Sharing::Exclusive)?.keep();
        calls.lease(&self.row(FOR_A_MOMENT), Sharing::Shared)?.release()?;

        let ours = LeaseFilter { table: TableFilter::ALL, process_id: 0, reserved: 0 };
        report(c"anycast_client_rust: %u leases are held\n", client.leases(&ours)?.len());
        report(c"anycast_client_rust: %u addresses are there\n", calls.table(&TableFilter::ALL)?.len());

        let found = raised::get(client.transport(), self.owner, &self.row(BY_IRP))?;
        report(c"anycast_client_rust: the address is on interface %u\n", found.index as usize);
        Ok(Held { _calls: calls, _client: client })
    }
}

impl Ready for AddressHolder {
    fn ready(&mut self, device: Result<Device, NtStatus>) {
        if self.held.is_some() {
            return;
        }
        match device.map_err(Error::from).and_then(|device| self.hold(device)) {
            Ok(held) => self.held = Some(held),
            Err(error) => report(c"anycast_client_rust: failed with status %08X\n", error.status().bits() as usize),
        }
    }
}

/// Writes a line with a number for the debugger.
fn report(format: &core::ffi::CStr, number: usize) {
    // SAFETY: the format takes a number and nothing else.
    let _ = unsafe { DbgPrint(format.as_ptr(), number) };
}
