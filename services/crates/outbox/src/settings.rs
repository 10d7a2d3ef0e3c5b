//! Settings of the outbox.

use std::time::Duration;

use serde::Deserialize;

/// The `[outbox]` section of a gateway's configuration. The defaults are right for a slow line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutboxSettings {
    /// Maximum bundles per recipient and lane on the brokers without a receipt. The rest waits in the outbox, so that a
    /// long cut does not fill the brokers with copies.
    pub window_bundles: u32,
    /// Maximum bytes of such bundles, before they are compressed. A line of 64 kbit/s carries 1 MiB of alerts (a third of
    /// that compressed) within the minute after which copies without a receipt leave again: with more on the way, second
    /// copies would fill the line before the first ones have crossed it.
    pub window_bytes: u64,
    /// How long to wait for a receipt before a message leaves again for the first time.
    pub retransmit_first_ms: u64,
    /// The longest such wait: the wait doubles up to this.
    pub retransmit_max_ms: u64,
    /// A partner whose last `stream.status` came longer ago than this is silent: nothing is retransmitted to it. The
    /// default is three times the minute between two statuses.
    pub silence_ms: u64,
    /// How long a message may wait for others to share its bundle.
    pub gather_ms: u64,
    /// How often the relay looks for copies that have come due.
    pub tick_ms: u64,
}

impl Default for OutboxSettings {
    fn default() -> Self {
        Self {
            window_bundles: 64,
            window_bytes: 1024 * 1024,
            retransmit_first_ms: 60 * 1000,
            retransmit_max_ms: 6 * 60 * 60 * 1000,
            silence_ms: 3 * 60 * 1000,
            gather_ms: 10,
            tick_ms: 5 * 1000,
        }
    }
}

impl OutboxSettings {
    pub(crate) fn silence(&self) -> Duration {
        Duration::from_millis(self.silence_ms)
    }

    pub(crate) fn retransmit_first(&self) -> Duration {
        Duration::from_millis(self.retransmit_first_ms)
    }

    pub(crate) fn retransmit_max(&self) -> Duration {
        Duration::from_millis(self.retransmit_max_ms)
    }

    pub(crate) fn gather(&self) -> Duration {
        Duration::from_millis(self.gather_ms)
    }

    pub(crate) fn tick(&self) -> Duration {
        Duration::from_millis(self.tick_ms)
    }
}
