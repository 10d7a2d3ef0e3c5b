//! Waits before trying again: doubling, capped, and spread so that not all services try at the same instant.

use std::time::Duration;

/// A doubling wait with full jitter over its upper half.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    /// Waits that begin at about `first` and never exceed `most`.
    pub(crate) const fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, next: first }
    }

    /// The next wait: between half and all of the current step.
    pub(crate) fn next(&mut self) -> Duration {
        let step = self.next;
        self.next = (step * 2).min(self.most);
        step / 2 + (step / 2).mul_f64(unit_random())
    }

    /// Begins again, after a success.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}

/// A number from 0 to 1. Jitter needs no secrecy; the random bits of a UUID are at hand.
fn unit_random() -> f64 {
    let bits = (uuid::Uuid::new_v4().as_u128() & 0xffff_ffff) as u32;
    f64::from(bits) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_begin_again() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(400));
        for step_ms in [100, 200, 400, 400] {
            let wait = backoff.next();
            let step = Duration::from_millis(step_ms);
            assert!(step / 2 <= wait && wait <= step, "{wait:?} is not within the upper half of {step:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(100));
    }

    #[test]
    fn two_waits_of_one_step_differ() {
        let waits: Vec<_> =
            (0..8).map(|_| Backoff::new(Duration::from_secs(60), Duration::from_secs(60)).next()).collect();
        assert!(waits.iter().any(|wait| *wait != waits[0]), "no jitter: {waits:?}");
    }
}
