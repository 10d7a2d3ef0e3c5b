//! What was posted and what came of it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use rovuma_schemas::MessageId;
use tokio::sync::watch;

/// When nothing more has come for so long, nothing will: the first retransmission is within it.
const PATIENCE: Duration = Duration::from_secs(90);

/// What happened to one alert, as seen from here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    /// When the release was answered.
    pub(crate) accepted: Option<Instant>,
    /// When the sender told of each verified receipt.
    pub(crate) delivered: Vec<Instant>,
}

/// The alerts of one phase.
#[derive(Debug)]
pub(crate) struct Ledger {
    entries: Mutex<HashMap<MessageId, Entry>>,
    seen: watch::Sender<Seen>,
}

/// How much has been told by the sender's gateway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Copies that the sender's broker has.
    pub(crate) queued: u64,
    /// Copies with a verified receipt.
    pub(crate) delivered: u64,
    /// Copies that a recipient refused.
    pub(crate) rejected: u64,
}

impl Ledger {
    /// Nothing posted yet.
    pub(crate) fn new() -> Self {
        Self { entries: Mutex::default(), seen: watch::Sender::new(Seen::default()) }
    }

    /// Notes that the release of an alert was answered.
    pub(crate) fn accepted(&self, id: MessageId) {
        self.entries().entry(id).or_default().accepted = Some(Instant::now());
    }

    /// Notes an event of the sender's gateway.
    pub(crate) fn told(&self, event: &str, id: MessageId) {
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

    /// Waits until the gateway has told as much as `enough` asks for.
    ///
    /// # Errors
    /// When nothing more comes, or a recipient refused an alert.
    pub(crate) async fn until(&self, enough: impl Fn(&Seen) -> bool) -> Result<()> {
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

    /// The alerts, each of which must have been accepted and have exactly `copies` receipts.
    ///
    /// # Errors
    /// With what was lost or came twice.
    pub(crate) fn settled(&self, copies: usize) -> Result<HashMap<MessageId, Entry>> {
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

    fn entries(&self) -> MutexGuard<'_, HashMap<MessageId, Entry>> {
        // An entry is never half-written.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// From the accepted release to the last receipt; nothing where the receipt was faster than the answer.
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
        (0..receipts).for_each(|_| ledger.told("receipt.delivered", id));
        ledger
    }

    #[test]
    fn what_is_lost_doubled_or_nobodys_is_told() {
        assert!(with_receipts(2).settled(2).is_ok());
        assert!(with_receipts(1).settled(2).is_err_and(|fault| fault.to_string().contains("LOST 1")));
        assert!(with_receipts(3).settled(2).is_err_and(|fault| fault.to_string().contains("DOUBLED 1")));
        let nobodys = Ledger::new();
        nobodys.told("receipt.delivered", MessageId::draw(Timestamp::system_now()));
        assert!(nobodys.settled(1).is_err());
    }
}
