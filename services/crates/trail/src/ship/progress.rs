//! Decides what to send and when to send it again. Pure: the clock and the broker are the caller's.

use std::{collections::BTreeMap, time::Duration};

use rovuma_schemas::Epoch;
use tokio::time::Instant;

use super::ShipperSettings;

/// Maximum batches of one epoch on their epoch_progress without an acknowledgement: enough for a busy service, few enough that the
/// broker never holds the whole backlog while the audit service is down.
const WINDOW: usize = 8;

/// What was sent and acknowledged of each epoch. Epochs do not wait for each other: one that is never acknowledged holds up
/// no other.
#[derive(Debug)]
pub(crate) struct Progress {
    settings: ShipperSettings,
    epochs: BTreeMap<Epoch, EpochProgress>,
}

/// What was sent and acknowledged of one epoch.
#[derive(Debug, Default)]
struct EpochProgress {
    /// The last event that was sent, and the last that was acknowledged.
    sent: u64,
    acknowledged: u64,
    /// The last event of each batch that is not acknowledged.
    in_flight: Vec<u64>,
    resends: u32,
    resend_at: Option<Instant>,
}

impl Progress {
    pub(crate) fn new(settings: ShipperSettings) -> Self {
        Self { settings, epochs: BTreeMap::new() }
    }

    /// Forgets what was sent, so that all events in the trail are sent again.
    pub(crate) fn reset(&mut self) {
        self.epochs.clear();
    }

    /// Whether another batch of an epoch may be sent now. After a batch was not acknowledged in time, one batch at a time
    /// probes whether the audit service is back.
    pub(crate) fn may_send(&self, epoch: Epoch) -> bool {
        self.epochs.get(&epoch).is_none_or(EpochProgress::may_send)
    }

    /// The sequence of the last event sent of an epoch, 0 before the first.
    pub(crate) fn sent_through(&self, epoch: Epoch) -> u64 {
        self.epochs.get(&epoch).map_or(0, |epoch_progress| epoch_progress.sent)
    }

    /// Records that the broker has confirmed a batch. When its acknowledgement was faster, it is no longer in flight.
    pub(crate) fn sent(&mut self, epoch: Epoch, last: u64, now: Instant) {
        let epoch_progress = self.epochs.entry(epoch).or_default();
        if last > epoch_progress.acknowledged {
            epoch_progress.sent = last;
            epoch_progress.in_flight.push(last);
            epoch_progress.resend_at.get_or_insert(now + wait(&self.settings, epoch_progress.resends));
        }
    }

    /// Records that the audit service has acknowledged the events of an epoch up to `sequence`.
    ///
    /// Call it only for an acknowledgement that cleared events. An audit service that lacks a batch answers every later one
    /// with the same acknowledgement, and that must not put off sending the missing batch again.
    pub(crate) fn acknowledged(&mut self, epoch: Epoch, sequence: u64, now: Instant) {
        let epoch_progress = self.epochs.entry(epoch).or_default();
        epoch_progress.in_flight.retain(|last| *last > sequence);
        epoch_progress.sent = epoch_progress.sent.max(sequence);
        epoch_progress.acknowledged = epoch_progress.acknowledged.max(sequence);
        epoch_progress.resends = 0;
        epoch_progress.resend_at =
            if epoch_progress.in_flight.is_empty() { None } else { Some(now + self.settings.resend_first()) };
    }

    /// When the first batch is to be sent again unless it is acknowledged before.
    pub(crate) fn resend_at(&self) -> Option<Instant> {
        self.epochs.values().filter_map(|epoch_progress| epoch_progress.resend_at).min()
    }

    /// Makes every epoch that was not acknowledged in time send its unacknowledged events again.
    pub(crate) fn resend_overdue(&mut self, now: Instant) {
        for epoch_progress in self
            .epochs
            .values_mut()
            .filter(|epoch_progress| epoch_progress.resend_at.is_some_and(|at| at <= now))
        {
            epoch_progress.sent = epoch_progress.acknowledged;
            epoch_progress.in_flight.clear();
            epoch_progress.resends = epoch_progress.resends.saturating_add(1);
            epoch_progress.resend_at = None;
        }
    }

