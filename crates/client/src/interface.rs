//! Interfaces as people name them.

use std::fmt;
use std::str::FromStr;

use netio_anycast_protocol::address::Luid;

use crate::entry::InterfaceId;
use crate::error::Error;

/// An interface by any of its names.
///
/// As text: digits are an index, `0x` and hexadecimal digits a LUID, everything else an alias; `alias:` in front makes an
/// alias of what would not be one.
///
/// ```
/// use netio_anycast_client::InterfaceName;
/// use netio_anycast_client::protocol::address::Luid;
///
/// assert_eq!("5".parse(), Ok(InterfaceName::Index(5)));
/// assert_eq!("0x6000005000000".parse(), Ok(InterfaceName::Luid(Luid(0x0006_0000_0500_0000))));
/// assert_eq!("Ethernet 2".parse(), Ok(InterfaceName::Alias("Ethernet 2".to_owned())));
/// assert_eq!("alias:5".parse(), Ok(InterfaceName::Alias("5".to_owned())));
/// assert!("0".parse::<InterfaceName>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum InterfaceName {
    /// By index.
    Index(u32),
    /// By LUID.
    Luid(Luid),
    /// By alias, the name that the network settings show.
    Alias(String),
}

/// Text that names no interface.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InterfaceNameError {
    /// Nothing, or `alias:` with nothing behind it.
    #[error("the interface's name is empty: give its index, its LUID or its alias")]
    Empty,
    /// Digits that are no index.
    #[error("no interface has the index {0}: an index is between 1 and {max}; write alias:{0} if that is its alias", max = u32::MAX)]
    Index(String),
    /// `0x` and something that is no LUID.
    #[error(
        "{0} is no LUID: it has 1 to 16 hexadecimal digits behind 0x and is not zero; write alias:{0} if that is its alias"
    )]
    Luid(String),
}

impl FromStr for InterfaceName {
    type Err = InterfaceNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(alias) = text.strip_prefix("alias:") {
            return alias_from(alias);
        }
        if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            return luid_from(digits).ok_or_else(|| InterfaceNameError::Luid(text.to_owned()));
        }
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return match text.parse() {
                Ok(index) if index != 0 => Ok(Self::Index(index)),
                _ => Err(InterfaceNameError::Index(text.to_owned())),
            };
        }
        alias_from(text)
    }
}

fn alias_from(alias: &str) -> Result<InterfaceName, InterfaceNameError> {
    if alias.is_empty() { Err(InterfaceNameError::Empty) } else { Ok(InterfaceName::Alias(alias.to_owned())) }
}

fn luid_from(digits: &str) -> Option<InterfaceName> {
    // `from_str_radix` would let a sign pass.
    let digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(digits)?;
    let luid = Luid(u64::from_str_radix(digits, 16).ok()?);
    luid.is_set().then_some(InterfaceName::Luid(luid))
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => index.fmt(formatter),
            Self::Luid(luid) => luid.fmt(formatter),
            Self::Alias(alias) => alias.fmt(formatter),
        }
    }
}

/// An interface that the system has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NetworkInterface {
    /// Its LUID.
    pub luid: Luid,
    /// Its index at the moment.
    pub index: u32,
    /// Its alias.
    pub alias: String,
    /// Whether it can pass packets.
    pub is_up: bool,
}

impl NetworkInterface {
    /// Whether it is the software loopback interface: nothing that is put on it leaves the system.
    #[must_use]
    pub const fn is_loopback(&self) -> bool {
        /// `IF_TYPE_SOFTWARE_LOOPBACK` of `ipifcons.h`, and where a `NET_LUID` has the type.
        const SOFTWARE_LOOPBACK: u64 = 24;
        const TYPE_SHIFT: u32 = 48;
        self.luid.0 >> TYPE_SHIFT == SOFTWARE_LOOPBACK
    }
}

/// The interfaces of a system. On Windows this is `SystemInterfaces`.
pub trait Interfaces {
    /// All that have an IP stack.
    ///
    /// # Errors
    /// `NoResources`, or `Other` with the system's own code.
    fn all(&self) -> Result<Vec<NetworkInterface>, Error>;

    /// The LUID of the interface with this alias.
    ///
    /// # Errors
    /// `NotFound` if no interface has it.
    fn luid_of(&self, alias: &str) -> Result<Luid, Error>;

    /// The alias of the interface with this LUID, or `None` if the system knows no such interface.
    fn alias_of(&self, luid: Luid) -> Option<String>;
}

impl InterfaceName {
    /// The interface as the driver understands it. Only an alias is looked up.
    ///
    /// # Errors
    /// Those of [`Interfaces::luid_of`].
    pub fn resolve(&self, interfaces: &(impl Interfaces + ?Sized)) -> Result<InterfaceId, Error> {
        match self {
            Self::Index(index) => Ok(InterfaceId::Index(*index)),
            Self::Luid(luid) => Ok(InterfaceId::Luid(*luid)),
            Self::Alias(alias) => interfaces.luid_of(alias).map(InterfaceId::Luid),
        }
    }
}
