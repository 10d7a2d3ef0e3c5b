//! The state that every request shares.

use std::sync::Arc;

use rovuma_policy::Policy;
use rovuma_runtime::SharedClock;
use rovuma_schemas::{AgencyCode, CountryCode, Timestamp};
use rovuma_store::Store;
use rovuma_tokens::TokenVerifier;
use sqlx::Row as _;

use crate::{log::Sequencer, publish::LogFolder};

/// The log of a country, and the rules for access to it.
pub(crate) struct Auditor {
    /// The country whose log it is.
    pub(crate) country: CountryCode,
    /// The log's store.
    pub(crate) store: Store,
    /// Whether the store is a SQLite file.
    pub(crate) is_file: bool,
    /// Appends events, and holds the key that opens payloads.
    pub(crate) sequencer: Arc<Sequencer>,
    /// The logs' public files.
    pub(crate) folder: LogFolder,
    /// The configured sources, those that never wrote included.
    pub(crate) producers: Vec<String>,
    /// The access policies.
    pub(crate) policy: Policy,
    /// Verifies access tokens.
    pub(crate) tokens: TokenVerifier,
    /// The clock.
    pub(crate) clock: SharedClock,
}

impl Auditor {
    /// The present time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The node: its auditors see the whole country's log.
    pub(crate) fn node(&self) -> AgencyCode {
        AgencyCode::node_of(self.country)
    }

    /// After an erasure: what was written before it stands in SQLite's write-ahead log until that is emptied.
    pub(crate) async fn truncate_write_ahead_log(&self) {
        if !self.is_file {
            return;
        }
        let emptied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(self.store.read()).await;
        match emptied.and_then(|row| row.try_get::<i64, _>(0)) {
            Ok(0) => {}
            Ok(_) => {
                tracing::warn!("the write-ahead log still holds erased data, because a reader is using it")
            }
            Err(fault) => tracing::warn!(%fault, "the write-ahead log was not emptied after an erasure"),
        }
    }
}
