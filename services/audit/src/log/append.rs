//! Appends events: the only way into the log.

use std::{sync::Arc, time::Duration};

use rovuma_envelope::{Signer, digest};
use rovuma_schemas::{
    AgencyCode, Timestamp,
    audit::{AuditAction, AuditLeaf},
};
use rovuma_store::{Binding, Conn, Insert, Readers, RowExt};
use rovuma_trail::AuditRecord;
use sqlx::any::AnyRow;

use super::{
    ChainHead, Lineage, LogEvent, PayloadKey, Tree,
    payload::{self, SealedEvent},
    to_db,
};
use crate::{
    error::DbError,
    failure::{CrashPoint, crash_point},
    own::{self, OwnSource},
    witness::WitnessStatus,
};

/// Appends events: log identity, head-signing key, sealing key.
pub(crate) struct Sequencer {
    /// The service as a source of events; the log's origins begin with its name.
    pub(crate) own: OwnSource,
    /// The key that signs the log's heads.
    pub(crate) log_key: Arc<dyn Signer>,
    /// The key that seals the events' payloads.
    pub(crate) payload_key: PayloadKey,
    /// Since when no partner cosigns the log's heads.
    pub(crate) witness_status: WitnessStatus,
    /// After this time without a cosignature the log appends nothing more; `None`: it always appends.
    pub(crate) fail_closed_after: Option<Duration>,
}

/// Selects the store's identity, which is this log's epoch.
const IDENTITY: &str = "SELECT identity FROM store";

impl Sequencer {
    /// Begins a write at the end of the log, unless the log is closed because no partner cosigns it.
    pub(crate) async fn begin(self: &Arc<Self>, tx: &mut Conn, now: Timestamp) -> Result<Appender, DbError> {
        if self.witness_status.exceeds(self.fail_closed_after, now) {
            return Err(DbError::Unwitnessed);
        }
        self.begin_even_unwitnessed(tx, now).await
    }

    /// Begins a write for the log's own events, such as alarms, which a closed log records too. The store has one writer, so
    /// nobody else appends meanwhile. A new tree begins with the first event of a year, and after an abandoned tree.
    pub(crate) async fn begin_even_unwitnessed(
        self: &Arc<Self>,
        tx: &mut Conn,
        now: Timestamp,
    ) -> Result<Appender, DbError> {
        self.check_identity_row(sqlx::query(IDENTITY).fetch_one(&mut *tx).await?)?;
        match Tree::present(tx).await? {
            Some(tree) if tree.is_abandoned => self.begin_tree(tx, Some(tree), now).await,
            // A clock that went back does not reopen the tree of an old year, and one that leapt ahead by more than a year does
            // not begin a tree.
            Some(tree) if tree.year() >= now.year() => Ok(self.appender(tree, now)),
            Some(tree) if tree.year() + 1 < now.year() => {
                Err(DbError::Clock { origin: tree.origin, year: now.year() })
            }
            before => self.begin_tree(tx, before, now).await,
        }
    }

    /// Checks that the store still has the identity that it had when the service started. It gets another when a database
    /// server restores an older copy while the service runs, or when a partner holds a head that the store lacks. Leaves
    /// appended then would make a second history of the same tree.
    pub(crate) async fn check_identity(&self, pool: &Readers) -> Result<(), DbError> {
        self.check_identity_row(sqlx::query(IDENTITY).fetch_one(pool).await?)
    }

    fn check_identity_row(&self, row: AnyRow) -> Result<(), DbError> {
        if row.store_id("identity")? == self.own.epoch { Ok(()) } else { Err(DbError::StoreReplaced) }
    }

    async fn begin_tree(
        self: &Arc<Self>,
        tx: &mut Conn,
        before: Option<Tree>,
        now: Timestamp,
    ) -> Result<Appender, DbError> {
        let origin = Tree::next_origin(&self.own.source, before.as_ref(), now);
        let first_index = before.as_ref().map_or(0, Tree::next_index);
        tracing::info!(origin, first_index, "a new log begins");
        let tree = Tree::begin(tx, origin, first_index, self.log_key.as_ref(), now).await?;
        let mut event =
            AuditRecord::new(now, &self.own.source, AuditAction::LogBegin).object("log", &*tree.origin);
        if let Some(before) = before {
            // The new log's first entry records the old log's final head, so the old one cannot be rewritten.
            let head = before.head();
            let text = before.signed_text();
            event = event.detail("before", head.origin).detail("size", head.size).detail("root", head.root);
            // The detail `digest` is part of the leaf: SHA-256 of the old head's signed text.
            event = event.detail("digest", digest(&text));
        }
        let mut appender = self.appender(tree, now);
        own::record(tx, &mut appender, event).await?;
        Ok(appender)
    }

    fn appender(self: &Arc<Self>, tree: Tree, now: Timestamp) -> Appender {
        Appender { sequencer: Arc::clone(self), signed: tree.edge.size(), tree, pending: Vec::new(), now }
    }
}

impl std::fmt::Debug for Sequencer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sequencer").field("own", &self.own).finish_non_exhaustive()
    }
}

/// One write to the log. It assigns entry indices, and ends with [`Appender::finish`].
#[derive(Debug)]
#[must_use = "a write ends with `finish`"]
pub(crate) struct Appender {
    sequencer: Arc<Sequencer>,
    tree: Tree,
    /// The tree's size in the head that the store has signed.
    signed: u64,
    /// Events that are not written yet, each with its lineage's id.
    pending: Vec<(i64, LogEvent)>,
    now: Timestamp,
}