    /// Records that the broker is back. It may have lost what it had, so the wait begins again, with the shortest.
    pub(crate) fn reconnected(&mut self, now: Instant) {
        for epoch_progress in
            self.epochs.values_mut().filter(|epoch_progress| epoch_progress.resend_at.is_some())
        {
            epoch_progress.resends = 0;
            epoch_progress.resend_at = Some(now + self.settings.resend_first());
        }
    }
}

impl EpochProgress {
    fn may_send(&self) -> bool {
        let window = if self.resends == 0 { WINDOW } else { 1 };
        self.in_flight.len() < window
    }
}

fn wait(settings: &ShipperSettings, resends: u32) -> Duration {
    let factor = 1_u32.checked_shl(resends).unwrap_or(u32::MAX);
    settings.resend_first().saturating_mul(factor).min(settings.resend_max())
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
            assert!(progress.may_send(epoch));
            progress.sent(epoch, batch * 10, now);
        }
        assert!(!progress.may_send(epoch));
        assert_eq!(progress.resend_at(), Some(now + RESEND_FIRST));
        progress.acknowledged(epoch, 35, now);
        assert!(progress.may_send(epoch) && progress.sent_through(epoch) == 80);
        progress.acknowledged(epoch, 80, now);
        assert_eq!(progress.resend_at(), None);
    }

    #[test]
    fn silence_is_probed_with_one_batch_ever_more_rarely() {
        let (now, epoch, mut progress) = (Instant::now(), Epoch::draw(), progress());
        let mut waits = Vec::new();
        for _ in 0..7 {
            progress.sent(epoch, 10, now);
            let until = progress.resend_at().expect("a wait");
            waits.push((until - now).as_secs());
            progress.resend_overdue(until - Duration::from_millis(1));
            assert_eq!(progress.sent_through(epoch), 10, "not yet");
            progress.resend_overdue(until);
            assert!(progress.may_send(epoch) && progress.sent_through(epoch) == 0);
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 600, 600]);
        progress.sent(epoch, 10, now);
        assert!(!progress.may_send(epoch), "one at a time while there is no answer");
        progress.acknowledged(epoch, 10, now);
        progress.sent(epoch, 20, now);
        assert!(progress.may_send(epoch), "the window is open again");
    }

    #[test]
    fn an_acknowledgement_faster_than_the_confirm_leaves_nothing_in_flight() {
        let (now, epoch, mut progress) = (Instant::now(), Epoch::draw(), progress());
        progress.acknowledged(epoch, 10, now);
        progress.sent(epoch, 10, now);
        assert_eq!((progress.resend_at(), progress.sent_through(epoch)), (None, 10));
        progress.sent(epoch, 20, now);
        assert_eq!(progress.resend_at(), Some(now + RESEND_FIRST));
        progress.resend_overdue(now + RESEND_FIRST);
        assert_eq!(progress.sent_through(epoch), 10, "what is acknowledged is not sent again");
    }

    #[test]
    fn an_epoch_that_is_never_acknowledged_holds_up_no_other() {
        let (start, mut progress) = (Instant::now(), progress());
        let (old, new) = (Epoch::draw(), Epoch::draw());
        let mut now = start;
        for round in 1..=20 {
            while progress.may_send(old) {
                progress.sent(old, progress.sent_through(old) + 10, now);
            }
            assert!(progress.may_send(new));
            progress.sent(new, round, now);
            progress.acknowledged(new, round, now);
            now += RESEND_FIRST;
            progress.resend_overdue(now);
        }
        assert!(progress.epochs[&old].resends > 3, "the one is asked for ever more rarely");
        assert_eq!(progress.epochs[&new].resends, 0);
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
