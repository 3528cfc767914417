//! What an IRP asks for.

use std::fmt;

/// `IRP_MJ_*` of `wdm.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Major(pub(crate) u8);

/// The names, by their number.
const NAMES: [&str; 28] = [
    "IRP_MJ_CREATE",
    "IRP_MJ_CREATE_NAMED_PIPE",
    "IRP_MJ_CLOSE",
    "IRP_MJ_READ",
    "IRP_MJ_WRITE",
    "IRP_MJ_QUERY_INFORMATION",
    "IRP_MJ_SET_INFORMATION",
    "IRP_MJ_QUERY_EA",
    "IRP_MJ_SET_EA",
    "IRP_MJ_FLUSH_BUFFERS",
    "IRP_MJ_QUERY_VOLUME_INFORMATION",
    "IRP_MJ_SET_VOLUME_INFORMATION",
    "IRP_MJ_DIRECTORY_CONTROL",
    "IRP_MJ_FILE_SYSTEM_CONTROL",
    "IRP_MJ_DEVICE_CONTROL",
    "IRP_MJ_INTERNAL_DEVICE_CONTROL",
    "IRP_MJ_SHUTDOWN",
    "IRP_MJ_LOCK_CONTROL",
    "IRP_MJ_CLEANUP",
    "IRP_MJ_CREATE_MAILSLOT",
    "IRP_MJ_QUERY_SECURITY",
    "IRP_MJ_SET_SECURITY",
    "IRP_MJ_POWER",
    "IRP_MJ_SYSTEM_CONTROL",
    "IRP_MJ_DEVICE_CHANGE",
    "IRP_MJ_QUERY_QUOTA",
    "IRP_MJ_SET_QUOTA",
    "IRP_MJ_PNP",
];

impl Major {
    pub(crate) const CREATE: Self = Self(0x00);
    pub(crate) const CLOSE: Self = Self(0x02);
    pub(crate) const DEVICE_CONTROL: Self = Self(0x0E);
    pub(crate) const INTERNAL_DEVICE_CONTROL: Self = Self(0x0F);
    pub(crate) const SHUTDOWN: Self = Self(0x10);
    pub(crate) const CLEANUP: Self = Self(0x12);
    const POWER: Self = Self(0x16);

    /// Whether it carries a control code and two buffers.
    pub(crate) fn is_control(self) -> bool {
        self == Self::DEVICE_CONTROL || self == Self::INTERNAL_DEVICE_CONTROL
    }

    /// Whether it is sent at PASSIVE_LEVEL only.
    /// Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/dispatch-routines-and-irqls>
    pub(crate) fn is_passive(self) -> bool {
        const READ: u8 = 0x03;
        const WRITE: u8 = 0x04;
        !self.is_control() && self != Self::POWER && !matches!(self.0, READ | WRITE)
    }
}

impl fmt::Display for Major {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.get(usize::from(self.0)) {
            Some(name) => formatter.write_str(name),
            None => write!(formatter, "IRP_MJ {:#04x}", self.0),
        }
    }
}
