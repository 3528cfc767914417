//! What identifies an anycast address.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netio_anycast_protocol::address::{AddressFamily, Luid};
use netio_anycast_protocol::row::Row;

/// One address on one interface, in the order in which tables are returned: by LUID, family, address.
///
/// The interface is named by its LUID alone: the index may change when an interface goes and comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    luid: u64,
    family: u16,
    /// The first eight octets of an IPv6 address; zero for IPv4.
    high: u64,
    /// The last eight octets of an IPv6 address, or the four of IPv4.
    low: u64,
}

impl Key {
    /// Before every key that there can be.
    pub(crate) const FIRST: Self = Self { luid: 0, family: 0, high: 0, low: 0 };

    pub(crate) const fn new(address: IpAddr, luid: Luid) -> Self {
        let (family, high, low) = match address {
            IpAddr::V4(address) => (AddressFamily::IPV4, 0, address.to_bits() as u64),
            IpAddr::V6(address) => {
                let bits = address.to_bits();
                #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
                let low = bits as u64;
                (AddressFamily::IPV6, (bits >> 64) as u64, low)
            }
        };
        Self { luid: luid.0, family: family.0, high, low }
    }

    /// The key of a row of NetIO's, or `None` if it is of another family.
    pub(crate) fn of(row: &Row) -> Option<Self> {
        row.address.ip().map(|address| Self::new(address, row.luid))
    }

    /// A key of its own for each interface.
    #[cfg(test)]
    pub(crate) const fn first_on(luid: Luid) -> Self {
        Self { luid: luid.0, ..Self::FIRST }
    }

    pub(crate) const fn luid(&self) -> Luid {
        Luid(self.luid)
    }

    pub(crate) const fn family(&self) -> AddressFamily {
        AddressFamily(self.family)
    }

    /// The row that NetIO is called with.
    pub(crate) const fn row(&self) -> Row {
        Row::on_luid(self.address(), self.luid())
    }

    const fn address(&self) -> IpAddr {
        if self.family == AddressFamily::IPV4.0 {
            #[expect(clippy::cast_possible_truncation, reason = "an IPv4 address was put there")]
            let bits = self.low as u32;
            return IpAddr::V4(Ipv4Addr::from_bits(bits));
        }
        IpAddr::V6(Ipv6Addr::from_bits((self.high as u128) << 64 | self.low as u128))
    }

    /// A number in which every bit depends on every bit of the key. The sum of those of a table tells it from other
    /// tables, whatever the order of its rows, but for one chance in 2^64. Nobody who can change the table gains from a
    /// collision, so it need not resist one made on purpose.
    pub(crate) const fn digest(&self) -> u64 {
        let digest = mix(self.luid ^ mix(self.high ^ mix(self.low ^ self.family as u64)));
        mix(digest)
    }
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ number >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ number >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ number >> 31
}

#[cfg(test)]
mod tests {
    extern crate std;

    use proptest::prelude::*;

    use super::*;

    fn address() -> impl Strategy<Value = IpAddr> {
        prop_oneof![any::<Ipv4Addr>().prop_map(IpAddr::V4), any::<Ipv6Addr>().prop_map(IpAddr::V6)]
    }

    proptest! {
        #[test]
        fn keys_have_the_order_of_tables(one in address(), other in address(), luids in (0_u64..3, 0_u64..3)) {
            let (one, other) = (Row::on_luid(one, Luid(luids.0)), Row::on_luid(other, Luid(luids.1)));
            let keys = (Key::of(&one).expect("a key"), Key::of(&other).expect("a key"));
            prop_assert_eq!(keys.0.cmp(&keys.1), one.table_order(&other));
        }

        #[test]
        fn a_key_gives_its_row_back(address in address(), luid: u64) {
            let row = Row::on_luid(address, Luid(luid));
            prop_assert_eq!(Key::of(&row).map(|key| key.row()), Some(row));
        }

        #[test]
        fn neighbours_have_digests_that_differ(address in address(), luid: u64, bit in 0_u32..64) {
            let key = Key::new(address, Luid(luid));
            let changed = [Key { luid: luid ^ 1 << bit, ..key }, Key { low: key.low ^ 1 << bit, ..key }];
            for other in changed {
                // A good mix changes 32 of the 64 bits; one that changes fewer than 8 is none.
                prop_assert!((key.digest() ^ other.digest()).count_ones() >= 8);
            }
        }
    }
}
