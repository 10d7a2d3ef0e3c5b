//! Waits before a message leaves again, and before a lane is served again.

use std::time::Duration;

use crate::OutboxSettings;

/// The wait for a receipt after a message has left for the `attempts`th time. It doubles from the first wait to the
/// longest.
pub(crate) fn retransmit_after(attempts: u64, settings: &OutboxSettings) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
    settings.retransmit_first().saturating_mul(factor).min(settings.retransmit_max())
}

/// The wait before a lane is served again after it failed `failures` times in a row, for whatever reason:
/// no queue behind the exchange, no key to seal to, no broker.
pub(crate) fn rest_after(failures: u32) -> Duration {
    const FIRST: Duration = Duration::from_millis(250);
    const LONGEST: Duration = Duration::from_secs(60);
    let factor = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST.saturating_mul(factor).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn from_a_minute_to_six_hours() {
        let after = |attempts| retransmit_after(attempts, &OutboxSettings::default());
        assert_eq!([after(1), after(2), after(3)], [MINUTE, 2 * MINUTE, 4 * MINUTE]);
        assert_eq!(after(9), 256 * MINUTE);
        assert_eq!([after(10), after(40), after(u64::MAX)], [360 * MINUTE; 3]);
    }

    proptest! {
        #[test]
        fn never_shorter_than_before(attempts in 1_u64..200) {
            let settings = OutboxSettings::default();
            let (now, next) = (retransmit_after(attempts, &settings), retransmit_after(attempts + 1, &settings));
            prop_assert!(now <= next && now >= MINUTE && next <= 360 * MINUTE);
        }

        #[test]
        fn a_lane_rests_at_most_a_minute(failures in 1_u32..100) {
            prop_assert!(rest_after(failures) <= MINUTE && rest_after(failures) <= rest_after(failures + 1));
        }
    }
}
