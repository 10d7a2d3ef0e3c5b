//! Finding entries.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rovuma_policy::{Permit, act};
use rovuma_schemas::{
    AgencyCode, Epoch,
    audit::{AuditLeaf, AuditOutcome},
};
use rovuma_store::{Readers, RowExt};
use serde::Serialize;
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
    digest: String,
    /// When it was stored here.
    #[schema(format = DateTime)]
    stored_at: String,
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

/// A value of a condition.
enum Value {
    Text(String),
    Number(i64),
}

/// Conditions with their values: fixed texts, and only values come from outside.
#[derive(Default)]
struct Conditions {
    text: String,
    values: Vec<Value>,
}

impl Conditions {
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

/// The entries that `filter` lets pass, of the agency whose log the permit is for.
pub(crate) async fn entries(
    pool: &Readers,
    sequencer: &Sequencer,
    permit: &Permit<act::AuditSearch>,
    filter: &Filter,
    window: &Window,
) -> Result<Vec<Entry>, DbError> {
    let mut conditions = Conditions::default();
    within(&mut conditions, window, filter.order);
    of_whom(&mut conditions, permit);
    matching(&mut conditions, filter);
    let order = match filter.order {
        Order::Newest => "DESC",
        Order::Oldest => "ASC",
    };
    let text = format!(
        "SELECT {ENTRY} FROM entry_search s {WITH_PAYLOAD}{} \
         ORDER BY s.entry_index {order} LIMIT {}",
        conditions.text, window.fetch
    );
    let mut query = sqlx::query(AssertSqlSafe(text));
    for value in conditions.values {
        query = match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
        };
    }
    let rows = query.fetch_all(pool).await?;
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

/// The event with this identity, and its agency.
pub(crate) async fn one(
    pool: &Readers,
    sequencer: &Sequencer,
    source: &str,
    epoch: Epoch,
    sequence: u64,
) -> Result<Option<(Entry, Option<AgencyCode>)>, DbError> {
    let Ok(sequence) = i64::try_from(sequence) else { return Ok(None) };
    let text = format!(
        "SELECT {ENTRY}, s.agency FROM entry_search s {WITH_PAYLOAD}
         JOIN lineage l ON l.lineage_id = e.lineage_id
         WHERE l.source = $1 AND l.epoch = $2 AND e.sequence = $3"
    );
    let row = sqlx::query(AssertSqlSafe(text))
        .bind(source)
        .bind(epoch.as_bytes().as_slice())
        .bind(sequence)
        .fetch_optional(pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let agency: Option<String> = row.try_get("agency")?;
    let agency = agency.map(|code| code.parse()).transpose();
    Ok(Some((Entry::of_row(&row, sequencer)?, agency.map_err(|fault| DbError::damaged("agency", fault))?)))
}

/// What an [`Entry`] is read from.
const ENTRY: &str = "e.entry_index, e.digest, e.leaf, e.stored_at, p.sealed, ps.key_salt";

/// From `entry_search s` to the entry and what is left of its payload.
const WITH_PAYLOAD: &str = "JOIN entry e ON e.entry_index = s.entry_index \
     LEFT JOIN payload p ON p.entry_index = e.entry_index \
     LEFT JOIN payload_scope ps ON ps.scope_id = p.scope_id";

impl Entry {
    /// What the tree hashes.
    pub(crate) fn leaf_bytes(&self) -> &[u8] {
        self.leaf.get().as_bytes()
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
