//! Values of which a few matter more than all others, as the mutations of a sequence choose them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mutatis::{Candidates, Context, DefaultMutate, Generate, Mutate, Result};
use serde::{Deserialize, Serialize};

/// One in so many is any value.
const ANY: usize = 12;

/// A type with values that are chosen most of the time. The first is the simplest.
pub(super) trait Choice: Clone + PartialEq + 'static {
    /// The values that matter, those that matter more more than once.
    const CHOICES: &'static [Self];

    /// Any value, from a random number.
    fn any(random: u64) -> Self;
}

/// Mutates a [`Choice`].
#[derive(Debug, Default)]
pub(super) struct Chooser;

impl<T: Choice> Mutate<T> for Chooser {
    fn mutate(&mut self, candidates: &mut Candidates<'_>, value: &mut T) -> Result<()> {
        if !candidates.shrink() {
            return candidates.mutation(|context| {
                *value = self.generate(context)?;
                Ok(())
            });
        }
        match T::CHOICES.first().filter(|simplest| *simplest != value) {
            Some(simplest) => candidates.mutation(|_| {
                *value = simplest.clone();
                Ok(())
            }),
            None => Ok(()),
        }
    }
}

impl<T: Choice> Generate<T> for Chooser {
    fn generate(&mut self, context: &mut Context) -> Result<T> {
        let random = context.rng();
        if random.gen_index(ANY) == Some(0) {
            return Ok(T::any(random.gen_u64()));
        }
        Ok(random.choose(T::CHOICES).cloned().unwrap_or_else(|| T::any(0)))
    }
}

/// The variants of an enumeration, those that are chosen more often more than once.
macro_rules! choices {
    ($name:ident = [$($variant:ident),+ $(,)?]) => {
        impl $crate::fuzzing::choice::Choice for $name {
            const CHOICES: &'static [Self] = &[$(Self::$variant),+];

            fn any(_random: u64) -> Self {
                Self::default()
            }
        }

        impl mutatis::DefaultMutate for $name {
            type DefaultMutate = $crate::fuzzing::choice::Chooser;
        }
    };
}
pub(super) use choices;

/// Numbers of which some are chosen most of the time.
macro_rules! numbers {
    ($($(#[$attribute:meta])* $name:ident($type:ident) = [$($value:expr),+ $(,)?];)+) => {$(
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub(super) struct $name(pub(super) $type);

        impl Choice for $name {
            const CHOICES: &'static [Self] = &[$(Self($value)),+];

            fn any(random: u64) -> Self {
                let bytes = random.to_le_bytes();
                Self(bytes.first_chunk().map_or(0, |bytes| $type::from_le_bytes(*bytes)))
            }
        }

        impl DefaultMutate for $name {
            type DefaultMutate = Chooser;
        }
    )+};
}

numbers! {
    /// One of those that are there, counted from the first again after the last.
    Which(u8) = [0, 1, 2, 3, 4];
    /// Flags of any operation.
    Flags(u32) = [0, 0, 1, 1, 2, 3, 0x8000_0000];
    /// A lifetime of CREATE.
    Lifetime(u32) = [1, 1, 1, 0, 0, 2];
    /// What an item of a batch does.
    Action(u32) = [1, 1, 1, 2, 2, 0, 3];
    /// Something reserved, or a count that is wrong by so much.
    Wrong(u32) = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, u32::MAX];
    /// `SOCKADDR_INET.si_family` in place of the address's own, but for zero.
    Family(u16) = [0, 0, 0, 0, 0, 0, 0, 0, 2, 23, 1];
    /// The family of a filter.
    FilterFamily(u16) = [0, 0, 0, 2, 23, 1];
    /// What is added to the generation that was last heard of.
    Generation(i8) = [0, 0, 0, 0, 1, -1, i8::MIN];
    /// How many rows an output buffer has room for.
    Rows(u16) = [0, 1, 2, 8, 100];
    /// A length in bytes.
    Bytes(u16) = [0, 1, 7, 8, 15, 16, 23, 24, 39, 40, 47, 48, 55, 56, 57, 64, 72, 136, 1471, 1472, 0x1000];
    /// Where a byte is.
    Offset(u16) = [0, 2, 4, 8, 28, 32, 40, 44, 48, 52, 56, 60, 64];
    /// A byte.
    Byte(u8) = [0, 1, 2, 0x7F, 0x80, 0xFF];
    /// The size that the direct-call interface is asked for with.
    InterfaceSize(u16) = [72, 72, 72, 0, 64, 80];
    /// Its version.
    InterfaceVersion(u16) = [1, 1, 1, 1, 0, 2];
    /// Calls of services, or of NetIO.
    Calls(u8) = [0, 0, 1, 2, 3, 5, 8, 13, 30];
    /// How many fail.
    Failures(u8) = [1, 1, 1, 2, 3, 10, u8::MAX];
    /// Milliseconds.
    Milliseconds(u16) = [1, 100, 200, 499, 500, 1_000, 5_000, 10_000];
    /// A limit of the Parameters key.
    Limit(u32) = [0, 1, 2, 3, 16];
}

