//! What is listed, in the store.

use std::collections::BTreeSet;

use rovuma_schemas::{AgencyCode, CaseId};
use rovuma_store::{Conn, Insert, padded_list, with_list};
use sqlx::{Row, any::AnyRow};

use crate::{
    at_rest::AtRest,
    error::DbError,
    screening::{EntryNo, Index, Listed},
};

/// The list to which all alerts belong, whichever of our agencies has them. The entries of an imported list stand under the key of the
/// import that they came with: see `imports.rs`.
pub(crate) const ALERTS: &str = "alerts";

/// An entry as the index knows it.
pub(crate) type Entry = (EntryNo, Listed);

/// What a transaction changed: the index follows after its commit.
#[derive(Debug, Default)]
pub(crate) struct Change {
    /// Entries as they were.
    pub(crate) removed: Vec<Entry>,
    /// Entries as they are.
    pub(crate) added: Vec<Entry>,
}

impl Change {
    pub(crate) const fn is_nothing(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }
}

impl Index {
    /// Follows a change of the store.
    pub(crate) fn apply(&mut self, change: &Change) {
        for (entry, listed) in &change.removed {
            self.remove(*entry, listed);
        }
        for (entry, listed) in &change.added {
            self.add(*entry, listed);
        }
    }
}

/// Maximum entries that one statement reads.
const READ_MAX: usize = 64;

/// The entries with these numbers.
pub(crate) const READ: &str = "SELECT no, list, body FROM entry WHERE no IN ({})";

/// Reads the entries among these that are alerts, or of imports in force. One that is gone meanwhile is left out.
pub(crate) async fn read(
    conn: &mut Conn,
    at_rest: &AtRest,
    numbers: &BTreeSet<EntryNo>,
    in_force: &BTreeSet<String>,
) -> Result<Vec<Entry>, DbError> {
    let numbers: Vec<EntryNo> = numbers.iter().copied().collect();
    let mut entries = Vec::with_capacity(numbers.len());
    for chunk in numbers.chunks(READ_MAX) {
        let query = sqlx::query(with_list(READ, 1, chunk.len()));
        let query = padded_list(chunk).fold(query, |query, number| query.bind(i64::from(number)));
        for row in &query.fetch_all(&mut *conn).await? {
            let list: &str = row.try_get("list")?;
            if list == ALERTS || in_force.contains(list) {
                entries.push(entry(row, at_rest)?);
            }
        }
    }
    Ok(entries)
}

/// A page of all entries after a number, in their order.
pub(crate) const PAGE: &str = "SELECT no, body FROM entry WHERE no > $1 ORDER BY no LIMIT $2";

/// Reads the entries after `after`, at most `limit`.
pub(crate) async fn page(
    conn: &mut Conn,
    at_rest: &AtRest,
    after: EntryNo,
    limit: i64,
) -> Result<Vec<Entry>, DbError> {
    let rows = sqlx::query(PAGE).bind(i64::from(after)).bind(limit).fetch_all(conn).await?;
    rows.iter().map(|row| entry(row, at_rest)).collect()
}

/// A page of the alerts after a record, in the order of their records.
pub(crate) const ALERTS_PAGE: &str =
    "SELECT no, record, body FROM entry WHERE list = 'alerts' AND record > $1 ORDER BY record LIMIT $2";

/// Reads the alerts after a record, at most `limit`, each with its own.
pub(crate) async fn alerts_page(
    conn: &mut Conn,
    at_rest: &AtRest,
    after: &str,
    limit: i64,
) -> Result<Vec<(String, Listed)>, DbError> {
    let rows = sqlx::query(ALERTS_PAGE).bind(after).bind(limit).fetch_all(conn).await?;
    rows.iter().map(|row| Ok((row.try_get("record")?, entry(row, at_rest)?.1))).collect()
}

/// The entry of a record.
pub(crate) const FIND: &str = "SELECT no, body FROM entry WHERE list = $1 AND record = $2";

