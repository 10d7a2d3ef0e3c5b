//! Recording.

use std::sync::{Arc, Mutex, PoisonError};

use rovuma_envelope::digest;
use rovuma_schemas::{
    Timestamp,
    audit::{AuditAction, AuditPosition},
};
use rovuma_store::{Conn, Migrations, Restored, Store};

use crate::{
    Act,
    head::{Head, to_column},
};

/// The trail's tables, for [`Store::open`].
pub const MIGRATIONS: Migrations = rovuma_store::migrations!(111 "trail");

/// The audit trail of one source in one store. Clones speak of the same one.
#[derive(Clone, Debug)]
pub struct Trail(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    source: String,
    /// Where the chain most likely ends: spares the question. Whether it does is checked by the update.
    guess: Mutex<Option<Head>>,
}

impl Trail {
    /// The trail of `source` (`mz.gateway`) in `store`, which was opened with [`MIGRATIONS`].
    pub fn new(store: Store, source: impl Into<String>) -> Self {
        Self(Arc::new(Inner { store, source: source.into(), guess: Mutex::default() }))
    }

    /// Records an act in the caller's transaction: it stands if the transaction does.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn record(&self, tx: &mut Conn, act: &Act) -> sqlx::Result<AuditPosition> {
        let mut guess = self.guess().take();
        loop {
            let head = match guess.take() {
                Some(head) => head,
                None => Head::load(tx, self.source()).await?,
            };
            let body = serde_json::to_string(&act.after(&head, self.source()))
                .map_err(|fault| sqlx::Error::Encode(Box::new(fault)))?;
            let next = Head { sequence: head.sequence + 1, digest: digest(body.as_bytes()), ..head };
            // Refused after a transaction was taken back, or another process recorded, or the store was
            // renamed: then the guess is dropped and the chain's end is read.
            if head.advance(tx, self.source(), &next).await? {
                self.keep(tx, &next, act, body).await?;
                *self.guess() = Some(next);
                return Ok(self.position(&next));
            }
        }
    }

    /// Records, as `actor`, that the store was restored from an older copy, unless that was told already. It is
    /// the first event of the new epoch and names the one before.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn record_restore(
        &self,
        tx: &mut Conn,
        actor: &str,
        now: Timestamp,
    ) -> sqlx::Result<Option<Restored>> {
        let Some(restored) = Restored::take(tx).await? else { return Ok(None) };
        let act = Act::new(now, actor, AuditAction::StoreRestore)
            .object("store", restored.to)
            .detail("before", restored.from);
        self.record(tx, &act).await?;
        Ok(Some(restored))
    }

    /// The source that this trail writes as.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The store it is in.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    async fn keep(&self, tx: &mut Conn, head: &Head, act: &Act, body: String) -> sqlx::Result<()> {
        sqlx::query(
            "INSERT INTO trail_event (source, epoch, sequence, time_at, body) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(self.source())
        .bind(head.epoch.as_bytes().as_slice())
        .bind(to_column(head.sequence))
        .bind(act.time.as_micros())
        .bind(body)
        .execute(tx)
        .await?;
        Ok(())
    }

    fn position(&self, head: &Head) -> AuditPosition {
        AuditPosition { source: self.0.source.clone(), epoch: head.epoch, sequence: head.sequence }
    }

    fn guess(&self) -> std::sync::MutexGuard<'_, Option<Head>> {
        self.0.guess.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
