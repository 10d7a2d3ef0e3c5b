//! The keys that sign tokens: one signs, the next is published a day before it signs, and the last stays
//! published until its tokens have expired.
//!
//! Private keys are files in a folder of their own, `<kid>.pem`; the store has the public keys and
//! the times. A file is written before its row and removed after it, so that a crash in between leaves
//! a file without a row, which the next start removes. A signing key whose file was taken away is
//! withdrawn at the next start: this is how an operator revokes a key.

mod files;
mod plan;
mod rows;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures::future::BoxFuture;
use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::{FutureExt, Store, WriteError};
use rovuma_tokens::{JwkSet, JwksSource, KeyFault, SourceError, TokenKey};
use rovuma_trail::{AuditRecord, Trail};

use files::KeyFolder;
use plan::{KeyChange, KeyTimes};
use rows::KeyRow;

/// The token keys in the store and the folder, with a copy in memory. The service has one.
pub(crate) struct TokenKeys {
    store: Store,
    trail: Trail,
    folder: KeyFolder,
    rotate_after: Duration,
    current: RwLock<Arc<KeySnapshot>>,
    /// Locked by the rotation that is running: one at a time.
    rotation: tokio::sync::Mutex<()>,
}

/// The keys as they were when the store and the folder were last read.
#[derive(Default)]
struct KeySnapshot {
    rows: Vec<KeyRow>,
    /// By kid, the private keys that sign now or will sign.
    private: HashMap<String, Arc<TokenKey>>,
}

/// Why keys cannot be read, written or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysFault {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{path} is not one of this service's keys: {reason}")]
    Content { path: PathBuf, reason: String },
    #[error(transparent)]
    Key(#[from] KeyFault),
    #[error(transparent)]
    Store(#[from] WriteError<sqlx::Error>),
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
    #[error("no key may sign now")]
    None,
}

impl TokenKeys {
    /// Reads the keys, withdraws those whose file was removed, and draws the first one when there is none.
    pub(crate) async fn open(
        store: Store,
        trail: Trail,
        directory: PathBuf,
        rotate_after: Duration,
        now: Timestamp,
    ) -> Result<Self, KeysFault> {
        let folder = KeyFolder::open(directory)?;
        let keys =
            Self { store, trail, folder, rotate_after, current: RwLock::default(), rotation: <_>::default() };
        keys.load(now).await?;
        keys.rotate(now).await?;
        Ok(keys)
    }

    /// The key that signs now.
    pub(crate) fn signer(&self, now: Timestamp) -> Result<Arc<TokenKey>, KeysFault> {
        let current = self.current();
        let kid = plan::signing_kid(&current.times(), now).ok_or(KeysFault::None)?;
        current.private.get(&kid).cloned().ok_or(KeysFault::None)
    }

    /// All public keys: the next one, the signing one, and those whose tokens may still be in use.
    pub(crate) fn published(&self) -> JwkSet {
        JwkSet { keys: self.current().rows.iter().map(|row| row.jwk.clone()).collect() }
    }

    /// Draws the next key, removes the private half of a past key, and deletes an expired key, each when its
    /// time has come.
    pub(crate) async fn rotate(&self, now: Timestamp) -> Result<(), KeysFault> {
        let _rotation = self.rotation.lock().await;
        let changes = plan::changes(&self.current().times(), self.rotate_after, now);
        for change in changes {
            match change {
                KeyChange::Draw { active } => self.draw(active, now).await?,
                KeyChange::Retire { kid } => self.folder.remove(&kid)?,
                KeyChange::Delete { kid } => self.delete(&kid, "past", now).await?,
            }
            self.reload(now).await?;
        }
        Ok(())
    }

    async fn load(&self, now: Timestamp) -> Result<(), KeysFault> {
        self.reload(now).await?;
        let current = self.current();
        for row in &current.rows {
            if !current.private.contains_key(&row.kid) && plan::must_sign(&current.times(), &row.kid, now) {
                tracing::warn!(kid = row.kid, "withdrawing a key: the file of its private half was removed");
                self.delete(&row.kid, "file_gone", now).await?;
            }
        }
        self.folder.keep_only(current.rows.iter().map(|row| row.kid.as_str()))?;
        self.reload(now).await
    }

    async fn reload(&self, now: Timestamp) -> Result<(), KeysFault> {
        let mut conn = self.store.read().acquire().await?;
        let rows = rows::load_all(&mut conn).await?;
        let mut snapshot = KeySnapshot { rows, private: HashMap::new() };
        let times = snapshot.times();
        for row in snapshot.rows.iter().filter(|row| plan::must_sign(&times, &row.kid, now)) {
            if let Some(key) = self.folder.read(&row.kid)? {
                snapshot.private.insert(row.kid.clone(), Arc::new(key));
            }
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
        Ok(())
    }

    /// The file comes before the row: a crash in between leaves a file without a row, which the next start
    /// removes.
    async fn draw(&self, active: Timestamp, now: Timestamp) -> Result<(), KeysFault> {
        let key = TokenKey::generate()?;
        self.folder.write(&key)?;
        let row = KeyRow { kid: key.kid().to_owned(), jwk: key.public().clone(), active };
        let first = self.current().rows.is_empty();
        let action = if first { AuditAction::KeyCreate } else { AuditAction::KeyRotate };
        let act = self.act(action, key.kid(), now).detail("active", active);
        let trail = self.trail.clone();
        let write = self.store.write(move |tx| {
            async move {
                rows::insert(tx, &row, now).await?;
                trail.record(tx, &act).await.map(|_| ())
            }
            .boxed()
        });
        write.await?;
        tracing::info!(kid = key.kid(), %active, "drew a token key");
        Ok(())
    }

    async fn delete(&self, kid: &str, reason: &'static str, now: Timestamp) -> Result<(), KeysFault> {
        let act = self.act(AuditAction::KeyRevoke, kid, now).detail("why", reason);
        let (trail, row_kid) = (self.trail.clone(), kid.to_owned());
        let write = self.store.write(move |tx| {
            async move {
                rows::delete(tx, &row_kid).await?;
                trail.record(tx, &act).await.map(|_| ())
            }
            .boxed()
        });
        write.await?;
        self.folder.remove(kid)
    }

    fn act(&self, action: AuditAction, kid: &str, now: Timestamp) -> AuditRecord {
        AuditRecord::new(now, self.trail.source(), action).object("token_key", kid)
    }

    fn current(&self) -> Arc<KeySnapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl KeySnapshot {
    fn times(&self) -> Vec<KeyTimes> {
        let times = |row: &KeyRow| KeyTimes {
            kid: row.kid.clone(),
            active: row.active,
            has_file: self.private.contains_key(&row.kid),
        };
        self.rows.iter().map(times).collect()
    }
}

/// This service verifies its own tokens by the published keys, as any other service does.
impl JwksSource for TokenKeys {
    fn fetch(&self) -> BoxFuture<'_, Result<JwkSet, SourceError>> {
        let set = self.published();
        Box::pin(async move { Ok(set) })
    }
}
