//! The outbox: shared by whoever writes into it and the relay that empties it.

use std::sync::Arc;

use rovuma_schemas::{AgencyCode, Lane};
use rovuma_store::{Commits, Conn, Migrations, RowExt, Store};
use tokio::sync::watch;

use crate::{OutboxSettings, Place, enqueue::Entering, model::LaneKey, wake::Marks};

/// The outbox's tables, for [`Store::open`].
pub const MIGRATIONS: Migrations = rovuma_store::migrations!(201 "outbox");

/// The outbox of one store. Clones speak of the same one.
#[derive(Clone, Debug)]
pub struct Outbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    settings: OutboxSettings,
    marks: Marks,
    entering: Entering,
}

impl Outbox {
    /// The outbox in `store`, which was opened with [`MIGRATIONS`].
    pub fn new(store: Store, settings: OutboxSettings) -> Self {
        let entering = Entering::of(&store);
        Self(Arc::new(Inner { store, settings, marks: Marks::default(), entering }))
    }

    pub(crate) fn entering(&self) -> &Entering {
        &self.0.entering
    }

    /// Gives out the next number of a stream, in the caller's transaction: if that is taken back so is the
    /// number, and the stream has no gap.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn next_place(
        &self,
        tx: &mut Conn,
        sender: &AgencyCode,
        recipient: &AgencyCode,
        lane: Lane,
    ) -> sqlx::Result<Place> {
        // `WHERE true` keeps SQLite from reading ON as the beginning of a join.
        let row = sqlx::query(
            "INSERT INTO outbox_stream (stream, sender, recipient, lane, last)
             SELECT identity, $1, $2, $3, 1 FROM store WHERE true
             ON CONFLICT (stream, sender, recipient, lane) DO UPDATE SET last = outbox_stream.last + 1
             RETURNING stream, last",
        )
        .bind(sender.as_str())
        .bind(recipient.as_str())
        .bind(lane.as_str())
        .fetch_one(tx)
        .await?;
        Ok(Place { stream: row.store_id("stream")?, number: row.count("last")? })
    }

    /// The store it is in.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// What the installation set.
    pub fn settings(&self) -> &OutboxSettings {
        &self.0.settings
    }

    /// Tells the relay to look at a lane once the running transaction is committed.
    pub(crate) fn mark(&self, recipient: &AgencyCode, lane: Lane) {
        self.0.marks.set(LaneKey::new(recipient, lane), self.0.store.commit_count());
    }

    /// The lanes to look at, as far as committed.
    pub(crate) fn take_marks(&self) -> Vec<LaneKey> {
        self.0.marks.take(self.0.store.commit_count())
    }

    /// Changes with every commit.
    pub(crate) fn commits(&self) -> watch::Receiver<Commits> {
        self.0.store.commits()
    }
}
