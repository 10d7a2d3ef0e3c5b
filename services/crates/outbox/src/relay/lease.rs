//! Leases of lanes, for relays that share one store: the relay with the lease serves the lane. Each lease is a row with a
//! fence number that rises with each new holder.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rovuma_schemas::{StoreId, Timestamp};
use rovuma_store::{Conn, FutureExt, Store, WriteError};
use sqlx::Row;

use crate::model::RecipientLane;

/// How long a lease lasts unless renewed. An urgent alert waits at most this long when a gateway dies and another shares its
/// store. When a confirm takes longer and another relay takes the lane over, the fence keeps the bundle from being
/// recorded twice, and the recipient recognises the duplicate.
const LEASE: Duration = Duration::from_secs(15);

/// This relay's right to serve a lane.
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
    leases: Mutex<HashMap<RecipientLane, Lease>>,
}

impl Leases {
    pub(crate) fn new() -> Self {
        Self { holder: StoreId::draw(), leases: Mutex::default() }
    }

    /// Returns the lease of a lane, taking or renewing it when needed; `None` while another relay has it.
    pub(crate) async fn acquire(
        &self,
        store: &Store,
        lane: &RecipientLane,
        now: Timestamp,
    ) -> Result<Option<Lease>, WriteError<sqlx::Error>> {
        let current = self.leases().get(lane).copied();
        // Renewed in good time, so that it outlasts the bundle about to be published.
        if let Some(lease) = current.filter(|lease| lease.until > now.plus(LEASE * 3 / 4)) {
            return Ok(Some(lease));
        }
        if !store.is_exclusive()
            && self.is_taken_by_another(store, lane, now).await.map_err(WriteError::Job)?
        {
            return Ok(None);
        }
        let (holder, claimed) = (self.holder, lane.clone());
        let lease =
            store.write(move |tx| async move { claim(tx, &claimed, holder, now).await }.boxed()).await?;
        match lease {
            Some(lease) => self.leases().insert(lane.clone(), lease),
            None => self.leases().remove(lane),
        };
        Ok(lease)
    }

    /// Whether another relay has the lane, by a query that writes nothing: a claim that fails would still be a commit, and
    /// wake that relay for nothing.
    async fn is_taken_by_another(
        &self,
        store: &Store,
        lane: &RecipientLane,
        now: Timestamp,
    ) -> sqlx::Result<bool> {
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

    /// Whether this relay has the lane at this instant, so that no other relay serves it.
    pub(crate) fn has(&self, store: &Store, lane: &RecipientLane, now: Timestamp) -> bool {
        store.is_exclusive() || self.leases().get(lane).is_some_and(|lease| lease.until > now)
    }

    /// Gives up every lease, so that other relays need not wait until it expires.
    pub(crate) async fn release(&self, store: &Store) -> Result<(), WriteError<sqlx::Error>> {
        self.leases().clear();
        let holder = self.holder;
        store.write(move |tx| async move { expire(tx, Some(holder)).await }.boxed()).await
    }

    fn leases(&self) -> std::sync::MutexGuard<'_, HashMap<RecipientLane, Lease>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Renews the lease within a transaction. `false`: another relay has taken the lane over, and this transaction must not
    /// change its copies.
    pub(crate) async fn renew(
        &self,
        tx: &mut Conn,
        lane: &RecipientLane,
        now: Timestamp,
    ) -> sqlx::Result<bool> {
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

/// Ends the leases of `holder`, or of all relays.
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
    lane: &RecipientLane,
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
