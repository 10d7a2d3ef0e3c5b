//! Stores what an import reads, in batches, each in one transaction. Lines about one person or thing become one entry.

use std::collections::{BTreeMap, BTreeSet};

use rovuma_schemas::MessageId;
use rovuma_store::{Conn, FutureExt, Insert, WriteError, padded_list, with_list};
use sqlx::Row;
use tokio::sync::mpsc;

use super::listed;
use crate::{
    error::DbError,
    lists::{Record, RecordSink, SinkError},
    screening::Listed,
    watchlist::Watchlist,
};

/// Batches that wait for the store. A reader that is faster waits.
pub(super) const BATCHES_WAITING: usize = 2;

/// Maximum records of a batch: every other write of the service waits while one is stored.
const BATCH_RECORDS: usize = 500;

/// About how many bytes of text a batch has at most. It bounds memory where records are long.
const BATCH_BYTES: usize = 512 * 1024;

/// How many bytes an entry may have for a further line to be joined to it. A line beyond becomes an entry of its own: its numbers count, and
/// a hostile list cannot make one entry grow without bound.
const JOINED_MAX_BYTES: usize = 64 * 1024;

/// Records that one statement looks up.
const LOOKED_UP_TOGETHER: usize = 64;

/// A record on its way to the store.
#[derive(Debug)]
pub(super) struct StagedRecord {
    /// The id of the record, or of the one that the line adds to.
    id: String,
    /// Whether it is the record itself.
    is_main: bool,
    line: u64,
    listed: Listed,
}

/// Takes records from the thread that reads a list, and hands them over in batches; or drops them, where nothing is to be stored.
pub(super) struct Sink {
    list: String,
    batches: Option<mpsc::Sender<Vec<StagedRecord>>>,
    batch: Vec<StagedRecord>,
    bytes: usize,
}

impl Sink {
    pub(super) fn new(list: String, batches: Option<mpsc::Sender<Vec<StagedRecord>>>) -> Self {
        Self { list, batches, batch: Vec::new(), bytes: 0 }
    }

