//! Searches the entries.

use std::collections::{BTreeMap, btree_map::Entry};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_api::answers::audit::{EntryCount, ErasureFacts, LogEntry, UncoveredEntries};
use rovuma_policy::{Permit, act};
use rovuma_schemas::{
    AgencyCode, Epoch, Timestamp,
    audit::{AuditEvent, AuditLeaf, AuditOutcome},
};
use rovuma_store::{Readers, RowExt};
use serde::Deserialize;
use serde_json::value::RawValue;
use sqlx::{AssertSqlSafe, Row, any::AnyRow};
use utoipa::ToSchema;

use super::{EventFilter, Sequencer, SortOrder, payload::OpenedEvent, to_db};
use crate::error::DbError;

/// The part of a search's entries that is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EntryRange {
    /// The last entry that the caller already has.
    pub(crate) after: Option<u64>,
    /// Only entries below this index.
    pub(crate) end: u64,
    /// Maximum number of entries.
    pub(crate) fetch: u32,
}

type AnyQuery = sqlx::query::Query<'static, sqlx::Any, sqlx::any::AnyArguments>;

/// A value that is bound to a condition.
enum SqlValue {
    Text(String),
    Number(i64),
    Bytes(Vec<u8>),
}

/// SQL conditions and their values. The texts are fixed; only values come from callers, and they are bound.
#[derive(Default)]
struct SqlConditions {
    text: String,
    values: Vec<SqlValue>,
}

impl SqlConditions {
    /// The conditions of a search: those of its range and filter, and those of the permit.
    fn of(
        sequencer: &Sequencer,
        permit: &Permit<act::AuditSearch>,
        filter: &EventFilter,
        range: &EntryRange,
    ) -> Self {
        let mut conditions = Self::default();
        add_range(&mut conditions, range, filter.order);
        add_owner(&mut conditions, permit);
        add_filter(&mut conditions, filter);
        if let Some(reference) = &filter.reference {
            conditions.add_reference(sequencer.payload_key.lookup_key(reference), permit, range.end);
        }
        conditions
    }

    /// Adds the condition of a reference: events that name it, and events about messages of which an event names it. Only
    /// events below `end` and, for an agency's log, of the same agency connect a message with the reference: nobody learns from a
    /// search what reference another agency gave a message.
    fn add_reference(&mut self, reference_key: Vec<u8>, permit: &Permit<act::AuditSearch>, end: u64) {
        let owner = permit.resource().owner();
        let mut bind = |value| {
            self.values.push(value);
            format!("${}", self.values.len())
        };
        let (reference, end) = (bind(SqlValue::Bytes(reference_key)), bind(SqlValue::Number(to_db(end))));
        let owner_condition = match owner.is_node() {
            true => String::new(),
            false => format!(" AND c.agency = {}", bind(SqlValue::Text(owner.to_string()))),
        };
        self.text.push_str(&format!(
            " AND (s.reference_key = {reference} OR s.message_id IN
                (SELECT c.message_id FROM entry_search c WHERE c.reference_key = {reference} AND c.entry_index < {end}{owner_condition}))"
        ));
    }

    fn bind(self, query: AnyQuery) -> AnyQuery {
        self.values.into_iter().fold(query, |query, value| match value {
            SqlValue::Text(text) => query.bind(text),
            SqlValue::Number(number) => query.bind(number),
            SqlValue::Bytes(bytes) => query.bind(bytes),
        })
    }

    /// Adds a condition, in which `?` stands for the value.
    fn add(&mut self, condition: &'static str, value: SqlValue) {
        self.values.push(value);
        let placeholder = format!("${}", self.values.len());
        self.text.push_str(if self.values.len() == 1 { " WHERE " } else { " AND " });
        self.text.push_str(&condition.replace('?', &placeholder));
    }

    fn add_text(&mut self, condition: &'static str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.add(condition, SqlValue::Text(value.to_string()));
        }
    }
}

/// The number of entries in the log.
pub(crate) async fn length(pool: &Readers) -> Result<u64, DbError> {
    let row =
        sqlx::query("SELECT COALESCE(MAX(entry_index) + 1, 0) AS length FROM entry").fetch_one(pool).await?;
    Ok(row.count("length")?)
}

