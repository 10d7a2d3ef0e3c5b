//! Whether an open store still works: it reads, it writes, and its file is the one that was opened.

use std::time::Duration;

use sqlx::query;
use tokio::time::timeout;

use crate::{Store, WriteError};

/// How long a probe waits for an answer. A store that takes longer to write one row keeps every caller waiting as long.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Why a store does not work.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// It cannot be read.
    #[error("reading the store: {0}")]
    Read(#[from] sqlx::Error),
    /// It cannot be written.
    #[error("writing the store: {0}")]
    Write(#[from] WriteError<sqlx::Error>),
    /// Its file is gone, or another file is in its place. What is written to the open file would be lost.
    #[error("the store's file is gone, or another file is in its place")]
    FileGone,
    /// It does not answer in time.
    #[error("the store did not answer within {} s", ANSWER_WITHIN.as_secs())]
    TooSlow,
}

impl Store {
    /// Reads and writes a row, as every request does, and checks that a file is still in its place.
    ///
    /// # Errors
    /// [`ProbeError`]: the reason why requests fail at present.
    pub async fn probe(&self) -> Result<(), ProbeError> {
        timeout(ANSWER_WITHIN, self.probe_patiently()).await.unwrap_or(Err(ProbeError::TooSlow))
    }

    async fn probe_patiently(&self) -> Result<(), ProbeError> {
        if !self.file_is_in_place() {
            return Err(ProbeError::FileGone);
        }
        query("SELECT identity FROM store").fetch_one(self.read()).await?;
        // Changes nothing, and is committed to disk all the same.
        let write = self.write(|tx| {
            Box::pin(async move { query("UPDATE store SET identity = identity").execute(tx).await.map(drop) })
        });
        Ok(write.await?)
    }
}