impl Appender {
    /// The time of this write.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The service's own source.
    pub(crate) fn own(&self) -> &OwnSource {
        &self.sequencer.own
    }

    /// The index of the next event that is appended.
    pub(crate) fn next_index(&self) -> u64 {
        self.tree.next_index() + self.pending.len() as u64
    }

    /// Appends events that continue `lineage`. The caller has checked that they do, and saves the lineage afterwards. The events
    /// of all sources are written together.
    pub(crate) fn append(&mut self, lineage: &mut Lineage, events: impl IntoIterator<Item = LogEvent>) {
        for event in events {
            lineage.head = ChainHead { sequence: event.sequence(), digest: event.digest() };
            self.pending.push((lineage.id, event));
        }
    }

    /// Writes the pending events.
    pub(crate) async fn write(&mut self, tx: &mut Conn) -> Result<(), DbError> {
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return Ok(());
        }
        crash_point(CrashPoint::Begun);
        let first_index = to_db(self.tree.next_index());
        let salts = payload::salts(pending.len())?;
        let (lineages, events): (Vec<i64>, Vec<LogEvent>) = pending.into_iter().unzip();
        let leaves: Vec<Vec<u8>> = events.iter().zip(&salts).map(|(event, salt)| leaf(event, salt)).collect();
        let sealed = self.sequencer.payload_key.seal_all(tx, first_index, &events, &salts).await?;
        crash_point(CrashPoint::Sealed);
        let rows: Vec<EntryRow<'_>> = (first_index..)
            .zip(lineages.into_iter().zip(&events))
            .zip(leaves.iter().zip(&sealed))
            .map(|((index, (lineage_id, event)), (leaf, sealed))| EntryRow {
                index,
                lineage_id,
                event,
                leaf,
                sealed,
                reference_key: self.sequencer.payload_key.reference_of(event),
            })
            .collect();
        insert(tx, self.now, &rows).await?;
        self.tree.append(tx, &leaves).await?;
        crash_point(CrashPoint::Hashes);
        Ok(())
    }

    /// Ends the write: saves the tree's new edge and its signed head in the same transaction as the leaves.
    pub(crate) async fn finish(mut self, tx: &mut Conn) -> Result<(), DbError> {
        self.write(tx).await?;
        if self.tree.edge.size() == self.signed {
            return Ok(());
        }
        self.tree.save(tx, self.sequencer.log_key.as_ref()).await?;
        crash_point(CrashPoint::Signed);
        Ok(())
    }
}

/// An event's leaf, the bytes that the tree hashes.
fn leaf(event: &LogEvent, salt: &[u8; 32]) -> Vec<u8> {
    AuditLeaf::of(event.event(), payload::commit(salt, event.bytes())).to_bytes()
}

/// The columns of one event in all its tables.
struct EntryRow<'a> {
    index: i64,
    lineage_id: i64,
    event: &'a LogEvent,
    leaf: &'a [u8],
    sealed: &'a SealedEvent,
    reference_key: Option<Vec<u8>>,
}

async fn insert(tx: &mut Conn, now: Timestamp, rows: &[EntryRow<'_>]) -> Result<(), DbError> {
    let entries = ENTRIES.rows(tx, rows, |query, row| {
        query
            .bind(row.index)
            .bind(row.lineage_id)
            .bind(to_db(row.event.sequence()))
            .bind(row.event.digest().as_bytes().to_vec())
            .bind(row.leaf)
            .bind(now.as_micros())
    });
    entries.await?;
    crash_point(CrashPoint::Entries);
    let payloads = PAYLOADS.rows(tx, rows, |query, row| {
        query.bind(row.index).bind(row.sealed.scope_id).bind(row.sealed.bytes.as_slice())
    });
    payloads.await?;
    crash_point(CrashPoint::Payloads);
    SEARCH.rows(tx, rows, |query, row| bind_search(query, row)).await?;
    crash_point(CrashPoint::Search);
    Ok(())
}

const ENTRIES: Insert = Insert {
    into: "INSERT INTO entry (entry_index, lineage_id, sequence, digest, leaf, stored_at)",
    columns: 6,
    then: "",
};

const PAYLOADS: Insert =
    Insert { into: "INSERT INTO payload (entry_index, scope_id, sealed)", columns: 3, then: "" };

const SEARCH: Insert = Insert {
    into: "INSERT INTO entry_search
             (entry_index, at, actor, agency, action, object_kind, object_id, message_id, outcome, reference_key)",
    columns: 10,
    then: "",
};

/// Binds the columns that auditors search by.
fn bind_search<'q>(query: Binding<'q>, row: &EntryRow<'q>) -> Binding<'q> {
    let event = row.event.event();
    let object = event.object.as_ref();
    query
        .bind(row.index)
        .bind(event.time.as_micros())
        .bind(event.actor.as_str())
        .bind(event.agency.as_ref().map(AgencyCode::as_str))
        .bind(event.action.as_str())
        .bind(object.map(|object| object.kind.as_str()))
        .bind(object.map(|object| object.id.as_str()))
        .bind(row.event.message_id())
        .bind(event.outcome.as_str())
        .bind(row.reference_key.clone())
}