/// Counts the entries below `end` that the filter and the permit let pass.
pub(crate) async fn count(
    pool: &Readers,
    sequencer: &Sequencer,
    permit: &Permit<act::AuditSearch>,
    filter: &EventFilter,
    end: u64,
) -> Result<u64, DbError> {
    let conditions = SqlConditions::of(sequencer, permit, filter, &EntryRange { after: None, end, fetch: 0 });
    let text = format!(
        "SELECT COUNT(*) AS found FROM entry_search s JOIN entry e ON e.entry_index = s.entry_index{}",
        conditions.text
    );
    Ok(conditions.bind(sqlx::query(AssertSqlSafe(text))).fetch_one(pool.aside()).await?.count("found")?)
}

/// The entries from `end` on that the filter and the permit let pass, in a log of `length` entries; `None` when there are none.
pub(crate) async fn uncovered(
    pool: &Readers,
    sequencer: &Sequencer,
    permit: &Permit<act::AuditSearch>,
    filter: &EventFilter,
    (end, length): (u64, u64),
) -> Result<Option<UncoveredEntries>, DbError> {
    let filter = EventFilter { order: SortOrder::Oldest, ..filter.clone() };
    let range = EntryRange { after: end.checked_sub(1), end: length, fetch: 0 };
    let conditions = SqlConditions::of(sequencer, permit, &filter, &range);
    let text = format!(
        "SELECT COUNT(*) AS found, MIN(e.stored_at) AS since
         FROM entry_search s JOIN entry e ON e.entry_index = s.entry_index{}",
        conditions.text
    );
    let row = conditions.bind(sqlx::query(AssertSqlSafe(text))).fetch_one(pool).await?;
    let (count, since) = (row.count("found")?, row.opt_instant("since")?);
    Ok(since.map(|since| UncoveredEntries { count, since }))
}

/// Whether any entry has this action.
pub(crate) async fn has_action(pool: &Readers, action: &str) -> Result<bool, DbError> {
    let row = sqlx::query("SELECT 1 FROM entry_search WHERE action = $1 LIMIT 1").bind(action);
    Ok(row.fetch_optional(pool).await?.is_some())
}

/// Whether any entry that the permit lets pass is by this actor.
pub(crate) async fn has_actor(
    pool: &Readers,
    permit: &Permit<act::AuditSearch>,
    actor: &str,
) -> Result<bool, DbError> {
    let mut conditions = SqlConditions::default();
    conditions.add("s.actor = ?", SqlValue::Text(actor.to_owned()));
    add_owner(&mut conditions, permit);
    let text = format!("SELECT 1 FROM entry_search s{} LIMIT 1", conditions.text);
    Ok(conditions.bind(sqlx::query(AssertSqlSafe(text))).fetch_optional(pool).await?.is_some())
}

/// Whether any entry has an object of this kind. No index leads to it: only unknown kinds are looked for.
pub(crate) async fn has_object_kind(pool: &Readers, kind: &str) -> Result<bool, DbError> {
    let row = sqlx::query("SELECT 1 FROM entry_search WHERE object_kind = $1 LIMIT 1").bind(kind);
    Ok(row.fetch_optional(pool.aside()).await?.is_some())
}

/// The sources that have ever written.
pub(crate) async fn sources(pool: &Readers) -> Result<Vec<String>, DbError> {
    let rows = sqlx::query("SELECT DISTINCT source FROM lineage ORDER BY source").fetch_all(pool).await?;
    Ok(rows.iter().map(|row| row.try_get("source")).collect::<Result<_, _>>()?)
}

/// Whether any entry is by somebody of this agency.
pub(crate) async fn has_agency(pool: &Readers, agency: &AgencyCode) -> Result<bool, DbError> {
    let row = sqlx::query("SELECT 1 FROM entry_search WHERE agency = $1 LIMIT 1").bind(agency.as_str());
    Ok(row.fetch_optional(pool).await?.is_some())
}

/// Number of newest entries whose actors are suggested: a day of a busy agency, and quickly read.
const RECENT_ENTRIES: u32 = 10_000;

/// The actors of the newest entries that the permit lets pass.
pub(crate) async fn recent_actors(
    pool: &Readers,
    permit: &Permit<act::AuditSearch>,
) -> Result<Vec<String>, DbError> {
    let mut conditions = SqlConditions::default();
    add_owner(&mut conditions, permit);
    recent(pool, "actor", conditions).await
}

/// The agencies of the newest entries, for a caller who may name any.
pub(crate) async fn recent_agencies(pool: &Readers) -> Result<Vec<String>, DbError> {
    recent(pool, "agency", SqlConditions::default()).await
}

