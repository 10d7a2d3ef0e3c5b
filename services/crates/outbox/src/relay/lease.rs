//! Who serves a lane, when several relays share one store: a row with a fence that rises.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rovuma_schemas::{StoreId, Timestamp};
use rovuma_store::{Conn, FutureExt, Store, WriteError};
use sqlx::Row;

use crate::model::LaneKey;

/// How long a lane belongs to a relay that does not renew it: so long does an urgent alert wait at most when a gateway
/// dies and another shares its store. Where a confirm takes longer, and the lane is taken over meanwhile, the fence
/// keeps the departure from being written down twice, and the recipient knows the duplicate.
const LEASE: Duration = Duration::from_secs(15);

/// A lane that this relay serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lease {
    holder: StoreId,
    fence: i64,
    until: Timestamp,
}

/// The leases of one relay.
#[derive(Debug)]
pub(crate) struct Leases {
    holder: StoreId,
    held: Mutex<HashMap<LaneKey, Lease>>,
}

impl Leases {
    pub(crate) fn new() -> Self {
        Self { holder: StoreId::draw(), held: Mutex::default() }
    }

    /// The lease on a lane, taken now if need be; `None` while another relay has it.
    pub(crate) async fn hold(
        &self,
        store: &Store,
        lane: &LaneKey,
        now: Timestamp,
    ) -> Result<Option<Lease>, WriteError<sqlx::Error>> {
        let held = self.held().get(lane).copied();
        // Renewed in good time, so that it outlasts the bundle about to be published.
        if let Some(lease) = held.filter(|lease| lease.until > now.plus(LEASE * 3 / 4)) {
            return Ok(Some(lease));
        }
        if !store.is_exclusive() && self.is_anothers(store, lane, now).await.map_err(WriteError::Job)? {
            return Ok(None);
        }
        let (holder, wanted) = (self.holder, lane.clone());
        let lease =
            store.write(move |tx| async move { claim(tx, &wanted, holder, now).await }.boxed()).await?;
        match lease {
            Some(lease) => self.held().insert(lane.clone(), lease),
            None => self.held().remove(lane),
        };
        Ok(lease)
    }

    /// Whether another relay has the lane, as far as can be told without writing: a claim that fails is a commit
    /// all the same, and would wake that relay for nothing.
    async fn is_anothers(&self, store: &Store, lane: &LaneKey, now: Timestamp) -> sqlx::Result<bool> {
        let row = sqlx::query(
            "SELECT fence FROM outbox_lease
             WHERE recipient = $1 AND lane = $2 AND holder <> $3 AND expires_at > $4",
        )
        .bind(lane.recipient.as_str())
        .bind(lane.lane.as_str())
        .bind(self.holder.as_bytes().as_slice())
        .bind(now.as_micros())
        .fetch_optional(store.read())
        .await?;
        Ok(row.is_some())
    }

    /// Gives up every lease, so that others need not wait for its end.
    pub(crate) async fn release(&self, store: &Store) -> Result<(), WriteError<sqlx::Error>> {
        self.held().clear();
        let holder = self.holder;
        store.write(move |tx| async move { expire(tx, Some(holder)).await }.boxed()).await
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<LaneKey, Lease>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Renews the lease within a transaction. `false`: another relay has taken over, and whatever the
    /// transaction is about is not ours to write.
    pub(crate) async fn renew(&self, tx: &mut Conn, lane: &LaneKey, now: Timestamp) -> sqlx::Result<bool> {
        let done = sqlx::query(
            "UPDATE outbox_lease SET expires_at = $1
             WHERE recipient = $2 AND lane = $3 AND holder = $4 AND fence = $5",
        )
        .bind(now.plus(LEASE).as_micros())
        .bind(lane.recipient.as_str())
        .bind(lane.lane.as_str())
        .bind(self.holder.as_bytes().as_slice())
        .bind(self.fence)
        .execute(tx)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

/// Ends the leases of `holder`, or of everybody.
pub(crate) async fn expire(tx: &mut Conn, holder: Option<StoreId>) -> sqlx::Result<()> {
    let query = match holder {
        Some(_) => "UPDATE outbox_lease SET expires_at = 0 WHERE holder = $1",
        None => "UPDATE outbox_lease SET expires_at = 0",
    };
    let query =
        holder.iter().fold(sqlx::query(query), |query, holder| query.bind(holder.as_bytes().to_vec()));
    query.execute(tx).await?;
    Ok(())
}

async fn claim(
    tx: &mut Conn,
    lane: &LaneKey,
    holder: StoreId,
    now: Timestamp,
) -> sqlx::Result<Option<Lease>> {
    let until = now.plus(LEASE);
    let row = sqlx::query(
        "INSERT INTO outbox_lease (recipient, lane, holder, fence, expires_at) VALUES ($1, $2, $3, 1, $4)
         ON CONFLICT (recipient, lane) DO UPDATE
           SET holder = excluded.holder, fence = outbox_lease.fence + 1, expires_at = excluded.expires_at
           WHERE outbox_lease.expires_at <= $5 OR outbox_lease.holder = excluded.holder
         RETURNING fence",
    )
    .bind(lane.recipient.as_str())
    .bind(lane.lane.as_str())
    .bind(holder.as_bytes().as_slice())
    .bind(until.as_micros())
    .bind(now.as_micros())
    .fetch_optional(tx)
    .await?;
    row.map(|row| Ok(Lease { holder, fence: row.try_get("fence")?, until })).transpose()
}
