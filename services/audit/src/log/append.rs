//! Appending: the only way into the log.

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
    Head, Lineage, LogEvent, PayloadKey, Tree,
    payload::{self, Sealed},
    to_db,
};
use crate::{
    error::DbError,
    failure::{Step, point},
    own::{self, OwnSource},
    witness::Watch,
};

/// What it takes to append: who the log is, the key that signs its heads, and the one that seals what events say.
pub(crate) struct Sequencer {
    /// The service as a source of events; the log's origins begin with its name.
    pub(crate) own: OwnSource,
    /// The log's key.
    pub(crate) log_key: Arc<dyn Signer>,
    /// The key of the payloads.
    pub(crate) payload_key: PayloadKey,
    /// Since when nobody vouches for the log's heads.
    pub(crate) watch: Watch,
    /// After so long of that nothing is appended.
    pub(crate) fail_closed_after: Option<Duration>,
}

/// The store's name.
const IDENTITY: &str = "SELECT identity FROM store";

impl Sequencer {
    /// Begins at the end of the log, unless that is closed because nobody cosigns it.
    pub(crate) async fn begin(self: &Arc<Self>, tx: &mut Conn, now: Timestamp) -> Result<Appender, DbError> {
        if self.watch.is_beyond(self.fail_closed_after, now) {
            return Err(DbError::Unwitnessed);
        }
        self.begin_always(tx, now).await
    }

    /// Begins at the end of the log for what the log says of itself, which a closed one takes too: how else would it be
    /// known? The store has one writer, so nobody else appends meanwhile. With the first event of a year a new tree begins,
    /// and after one that was abandoned.
    pub(crate) async fn begin_always(
        self: &Arc<Self>,
        tx: &mut Conn,
        now: Timestamp,
    ) -> Result<Appender, DbError> {
        self.is_ours(sqlx::query(IDENTITY).fetch_one(&mut *tx).await?)?;
        match Tree::present(tx).await? {
            Some(tree) if tree.is_abandoned => self.begin_tree(tx, Some(tree), now).await,
            // A clock that went back does not bring an old year back, and one that leaps does not begin a far one.
            Some(tree) if tree.year() >= now.year() => Ok(self.appender(tree, now)),
            Some(tree) if tree.year() + 1 < now.year() => {
                Err(DbError::Clock { origin: tree.origin, year: now.year() })
            }
            before => self.begin_tree(tx, before, now).await,
        }
    }

    /// Whether the store still has the name that it had when the service began. It gets another one when a server puts an
    /// older copy in the place of its database while we run, or when a partner holds what the store does not have: leaves of
    /// then and of now would be two histories.
    pub(crate) async fn still_the_same(&self, pool: &Readers) -> Result<(), DbError> {
        self.is_ours(sqlx::query(IDENTITY).fetch_one(pool).await?)
    }

    fn is_ours(&self, row: AnyRow) -> Result<(), DbError> {
        if row.store_id("identity")? == self.own.epoch { Ok(()) } else { Err(DbError::PutBack) }
    }

    async fn begin_tree(
        self: &Arc<Self>,
        tx: &mut Conn,
        before: Option<Tree>,
        now: Timestamp,
    ) -> Result<Appender, DbError> {
        let origin = Tree::next_origin(&self.own.source, before.as_ref(), now);
        let first_index = before.as_ref().map_or(0, Tree::next_index);
        tracing::info!(origin, first_index, "a log begins");
        let tree = Tree::begin(tx, origin, first_index, self.log_key.as_ref(), now).await?;
        let mut event =
            AuditRecord::new(now, &self.own.source, AuditAction::LogBegin).object("log", &*tree.origin);
        if let Some(before) = before {
            // What ended is held fast by what begins.
            let head = before.head();
            let text = before.signed_text();
            event = event.detail("before", head.origin).detail("size", head.size).detail("root", head.root);
            // The leaf has it: SHA-256 of the text that was signed of the tree before.
            event = event.detail("digest", digest(&text));
        }
        let mut appender = self.appender(tree, now);
        own::record(tx, &mut appender, event).await?;
        Ok(appender)
    }

    fn appender(self: &Arc<Self>, tree: Tree, now: Timestamp) -> Appender {
        Appender { sequencer: Arc::clone(self), signed: tree.edge.size(), tree, waiting: Vec::new(), now }
    }
}

impl std::fmt::Debug for Sequencer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sequencer").field("own", &self.own).finish_non_exhaustive()
    }
}

