//! The keys that tokens are signed with: one signs, the next is published a day before it does, the
//! last stays published until its tokens have run out.
//!
//! Private keys are files in a folder of their own, `<kid>.pem`; the store has the public halves and
//! the times. A file is written before its row and removed after it, so that a crash in between leaves
//! a file without a row, which the next start removes. A signing key whose file was taken away is
//! withdrawn at the next start: so an operator revokes one.

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
use plan::{Change, KeyTimes};
use rows::KeyRow;

/// The keys, as they are now. One for the whole service.
pub(crate) struct Keys {
    store: Store,
    trail: Trail,
    folder: KeyFolder,
    rotate_after: Duration,
    ring: RwLock<Arc<Ring>>,
    /// One rotation at a time.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Ring {
    rows: Vec<KeyRow>,
    private: HashMap<String, Arc<TokenKey>>,
}

/// Keys that cannot be had or kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysFault {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{path} is not a key of ours: {reason}")]
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

impl Keys {
    /// Reads the keys, and draws the first one when there is none.
    pub(crate) async fn open(
        store: Store,
        trail: Trail,
        directory: PathBuf,
        rotate_after: Duration,
        now: Timestamp,
    ) -> Result<Self, KeysFault> {
        let folder = KeyFolder::open(directory)?;
        let keys = Self { store, trail, folder, rotate_after, ring: RwLock::default(), turn: <_>::default() };
        keys.load(now).await?;
        keys.tend(now).await?;
        Ok(keys)
    }

    /// The key that signs now.
    pub(crate) fn signer(&self, now: Timestamp) -> Result<Arc<TokenKey>, KeysFault> {
        let ring = self.ring();
        let kid = plan::signing(&ring.times(), now).ok_or(KeysFault::None)?;
        ring.private.get(&kid).cloned().ok_or(KeysFault::None)
    }

    /// All public keys: the next one, the signing one, and those whose tokens may still be in use.
    pub(crate) fn published(&self) -> JwkSet {
        JwkSet { keys: self.ring().rows.iter().map(|row| row.jwk.clone()).collect() }
    }

    /// Draws, withdraws and forgets keys, as their times ask.
    pub(crate) async fn tend(&self, now: Timestamp) -> Result<(), KeysFault> {
        let _turn = self.turn.lock().await;
        let changes = plan::changes(&self.ring().times(), self.rotate_after, now);
        for change in changes {
            match change {
                Change::Draw { active } => self.draw(active, now).await?,
                Change::Retire { kid } => self.folder.remove(&kid)?,
                Change::Forget { kid } => self.forget(&kid, "past", now).await?,
            }
            self.reload(now).await?;
        }
        Ok(())
    }

    async fn load(&self, now: Timestamp) -> Result<(), KeysFault> {
        self.reload(now).await?;
        let ring = self.ring();
        for row in &ring.rows {
            if !ring.private.contains_key(&row.kid) && plan::must_sign(&ring.times(), &row.kid, now) {
                tracing::warn!(kid = row.kid, "the private key is gone: the key is withdrawn");
                self.forget(&row.kid, "file_gone", now).await?;
            }
        }
        self.folder.keep_only(ring.rows.iter().map(|row| row.kid.as_str()))?;
        self.reload(now).await
    }

    async fn reload(&self, now: Timestamp) -> Result<(), KeysFault> {
        let mut conn = self.store.read().acquire().await?;
        let rows = rows::all(&mut conn).await?;
        let mut ring = Ring { rows, private: HashMap::new() };
        let times = ring.times();
        for row in ring.rows.iter().filter(|row| plan::must_sign(&times, &row.kid, now)) {
            if let Some(key) = self.folder.read(&row.kid)? {
                ring.private.insert(row.kid.clone(), Arc::new(key));
            }
        }
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        Ok(())
    }

    async fn draw(&self, active: Timestamp, now: Timestamp) -> Result<(), KeysFault> {
        let key = TokenKey::generate()?;
        self.folder.write(&key)?;
        let row = KeyRow { kid: key.kid().to_owned(), jwk: key.public().clone(), active };
        let first = self.ring().rows.is_empty();
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
        tracing::info!(kid = key.kid(), %active, "a key for tokens was drawn");
        Ok(())
    }

    async fn forget(&self, kid: &str, reason: &'static str, now: Timestamp) -> Result<(), KeysFault> {
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

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Ring {
    fn times(&self) -> Vec<KeyTimes> {
        let times = |row: &KeyRow| KeyTimes {
            kid: row.kid.clone(),
            active: row.active,
            has_file: self.private.contains_key(&row.kid),
        };
        self.rows.iter().map(times).collect()
    }
}

/// This service checks its own tokens like any other service does.
impl JwksSource for Keys {
    fn fetch(&self) -> BoxFuture<'_, Result<JwkSet, SourceError>> {
        let set = self.published();
        Box::pin(async move { Ok(set) })
    }
}
