//! What every request needs.

use std::sync::Arc;

use rovuma_policy::Policy;
use rovuma_runtime::SharedClock;
use rovuma_schemas::{AgencyCode, CountryCode, Timestamp};
use rovuma_store::Store;
use rovuma_tokens::TokenVerifier;
use sqlx::Row as _;

use crate::{log::Sequencer, publish::LogFolder};

/// The log of a country, and who may look into it.
pub(crate) struct Auditor {
    /// Whose log it is.
    pub(crate) country: CountryCode,
    /// The log.
    pub(crate) store: Store,
    /// Whether its store is a file.
    pub(crate) is_file: bool,
    /// What appends to it, and opens what it says.
    pub(crate) sequencer: Arc<Sequencer>,
    /// The public files of the logs.
    pub(crate) folder: LogFolder,
    /// The configured sources, those that never wrote included.
    pub(crate) producers: Vec<String>,
    /// Who may do what.
    pub(crate) policy: Policy,
    /// Whose tokens are taken.
    pub(crate) tokens: TokenVerifier,
    /// What time it is.
    pub(crate) clock: SharedClock,
}

impl Auditor {
    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The agency that stands for the installation: its log is the whole country's.
    pub(crate) fn node(&self) -> AgencyCode {
        AgencyCode::node_of(self.country)
    }

    /// After an erasure: what was written before it stands in SQLite's write-ahead log until that is emptied.
    pub(crate) async fn forget_what_was_erased(&self) {
        if !self.is_file {
            return;
        }
        let emptied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(self.store.read()).await;
        match emptied.and_then(|row| row.try_get::<i64, _>(0)) {
            Ok(0) => {}
            Ok(_) => {
                tracing::warn!("what was erased stands in the write-ahead log until no reader is in the way")
            }
            Err(fault) => tracing::warn!(%fault, "the write-ahead log was not emptied after an erasure"),
        }
    }
}
