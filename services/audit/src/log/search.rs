//! Finding entries.

use rovuma_policy::{Permit, act};
use rovuma_schemas::{AgencyCode, Epoch, audit::AuditOutcome};
use rovuma_store::{Readers, RowExt};
use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::{AssertSqlSafe, Row, any::AnyRow};
use utoipa::ToSchema;

use super::{Filter, Order, to_db};
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
    /// The event as its source wrote it: `source`, `epoch`, `sequence`, `previous`, `time`, `actor`, `agency`,
    /// `action`, `object`, `outcome`, `reason`, `details`.
    #[schema(value_type = Object)]
    pub(crate) event: Box<RawValue>,
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
        "SELECT e.entry_index, e.digest, e.event, e.stored_at \
         FROM entry_search s JOIN entry e ON e.entry_index = s.entry_index{} \
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
    rows.iter().map(Entry::of_row).collect()
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
    source: &str,
    epoch: Epoch,
    sequence: u64,
) -> Result<Option<(Entry, Option<AgencyCode>)>, DbError> {
    let Ok(sequence) = i64::try_from(sequence) else { return Ok(None) };
    let row = sqlx::query(
        "SELECT e.entry_index, e.digest, e.event, e.stored_at, s.agency \
         FROM lineage l JOIN entry e ON e.lineage_id = l.lineage_id \
         JOIN entry_search s ON s.entry_index = e.entry_index \
         WHERE l.source = $1 AND l.epoch = $2 AND e.sequence = $3",
    )
    .bind(source)
    .bind(epoch.as_bytes().as_slice())
    .bind(sequence)
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let agency: Option<String> = row.try_get("agency")?;
    let agency = agency.map(|code| code.parse()).transpose();
    Ok(Some((Entry::of_row(&row)?, agency.map_err(|fault| DbError::damaged("agency", fault))?)))
}

impl Entry {
    fn of_row(row: &AnyRow) -> Result<Self, DbError> {
        let damaged = |fault: &dyn std::fmt::Display| DbError::damaged("event", fault);
        let event: Vec<u8> = row.try_get("event")?;
        let event = String::from_utf8(event).map_err(|fault| damaged(&fault))?;
        Ok(Self {
            index: row.count("entry_index")?,
            digest: row.digest("digest")?.to_string(),
            stored_at: row.instant("stored_at")?.to_string(),
            event: RawValue::from_string(event).map_err(|fault| damaged(&fault))?,
        })
    }
}
