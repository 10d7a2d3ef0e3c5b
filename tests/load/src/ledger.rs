//! Records which alerts were posted, and what happened to them.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use rovuma_schemas::MessageId;
use tokio::sync::watch;

/// When no event has arrived for this long, the rest are lost. The first retransmission is within it.
const PATIENCE: Duration = Duration::from_secs(90);

/// The events of one alert, as this program saw them.
#[derive(Clone, Debug, Default)]
pub(crate) struct AlertRecord {
    /// When the answer to the release arrived.
    pub(crate) accepted: Option<Instant>,
    /// When the sender's gateway announced each verified receipt.
    pub(crate) delivered: Vec<Instant>,
}

/// The alerts of one phase.
#[derive(Debug)]
pub(crate) struct Ledger {
    entries: Mutex<HashMap<MessageId, AlertRecord>>,
    seen: watch::Sender<CopyCounts>,
}

/// The numbers of copies that the sender's gateway has announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CopyCounts {
    /// Copies that the sender's broker has confirmed.
    pub(crate) queued: u64,
    /// Copies with a verified receipt.
    pub(crate) delivered: u64,
    /// Copies that a recipient rejected.
    pub(crate) rejected: u64,
}

impl Ledger {
    /// A ledger without alerts.
    pub(crate) fn new() -> Self {
        Self { entries: Mutex::default(), seen: watch::Sender::new(CopyCounts::default()) }
    }

    /// Records that the release of an alert was answered.
    pub(crate) fn accepted(&self, id: MessageId) {
        self.entries().entry(id).or_default().accepted = Some(Instant::now());
    }

    /// Records an event of the sender's gateway.
    pub(crate) fn record_event(&self, event: &str, id: MessageId) {
        match event {
            "message.queued" => self.seen.send_modify(|seen| seen.queued += 1),
            "receipt.rejected" => self.seen.send_modify(|seen| seen.rejected += 1),
            "receipt.delivered" => {
                self.entries().entry(id).or_default().delivered.push(Instant::now());
                self.seen.send_modify(|seen| seen.delivered += 1);
            }
            _ => {}
        }
    }

    /// Waits until the announced numbers satisfy `enough`.
    ///
    /// # Errors
    /// When events stop before that, or a recipient rejected an alert.
    pub(crate) async fn until(&self, enough: impl Fn(&CopyCounts) -> bool) -> Result<()> {
        let mut seen = self.seen.subscribe();
        loop {
            let now = *seen.borrow_and_update();
            if now.rejected > 0 {
                bail!("a recipient rejected {} alerts", now.rejected);
            }
            if enough(&now) {
                return Ok(());
            }
            if tokio::time::timeout(PATIENCE, seen.changed()).await.is_err() {
                bail!("LOST: nothing more after {now:?} within {} s", PATIENCE.as_secs());
            }
        }
    }

    /// Returns the alerts, after checking that each was accepted and has exactly `copies` receipts.
    ///
    /// # Errors
    /// The alerts that were lost or doubled.
    pub(crate) fn check_settled(&self, copies: usize) -> Result<HashMap<MessageId, AlertRecord>> {
        let entries = std::mem::take(&mut *self.entries());
        let count = |is_so: fn(usize, usize) -> bool| {
            entries.values().filter(|entry| is_so(entry.delivered.len(), copies)).count()
        };
        let (lost, doubled) = (count(|is, should| is < should), count(|is, should| is > should));
        let never_accepted = entries.values().filter(|entry| entry.accepted.is_none()).count();
        if lost + doubled + never_accepted > 0 {
            bail!("LOST {lost} alerts, DOUBLED {doubled}, receipts for {never_accepted} that nobody sent");
        }
        Ok(entries)
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<MessageId, AlertRecord>> {
        // No entry is ever half-written, so a poisoned lock is still usable.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AlertRecord {
    /// Time from the accepted release to the last receipt; zero when the receipt was faster than the answer.
    pub(crate) fn latency(&self) -> Duration {
        let last = self.delivered.iter().max();
        last.zip(self.accepted)
            .map_or(Duration::ZERO, |(last, accepted)| last.saturating_duration_since(accepted))
    }
}

#[cfg(test)]
mod tests {
    use rovuma_schemas::Timestamp;

    use super::*;

    fn with_receipts(receipts: usize) -> Ledger {
        let (ledger, id) = (Ledger::new(), MessageId::draw(Timestamp::system_now()));
        ledger.accepted(id);
        (0..receipts).for_each(|_| ledger.record_event("receipt.delivered", id));
        ledger
    }

    #[test]
    fn what_is_lost_doubled_or_nobodys_is_told() {
        assert!(with_receipts(2).check_settled(2).is_ok());
        assert!(with_receipts(1).check_settled(2).is_err_and(|fault| fault.to_string().contains("LOST 1")));
        assert!(
            with_receipts(3).check_settled(2).is_err_and(|fault| fault.to_string().contains("DOUBLED 1"))
        );
        let nobodys = Ledger::new();
        nobodys.record_event("receipt.delivered", MessageId::draw(Timestamp::system_now()));
        assert!(nobodys.check_settled(1).is_err());
    }
}
