//! Settings of the shipper.

use std::time::Duration;

use serde::Deserialize;

/// How long the shipper waits for acknowledgements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShipperSettings {
    /// How long to wait for an acknowledgement before sending again for the first time: the audit service
    /// answers within a second when it is there.
    pub resend_first_ms: u64,
    /// The longest such wait: the wait doubles up to this, while one batch at a time probes whether the audit service is
    /// back.
    pub resend_max_ms: u64,
}

impl Default for ShipperSettings {
    fn default() -> Self {
        Self { resend_first_ms: 30 * 1000, resend_max_ms: 10 * 60 * 1000 }
    }
}

impl ShipperSettings {
    pub(crate) fn resend_first(&self) -> Duration {
        Duration::from_millis(self.resend_first_ms)
    }

    pub(crate) fn resend_max(&self) -> Duration {
        Duration::from_millis(self.resend_max_ms)
    }
}
