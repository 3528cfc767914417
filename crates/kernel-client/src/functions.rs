//! The direct-call interface, held to its contract before the first call.

use core::ffi::c_void;

use netio_anycast_protocol::interface::{INTERFACE_SIZE, INTERFACE_VERSION, Interface};
use netio_anycast_protocol::row::Row;
use netio_anycast_protocol::status::NtStatus;
use netio_anycast_protocol::table::{TableFilter, TableHeader};

use crate::error::Error;

/// The functions of a table that has all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Functions {
    pub(crate) reference: unsafe extern "system" fn(*mut c_void),
    pub(crate) dereference: unsafe extern "system" fn(*mut c_void),
    pub(crate) create: unsafe extern "system" fn(*mut c_void, *const Row, u32, u32, *mut Row) -> NtStatus,
    pub(crate) delete: unsafe extern "system" fn(*mut c_void, *const Row, u32) -> NtStatus,
    pub(crate) get: unsafe extern "system" fn(*mut c_void, *mut Row) -> NtStatus,
    pub(crate) get_table: unsafe extern "system" fn(*mut c_void, *const TableFilter, *mut *mut TableHeader) -> NtStatus,
    pub(crate) free_table: unsafe extern "system" fn(*mut c_void, *mut TableHeader),
}

impl Functions {
    /// The functions of `table`.
    ///
    /// # Errors
    /// [`Error::Malformed`]: it is of another version or size, or lacks something.
    pub(crate) fn of(table: &Interface) -> Result<Self, Error> {
        if table.size != INTERFACE_SIZE || table.version != INTERFACE_VERSION || table.context.is_null() {
            return Err(Error::Malformed);
        }
        let all = || {
            Some(Self {
                reference: table.interface_reference?,
                dereference: table.interface_dereference?,
                create: table.create?,
                delete: table.delete?,
                get: table.get?,
                get_table: table.get_table?,
                free_table: table.free_table?,
            })
        };
        all().ok_or(Error::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use core::ptr::dangling_mut;

    use super::*;

    extern "system" fn reference(_: *mut c_void) {}
    extern "system" fn create(_: *mut c_void, _: *const Row, _: u32, _: u32, _: *mut Row) -> NtStatus {
        NtStatus::SUCCESS
    }
    extern "system" fn delete(_: *mut c_void, _: *const Row, _: u32) -> NtStatus {
        NtStatus::SUCCESS
    }
    extern "system" fn get(_: *mut c_void, _: *mut Row) -> NtStatus {
        NtStatus::SUCCESS
    }
    extern "system" fn get_table(_: *mut c_void, _: *const TableFilter, _: *mut *mut TableHeader) -> NtStatus {
        NtStatus::SUCCESS
    }
    extern "system" fn free_table(_: *mut c_void, _: *mut TableHeader) {}

    fn whole() -> Interface {
        Interface {
            size: INTERFACE_SIZE,
            version: INTERFACE_VERSION,
            context: dangling_mut(),
            interface_reference: Some(reference),
            interface_dereference: Some(reference),
            create: Some(create),
            delete: Some(delete),
            get: Some(get),
            get_table: Some(get_table),
            free_table: Some(free_table),
        }
    }

    #[test]
    fn a_whole_table_has_its_functions() {
        assert!(Functions::of(&whole()).is_ok());
    }

    #[test]
    fn a_table_that_lacks_anything_is_malformed() {
        let spoil: [fn(&mut Interface); 10] = [
            |table| table.size += 8,
            |table| table.version += 1,
            |table| table.context = core::ptr::null_mut(),
            |table| table.interface_reference = None,
            |table| table.interface_dereference = None,
            |table| table.create = None,
            |table| table.delete = None,
            |table| table.get = None,
            |table| table.get_table = None,
            |table| table.free_table = None,
        ];
        for (number, spoil) in spoil.into_iter().enumerate() {
            let mut table = whole();
            spoil(&mut table);
            assert_eq!(Functions::of(&table).err(), Some(Error::Malformed), "{number}");
        }
        assert!(Functions::of(&Interface::EMPTY).is_err());
    }
}
