//! Records that a bundle has left.

use std::collections::BTreeMap;

use rovuma_schemas::{StoreId, Timestamp};
use rovuma_store::{Conn, padded_list, with_list};

use super::{
    backoff::retransmit_after,
    host::{MovedCopy, RelayHost},
    lease::Lease,
};
use crate::{
    OutboxSettings,
    model::{RecipientLane, to_column},
};

/// A bundle that the broker has confirmed.
#[derive(Clone, Debug)]
pub(crate) struct PublishedBundle {
    pub(crate) lane: RecipientLane,
    pub(crate) lease: Lease,
    /// A random id of this bundle, by which the window counts bundles.
    pub(crate) bundle: StoreId,
    pub(crate) sealed_bytes: usize,
    pub(crate) copies: Vec<(i64, MovedCopy)>,
}

/// It could not be recorded that a bundle has left.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// Another relay serves the lane by now. It sends the same messages again, and the recipient recognises duplicates.
    #[error("another relay has taken over {recipient} {lane}", recipient = .0.recipient, lane = .0.lane)]
    LeaseLost(RecipientLane),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl PublishedBundle {
    /// Records, in one transaction, that the copies have left: numbered ones become queued, with the time when they leave
    /// again; the others are deleted.
    pub(crate) async fn record(
        &self,
        tx: &mut Conn,
        host: &dyn RelayHost,
        settings: &OutboxSettings,
        now: Timestamp,
    ) -> Result<(), RecordError> {
        if !self.lease.renew(tx, &self.lane, now).await? {
            return Err(RecordError::LeaseLost(self.lane.clone()));
        }
        for (attempts, positions) in self.numbered_by_attempts() {
            let due = now.plus(retransmit_after(attempts + 1, settings));
            self.set_queued(tx, &positions, now, due).await?;
        }
        self.delete_unnumbered(tx).await?;
        let copies: Vec<MovedCopy> = self.copies.iter().map(|(_, copy)| copy.clone()).collect();
        host.queued(tx, &copies, now).await?;
        Ok(())
    }

    /// Groups the copies by how often they had left before, on which the wait for a receipt depends. Nearly always there is
    /// one group.
    fn numbered_by_attempts(&self) -> BTreeMap<u64, Vec<i64>> {
        let mut by_attempts: BTreeMap<u64, Vec<i64>> = BTreeMap::new();
        for (position, copy) in self.copies.iter().filter(|(_, copy)| copy.position.is_some()) {
            by_attempts.entry(copy.attempts).or_default().push(*position);
        }
        by_attempts
    }

    async fn set_queued(
        &self,
        tx: &mut Conn,
        positions: &[i64],
        now: Timestamp,
        due: Timestamp,
    ) -> sqlx::Result<()> {
        // When a receipt was faster than the broker's confirm, the state stays. A copy that was made void in the meantime
        // has left after all, and is queued; unless it was reissued as another message.
        let text = with_list(
            "UPDATE outbox_copy
             SET state = CASE WHEN state = 0 OR (state = 4 AND code <> 'replaced') THEN 1 ELSE state END,
                 queued_at = COALESCE(queued_at, $1), sent_at = $1, due_at = $2, attempts = attempts + 1,
                 again_at = NULL, bundle = $3, sent_bytes = $4
             WHERE position IN ({})",
            5,
            positions.len(),
        );
        let share = self.sealed_bytes.div_ceil(self.copies.len().max(1));
        let query = sqlx::query(text)
            .bind(now.as_micros())
            .bind(due.as_micros())
            .bind(self.bundle.as_bytes().as_slice())
            .bind(to_column(u64::try_from(share).unwrap_or(u64::MAX)));
        padded_list(positions).fold(query, |query, position| query.bind(position)).execute(tx).await?;
        Ok(())
    }

    async fn delete_unnumbered(&self, tx: &mut Conn) -> sqlx::Result<()> {
        let unnumbered = self.copies.iter().filter(|(_, copy)| copy.position.is_none());
        let (positions, messages): (Vec<i64>, Vec<Vec<u8>>) =
            unnumbered.map(|(position, copy)| (*position, copy.message.as_bytes().to_vec())).unzip();
        if positions.is_empty() {
            return Ok(());
        }
        let copies = with_list("DELETE FROM outbox_copy WHERE position IN ({})", 1, positions.len());
        let query = padded_list(&positions).fold(sqlx::query(copies), |query, position| query.bind(position));
        query.execute(&mut *tx).await?;
        let bytes = with_list(
            "DELETE FROM outbox_message WHERE id IN ({}) AND NOT EXISTS (
               SELECT 1 FROM outbox_copy c
               WHERE c.message = outbox_message.id AND c.country = outbox_message.country)",
            1,
            messages.len(),
        );
        let query = padded_list(&messages).fold(sqlx::query(bytes), |query, message| query.bind(message));
        query.execute(tx).await?;
        Ok(())
    }
}
