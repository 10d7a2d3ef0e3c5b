//! Recording.

use std::sync::Arc;

use rovuma_schemas::{
    Timestamp,
    audit::{AuditAction, AuditPosition},
};
use rovuma_store::{Conn, Migrations, Restored, Store};

use crate::{AuditRecord, pending::Pending};

/// The trail's tables, for [`Store::open`].
pub const MIGRATIONS: Migrations = rovuma_store::migrations!(111 "trail");

/// The audit trail of one source in one store. Clones speak of the same one; a process makes one.
#[derive(Clone, Debug)]
pub struct Trail(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    pending: Arc<Pending>,
}

impl Trail {
    /// The trail of `source` (`mz.gateway`) in `store`, which was opened with [`MIGRATIONS`].
    pub fn new(store: Store, source: impl Into<String>) -> Self {
        let pending = Arc::new(Pending::new(source.into()));
        store.add_deferred(pending.clone());
        Self(Arc::new(Inner { store, pending }))
    }

    /// Records an act in the caller's transaction: it stands if the transaction does. It is written at the
    /// transaction's end, with all others; its place is certain before.
    ///
    /// `tx` must be that of [`Store::write`].
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn record(&self, tx: &mut Conn, act: &AuditRecord) -> sqlx::Result<AuditPosition> {
        self.0.pending.record(tx, act).await
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
        let act = AuditRecord::new(now, actor, AuditAction::StoreRestore)
            .object("store", restored.to)
            .detail("before", restored.from);
        self.record(tx, &act).await?;
        Ok(Some(restored))
    }

    /// The source that this trail writes as.
    pub fn source(&self) -> &str {
        self.0.pending.source()
    }

    /// The store it is in.
    pub fn store(&self) -> &Store {
        &self.0.store
    }
}
