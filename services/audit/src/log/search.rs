//! Finding entries.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_policy::{Permit, act};
use rovuma_schemas::{
    AgencyCode, Epoch, Timestamp,
    audit::{AuditLeaf, AuditOutcome},
};
use rovuma_store::{Readers, RowExt};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::{AssertSqlSafe, Row, any::AnyRow};
use utoipa::ToSchema;

use super::{Filter, Order, Sequencer, payload::Opened, to_db};
use crate::error::DbError;

/// One entry of the log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Entry {
    /// Its place in the log, from 0.
    pub(crate) index: u64,
    /// SHA-256 of the event's exact bytes, base64url.
    pub(crate) digest: String,
    /// When it was stored here.
    #[schema(format = DateTime)]
    pub(crate) stored_at: String,
    /// The event's leaf in the log's Merkle tree, exactly as it is hashed: identifiers and codes, and `commit`, the SHA-256
    /// of the event's salt and its exact bytes.
    #[schema(value_type = Object)]
    leaf: Box<RawValue>,
    /// The event as its source wrote it: `source`, `epoch`, `sequence`, `previous`, `time`, `actor`, `agency`,
    /// `action`, `object`, `outcome`, `reason`, `details`. Absent once it was erased: what the leaf says is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) event: Option<Box<RawValue>>,
    /// The salt of the leaf's commitment, base64url; absent once the event was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    /// The entry of the order by which the event was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) erased_by: Option<u64>,
}

/// Which part of what is found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// The last entry that the caller has.
    pub(crate) after: Option<u64>,
    /// Only entries below this index.
    pub(crate) end: u64,
    /// How many at most.
    pub(crate) fetch: u32,
}

type AnyQuery = sqlx::query::Query<'static, sqlx::Any, sqlx::any::AnyArguments>;

/// A value of a condition.
enum Value {
    Text(String),
    Number(i64),
    Bytes(Vec<u8>),
}

/// Conditions with their values: fixed texts, and only values come from outside.
#[derive(Default)]
struct Conditions {
    text: String,
    values: Vec<Value>,
}

impl Conditions {
    /// Everything that a search asks of an entry, and that the permit asks of it.
    fn of(
        sequencer: &Sequencer,
        permit: &Permit<act::AuditSearch>,
        filter: &Filter,
        window: &Window,
    ) -> Self {
        let mut conditions = Self::default();
        within(&mut conditions, window, filter.order);
        of_whom(&mut conditions, permit);
        matching(&mut conditions, filter);
        if let Some(case) = &filter.case {
            conditions.add_case(sequencer.payload_key.case(case), permit, window.end);
        }
        conditions
    }

    /// Of this case: what says so, and what is about the messages of which something says so. That is of the same moment as the
    /// rest of the search, and of the same agency: what others call a case is not told.
    fn add_case(&mut self, case_key: Vec<u8>, permit: &Permit<act::AuditSearch>, end: u64) {
        let owner = permit.resource().owner();
        let mut place = |value| {
            self.values.push(value);
            format!("${}", self.values.len())
        };
        let (case, end) = (place(Value::Bytes(case_key)), place(Value::Number(to_db(end))));
        let whose = match owner.is_node() {
            true => String::new(),
            false => format!(" AND c.agency = {}", place(Value::Text(owner.to_string()))),
        };
        self.text.push_str(&format!(
            " AND (s.case_key = {case} OR s.message_id IN
                (SELECT c.message_id FROM entry_search c WHERE c.case_key = {case} AND c.entry_index < {end}{whose}))"
        ));
    }

    fn bind(self, query: AnyQuery) -> AnyQuery {
        self.values.into_iter().fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
            Value::Bytes(bytes) => query.bind(bytes),
        })
    }

    /// Adds `condition`, in which `?` stands for the value.
    fn add(&mut self, condition: &'static str, value: Value) {
        self.values.push(value);
        let placeholder = format!("${}", self.values.len());
        self.text.push_str(if self.values.len() == 1 { " WHERE " } else { " AND " });
        self.text.push_str(&condition.replace('?', &placeholder));
    }

    fn add_text(&mut self, condition: &'static str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.add(condition, Value::Text(value.to_string()));
        }
    }
}

/// How many entries the log has.
pub(crate) async fn length(pool: &Readers) -> Result<u64, DbError> {
    let row =
        sqlx::query("SELECT COALESCE(MAX(entry_index) + 1, 0) AS length FROM entry").fetch_one(pool).await?;
    Ok(row.count("length")?)
}