/// The different values of a column in the newest entries that meet the conditions.
async fn recent(
    pool: &Readers,
    column: &'static str,
    conditions: SqlConditions,
) -> Result<Vec<String>, DbError> {
    let text = format!(
        "SELECT DISTINCT recent.{column} FROM (SELECT s.{column} FROM entry_search s{}
         ORDER BY s.entry_index DESC LIMIT {RECENT_ENTRIES}) recent
         WHERE recent.{column} IS NOT NULL ORDER BY recent.{column}",
        conditions.text
    );
    let rows = conditions.bind(sqlx::query(AssertSqlSafe(text))).fetch_all(pool).await?;
    Ok(rows.iter().map(|row| row.try_get(column)).collect::<Result<_, _>>()?)
}

/// The index of the last order that erased one of these entries.
pub(crate) async fn last_order(
    pool: &Readers,
    sequencer: &Sequencer,
    permit: &Permit<act::AuditSearch>,
    filter: &EventFilter,
    end: u64,
) -> Result<Option<u64>, DbError> {
    let conditions = SqlConditions::of(sequencer, permit, filter, &EntryRange { after: None, end, fetch: 0 });
    let text =
        format!("SELECT MAX(p.erased_by) AS last FROM entry_search s {WITH_PAYLOAD}{}", conditions.text);
    Ok(conditions.bind(sqlx::query(AssertSqlSafe(text))).fetch_one(pool.aside()).await?.opt_count("last")?)
}

/// Counts these entries in each span of time, grouped by a column. The oldest span comes first.
pub(crate) async fn counts(
    pool: &Readers,
    sequencer: &Sequencer,
    permit: &Permit<act::AuditSearch>,
    filter: &EventFilter,
    (span, by): (CountSpan, CountBy),
    (end, fetch): (u64, u32),
) -> Result<Vec<EntryCount>, DbError> {
    let conditions = SqlConditions::of(sequencer, permit, filter, &EntryRange { after: None, end, fetch: 0 });
    let text = format!(
        "SELECT s.at / {} AS span, {} AS value, COUNT(*) AS counted
         FROM entry_search s JOIN entry e ON e.entry_index = s.entry_index{}
         GROUP BY 1, 2 ORDER BY 1, 2 LIMIT {fetch}",
        span.micros(),
        by.column(),
        conditions.text
    );
    let rows = conditions.bind(sqlx::query(AssertSqlSafe(text))).fetch_all(pool.aside()).await?;
    let parse = |row: &AnyRow| {
        let from = row.try_get::<i64, _>("span")?.checked_mul(span.micros());
        let from = from.and_then(|micros| Timestamp::from_micros(micros).ok());
        let from = from.ok_or_else(|| DbError::damaged("time", "it is out of range"))?;
        Ok(EntryCount { from, value: row.try_get("value")?, count: row.count("counted")? })
    };
    rows.iter().map(parse).collect()
}

/// A span of time (UTC) in which entries are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CountSpan {
    /// An hour.
    Hour,
    /// A day.
    Day,
}

impl CountSpan {
    const fn micros(self) -> i64 {
        match self {
            Self::Hour => 3_600_000_000,
            Self::Day => 24 * Self::Hour.micros(),
        }
    }
}

/// The column by which counted entries are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CountBy {
    /// Grouped by time alone.
    All,
    /// The action.
    Action,
    /// The actor.
    Actor,
    /// The actor's agency.
    Agency,
    /// The object's kind.
    ObjectKind,
    /// The outcome.
    Outcome,
}

impl CountBy {
    const fn column(self) -> &'static str {
        match self {
            Self::All => "NULL",
            Self::Action => "s.action",
            Self::Actor => "s.actor",
            Self::Agency => "s.agency",
            Self::ObjectKind => "s.object_kind",
            Self::Outcome => "s.outcome",
        }
    }
}

