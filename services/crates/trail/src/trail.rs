//! The handle of a trail, through which a service records audit events.

use std::sync::Arc;

use rovuma_schemas::{
    Timestamp,
    audit::{AuditAction, AuditPosition},
};
use rovuma_store::{Conn, Migrations, Restored, Store};

use crate::{AuditRecord, pending::PendingEvents};

/// The trail's tables, for [`Store::open`].
pub const MIGRATIONS: Migrations = rovuma_store::migrations!(111 "trail");

/// The audit trail of one source in one store. Clones are handles to the same one; a process makes only one.
#[derive(Clone, Debug)]
pub struct Trail(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    pending: Arc<PendingEvents>,
}

impl Trail {
    /// The trail of `source` (`mz.gateway`) in `store`, which was opened with [`MIGRATIONS`].
    pub fn new(store: Store, source: impl Into<String>) -> Self {
        let pending = Arc::new(PendingEvents::new(source.into()));
        store.add_deferred(pending.clone());
        Self(Arc::new(Inner { store, pending }))
    }

    /// Records an event in the caller's transaction, which must be that of [`Store::write`]: it is kept if the caller's job
    /// is. The store writes it at the end of the transaction, but its position is certain at once.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn record(&self, tx: &mut Conn, record: &AuditRecord) -> sqlx::Result<AuditPosition> {
        self.0.pending.record(tx, record).await
    }

    /// Records, as `actor`, that the store was restored from an older copy, unless that is recorded already. The event is
    /// the first of the new epoch, and names the epoch before.
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
        let record = AuditRecord::new(now, actor, AuditAction::StoreRestore)
            .object("store", restored.to)
            .detail("before", restored.from);
        self.record(tx, &record).await?;
        Ok(Some(restored))
    }

    /// The source whose events this trail records.
    pub fn source(&self) -> &str {
        self.0.pending.source()
    }

    /// The store that holds the trail.
    pub fn store(&self) -> &Store {
        &self.0.store
    }
}