/// Numbers that people read in hexadecimal.
macro_rules! hexadecimal {
    ($($(#[$attribute:meta])* $name:ident = [$($value:expr),+ $(,)?];)+) => {$(
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub(super) struct $name(pub(super) u32);

        impl From<$name> for String {
            fn from($name(number): $name) -> Self {
                format!("{number:#x}")
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> std::result::Result<Self, String> {
                let digits = text.strip_prefix("0x").ok_or_else(|| format!("{text:?} does not begin with 0x"))?;
                u32::from_str_radix(digits, 16).map(Self).map_err(|error| format!("{text:?}: {error}"))
            }
        }

        impl Choice for $name {
            const CHOICES: &'static [Self] = &[$(Self($value)),+];

            fn any(random: u64) -> Self {
                // A single bit: what differs in more is refused for the same reasons.
                Self(1 << (random % 32))
            }
        }

        impl DefaultMutate for $name {
            type DefaultMutate = Chooser;
        }
    )+};
}

hexadecimal! {
    /// The bits of a control code that are inverted: of the method, the access, the function, the device type.
    CodeBits = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 1 << 14, 1 << 15, 3 << 14, 1 << 2, 1 << 13, 1 << 16];
    /// What NetIO answers: documented failures, others, warnings, and what is no failure by its sign.
    Status = [
        0xC000_009A, 0xC000_0017, 0xC000_000D, 0xC000_0225, 0xC000_00BB, 0xC000_0001, 0xC000_0022, 0xC000_0056, 0xC000_022A,
        0xC000_0034, 0x0000_1392, 0x0000_0103, 0x8000_0005, 0x0000_0000,
    ];
}

/// An address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Address(pub(super) IpAddr);

const fn ipv4(last: u8) -> Address {
    Address(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)))
}

const fn ipv6(last: u16) -> Address {
    Address(IpAddr::V6(Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, last)))
}

impl Choice for Address {
    const CHOICES: &'static [Self] = &[
        ipv4(1),
        ipv4(1),
        ipv4(1),
        ipv4(1),
        ipv4(1),
        ipv4(1),
        ipv4(1),
        ipv4(2),
        ipv4(2),
        ipv4(2),
        ipv4(2),
        ipv4(2),
        ipv4(3),
        ipv4(3),
        ipv4(4),
        ipv6(1),
        ipv6(1),
        ipv6(1),
        ipv6(1),
        ipv6(1),
        ipv6(2),
        ipv6(2),
        ipv6(2),
        ipv6(3),
        Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        Self(IpAddr::V4(Ipv4Addr::BROADCAST)),
        Self(IpAddr::V4(Ipv4Addr::new(224, 0, 0, 1))),
        Self(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        Self(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        Self(IpAddr::V6(Ipv6Addr::new(0xFF02, 0, 0, 0, 0, 0, 0, 1))),
    ];

    fn any(random: u64) -> Self {
        // Few enough to be met again.
        let last = random.to_le_bytes()[1] & 0x1F;
        if random.is_multiple_of(2) { ipv4(last) } else { ipv6(last.into()) }
    }
}

impl Default for Address {
    fn default() -> Self {
        ipv4(1)
    }
}

impl DefaultMutate for Address {
    type DefaultMutate = Chooser;
}
