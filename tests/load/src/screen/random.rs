//! Random values that follow from a seed, so that a run can be repeated.

/// A sequence of random numbers (splitmix64).
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut drawn = self.0;
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        drawn ^ (drawn >> 31)
    }

    /// A number from 0 to `end - 1`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap_or_default()
    }

    /// A number from `from` to `to`, both included.
    pub(super) fn between(&mut self, from: usize, to: usize) -> usize {
        from + self.below(to - from + 1)
    }

    /// Whether something happens that happens `percent` times of a hundred.
    pub(super) fn happens(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of several values.
    pub(super) fn pick<'v, T>(&mut self, values: &'v [T]) -> &'v T {
        &values[self.below(values.len())]
    }

    /// A character of a set of ASCII characters.
    pub(super) fn character(&mut self, set: &str) -> char {
        char::from(*self.pick(set.as_bytes()))
    }

    /// The text that a form describes: `d` a digit, `l` a letter, `v` a character that a VIN may have, everything else itself.
    pub(super) fn fill(&mut self, form: &str) -> String {
        let each = form.chars().map(|place| match place {
            'd' => self.character(DIGITS),
            'l' => self.character(LETTERS),
            'v' => self.character(OF_VINS),
            fixed => fixed,
        });
        each.collect()
    }
}

pub(super) const DIGITS: &str = "0123456789";
pub(super) const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// ISO 3779: no I, O and Q.
pub(super) const OF_VINS: &str = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_values() {
        let drawn = |seed| Random::new(seed).fill("lllldddd-vvvv");
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        assert!(drawn(3).chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
        assert!((0..100).all(|seed| (8..=17).contains(&Random::new(seed).between(8, 17))));
    }
}