/// Gives out entry indices within one write, which ends with [`Appender::finish`].
#[derive(Debug)]
#[must_use = "a write ends with `finish`"]
pub(crate) struct Appender {
    sequencer: Arc<Sequencer>,
    tree: Tree,
    /// The tree's size as it is signed in the store.
    signed: u64,
    /// Events that are not written yet, each with its lineage.
    waiting: Vec<(i64, LogEvent)>,
    now: Timestamp,
}

impl Appender {
    /// When this write happens.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The service's own source.
    pub(crate) fn own(&self) -> &OwnSource {
        &self.sequencer.own
    }

    /// Where the next event that is appended will stand.
    pub(crate) fn next_index(&self) -> u64 {
        self.tree.next_index() + self.waiting.len() as u64
    }

    /// Appends events that continue `lineage`, which the caller has checked, and saves afterwards. They are written with
    /// those of other sources, all at once.
    pub(crate) fn append(&mut self, lineage: &mut Lineage, events: impl IntoIterator<Item = LogEvent>) {
        for event in events {
            lineage.head = Head { sequence: event.sequence(), digest: event.digest() };
            self.waiting.push((lineage.id, event));
        }
    }

    /// Writes what waits to be written.
    pub(crate) async fn write(&mut self, tx: &mut Conn) -> Result<(), DbError> {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        point(Step::Begun);
        let first_index = to_db(self.tree.next_index());
        let salts = payload::salts(waiting.len())?;
        let (lineages, events): (Vec<i64>, Vec<LogEvent>) = waiting.into_iter().unzip();
        let leaves: Vec<Vec<u8>> = events.iter().zip(&salts).map(|(event, salt)| leaf(event, salt)).collect();
        let sealed = self.sequencer.payload_key.seal_all(tx, first_index, &events, &salts).await?;
        point(Step::Sealed);
        let rows: Vec<Row<'_>> = (first_index..)
            .zip(lineages.into_iter().zip(&events))
            .zip(leaves.iter().zip(&sealed))
            .map(|((index, (lineage_id, event)), (leaf, sealed))| Row {
                index,
                lineage_id,
                event,
                leaf,
                sealed,
                case_key: self.sequencer.payload_key.case_of(event),
            })
            .collect();
        insert(tx, self.now, &rows).await?;
        self.tree.append(tx, &leaves).await?;
        point(Step::Hashes);
        Ok(())
    }

    /// Ends the write: the tree's new edge and its signed head are in the same transaction as the leaves.
    pub(crate) async fn finish(mut self, tx: &mut Conn) -> Result<(), DbError> {
        self.write(tx).await?;
        if self.tree.edge.size() == self.signed {
            return Ok(());
        }
        self.tree.save(tx, self.sequencer.log_key.as_ref()).await?;
        point(Step::Signed);
        Ok(())
    }
}

/// What the tree hashes of an event.
fn leaf(event: &LogEvent, salt: &[u8; 32]) -> Vec<u8> {
    AuditLeaf::of(event.event(), payload::commit(salt, event.bytes())).to_bytes()
}

/// Everything that is stored of an event.
struct Row<'a> {
    index: i64,
    lineage_id: i64,
    event: &'a LogEvent,
    leaf: &'a [u8],
    sealed: &'a Sealed,
    case_key: Option<Vec<u8>>,
}

async fn insert(tx: &mut Conn, now: Timestamp, rows: &[Row<'_>]) -> Result<(), DbError> {
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
    point(Step::Entries);
    let payloads = PAYLOADS.rows(tx, rows, |query, row| {
        query.bind(row.index).bind(row.sealed.scope_id).bind(row.sealed.bytes.as_slice())
    });
    payloads.await?;
    point(Step::Payloads);
    SEARCH.rows(tx, rows, |query, row| searched_by(query, row)).await?;
    point(Step::Search);
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
             (entry_index, at, actor, agency, action, object_kind, object_id, message_id, outcome, case_key)",
    columns: 10,
    then: "",
};

/// What auditors search by.
fn searched_by<'q>(query: Binding<'q>, row: &Row<'q>) -> Binding<'q> {
    let said = row.event.event();
    let object = said.object.as_ref();
    query
        .bind(row.index)
        .bind(said.time.as_micros())
        .bind(said.actor.as_str())
        .bind(said.agency.as_ref().map(AgencyCode::as_str))
        .bind(said.action.as_str())
        .bind(object.map(|object| object.kind.as_str()))
        .bind(object.map(|object| object.id.as_str()))
        .bind(row.event.message_id())
        .bind(said.outcome.as_str())
        .bind(row.case_key.clone())
}
