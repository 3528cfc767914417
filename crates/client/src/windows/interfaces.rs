//! Interface aliases, as the system knows them.

use netio_anycast_protocol::address::Luid;
use netio_anycast_protocol::win32::Win32Error;
use windows_sys::Win32::NetworkManagement::IpHelper::{ConvertInterfaceAliasToLuid, ConvertInterfaceLuidToAlias};
use windows_sys::Win32::NetworkManagement::Ndis::{IF_MAX_STRING_SIZE, NET_LUID_LH};

use crate::error::Error;
use crate::interface::Interfaces;

/// The longest alias in UTF-16 units, its terminating zero included.
const ALIAS_LENGTH: usize = IF_MAX_STRING_SIZE as usize + 1;

/// The interfaces of this system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemInterfaces;

impl Interfaces for SystemInterfaces {
    fn luid_of(&self, alias: &str) -> Result<Luid, Error> {
        let text: Vec<u16> = alias.encode_utf16().chain([0]).collect();
        let mut luid = NET_LUID_LH { Value: 0 };
        // SAFETY: `text` ends with a zero, and both live through the call.
        // https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-convertinterfacealiastoluid
        let result = unsafe { ConvertInterfaceAliasToLuid(text.as_ptr(), &raw mut luid) };
        if result != Win32Error::SUCCESS.0 {
            return Err(Error::resolving_alias(alias, Win32Error(result)));
        }
        // SAFETY: every bit pattern is a value of this member, which spans the union.
        Ok(Luid(unsafe { luid.Value }))
    }

    fn alias_of(&self, luid: Luid) -> Option<String> {
        let luid = NET_LUID_LH { Value: luid.0 };
        let mut text = [0_u16; ALIAS_LENGTH];
        // SAFETY: `text` has the length that is given, and both live through the call.
        // https://learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-convertinterfaceluidtoalias
        let result = unsafe { ConvertInterfaceLuidToAlias(&raw const luid, text.as_mut_ptr(), text.len()) };
        if result != Win32Error::SUCCESS.0 {
            return None;
        }
        let alias = text.split(|unit| *unit == 0).next().unwrap_or_default();
        (!alias.is_empty()).then(|| String::from_utf16_lossy(alias))
    }
}
