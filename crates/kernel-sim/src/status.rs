//! The NTSTATUS values that the kernel answers and that the contract of this project does not name.
//!
//! Source: MS-ERREF 2.3, <https://learn.microsoft.com/openspecs/windows_protocols/ms-erref/>

use netio_anycast_protocol::status::NtStatus;

pub(crate) const TIMEOUT: NtStatus = NtStatus::from_bits(0x0000_0102);
pub(crate) const NO_MORE_ENTRIES: NtStatus = NtStatus::from_bits(0x8000_001A);
pub(crate) const INVALID_HANDLE: NtStatus = NtStatus::from_bits(0xC000_0008);
pub(crate) const NO_SUCH_DEVICE: NtStatus = NtStatus::from_bits(0xC000_000E);
pub(crate) const MORE_PROCESSING_REQUIRED: NtStatus = NtStatus::from_bits(0xC000_0016);
pub(crate) const OBJECT_TYPE_MISMATCH: NtStatus = NtStatus::from_bits(0xC000_0024);
pub(crate) const INVALID_SECURITY_DESCR: NtStatus = NtStatus::from_bits(0xC000_0079);
