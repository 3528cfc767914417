//! WAIT_CHANGE: a request that ends when the set of anycast addresses changes.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The input and the output of WAIT_CHANGE: a number that moves with every change.
///
/// The input is the generation that the caller has seen, from GET_TABLE or an earlier WAIT_CHANGE; the request pends until
/// the driver's own differs, and the output is the driver's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub struct Generation(pub u64);

const _: () = assert!(size_of::<Generation>() == 8);
