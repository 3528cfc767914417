//! Addresses as people write them.

use std::net::IpAddr;

/// The address that the text means. A prefix length is allowed if it spans the whole address, as in the configuration of
/// routers: an anycast address is always a single one.
///
/// # Errors
/// It means none, or more than an address; the error says what to write instead.
pub fn parse(text: &str) -> Result<IpAddr, String> {
    if let Some((address, _)) = text.split_once('%') {
        return Err(format!("an anycast address has no zone: write {address} and name the interface by itself"));
    }
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let parsed: IpAddr = address
        .parse()
        .map_err(|_| "it is neither an IPv4 address (192.0.2.1) nor an IPv6 address (2001:db8::1)".to_owned())?;
    let whole = if parsed.is_ipv4() { "32" } else { "128" };
    match length {
        None => Ok(parsed),
        Some(length) if length == whole => Ok(parsed),
        Some(_) => Err(format!("an anycast address is a single one: write {address} or {address}/{whole}")),
    }
}
