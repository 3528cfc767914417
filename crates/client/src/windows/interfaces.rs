//! Interfaces, as the system knows them.

use std::ptr::null;

use netio_anycast_protocol::address::Luid;
use netio_anycast_protocol::win32::Win32Error;
use windows_sys::Win32::Foundation::{ERROR_BUFFER_OVERFLOW, ERROR_NO_DATA};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    ConvertInterfaceAliasToLuid, ConvertInterfaceLuidToAlias, GAA_FLAG_SKIP_ANYCAST, GAA_FLAG_SKIP_DNS_SERVER,
    GAA_FLAG_SKIP_MULTICAST, GAA_FLAG_SKIP_UNICAST, GetAdaptersAddresses, IP_ADAPTER_ADDRESSES_LH,
};
use windows_sys::Win32::NetworkManagement::Ndis::{IF_MAX_STRING_SIZE, IfOperStatusUp, NET_LUID_LH};
use windows_sys::Win32::Networking::WinSock::AF_UNSPEC;

use crate::error::Error;
use crate::interface::{Interfaces, NetworkInterface};

/// The longest alias in UTF-16 units, its terminating zero included.
const ALIAS_LENGTH: usize = IF_MAX_STRING_SIZE as usize + 1;

/// The interfaces of this system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemInterfaces;

impl Interfaces for SystemInterfaces {
    fn all(&self) -> Result<Vec<NetworkInterface>, Error> {
        let adapters = adapters().map_err(Error::listing_interfaces)?;
        let mut interfaces = Vec::new();
        let mut next: *const IP_ADAPTER_ADDRESSES_LH =
            if adapters.is_empty() { null() } else { adapters.as_ptr().cast() };
        // SAFETY: the system has filled the buffer, which is aligned for it, with a list of these that ends with a null pointer.
        while let Some(adapter) = unsafe { next.as_ref() } {
            interfaces.push(interface(adapter));
            next = adapter.Next;
        }
        Ok(interfaces)
    }

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

/// A buffer that a list of adapters starts in.
fn adapters() -> Result<Vec<u64>, Win32Error> {
    /// What Microsoft recommends to begin with, in bytes.
    const FIRST_ROOM: u32 = 15_000;
    /// The attempts to make before the list is taken to grow without end.
    const ATTEMPTS: usize = 8;
    const FLAGS: u32 =
        GAA_FLAG_SKIP_UNICAST | GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_SKIP_DNS_SERVER;
    let mut length = FIRST_ROOM;
    for _ in 0..ATTEMPTS {
        let mut buffer = vec![0_u64; (length as usize).div_ceil(size_of::<u64>())];
        // SAFETY: the buffer has at least the length that is given.
        // https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getadaptersaddresses
        let result = unsafe {
            GetAdaptersAddresses(u32::from(AF_UNSPEC), FLAGS, null(), buffer.as_mut_ptr().cast(), &raw mut length)
        };
        match result {
            ERROR_BUFFER_OVERFLOW => {}
            0 => return Ok(buffer),
            ERROR_NO_DATA => return Ok(Vec::new()),
            code => return Err(Win32Error(code)),
        }
    }
    Err(Win32Error(ERROR_BUFFER_OVERFLOW))
}

fn interface(adapter: &IP_ADAPTER_ADDRESSES_LH) -> NetworkInterface {
    // SAFETY: every bit pattern is a value of this member, which spans the union.
    let luid = Luid(unsafe { adapter.Luid.Value });
    // SAFETY: every bit pattern is a value of this member.
    let index = unsafe { adapter.Anonymous1.Anonymous.IfIndex };
    // Zero where IPv4 is not bound to the interface.
    let index = if index == 0 { adapter.Ipv6IfIndex } else { index };
    NetworkInterface { luid, index, alias: text(adapter.FriendlyName), is_up: adapter.OperStatus == IfOperStatusUp }
}

/// The text that a pointer of the list points to.
fn text(first: *const u16) -> String {
    let mut units = Vec::new();
    let mut next = first;
    // SAFETY: it is null, or points into text that ends with a zero and lives as long as the list.
    while let Some(&unit) = unsafe { next.as_ref() }.filter(|unit| **unit != 0) {
        units.push(unit);
        // SAFETY: the text goes on: this was not its end.
        next = unsafe { next.add(1) };
    }
    String::from_utf16_lossy(&units)
}
