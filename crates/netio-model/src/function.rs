//! The functions of NetIO that the model stands for.

use core::fmt;

/// A function that `netio.sys` exports and the driver imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u32)]
pub enum Function {
    /// `CreateAnycastIpAddressEntry`.
    Create = 0,
    /// `DeleteAnycastIpAddressEntry`.
    Delete = 1,
    /// `GetAnycastIpAddressEntry`.
    Get = 2,
    /// `GetAnycastIpAddressTable`.
    Table = 3,
    /// `FreeMibTable`.
    FreeTable = 4,
    /// `ConvertInterfaceIndexToLuid`.
    LuidFromIndex = 5,
    /// `ConvertInterfaceLuidToIndex`.
    IndexFromLuid = 6,
}

impl Function {
    /// Every function, in the order of its number.
    pub const ALL: [Self; 7] =
        [Self::Create, Self::Delete, Self::Get, Self::Table, Self::FreeTable, Self::LuidFromIndex, Self::IndexFromLuid];

    /// The function with this number.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|function| *function as u32 == number)
    }

    /// The name under which `netio.sys` exports it.
    #[must_use]
    pub const fn export_name(self) -> &'static str {
        match self {
            Self::Create => "CreateAnycastIpAddressEntry",
            Self::Delete => "DeleteAnycastIpAddressEntry",
            Self::Get => "GetAnycastIpAddressEntry",
            Self::Table => "GetAnycastIpAddressTable",
            Self::FreeTable => "FreeMibTable",
            Self::LuidFromIndex => "ConvertInterfaceIndexToLuid",
            Self::IndexFromLuid => "ConvertInterfaceLuidToIndex",
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.export_name())
    }
}
