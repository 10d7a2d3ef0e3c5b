//! Random choices that a seed repeats.

use std::{ops::Range, time::Duration};

/// A seeded source of choices.
#[derive(Debug)]
pub(crate) struct Chance(fastrand::Rng);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// One of these choices.
    ///
    /// # Panics
    /// When there are no choices.
    pub(crate) fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.0.usize(..choices.len())]
    }

    /// A random number of this range.
    pub(crate) fn number(&mut self, range: Range<u64>) -> u64 {
        self.0.u64(range)
    }

    /// A random share of 1.
    pub(crate) fn share(&mut self) -> f64 {
        self.0.f64()
    }

    /// Puts these into a random order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        self.0.shuffle(items);
    }

    /// A random time between two faults.
    pub(crate) fn pause(&mut self, ms: Range<u64>) -> Duration {
        Duration::from_millis(self.0.u64(ms))
    }
}