/// Finds the entry of a record.
pub(crate) async fn find(
    conn: &mut Conn,
    at_rest: &AtRest,
    list: &str,
    record: &str,
) -> Result<Option<Entry>, DbError> {
    let row = sqlx::query(FIND).bind(list).bind(record).fetch_optional(conn).await?;
    row.as_ref().map(|row| entry(row, at_rest)).transpose()
}

/// Stores an entry in the place of the one of the same record.
pub(crate) async fn put(
    tx: &mut Conn,
    at_rest: &AtRest,
    list: &str,
    record: &str,
    listed: Listed,
    change: &mut Change,
) -> Result<(), DbError> {
    let body = serde_json::to_string(&listed).map_err(|fault| DbError::damaged("entry", fault))?;
    let number = match find(tx, at_rest, list, record).await? {
        Some((_, known)) if known == listed => return Ok(()),
        Some((number, known)) => {
            sqlx::query("UPDATE entry SET body = $2 WHERE no = $1")
                .bind(i64::from(number))
                .bind(at_rest.write(body, &place(number))?)
                .execute(&mut *tx)
                .await?;
            change.removed.push((number, known));
            number
        }
        None => {
            let number = next_number(tx).await?;
            sqlx::query("INSERT INTO entry (no, list, record, body) VALUES ($1, $2, $3, $4)")
                .bind(i64::from(number))
                .bind(list)
                .bind(record)
                .bind(at_rest.write(body, &place(number))?)
                .execute(&mut *tx)
                .await?;
            number
        }
    };
    change.added.push((number, listed));
    Ok(())
}

/// Removes the entry of a record, if there is one.
pub(crate) async fn remove(
    tx: &mut Conn,
    at_rest: &AtRest,
    list: &str,
    record: &str,
    change: &mut Change,
) -> Result<(), DbError> {
    if let Some((number, known)) = find(tx, at_rest, list, record).await? {
        sqlx::query("DELETE FROM entry WHERE no = $1").bind(i64::from(number)).execute(tx).await?;
        change.removed.push((number, known));
    }
    Ok(())
}

/// The first entries under one key.
pub(crate) const FIRST_OF: &str = "SELECT no, body FROM entry WHERE list = $1 ORDER BY record LIMIT $2";

/// Reads the first entries under a key, at most `limit`.
pub(crate) async fn first_of(
    conn: &mut Conn,
    at_rest: &AtRest,
    key: &str,
    limit: i64,
) -> Result<Vec<Entry>, DbError> {
    let rows = sqlx::query(FIRST_OF).bind(key).bind(limit).fetch_all(conn).await?;
    rows.iter().map(|row| entry(row, at_rest)).collect()
}

const ADD: Insert = Insert { into: "INSERT INTO entry (no, list, record, body)", columns: 4, then: "" };

/// Adds records under a key that has none of them, and returns their entries.
pub(crate) async fn add(
    tx: &mut Conn,
    at_rest: &AtRest,
    key: &str,
    records: Vec<(String, Listed, String)>,
) -> Result<Vec<Entry>, DbError> {
    let first = next_number(tx).await?;
    let mut rows = Vec::with_capacity(records.len());
    for (number, (record, listed, body)) in (first..).zip(records) {
        rows.push((number, (record, listed, at_rest.write(body, &place(number))?)));
    }
    ADD.rows(tx, &rows, |query, (number, (record, _, body))| {
        query.bind(i64::from(*number)).bind(key).bind(record.as_str()).bind(body.as_str())
    })
    .await?;
    Ok(rows.into_iter().map(|(number, (_, listed, _))| (number, listed)).collect())
}

/// Deletes the entries with these numbers.
pub(crate) async fn delete(tx: &mut Conn, numbers: &[EntryNo]) -> Result<(), DbError> {
    for chunk in numbers.chunks(READ_MAX) {
        let query = sqlx::query(with_list("DELETE FROM entry WHERE no IN ({})", 1, chunk.len()));
        let query = padded_list(chunk).fold(query, |query, number| query.bind(i64::from(number)));
        query.execute(&mut *tx).await?;
    }
    Ok(())
}