/// Reads the entries that the filter and the permit let pass.
pub(crate) async fn entries(
    pool: &Readers,
    sequencer: &Sequencer,
    permit: &Permit<act::AuditSearch>,
    filter: &EventFilter,
    range: &EntryRange,
) -> Result<Vec<LogEntry>, DbError> {
    let conditions = SqlConditions::of(sequencer, permit, filter, range);
    let order = match filter.order {
        SortOrder::Newest => "DESC",
        SortOrder::Oldest => "ASC",
    };
    let text = format!(
        "SELECT {ENTRY_COLUMNS} FROM entry_search s {WITH_PAYLOAD}{} \
         ORDER BY s.entry_index {order} LIMIT {}",
        conditions.text, range.fetch
    );
    let rows = conditions.bind(sqlx::query(AssertSqlSafe(text))).fetch_all(pool.aside()).await?;
    rows.iter().map(|row| entry_of_row(row, sequencer)).collect()
}

fn add_range(conditions: &mut SqlConditions, range: &EntryRange, order: SortOrder) {
    conditions.add("s.entry_index < ?", SqlValue::Number(to_db(range.end)));
    if let Some(after) = range.after {
        let condition = match order {
            SortOrder::Newest => "s.entry_index < ?",
            SortOrder::Oldest => "s.entry_index > ?",
        };
        conditions.add(condition, SqlValue::Number(to_db(after)));
    }
}

/// Restricts a search to the agency whose log the permit is for; `<cc>.node` stands for the whole country's log.
fn add_owner(conditions: &mut SqlConditions, permit: &Permit<act::AuditSearch>) {
    let owner = permit.resource().owner();
    if !owner.is_node() {
        conditions.add("s.agency = ?", SqlValue::Text(owner.to_string()));
    }
}

fn add_filter(conditions: &mut SqlConditions, filter: &EventFilter) {
    if let Some(from) = filter.from {
        conditions.add("s.at >= ?", SqlValue::Number(from.as_micros()));
    }
    if let Some(to) = filter.to {
        conditions.add("s.at < ?", SqlValue::Number(to.as_micros()));
    }
    conditions.add_text("s.actor = ?", filter.actor.as_ref());
    conditions.add_text("s.agency = ?", filter.agency.as_ref().filter(|agency| agency.is_node()));
    conditions.add_text("s.action = ?", filter.action.as_ref());
    conditions.add_text("s.object_kind = ?", filter.object_kind.as_ref());
    conditions.add_text("s.object_id = ?", filter.object.as_ref());
    conditions.add_text("s.message_id = ?", filter.message.as_ref());
    conditions.add_text("s.outcome = ?", filter.outcome.map(AuditOutcome::as_str));
    conditions.add_text(
        "e.lineage_id IN (SELECT lineage_id FROM lineage WHERE source = ?)",
        filter.source.as_ref(),
    );
}

/// An entry and its actor's agency.
pub(crate) type OwnedEntry = (LogEntry, Option<AgencyCode>);

/// Finds an event by its identity.
pub(crate) async fn find_event(
    pool: &Readers,
    sequencer: &Sequencer,
    source: &str,
    epoch: Epoch,
    sequence: u64,
) -> Result<Option<OwnedEntry>, DbError> {
    let Ok(sequence) = i64::try_from(sequence) else { return Ok(None) };
    let text = format!(
        "SELECT {ENTRY_COLUMNS}, s.agency FROM entry_search s {WITH_PAYLOAD}
         JOIN lineage l ON l.lineage_id = e.lineage_id
         WHERE l.source = $1 AND l.epoch = $2 AND e.sequence = $3"
    );
    let query =
        sqlx::query(AssertSqlSafe(text)).bind(source).bind(epoch.as_bytes().as_slice()).bind(sequence);
    query.fetch_optional(pool).await?.map(|row| owned_entry(&row, sequencer)).transpose()
}

/// The order with this index. Whoever may not see the log of the agency that gave it sees that it was given, and no more.
pub(crate) async fn find_order(
    pool: &Readers,
    sequencer: &Sequencer,
    owner: &AgencyCode,
    index: u64,
) -> Result<LogEntry, DbError> {
    let found = find_at(pool, sequencer, index).await?;
    let (entry, agency) =
        found.ok_or_else(|| DbError::damaged("erasure", format!("its order {index} is missing")))?;
    let is_theirs = owner.is_node() || agency.as_ref() == Some(owner);
    Ok(if is_theirs { entry } else { LogEntry { event: None, salt: None, ..entry } })
}

