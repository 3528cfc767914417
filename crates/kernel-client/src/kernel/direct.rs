//! The driver's functions, called without an IRP.

use core::ffi::c_void;
use core::ops::Deref;
use core::ptr::{NonNull, from_ref, null_mut};

use netio_anycast_protocol::create::{CreateFlags, DeleteFlags, Lifetime};
use netio_anycast_protocol::interface::{Interface, InterfaceRequest, QUERY_INTERFACE};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::{TableFilter, TableHeader};
use zerocopy::{FromZeros, IntoBytes};

use super::device::Device;
use crate::error::Error;
use crate::functions::Functions;
use crate::lease::Addresses;

/// A reference to the driver's direct-call interface. It keeps the netio-anycast driver loaded, with or without a [`Device`].
///
/// Leases that were made through it are the interface's, and go with its last reference. Above PASSIVE_LEVEL every call but `clone` and
/// `drop`, which may come at up to DISPATCH_LEVEL, ends with STATUS_INVALID_DEVICE_STATE.
#[derive(Debug)]
pub struct DirectCalls {
    functions: Functions,
    context: *mut c_void,
}

// SAFETY: the functions may be called by any number of threads at once.
unsafe impl Send for DirectCalls {}
// SAFETY: as above.
unsafe impl Sync for DirectCalls {}

impl DirectCalls {
    /// Asks the driver for its interface: a new one, with no leases. IRQL: PASSIVE_LEVEL.
    ///
    /// # Errors
    /// STATUS_REVISION_MISMATCH: the driver knows no such version of it; STATUS_INSUFFICIENT_RESOURCES; [`Error::Malformed`].
    pub fn query(device: &Device) -> Result<Self, Error> {
        let mut table = Interface::EMPTY;
        let input = InterfaceRequest::CURRENT;
        let length = size_of::<Interface>();
        // SAFETY: the table lives through the call, and the driver, which is trusted to keep its contract, writes a table.
        let reply = unsafe { device.send(QUERY_INTERFACE, input.as_bytes(), (&raw mut table).cast(), length) };
        reply.expect(length)?;
        Ok(Self { functions: Functions::of(&table)?, context: table.context })
    }

    /// GET_TABLE: the anycast addresses that there are.
    ///
    /// # Errors
    /// STATUS_NOT_FOUND: the filter names an interface that does not exist; STATUS_INSUFFICIENT_RESOURCES; [`Error::Malformed`].
    pub fn table(&self, filter: &TableFilter) -> Result<DirectTable<'_>, Error> {
        let mut table = null_mut();
        // SAFETY: the context is referenced; filter and table live through the call.
        only_success(unsafe { (self.functions.get_table)(self.context, from_ref(filter), &raw mut table) })?;
        let table = NonNull::new(table).ok_or(Error::Malformed)?;
        let table = DirectTable { table, calls: self };
        if table.header().count == table.header().total { Ok(table) } else { Err(Error::Malformed) }
    }
}

impl Addresses for DirectCalls {
    fn create(&self, row: &Row, lifetime: Lifetime, flags: CreateFlags) -> Result<Row, Error> {
        let mut resolved = Row::new_zeroed();
        // SAFETY: the context is referenced; both rows live through the call.
        only_success(unsafe {
            (self.functions.create)(self.context, from_ref(row), lifetime as u32, flags.bits(), &raw mut resolved)
        })?;
        Ok(resolved)
    }

    fn delete(&self, row: &Row, flags: DeleteFlags) -> Result<(), Error> {
        // SAFETY: the context is referenced; the row lives through the call.
        only_success(unsafe { (self.functions.delete)(self.context, from_ref(row), flags.bits()) })
    }

    fn get(&self, row: &Row) -> Result<Row, Error> {
        let mut found = *row;
        // SAFETY: the context is referenced; the row lives through the call.
        only_success(unsafe { (self.functions.get)(self.context, &raw mut found) })?;
        Ok(found)
    }
}

impl Clone for DirectCalls {
    fn clone(&self) -> Self {
        // SAFETY: the context is referenced, and gets one reference more, for the clone.
        unsafe { (self.functions.reference)(self.context) };
        Self { functions: self.functions, context: self.context }
    }
}

impl Drop for DirectCalls {
    fn drop(&mut self) {
        // SAFETY: this reference is given back once.
        unsafe { (self.functions.dereference)(self.context) };
    }
}

/// A table of addresses in the driver's memory, sorted by LUID, family and address. Dropping it, at IRQL <= DISPATCH_LEVEL, gives it
/// back.
#[derive(Debug)]
pub struct DirectTable<'a> {
    table: NonNull<TableHeader>,
    calls: &'a DirectCalls,
}

// SAFETY: the table is this client's alone, and may be read and given back by any thread.
unsafe impl Send for DirectTable<'_> {}
// SAFETY: a shared table is only read.
unsafe impl Sync for DirectTable<'_> {}

impl DirectTable<'_> {
    /// The driver's generation before the table was read: a wait for changes from there misses none.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.header().generation
    }

    fn header(&self) -> &TableHeader {
        // SAFETY: the driver has made the table, and it lives until it is given back.
        unsafe { self.table.as_ref() }
    }
}

impl Deref for DirectTable<'_> {
    type Target = [Row];

    fn deref(&self) -> &[Row] {
        let count = self.header().count as usize;
        // SAFETY: the rows follow the header.
        let first = unsafe { self.table.add(1) }.cast::<Row>();
        // SAFETY: there are so many, aligned as the header is, until the table is given back; `self` is borrowed.
        unsafe { core::slice::from_raw_parts(first.as_ptr(), count) }
    }
}

impl Drop for DirectTable<'_> {
    fn drop(&mut self) {
        // SAFETY: the context is referenced, and the table is given back once.
        unsafe { (self.calls.functions.free_table)(self.calls.context, self.table.as_ptr()) };
    }
}

/// Only STATUS_SUCCESS is success.
fn only_success(status: NtStatus) -> Result<(), Error> {
    match status {
        NtStatus::SUCCESS => Ok(()),
        failure => Err(Error::Status(failure)),
    }
}