    /// Hands the last batch over.
    pub(super) fn finish(mut self) -> Result<(), SinkError> {
        self.flush()
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        match &self.batches {
            Some(batches) if !batch.is_empty() => {
                batches.blocking_send(batch).map_err(|_| SinkError("the import was given up".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

impl RecordSink for Sink {
    fn record(&mut self, record: Record) -> Result<(), SinkError> {
        if self.batches.is_none() {
            return Ok(());
        }
        let (line, is_main) = (record.line, record.alias_of.is_none());
        let listed = listed::of(&self.list, record);
        self.bytes += size(&listed);
        self.batch.push(StagedRecord { id: listed.reference.clone(), is_main, line, listed });
        if self.batch.len() >= BATCH_RECORDS || self.bytes >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }
}

/// About how many bytes an entry has.
fn size(listed: &Listed) -> usize {
    const OF_A_NUMBER: usize = 128;
    let of = |subject: &crate::screening::ListedSubject| {
        subject.names.iter().chain(&subject.births).map(String::len).sum::<usize>()
            + subject.numbers.len() * OF_A_NUMBER
    };
    listed.subjects.iter().map(of).sum()
}

/// What staging found wrong with a list.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    /// Records with an id that another record has.
    same_ids: u64,
    /// Entries of lines that add to a record that the list does not have.
    without_record: u64,
}

impl Remarks {
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.same_ids > 0 {
            warnings.push(format!("{} records have the id of another record: each was kept", self.same_ids));
        }
        if self.without_record > 0 {
            warnings.push(format!(
                "{} records have only lines that add to them: the lines were kept",
                self.without_record
            ));
        }
        warnings
    }
}

/// Stores batches until there are no more.
pub(super) async fn store(
    watchlist: &Watchlist,
    import: MessageId,
    mut batches: mpsc::Receiver<Vec<StagedRecord>>,
) -> Result<Remarks, WriteError<DbError>> {
    let mut remarks = Remarks::default();
    while let Some(batch) = batches.recv().await {
        let write = watchlist.store.write(move |tx| async move { stage(tx, import, batch).await }.boxed());
        remarks.same_ids += write.await?;
    }
    let mut conn = watchlist.store.read().acquire().await.map_err(|fault| WriteError::Job(fault.into()))?;
    remarks.without_record = without_record(&mut conn, import).await.map_err(WriteError::Job)?;
    Ok(remarks)
}

async fn without_record(conn: &mut Conn, import: MessageId) -> Result<u64, DbError> {
    let row = sqlx::query("SELECT count(*) AS found FROM staged WHERE import = $1 AND has_main = 0")
        .bind(import.as_bytes().to_vec())
        .fetch_one(conn)
        .await?;
    let found: i64 = row.try_get("found")?;
    Ok(found.unsigned_abs())
}

/// An entry in `staged`.
struct Staged {
    has_main: bool,
    bytes: usize,
    listed: Listed,
}

const PUT: Insert = Insert {
    into: "INSERT INTO staged (import, record, has_main, body)",
    columns: 4,
    then: "ON CONFLICT (import, record) DO UPDATE SET has_main = excluded.has_main, body = excluded.body",
};

/// Stores a batch. Returns how many of its records have the id of another record.
async fn stage(tx: &mut Conn, import: MessageId, batch: Vec<StagedRecord>) -> Result<u64, DbError> {
    let ids: BTreeSet<&str> = batch.iter().map(|record| record.id.as_str()).collect();
    let mut known = find(tx, import, &ids.into_iter().collect::<Vec<_>>()).await?;
    let (mut changed, mut same_ids) = (BTreeSet::new(), 0);
    for StagedRecord { id, is_main, line, listed } in batch {
        let key = match known.get(&id) {
            Some(found) if found.has_main && is_main => {
                same_ids += 1;
                format!("{id}#{line}")
            }
            Some(found) if found.bytes > JOINED_MAX_BYTES => format!("{id}#{line}"),
            _ => id,
        };
        let bytes = size(&listed);
        match known.get_mut(&key) {
            Some(found) => {
                found.has_main |= is_main;
                found.bytes += bytes;
                listed::join(&mut found.listed, listed);
            }
            None => {
                known.insert(key.clone(), Staged { has_main: is_main, bytes, listed });
            }
        }
        changed.insert(key);
    }
    let mut rows = Vec::with_capacity(changed.len());
    for (record, staged) in known.iter().filter(|(record, _)| changed.contains(*record)) {
        let body = serde_json::to_string(&staged.listed).map_err(|fault| DbError::damaged("entry", fault))?;
        rows.push((record, staged.has_main, body));
    }
    PUT.rows(tx, &rows, |query, (record, has_main, body)| {
        query
            .bind(import.as_bytes().to_vec())
            .bind(record.as_str())
            .bind(i64::from(*has_main))
            .bind(body.as_str())
    })
    .await?;
    Ok(same_ids)
}

/// The records that are staged already.
pub(crate) const FIND: &str =
    "SELECT record, has_main, body FROM staged WHERE import = $1 AND record IN ({})";

async fn find(tx: &mut Conn, import: MessageId, ids: &[&str]) -> Result<BTreeMap<String, Staged>, DbError> {
    let mut known = BTreeMap::new();
    for chunk in ids.chunks(LOOKED_UP_TOGETHER) {
        let query = sqlx::query(with_list(FIND, 2, chunk.len())).bind(import.as_bytes().to_vec());
        let query = padded_list(chunk).fold(query, |query, id| query.bind(id));
        for row in &query.fetch_all(&mut *tx).await? {
            let listed = listed_of(row)?;
            let has_main: i64 = row.try_get("has_main")?;
            let staged = Staged { has_main: has_main != 0, bytes: size(&listed), listed };
            known.insert(row.try_get("record")?, staged);
        }
    }
    Ok(known)
}

fn listed_of(row: &sqlx::any::AnyRow) -> Result<Listed, DbError> {
    let body: &str = row.try_get("body")?;
    serde_json::from_str(body).map_err(|fault| DbError::damaged("staged entry", fault))
}

/// A page of an import's records after one, in their order.
pub(crate) const PAGE: &str =
    "SELECT record, body FROM staged WHERE import = $1 AND record > $2 ORDER BY record LIMIT $3";

/// Reads the records after `after`, at most `limit`, each with its entry, and the entry as it is stored.
pub(super) async fn page(
    conn: &mut Conn,
    import: MessageId,
    after: &str,
    limit: i64,
) -> Result<Vec<(String, Listed, String)>, DbError> {
    let rows =
        sqlx::query(PAGE).bind(import.as_bytes().to_vec()).bind(after).bind(limit).fetch_all(conn).await?;
    rows.iter().map(|row| Ok((row.try_get("record")?, listed_of(row)?, row.try_get("body")?))).collect()
}