/// How many entries below `end` the filter lets pass, of the agency whose log the permit is for.
pub(crate) async fn count(
    pool: &Readers,
    sequencer: &Sequencer,
    permit: &Permit<act::AuditSearch>,
    filter: &Filter,
    end: u64,
) -> Result<u64, DbError> {
    let conditions = Conditions::of(sequencer, permit, filter, &Window { after: None, end, fetch: 0 });
    let text = format!(
        "SELECT COUNT(*) AS found FROM entry_search s JOIN entry e ON e.entry_index = s.entry_index{}",
        conditions.text
    );
    Ok(conditions.bind(sqlx::query(AssertSqlSafe(text))).fetch_one(pool).await?.count("found")?)
}

/// The last order by which an entry of those was erased.
pub(crate) async fn last_order(
    pool: &Readers,
    sequencer: &Sequencer,
    permit: &Permit<act::AuditSearch>,
    filter: &Filter,
    end: u64,
) -> Result<Option<u64>, DbError> {
    let conditions = Conditions::of(sequencer, permit, filter, &Window { after: None, end, fetch: 0 });
    let text =
        format!("SELECT MAX(p.erased_by) AS last FROM entry_search s {WITH_PAYLOAD}{}", conditions.text);
    Ok(conditions.bind(sqlx::query(AssertSqlSafe(text))).fetch_one(pool).await?.opt_count("last")?)
}

/// How many of those there are in each span of time, by something that entries have in common. The oldest span first.
pub(crate) async fn counts(
    pool: &Readers,
    sequencer: &Sequencer,
    permit: &Permit<act::AuditSearch>,
    filter: &Filter,
    (span, by): (Span, By),
    (end, fetch): (u64, u32),
) -> Result<Vec<Counted>, DbError> {
    let conditions = Conditions::of(sequencer, permit, filter, &Window { after: None, end, fetch: 0 });
    let text = format!(
        "SELECT s.at / {} AS span, {} AS value, COUNT(*) AS counted
         FROM entry_search s JOIN entry e ON e.entry_index = s.entry_index{}
         GROUP BY 1, 2 ORDER BY 1, 2 LIMIT {fetch}",
        span.micros(),
        by.column(),
        conditions.text
    );
    let rows = conditions.bind(sqlx::query(AssertSqlSafe(text))).fetch_all(pool).await?;
    let counted = |row: &AnyRow| {
        let from = row.try_get::<i64, _>("span")?.checked_mul(span.micros());
        let from = from.and_then(|micros| Timestamp::from_micros(micros).ok());
        let from = from.ok_or_else(|| DbError::damaged("time", "it is beyond every calendar"))?;
        Ok(Counted { from, value: row.try_get("value")?, count: row.count("counted")? })
    };
    rows.iter().map(counted).collect()
}

/// A span of time that entries are counted in, of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Span {
    /// An hour.
    Hour,
    /// A day.
    Day,
}

impl Span {
    const fn micros(self) -> i64 {
        match self {
            Self::Hour => 3_600_000_000,
            Self::Day => 24 * Self::Hour.micros(),
        }
    }
}

/// What counted entries have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    /// Nothing but the time.
    All,
    /// What was done.
    Action,
    /// Who did it.
    Actor,
    /// For which agency.
    Agency,
    /// To which kind of thing.
    ObjectKind,
    /// How it ended.
    Outcome,
}

impl By {
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

/// Entries with something in common, in a span of time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Counted {
    /// When the span begins.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) from: Timestamp,
    /// What they have in common; absent where they have none of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    /// How many there are.
    pub(crate) count: u64,
}

/// The entries that `filter` lets pass, of the agency whose log the permit is for.
pub(crate) async fn entries(
    pool: &Readers,
    sequencer: &Sequencer,
    permit: &Permit<act::AuditSearch>,
    filter: &Filter,
    window: &Window,
) -> Result<Vec<Entry>, DbError> {
    let conditions = Conditions::of(sequencer, permit, filter, window);
    let order = match filter.order {
        Order::Newest => "DESC",
        Order::Oldest => "ASC",
    };
    let text = format!(
        "SELECT {ENTRY} FROM entry_search s {WITH_PAYLOAD}{} \
         ORDER BY s.entry_index {order} LIMIT {}",
        conditions.text, window.fetch
    );
    let rows = conditions.bind(sqlx::query(AssertSqlSafe(text))).fetch_all(pool).await?;
    rows.iter().map(|row| Entry::of_row(row, sequencer)).collect()
}

fn within(conditions: &mut Conditions, window: &Window, order: Order) {
    conditions.add("s.entry_index < ?", Value::Number(to_db(window.end)));
    if let Some(after) = window.after {
        let condition = match order {
            Order::Newest => "s.entry_index < ?",
            Order::Oldest => "s.entry_index > ?",
        };
        conditions.add(condition, Value::Number(to_db(after)));
    }
}

/// The log of `<cc>.node` is the whole country's; every other log is one agency's.
fn of_whom(conditions: &mut Conditions, permit: &Permit<act::AuditSearch>) {
    let owner = permit.resource().owner();
    if !owner.is_node() {
        conditions.add("s.agency = ?", Value::Text(owner.to_string()));
    }
}

