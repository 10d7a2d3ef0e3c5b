//! The time that one party has had: from what was delivered to it until what it signed.

use std::time::Duration;

use rovuma_schemas::Timestamp;

/// The time of one party. It begins with a receipt and stops with a signature, both of that party, so the line's time is nobody's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Clock {
    /// The party never had the ball.
    #[default]
    NotStarted,
    /// It had the ball for this long.
    Stopped(Duration),
    /// It had the ball for this long before, and has it since this instant.
    Running(Duration, Timestamp),
    /// No receipt says when the ball came to it.
    Unknown,
}

impl Clock {
    /// The ball came to the party at `delivered`.
    pub(super) fn start(&mut self, delivered: Option<Timestamp>) {
        *self = match (*self, delivered) {
            (Self::NotStarted, Some(since)) => Self::Running(Duration::ZERO, since),
            (Self::Stopped(spent), Some(since)) => Self::Running(spent, since),
            (Self::NotStarted | Self::Stopped(_), None) => Self::Unknown,
            (running, _) => running,
        };
    }

    /// The party passed the ball on at `signed`.
    pub(super) fn stop(&mut self, signed: Timestamp) {
        if let Self::Running(spent, since) = *self {
            *self = Self::Stopped(spent + signed.since(since));
        }
    }

    /// When the party will have had this time, if it keeps the ball; none where it does not have the ball or no receipt tells it.
    pub(super) fn ends(self, limit: Duration) -> Option<Timestamp> {
        match self {
            Self::Running(spent, since) => Some(since.plus(limit.saturating_sub(spent))),
            Self::NotStarted | Self::Stopped(_) | Self::Unknown => None,
        }
    }

    /// The time that the party took, once it has passed the ball on.
    pub(super) fn taken(self) -> Option<Duration> {
        match self {
            Self::Stopped(spent) => Some(spent),
            Self::NotStarted | Self::Running(..) | Self::Unknown => None,
        }
    }

    /// The party's time until `now`; none where no receipt tells it.
    pub(super) fn spent(self, now: Timestamp) -> Option<Duration> {
        match self {
            Self::NotStarted | Self::Unknown => None,
            Self::Stopped(spent) => Some(spent),
            Self::Running(spent, since) => Some(spent + now.since(since)),
        }
    }
}
