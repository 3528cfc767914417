//! The values of an event's fields.

use std::fmt;
use std::net::IpAddr;

use netio_anycast_protocol::status::NtStatus;
use tracelogging::{InType, OutType};

use super::Reader;

/// What a field holds. Each of them is written as nothing else is, so that text shows the type, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number of 32 bits.
    Number32(u32),
    /// A number of 64 bits.
    Number64(u64),
    /// A number that people read in hexadecimal.
    Hex64(u64),
    /// Yes or no.
    Boolean(bool),
    /// A process, by its id.
    Process(u32),
    /// What something ended with.
    Status(NtStatus),
    /// A socket address that is nothing but an IP address: no port, no zone.
    Address(IpAddr),
    /// Text.
    Text(String),
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number32(number) => write!(formatter, "{number}"),
            Self::Number64(number) => write!(formatter, "{number}u64"),
            Self::Hex64(number) => write!(formatter, "{number:#018x}"),
            Self::Boolean(value) => write!(formatter, "{value}"),
            Self::Process(id) => write!(formatter, "process:{id}"),
            Self::Status(status) => write!(formatter, "{status}"),
            Self::Address(address) => write!(formatter, "{address}"),
            Self::Text(text) => write!(formatter, "{text:?}"),
        }
    }
}

impl Value {
    pub(super) fn read(data: &mut Reader<'_>, in_type: InType, out_type: OutType) -> Result<Self, String> {
        match (in_type, out_type) {
            (InType::U32, OutType::Default) => data.array().map(u32::from_le_bytes).map(Self::Number32),
            (InType::U64, OutType::Default) => data.array().map(u64::from_le_bytes).map(Self::Number64),
            (InType::Hex64, OutType::Default) => data.array().map(u64::from_le_bytes).map(Self::Hex64),
            (InType::Bool32, OutType::Default) => match u32::from_le_bytes(data.array()?) {
                0 => Ok(Self::Boolean(false)),
                1 => Ok(Self::Boolean(true)),
                other => Err(format!("{other} is neither true nor false")),
            },
            (InType::U32, OutType::Pid) => data.array().map(u32::from_le_bytes).map(Self::Process),
            (InType::Hex32, OutType::NtStatus) => {
                data.array().map(u32::from_le_bytes).map(NtStatus::from_bits).map(Self::Status)
            }
            (InType::Binary, OutType::SocketAddress) => {
                let length = u16::from_le_bytes(data.array()?);
                socket_address(data.bytes(length.into())?).map(Self::Address)
            }
            (InType::CStr8, OutType::Utf8) => data.text().map(Self::Text),
            _ => Err(format!("no field has the types {} and {}", in_type.as_int(), out_type.as_int())),
        }
    }
}

/// A `SOCKADDR_IN` or `SOCKADDR_IN6`, of which everything but the address is zero.
fn socket_address(bytes: &[u8]) -> Result<IpAddr, String> {
    /// `AF_INET` and `AF_INET6`.
    const IPV4: [u8; 2] = [2, 0];
    const IPV6: [u8; 2] = [23, 0];
    let (family, address, others) = match bytes.len() {
        16 => (IPV4, IpAddr::from(octets::<4>(&bytes[4..8])), [&bytes[2..4], &bytes[8..]]),
        28 => (IPV6, IpAddr::from(octets::<16>(&bytes[8..24])), [&bytes[2..8], &bytes[24..]]),
        length => return Err(format!("no socket address has {length} bytes")),
    };
    if bytes[..2] != family {
        return Err(format!("{} bytes are a socket address of another family than {:?}", bytes.len(), &bytes[..2]));
    }
    if others.concat().iter().any(|byte| *byte != 0) {
        return Err(format!("the socket address of {address} has more in it: {others:?}"));
    }
    Ok(address)
}

fn octets<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("so many bytes were taken")
}
