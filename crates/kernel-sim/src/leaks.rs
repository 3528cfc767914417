//! Finding output that the driver never wrote.
//!
//! What the driver does not write of its output keeps what the memory held before: on Windows, perhaps another program's
//! secret. Here the memory holds poison, others for each request. Four bytes of it in a row are proof; fewer may be chance
//! once, but not in the same place of the same output again and again.

use std::collections::HashMap;

/// So many bytes in a row are no chance (one in four billion).
const PROOF: usize = 4;
/// So often at the same place is no chance either (one in 16 million).
const REPETITIONS: u32 = 3;

/// What was suspicious so far, by control code and length of the output.
#[derive(Debug, Default)]
pub(crate) struct Leaks {
    suspects: HashMap<(u32, usize), Suspects>,
}

#[derive(Debug)]
struct Suspects {
    seen: u32,
    /// The offsets that were suspicious every time.
    offsets: Vec<usize>,
}

impl Leaks {
    /// Looks through an output whose memory was poisoned from `start` on. Returns the offsets that were not written.
    pub(crate) fn examine(&mut self, code: u32, output: &[u8], start: usize, poison: [u8; 8]) -> Vec<usize> {
        let offsets: Vec<usize> =
            (start..output.len()).filter(|offset| output[*offset] == poison[offset % 8]).collect();
        let proven: Vec<usize> = offsets
            .chunk_by(|one, next| one + 1 == *next)
            .filter(|run| run.len() >= PROOF)
            .flatten()
            .copied()
            .collect();
        if !proven.is_empty() {
            return proven;
        }
        let key = (code, output.len());
        let suspects = self.suspects.entry(key).or_insert_with(|| Suspects { seen: 0, offsets: offsets.clone() });
        suspects.seen += 1;
        suspects.offsets.retain(|offset| offsets.contains(offset));
        if suspects.seen < REPETITIONS { Vec::new() } else { suspects.offsets.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POISON: [[u8; 8]; 3] = [[1, 3, 5, 7, 9, 11, 13, 15], [17, 19, 21, 23, 25, 27, 29, 31], [33; 8]];

    #[test]
    fn four_bytes_left_alone_are_found_at_once() {
        let output = [0, 0, 0, 0, 9, 11, 13, 15, 0];
        assert_eq!(Leaks::default().examine(1, &output, 0, POISON[0]), [4, 5, 6, 7]);
    }

    #[test]
    fn one_byte_left_alone_is_found_the_third_time() {
        let mut leaks = Leaks::default();
        let found: Vec<_> = POISON.iter().map(|poison| leaks.examine(1, &[0, poison[1], 0], 0, *poison)).collect();
        assert_eq!(found, [vec![], vec![], vec![1]]);
    }

    #[test]
    fn a_byte_that_equals_the_poison_by_chance_is_forgotten() {
        let mut leaks = Leaks::default();
        for poison in POISON {
            assert!(leaks.examine(1, &[1], 0, poison).is_empty());
        }
    }

    #[test]
    fn what_the_caller_sent_is_no_leak() {
        assert!(Leaks::default().examine(1, &POISON[0], 8, POISON[0]).is_empty());
    }
}
