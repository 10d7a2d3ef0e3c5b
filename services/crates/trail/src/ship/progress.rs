//! What has been sent and not acknowledged: decisions without a clock or a broker.

use std::{collections::BTreeMap, time::Duration};

use rovuma_schemas::Epoch;
use tokio::time::Instant;

use super::ShipperSettings;

/// Batches of one epoch sent ahead of their acknowledgement at most: enough to keep a busy service flowing,
/// few enough that the broker never holds the backlog of an audit service that is away.
const WINDOW: usize = 8;

/// How far the audit service has been told. Epochs do not wait for each other: one that is never
/// acknowledged holds up no other.
#[derive(Debug)]
pub(crate) struct Progress {
    settings: ShipperSettings,
    epochs: BTreeMap<Epoch, Way>,
}

/// How far one epoch has come.
#[derive(Debug, Default)]
struct Way {
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

    /// Forgets what was sent: everything that is not acknowledged goes again.
    pub(crate) fn start_anew(&mut self) {
        self.epochs.clear();
    }

    /// Whether another batch of an epoch may be sent now. After a silence one batch at a time asks whether
    /// the audit service is back.
    pub(crate) fn may_send(&self, epoch: Epoch) -> bool {
        self.epochs.get(&epoch).is_none_or(Way::may_send)
    }

    /// The last event of an epoch that has been sent, 0 before the first.
    pub(crate) fn sent_through(&self, epoch: Epoch) -> u64 {
        self.epochs.get(&epoch).map_or(0, |way| way.sent)
    }

    /// A batch was confirmed by the broker. Its acknowledgement may have been faster than that: then
    /// nothing is in flight.
    pub(crate) fn sent(&mut self, epoch: Epoch, last: u64, now: Instant) {
        let way = self.epochs.entry(epoch).or_default();
        if last > way.acknowledged {
            way.sent = last;
            way.in_flight.push(last);
            way.resend_at.get_or_insert(now + wait(&self.settings, way.resends));
        }
    }

    /// The audit service has, and had not before, everything of an epoch up to `sequence`.
    ///
    /// To be told only of news: an audit service that lacks a batch answers every later one with how far
    /// it has come, and that must not put off sending the missing one again.
    pub(crate) fn acknowledged(&mut self, epoch: Epoch, sequence: u64, now: Instant) {
        let way = self.epochs.entry(epoch).or_default();
        way.in_flight.retain(|last| *last > sequence);
        way.sent = way.sent.max(sequence);
        way.acknowledged = way.acknowledged.max(sequence);
        way.resends = 0;
        way.resend_at =
            if way.in_flight.is_empty() { None } else { Some(now + self.settings.resend_first()) };
    }

    /// When to send something again unless it is acknowledged before.
    pub(crate) fn resend_at(&self) -> Option<Instant> {
        self.epochs.values().filter_map(|way| way.resend_at).min()
    }

    /// Where nothing was acknowledged in time, all that is not acknowledged is sent again.
    pub(crate) fn give_up_waiting(&mut self, now: Instant) {
        for way in self.epochs.values_mut().filter(|way| way.resend_at.is_some_and(|at| at <= now)) {
            way.sent = way.acknowledged;
            way.in_flight.clear();
            way.resends = way.resends.saturating_add(1);
            way.resend_at = None;
        }
    }

    /// The broker is back: what it had may be gone, so the wait begins anew and is short.
    pub(crate) fn reconnected(&mut self, now: Instant) {
        for way in self.epochs.values_mut().filter(|way| way.resend_at.is_some()) {
            way.resends = 0;
            way.resend_at = Some(now + self.settings.resend_first());
        }
    }
}

impl Way {
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
            progress.give_up_waiting(until - Duration::from_millis(1));
            assert_eq!(progress.sent_through(epoch), 10, "not yet");
            progress.give_up_waiting(until);
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
        progress.give_up_waiting(now + RESEND_FIRST);
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
            progress.give_up_waiting(now);
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