/// The keys under which there are entries of imported lists. Each is found by the index, whatever stands under it.
pub(crate) async fn keys(conn: &mut Conn) -> Result<Vec<String>, DbError> {
    let (mut keys, mut after) = (Vec::new(), String::new());
    loop {
        let next = sqlx::query("SELECT list FROM entry WHERE list > $1 ORDER BY list LIMIT 1");
        let Some(row) = next.bind(after.as_str()).fetch_optional(&mut *conn).await? else {
            return Ok(keys);
        };
        after = row.try_get("list")?;
        if after != ALERTS {
            keys.push(after.clone());
        }
    }
}

/// The number of the next entry.
pub(crate) async fn next_number(tx: &mut Conn) -> Result<EntryNo, DbError> {
    let row = sqlx::query("SELECT coalesce(max(no), 0) + 1 AS next FROM entry").fetch_one(tx).await?;
    number(&row, "next")
}

/// The list to which an entry belongs in the store.
pub(crate) fn list_of(listed: &Listed) -> &str {
    if listed.alert.is_some() { ALERTS } else { &listed.list }
}

/// The name of an entry's record.
pub(crate) fn record(listed: &Listed) -> String {
    listed.alert.as_ref().map_or_else(|| listed.reference.clone(), |alert| record_of(&alert.case))
}

/// The version of an entry; of an imported record 0.
pub(crate) fn version(listed: &Listed) -> u32 {
    listed.alert.as_ref().map_or(0, |alert| alert.version)
}

/// The record of an alert in the view of one of our agencies. Each has its own: messages may have reached one and not the other.
pub(crate) fn view_of(case: &CaseId, agency: &AgencyCode) -> String {
    format!("{}/{agency}", record_of(case))
}

/// Reads the other views of these alerts, and makes one entry of all views of each.
pub(crate) async fn with_all_views(
    conn: &mut Conn,
    at_rest: &AtRest,
    entries: Vec<Entry>,
    own: impl Iterator<Item = &AgencyCode> + Clone,
) -> Result<Vec<Entry>, DbError> {
    let (mut whole, mut seen) = (Vec::with_capacity(entries.len()), BTreeSet::new());
    for (number, listed) in entries {
        let Some(alert) = listed.alert.as_ref() else {
            whole.push((number, listed));
            continue;
        };
        if !seen.insert(record_of(&alert.case)) {
            continue;
        }
        let case = alert.case.clone();
        whole.extend(self::alert(conn, at_rest, &case, own.clone()).await?.map(|listed| (number, listed)));
    }
    Ok(whole)
}

/// The alert in all its views as one; none that nobody has.
pub(crate) async fn alert(
    conn: &mut Conn,
    at_rest: &AtRest,
    case: &CaseId,
    own: impl Iterator<Item = &AgencyCode>,
) -> Result<Option<Listed>, DbError> {
    let mut views = Vec::new();
    for agency in own {
        views.extend(find(conn, at_rest, ALERTS, &view_of(case, agency)).await?.map(|(_, view)| view));
    }
    Ok(Listed::of_views(views))
}

/// The name of an alert's record.
pub(crate) fn record_of(case: &CaseId) -> String {
    format!("{}/{}", case.owner, case.id)
}

/// Whether one of our agencies has the alert.
pub(crate) fn is_held_by(listed: &Listed, agency: &AgencyCode) -> bool {
    listed.alert.as_ref().is_some_and(|alert| alert.held_by.contains(agency))
}

fn entry(row: &AnyRow, at_rest: &AtRest) -> Result<Entry, DbError> {
    let (number, body): (_, &str) = (number(row, "no")?, row.try_get("body")?);
    let body = at_rest.read(body, &place(number))?;
    let listed = serde_json::from_str(&body).map_err(|fault| DbError::damaged("entry", fault))?;
    Ok((number, listed))
}

/// The place of an entry's body, where it is sealed.
fn place(number: EntryNo) -> String {
    format!("entry {number}")
}

/// The number of an entry in a column.
pub(crate) fn number(row: &AnyRow, column: &str) -> Result<EntryNo, DbError> {
    let number: i64 = row.try_get(column)?;
    EntryNo::try_from(number).map_err(|fault| DbError::damaged("entry number", fault))
}
