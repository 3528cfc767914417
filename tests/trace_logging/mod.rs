//! Reads the events of `TraceLogging`, which bring their own description along.
//!
//! The layout is that of `TraceLoggingProvider.h` of the Windows SDK; the constants are those of Microsoft's crate `tracelogging`,
//! so that what the driver writes is held to somebody else's list of them.

mod value;

use std::fmt;

use tracelogging::{Channel, InType, OutType};

pub use value::Value;

/// An event, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The provider's name.
    pub provider: String,
    /// Its own.
    pub name: String,
    /// Its fields, in their order.
    pub fields: Vec<(String, Value)>,
}

/// The event's name, then each field as `Name=value`.
impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)?;
        self.fields.iter().try_for_each(|(name, value)| write!(formatter, " {name}={value}"))
    }
}

/// The pieces of an event as they were written: what its three `EVENT_DATA_DESCRIPTOR`s lead to.
#[derive(Clone, Copy, Debug)]
pub struct Pieces<'a> {
    /// `EVENT_DESCRIPTOR.Channel`.
    pub channel: u8,
    /// What describes the provider.
    pub provider: &'a [u8],
    /// What describes the event.
    pub event: &'a [u8],
    /// Its fields.
    pub data: &'a [u8],
}

impl<'a> Pieces<'a> {
    /// From the data of an event, each piece with its `EVENT_DATA_DESCRIPTOR_TYPE_*`: first the provider's description, then
    /// the event's, then the fields.
    ///
    /// # Errors
    /// They are not these: what there is instead.
    pub fn of(channel: u8, items: &[(u32, &'a [u8])]) -> Result<Self, String> {
        /// `EVENT_DATA_DESCRIPTOR_TYPE_*` of `evntprov.h`.
        const DATA: u32 = 0;
        const EVENT_METADATA: u32 = 1;
        const PROVIDER_METADATA: u32 = 2;
        match *items {
            [(PROVIDER_METADATA, provider), (EVENT_METADATA, event), (DATA, data)] => {
                Ok(Self { channel, provider, event, data })
            }
            _ => Err(format!("these are no pieces of a TraceLogging event: {items:?}")),
        }
    }
}

/// Decodes an event. Nothing may be missing, and nothing may be left.
///
/// # Errors
/// It is damaged, or of a form that no event of the driver has: what is wrong.
pub fn decode(pieces: Pieces<'_>) -> Result<Event, String> {
    if pieces.channel != Channel::TraceLogging.as_int() {
        return Err(format!("an event of TraceLogging has another channel than {}", pieces.channel));
    }
    let mut description = Reader::described("the provider's description", pieces.provider)?;
    let provider = description.text()?;
    description.end()?;
    let mut description = Reader::described("the event's description", pieces.event)?;
    description.no_tags()?;
    let name = description.text()?;
    let mut data = Reader { what: "the data", rest: pieces.data };
    let mut fields = Vec::new();
    while !description.rest.is_empty() {
        let field = description.text()?;
        let (in_type, out_type) = description.types()?;
        let value = Value::read(&mut data, in_type, out_type).map_err(|error| format!("{name}: {field}: {error}"))?;
        fields.push((field, value));
    }
    data.end()?;
    Ok(Event { provider, name, fields })
}

/// Bytes to be read one after the other.
struct Reader<'a> {
    what: &'static str,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A description begins with its length, these two bytes included.
    fn described(what: &'static str, bytes: &'a [u8]) -> Result<Self, String> {
        let mut reader = Self { what, rest: bytes };
        let length = u16::from_le_bytes(reader.array()?);
        if usize::from(length) != bytes.len() {
            return Err(format!("{what} says that it has {length} bytes, and has {}", bytes.len()));
        }
        Ok(reader)
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], String> {
        let taken = self.rest.split_at_checked(count);
        let (taken, rest) = taken.ok_or_else(|| format!("{} ends too early", self.what))?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.bytes(N).map(|bytes| bytes.try_into().expect("so many bytes were taken"))
    }

    /// UTF-8 up to a zero, which is taken, too.
    fn text(&mut self) -> Result<String, String> {
        let length = self.rest.iter().position(|byte| *byte == 0);
        let text = self.bytes(length.ok_or_else(|| format!("{} has text without an end", self.what))?)?;
        let _zero = self.array::<1>()?;
        let text = String::from_utf8(text.to_vec()).map_err(|error| format!("{}: {error}", self.what))?;
        if text.is_empty() || text.contains(char::is_control) {
            return Err(format!("{} has a name or text that nobody can read: {text:?}", self.what));
        }
        Ok(text)
    }

    fn no_tags(&mut self) -> Result<(), String> {
        let [tags] = self.array()?;
        if tags == 0 { Ok(()) } else { Err(format!("{} has tags: {tags:#x}", self.what)) }
    }

    /// The format of a field's bytes, and that of its text where it is not the usual one.
    fn types(&mut self) -> Result<(InType, OutType), String> {
        /// Another byte follows.
        const FOLLOWED: u8 = 0x80;
        let [bytes] = self.array()?;
        let in_type = InType::from_int(bytes & !FOLLOWED);
        if bytes & FOLLOWED == 0 {
            return Ok((in_type, OutType::Default));
        }
        let [text] = self.array()?;
        if text & FOLLOWED == 0 {
            Ok((in_type, OutType::from_int(text)))
        } else {
            Err(format!("{} has a field with tags", self.what))
        }
    }

    fn end(&self) -> Result<(), String> {
        if self.rest.is_empty() { Ok(()) } else { Err(format!("{} has {} bytes more", self.what, self.rest.len())) }
    }
}
