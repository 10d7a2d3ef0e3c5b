//! What has been sent and not acknowledged: decisions without a clock or a broker.

use std::{collections::BTreeMap, time::Duration};

use rovuma_schemas::Epoch;
use tokio::time::Instant;

use super::ShipperSettings;

/// Batches sent ahead of their acknowledgement at most: enough to keep a busy service flowing, few
/// enough that the broker never holds the backlog of an audit service that is away.
const WINDOW: usize = 8;

/// How far the audit service has been told.
#[derive(Debug)]
pub(crate) struct Progress {
    settings: ShipperSettings,
    sent: BTreeMap<Epoch, u64>,
    in_flight: Vec<(Epoch, u64)>,
    resends: u32,
    resend_at: Option<Instant>,
}

impl Progress {
    pub(crate) fn new(settings: ShipperSettings) -> Self {
        Self { settings, sent: BTreeMap::new(), in_flight: Vec::new(), resends: 0, resend_at: None }
    }

    /// Whether another batch may be sent now. After a silence one batch at a time asks whether the audit
    /// service is back.
    pub(crate) fn may_send(&self) -> bool {
        let window = if self.resends == 0 { WINDOW } else { 1 };
        self.in_flight.len() < window
    }

    /// The last event of an epoch that has been sent, 0 before the first.
    pub(crate) fn sent_through(&self, epoch: Epoch) -> u64 {
        self.sent.get(&epoch).copied().unwrap_or(0)
    }

    /// A batch was confirmed by the broker.
    pub(crate) fn sent(&mut self, epoch: Epoch, last: u64, now: Instant) {
        self.sent.insert(epoch, last);
        self.in_flight.push((epoch, last));
        self.resend_at.get_or_insert(now + self.wait());
    }

    /// The audit service has, and had not before, everything of an epoch up to `sequence`.
    ///
    /// To be told only of news: an audit service that lacks a batch answers every later one with how far
    /// it has come, and that must not put off sending the missing one again.
    pub(crate) fn acknowledged(&mut self, epoch: Epoch, sequence: u64, now: Instant) {
        self.in_flight.retain(|(sent, last)| *sent != epoch || *last > sequence);
        let sent = self.sent.entry(epoch).or_default();
        *sent = sequence.max(*sent);
        self.resends = 0;
        self.resend_at =
            if self.in_flight.is_empty() { None } else { Some(now + self.settings.resend_first()) };
    }

    /// When to send again unless something is acknowledged before.
    pub(crate) fn resend_at(&self) -> Option<Instant> {
        self.resend_at
    }

    /// Nothing was acknowledged in time: all that is not acknowledged is sent again.
    pub(crate) fn give_up_waiting(&mut self) {
        self.sent.clear();
        self.in_flight.clear();
        self.resends = self.resends.saturating_add(1);
        self.resend_at = None;
    }

    /// The broker is back: what it had may be gone, so the wait begins anew and is short.
    pub(crate) fn reconnected(&mut self, now: Instant) {
        if self.resend_at.is_some() {
            self.resends = 0;
            self.resend_at = Some(now + self.settings.resend_first());
        }
    }

    fn wait(&self) -> Duration {
        let factor = 1_u32.checked_shl(self.resends).unwrap_or(u32::MAX);
        self.settings.resend_first().saturating_mul(factor).min(self.settings.resend_max())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESEND_FIRST: Duration = Duration::from_secs(30);

    fn progress() -> Progress {
        Progress::new(ShipperSettings::default())
    }

    #[test]
    fn a_window_of_batches_then_a_wait_for_acknowledgement() {
        let (now, epoch, mut progress) = (Instant::now(), Epoch::draw(), progress());
        for batch in 1..=8 {
            assert!(progress.may_send());
            progress.sent(epoch, batch * 10, now);
        }
        assert!(!progress.may_send());
        assert_eq!(progress.resend_at(), Some(now + RESEND_FIRST));
        progress.acknowledged(epoch, 35, now);
        assert!(progress.may_send() && progress.sent_through(epoch) == 80);
        progress.acknowledged(epoch, 80, now);
        assert_eq!(progress.resend_at(), None);
    }

    #[test]
    fn silence_is_probed_with_one_batch_ever_more_rarely() {
        let (now, epoch, mut progress) = (Instant::now(), Epoch::draw(), progress());
        let mut waits = Vec::new();
        for _ in 0..7 {
            progress.sent(epoch, 10, now);
            waits.push((progress.resend_at().expect("a wait") - now).as_secs());
            progress.give_up_waiting();
            assert!(progress.may_send() && progress.sent_through(epoch) == 0);
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 600, 600]);
        progress.sent(epoch, 10, now);
        assert!(!progress.may_send(), "one at a time while there is no answer");
        progress.acknowledged(epoch, 10, now);
        progress.sent(epoch, 20, now);
        assert!(progress.may_send(), "the window is open again");
    }

    #[test]
    fn epochs_do_not_acknowledge_each_other() {
        let (now, mut progress) = (Instant::now(), progress());
        let (old, new) = (Epoch::draw(), Epoch::draw());
        progress.sent(old, 10, now);
        progress.sent(new, 5, now);
        progress.acknowledged(new, 100, now);
        assert!(progress.resend_at().is_some(), "the old epoch's batch is still out");
        progress.reconnected(now + RESEND_FIRST);
        assert_eq!(progress.resend_at(), Some(now + 2 * RESEND_FIRST));
    }
}
