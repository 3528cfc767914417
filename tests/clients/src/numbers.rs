//! Numbers that a seed decides.

/// A small generator of numbers, the same in every run (the constants are Knuth's for MMIX).
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// The numbers of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, less than `limit`, which is at most 2^24 and not zero.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The highest bits are the best ones.
        usize::try_from(self.0 >> 40).unwrap_or_default() % limit
    }
}