/// Adds to erased entries the facts of the orders that erased them, as far as the permit's owner may know them.
pub(crate) async fn add_erasures(
    pool: &Readers,
    sequencer: &Sequencer,
    permit: &Permit<act::AuditSearch>,
    entries: &mut [LogEntry],
) -> Result<(), DbError> {
    let mut orders = BTreeMap::new();
    for entry in entries {
        let Some(order) = entry.erased_by else { continue };
        let facts: &mut ErasureFacts = match orders.entry(order) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let found = find_order(pool, sequencer, permit.resource().owner(), order).await?;
                unknown.insert(erasure_facts(&found)?)
            }
        };
        entry.erasure = Some(facts.clone());
    }
    Ok(())
}

fn erasure_facts(order: &LogEntry) -> Result<ErasureFacts, DbError> {
    let leaf = AuditLeaf::from_bytes(order.leaf.get().as_bytes());
    let leaf = leaf.map_err(|fault| DbError::damaged("leaf", fault))?;
    let event = order.event.as_ref().map(|event| serde_json::from_str::<AuditEvent>(event.get()));
    let event = event.transpose().map_err(|fault| DbError::damaged("event", fault))?;
    let legal_basis = event.and_then(|mut event| event.details.remove("legal_basis"));
    Ok(ErasureFacts { at: leaf.time, agency: leaf.agency, legal_basis })
}

/// Finds the entry with this index.
async fn find_at(pool: &Readers, sequencer: &Sequencer, index: u64) -> Result<Option<OwnedEntry>, DbError> {
    let text = format!(
        "SELECT {ENTRY_COLUMNS}, s.agency FROM entry_search s {WITH_PAYLOAD} WHERE s.entry_index = $1"
    );
    let query = sqlx::query(AssertSqlSafe(text)).bind(to_db(index));
    query.fetch_optional(pool).await?.map(|row| owned_entry(&row, sequencer)).transpose()
}

fn owned_entry(row: &AnyRow, sequencer: &Sequencer) -> Result<OwnedEntry, DbError> {
    let agency: Option<String> = row.try_get("agency")?;
    let agency = agency.map(|code| code.parse()).transpose();
    Ok((entry_of_row(row, sequencer)?, agency.map_err(|fault| DbError::damaged("agency", fault))?))
}

/// The columns that a [`LogEntry`] is read from.
const ENTRY_COLUMNS: &str =
    "e.entry_index, e.digest, e.leaf, e.stored_at, p.sealed, p.erased_by, ps.key_salt";

/// Joins `entry_search s` with the entry and its payload, if that is not erased.
const WITH_PAYLOAD: &str = "JOIN entry e ON e.entry_index = s.entry_index \
     LEFT JOIN payload p ON p.entry_index = e.entry_index \
     LEFT JOIN payload_scope ps ON ps.scope_id = p.scope_id";

fn entry_of_row(row: &AnyRow, sequencer: &Sequencer) -> Result<LogEntry, DbError> {
    let json = |text: String| RawValue::from_string(text).map_err(|fault| DbError::damaged("event", fault));
    let leaf = String::from_utf8(row.try_get("leaf")?).map_err(|fault| DbError::damaged("leaf", fault))?;
    let opened = open_payload(row, sequencer)?;
    if let Some(opened) = &opened {
        let parsed =
            AuditLeaf::from_bytes(leaf.as_bytes()).map_err(|fault| DbError::damaged("leaf", fault))?;
        if parsed.commit != opened.commit() {
            return Err(DbError::damaged("payload", "it does not match its leaf's commitment"));
        }
    }
    Ok(LogEntry {
        index: row.count("entry_index")?,
        digest: row.digest("digest")?.to_string(),
        stored_at: row.instant("stored_at")?,
        leaf: json(leaf)?,
        erased_by: row.opt_count("erased_by")?,
        erasure: None,
        salt: opened.as_ref().map(|opened| URL_SAFE_NO_PAD.encode(opened.salt)),
        event: opened.map(|opened| json(opened.event)).transpose()?,
    })
}
/// Opens the payload of a row with `entry_index`, `sealed` and `key_salt`. `None`: it was erased.
pub(crate) fn open_payload(row: &AnyRow, sequencer: &Sequencer) -> Result<Option<OpenedEvent>, DbError> {
    let (sealed, key_salt): (Option<Vec<u8>>, Option<Vec<u8>>) =
        (row.try_get("sealed")?, row.try_get("key_salt")?);
    let Some((sealed, key_salt)) = sealed.zip(key_salt) else { return Ok(None) };
    sequencer.payload_key.open(&key_salt, row.try_get("entry_index")?, sealed).map(Some)
}
