//! What the documentation leaves open.

use netio_anycast_protocol::status::NtStatus;

use crate::interface::Families;

/// How the model behaves where NetIO's documentation contradicts itself or may be read in more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The stacks that are installed. A function for an absent one answers STATUS_NOT_SUPPORTED.
    pub stacks: Families,
    /// What creating a duplicate is answered with.
    ///
    /// By default the documentation is taken by its word: ERROR_OBJECT_ALREADY_EXISTS, 0x1392, a Win32 code that `NT_SUCCESS`
    /// takes for success. It is the worst that a caller can meet. Kernel callers of the sibling route functions are known
    /// to get [`NtStatus::DUPLICATE_OBJECTID`].
    pub duplicate: NtStatus,
    /// What an empty table is answered with: [`NtStatus::NOT_FOUND`] by default, as documented, or
    /// [`NtStatus::SUCCESS`] with no rows, as others report it.
    pub empty_table: NtStatus,
    /// What an index or a LUID of no interface is converted into: [`NtStatus::INVALID_PARAMETER`] by default, as the kernel
    /// documentation of the two conversions says.
    pub unknown_interface_conversion: NtStatus,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            stacks: Families::all(),
            duplicate: NtStatus::RAW_WIN32_OBJECT_ALREADY_EXISTS,
            empty_table: NtStatus::NOT_FOUND,
            unknown_interface_conversion: NtStatus::INVALID_PARAMETER,
        }
    }
}