fn matching(conditions: &mut Conditions, filter: &Filter) {
    if let Some(from) = filter.from {
        conditions.add("s.at >= ?", Value::Number(from.as_micros()));
    }
    if let Some(to) = filter.to {
        conditions.add("s.at < ?", Value::Number(to.as_micros()));
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

/// An entry, and the agency that it belongs to.
pub(crate) type Owned = (Entry, Option<AgencyCode>);

/// The event with this identity, and its agency.
pub(crate) async fn one(
    pool: &Readers,
    sequencer: &Sequencer,
    source: &str,
    epoch: Epoch,
    sequence: u64,
) -> Result<Option<Owned>, DbError> {
    let Ok(sequence) = i64::try_from(sequence) else { return Ok(None) };
    let text = format!(
        "SELECT {ENTRY}, s.agency FROM entry_search s {WITH_PAYLOAD}
         JOIN lineage l ON l.lineage_id = e.lineage_id
         WHERE l.source = $1 AND l.epoch = $2 AND e.sequence = $3"
    );
    let query =
        sqlx::query(AssertSqlSafe(text)).bind(source).bind(epoch.as_bytes().as_slice()).bind(sequence);
    query.fetch_optional(pool).await?.map(|row| owned(&row, sequencer)).transpose()
}

/// The entry at this place of the log, and its agency.
pub(crate) async fn at(pool: &Readers, sequencer: &Sequencer, index: u64) -> Result<Option<Owned>, DbError> {
    let text =
        format!("SELECT {ENTRY}, s.agency FROM entry_search s {WITH_PAYLOAD} WHERE s.entry_index = $1");
    let query = sqlx::query(AssertSqlSafe(text)).bind(to_db(index));
    query.fetch_optional(pool).await?.map(|row| owned(&row, sequencer)).transpose()
}

fn owned(row: &AnyRow, sequencer: &Sequencer) -> Result<Owned, DbError> {
    let agency: Option<String> = row.try_get("agency")?;
    let agency = agency.map(|code| code.parse()).transpose();
    Ok((Entry::of_row(row, sequencer)?, agency.map_err(|fault| DbError::damaged("agency", fault))?))
}

/// What an [`Entry`] is read from.
const ENTRY: &str = "e.entry_index, e.digest, e.leaf, e.stored_at, p.sealed, p.erased_by, ps.key_salt";

/// From `entry_search s` to the entry and what is left of its payload.
const WITH_PAYLOAD: &str = "JOIN entry e ON e.entry_index = s.entry_index \
     LEFT JOIN payload p ON p.entry_index = e.entry_index \
     LEFT JOIN payload_scope ps ON ps.scope_id = p.scope_id";

impl Entry {
    /// What the tree hashes.
    pub(crate) fn leaf_bytes(&self) -> &[u8] {
        self.leaf.get().as_bytes()
    }

    /// What its leaf says, and no more.
    pub(crate) fn without_event(self) -> Self {
        Self { event: None, salt: None, ..self }
    }

    fn of_row(row: &AnyRow, sequencer: &Sequencer) -> Result<Self, DbError> {
        let json =
            |text: String| RawValue::from_string(text).map_err(|fault| DbError::damaged("event", fault));
        let leaf =
            String::from_utf8(row.try_get("leaf")?).map_err(|fault| DbError::damaged("leaf", fault))?;
        let opened = payload(row, sequencer)?;
        if let Some(opened) = &opened {
            let said =
                AuditLeaf::from_bytes(leaf.as_bytes()).map_err(|fault| DbError::damaged("leaf", fault))?;
            if said.commit != opened.commit() {
                return Err(DbError::damaged("payload", "it is not what its leaf commits to"));
            }
        }
        Ok(Self {
            index: row.count("entry_index")?,
            digest: row.digest("digest")?.to_string(),
            stored_at: row.instant("stored_at")?.to_string(),
            leaf: json(leaf)?,
            erased_by: row.opt_count("erased_by")?,
            salt: opened.as_ref().map(|opened| URL_SAFE_NO_PAD.encode(opened.salt)),
            event: opened.map(|opened| json(opened.event)).transpose()?,
        })
    }
}

/// The payload of a row with `entry_index`, `sealed` and `key_salt`; none when it was erased.
pub(crate) fn payload(row: &AnyRow, sequencer: &Sequencer) -> Result<Option<Opened>, DbError> {
    let (sealed, key_salt): (Option<Vec<u8>>, Option<Vec<u8>>) =
        (row.try_get("sealed")?, row.try_get("key_salt")?);
    let Some((sealed, key_salt)) = sealed.zip(key_salt) else { return Ok(None) };
    sequencer.payload_key.open(&key_salt, row.try_get("entry_index")?, sealed).map(Some)
}
