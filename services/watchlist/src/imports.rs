//! Imports lists: from the bytes of an upload to entries that are screened.
//!
//! ```text
//! upload ── feed ──> lists::read (a blocking thread) ── batches ──> staged
//!                                                                     │ the file is whole, and few enough records are gone
//!                                                                     v
//!            screening <── imported.import names the entries <──── entry, index
//! ```
//!
//! An import stores what it reads in `staged`. Once the file has been read to its end, `enforce` copies the records to `entry`, under a key
//! of the import's own, and to the index. Screening does not see them yet: it reads only entries whose key is in force. One short
//! transaction then changes the key. So a list is changed at one instant, no entry is missing at any, and what a killed import leaves
//! behind is never in force; [`sweep`] removes it.
//!
//! Architecture invariant: one import runs at a time, and only `enforce` changes which keys are in force.

mod enforce;
mod feed;
mod guard;
mod listed;
mod proposals;
mod reader;
mod staging;
mod sweep;

use std::time::Duration;

use axum::body::Body;
use rovuma_api::answers::watchlist::{ImportCounts, ListFile, SkippedRecord};
use rovuma_schemas::{Digest, MessageId};
use rovuma_store::WriteError;
use thiserror::Error;

#[cfg(test)]
pub(crate) use enforce::copy;
pub(crate) use enforce::{Enforced, change, remove};
pub(crate) use guard::reasons;
pub(crate) use proposals::{Proposal, ProposedAct, find as find_proposal, put as put_proposal};
pub(crate) use sweep::{clean, sweep};

use crate::{
    error::DbError,
    lists::{ListError, ListSource, Outcome},
    watchlist::Watchlist,
};

/// Maximum bytes of an upload. OFAC's list has 5 MB and the UN's 2; a country's list of stolen documents may have a million lines of 100.
pub(crate) const LIST_MAX_BYTES: usize = 256 * 1024 * 1024;

/// Maximum imported lists: every verdict names each of them, and a person must be able to read that.
pub(crate) const LISTS_MAX: usize = 16;

/// How long an import waits for a second person: who proposed it in one shift meets a colleague within a day, and what lies longer is old.
pub(crate) const PROPOSAL_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// The shortest and the longest name of a list.
const NAME_CHARS: std::ops::RangeInclusive<usize> = 2..=32;

/// Whether this may be the name of an imported list.
pub(crate) fn is_list_name(name: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
    NAME_CHARS.contains(&name.len()) && name.bytes().all(is_allowed) && name != crate::entries::ALERTS
}

/// The key of an import's entries.
pub(crate) fn key_of(list: &str, import: MessageId) -> String {
    format!("{list}#{import}")
}

/// A file that is to be imported.
#[derive(Debug)]
pub(crate) struct Upload {
    /// The name of the list.
    pub(crate) list: String,
    /// The form of the file.
    pub(crate) source: ListSource,
    /// How many bytes at the beginning of the body are OFAC's file of aliases.
    pub(crate) aliases_bytes: Option<u64>,
    /// The file.
    pub(crate) body: Body,
}

/// A file that was read to its end.
#[derive(Debug)]
pub(crate) struct ReadFile {
    pub(crate) digest: Digest,
    pub(crate) outcome: Outcome,
}

/// Why a file is not imported.
#[derive(Debug, Error)]
pub(crate) enum ImportFault {
    /// The list is refused whole.
    #[error(transparent)]
    List(#[from] ListError),
    /// The upload broke off, or is too long.
    #[error("the body did not arrive whole: {0}")]
    Body(#[source] axum::Error),
    /// The upload is shorter than the file of aliases should be.
    #[error("the body is shorter than aliases_bytes")]
    NoList,
    /// The store does not take it.
    #[error("the store: {0}")]
    Write(#[from] WriteError<DbError>),
    /// The thread that reads the list failed.
    #[error("reading the list failed: {0}")]
    Thread(#[from] tokio::task::JoinError),
}

/// Reads a file to its end. With `into`, its records are staged as this import.
pub(crate) async fn read(
    watchlist: &Watchlist,
    upload: Upload,
    into: Option<MessageId>,
) -> Result<ReadFile, ImportFault> {
    let Upload { list, source, aliases_bytes, body } = upload;
    let (feed, input, aliases) = feed::channel(aliases_bytes);
    let (batches, staged) = tokio::sync::mpsc::channel(staging::BATCHES_WAITING);
    let reading = tokio::task::spawn_blocking(move || {
        let mut sink = staging::Sink::new(list, into.map(|_| batches));
        let (mut input, mut aliases) = (input, aliases);
        let more = aliases.as_mut().map(|aliases| aliases as &mut dyn std::io::BufRead);
        let read = crate::lists::read(source, &mut input, more, &mut sink);
        read.and_then(|outcome| sink.finish().map(|()| outcome).map_err(ListError::from))
    });
    let stage = async {
        match into {
            Some(import) => staging::store(watchlist, import, staged).await,
            None => Ok(staging::Remarks::default()),
        }
    };
    let (fed, read, staged) = tokio::join!(feed.run(body), reading, stage);
    // The store's failure and the broken body are the causes of what the reader says then.
    let remarks = staged?;
    let digest = fed?;
    let mut outcome = read??;
    let digest = digest.ok_or(ImportFault::NoList)?;
    outcome.warnings.extend(remarks.warnings());
    Ok(ReadFile { digest, outcome })
}

impl ReadFile {
    /// What is kept of the file while its list is in force.
    pub(crate) fn file(&self, dated: Option<String>) -> ListFile {
        ListFile {
            digest: self.digest.to_string(),
            dated,
            records: self.outcome.sections.values().sum(),
            sections: self.outcome.sections.clone(),
        }
    }

    pub(crate) fn counts(&self) -> ImportCounts {
        let counts = &self.outcome.counts;
        ImportCounts {
            persons: counts.persons,
            organisations: counts.organisations,
            aliases_good: counts.aliases_good,
            aliases_weak: counts.aliases_weak,
            births: counts.births.iter().map(|(form, count)| ((*form).to_owned(), *count)).collect(),
            documents: counts.documents,
            ranges: counts.ranges,
            vehicles: counts.vehicles,
            skipped: counts.skipped,
        }
    }

    pub(crate) fn skipped(&self) -> Vec<SkippedRecord> {
        let shown = self.outcome.skipped.iter();
        shown
            .map(|skipped| SkippedRecord {
                line: skipped.line,
                record: skipped.record.clone(),
                reason: skipped.reason.clone(),
            })
            .collect()
    }
}
