//! The states of an alert. Pure: computed from the signed content and the time, never stored.

use rovuma_schemas::Timestamp;

/// The state of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AlertState {
    /// Officers act on it.
    Active,
    /// Its end has passed: it is a record only, and no ground to stop anybody.
    Expired,
}

impl AlertState {
    /// The state at `now` of an alert that ends at `ends`. It expires by time alone, whether or not the link is up.
    pub(super) fn at(ends: Option<Timestamp>, now: Timestamp) -> Self {
        match ends {
            Some(end) if end <= now => Self::Expired,
            Some(_) | None => Self::Active,
        }
    }

    /// The code in the API.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_alert_is_active_until_its_end_and_not_at_it() {
        let end: Timestamp = "2026-11-29T12:00:00Z".parse().expect("an instant");
        let microsecond = Duration::from_micros(1);
        assert_eq!(AlertState::at(Some(end), end.minus(microsecond)), AlertState::Active);
        assert_eq!(AlertState::at(Some(end), end), AlertState::Expired);
        assert_eq!(AlertState::at(Some(end), end.plus(microsecond)), AlertState::Expired);
        assert_eq!(AlertState::at(None, end), AlertState::Active);
    }
}
