//! The file of addresses that interfaces are wanted to have.
//!
//! ```toml
//! [[interface]]
//! name = "Ethernet"                               # or its index: 12, or its LUID: "0x6000005000000"
//! addresses = ["192.0.2.53", "2001:db8::53"]
//! ```
//!
//! The same in JSON, in a file whose name ends in `.json`:
//!
//! ```json
//! { "interface": [{ "name": "Ethernet", "addresses": ["192.0.2.53", "2001:db8::53"] }] }
//! ```

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use netio_anycast_client::InterfaceName;
use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::address;
use crate::failure::{Failure, FailureKind};
use crate::platform::Platform;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// The interfaces that it is about.
    pub(crate) interface: Vec<WantedInterface>,
}

/// One interface.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedInterface {
    /// Which.
    #[serde(deserialize_with = "interface_name")]
    pub(crate) name: InterfaceName,
    /// The addresses that it is to have; it may be none.
    pub(crate) addresses: Vec<WantedAddress>,
}

/// One address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WantedAddress(pub(crate) IpAddr);

impl Wanted {
    /// Reads the file.
    ///
    /// # Errors
    /// It can't be read, or is not as it should be; the failure names the place.
    pub(crate) fn read(platform: &dyn Platform, path: &Path) -> Result<Self, Failure> {
        let what = format!("cannot use the file {}", path.display());
        let bytes = platform.read_file(path).map_err(|error| unreadable(&what, &error))?;
        let text = text(&bytes).map_err(|why| invalid(&what, why, "Save it as UTF-8"))?;
        let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let wanted = if is_json { from_json(text) } else { from_toml(text) };
        wanted.map_err(|why| invalid(&what, &why, "docs/anycastctl.md shows what such a file looks like"))
    }
}

fn from_json(text: &str) -> Result<Wanted, String> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column, message) = (error.line(), error.column(), error.to_string());
        located(line, column, message.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&message))
    })
}

fn from_toml(text: &str) -> Result<Wanted, String> {
    toml::from_str(text).map_err(|error| {
        let before = &text[..error.span().map_or(0, |span| span.start).min(text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
        located(line, column, error.message())
    })
}

fn located(line: usize, column: usize, message: &str) -> String {
    format!("line {line}, column {column}: {message}")
}

/// The text without a byte order mark. PowerShell 5 writes UTF-16 where nothing else is asked for.
fn text(bytes: &[u8]) -> Result<&str, &'static str> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    str::from_utf8(bytes).map_err(|_| match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "it is UTF-16, not UTF-8",
        _ => "it is not UTF-8",
    })
}

fn unreadable(what: &str, error: &io::Error) -> Failure {
    let (kind, why, advice) = match error.kind() {
        io::ErrorKind::NotFound => (FailureKind::NotFound, "there is no such file".to_owned(), "Check its path"),
        io::ErrorKind::PermissionDenied => {
            (FailureKind::AccessDenied, "you may not read it".to_owned(), "Ask its owner to let you read it")
        }
        _ => (FailureKind::Other, format!("reading it failed: {error}"), "Check the disk or the share that it is on"),
    };
    Failure::new(kind, what, why, advice)
}

fn invalid(what: &str, why: &str, advice: &str) -> Failure {
    Failure::new(FailureKind::InvalidFile, what, why, advice)
}

/// A number is an index; text is what it is on the command line.
fn interface_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<InterfaceName, D::Error> {
    struct Name;

    impl Visitor<'_> for Name {
        type Value = InterfaceName;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("the index, the LUID or the alias of an interface")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<InterfaceName, E> {
            text.parse().map_err(E::custom)
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<InterfaceName, E> {
            self.visit_str(&number.to_string())
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<InterfaceName, E> {
            match u64::try_from(number) {
                Ok(number) => self.visit_u64(number),
                Err(_) => Err(E::invalid_value(de::Unexpected::Signed(number), &self)),
            }
        }
    }

    deserializer.deserialize_any(Name)
}

impl<'de> Deserialize<'de> for WantedAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        address::parse(&text).map(Self).map_err(|why| de::Error::custom(format!("'{text}' is no address: {why}")))
    }
}
