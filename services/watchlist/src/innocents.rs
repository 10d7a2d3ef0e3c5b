//! Travellers who are known not to be the listed person: a person said so, and another approved.
//!
//! They are known by their own document and full birth date, never by name, and only for the version of the entry that was looked at. It
//! ends after a year, and at once when that very document is listed: what is equal is a hit, whoever was cleared before.

use std::time::Duration;

use rovuma_api::answers::watchlist::InnocentRow;
use rovuma_schemas::{AgencyCode, MessageId, Timestamp};
use rovuma_store::{Conn, RowExt};
use sqlx::{Row, any::AnyRow};

use crate::{
    at_rest::AtRest,
    entries,
    error::DbError,
    screening::{Listed, Traveller},
};

/// How long an entry holds. A document may change hands in a year, and whoever is cleared should not be for ever.
const HOLDS: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// An entry of a list that a traveller is known not to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownInnocent {
    list: String,
    record: String,
    version: u32,
}

impl KnownInnocent {
    /// Whether it is about this entry, in the version that was looked at then.
    pub(crate) fn is_about(&self, listed: &Listed) -> bool {
        self.list == entries::list_of(listed)
            && self.record == entries::record(listed)
            && self.version == entries::version(listed)
    }
}

/// What a traveller is known not to be at `now`.
pub(crate) const OF: &str = "
    SELECT list, record, version FROM innocent
    WHERE number = $1 AND birth = $2 AND state = $3 AND approved_by IS NOT NULL AND expires > $4";

/// Reads what a traveller is known not to be.
pub(crate) async fn of(
    conn: &mut Conn,
    at_rest: &AtRest,
    traveller: &Traveller,
    now: Timestamp,
) -> Result<Vec<KnownInnocent>, DbError> {
    let rows = sqlx::query(OF)
        .bind(at_rest.mark(&traveller.number).into_owned())
        .bind(at_rest.mark(&traveller.birth).into_owned())
        .bind(traveller.state.as_str())
        .bind(now.as_micros())
        .fetch_all(conn)
        .await?;
    let known = |row: &AnyRow| {
        let version =
            u32::try_from(row.count("version")?).map_err(|fault| DbError::damaged("innocent", fault))?;
        Ok(KnownInnocent { list: row.try_get("list")?, record: row.try_get("record")?, version })
    };
    rows.iter().map(known).collect()
}

/// What a person says of a candidate.
#[derive(Clone, Debug)]
pub(crate) struct NewInnocent<'a> {
    pub(crate) id: MessageId,
    pub(crate) agency: &'a AgencyCode,
    pub(crate) list: &'a str,
    pub(crate) record: &'a str,
    pub(crate) version: u32,
    pub(crate) traveller: &'a Traveller,
    pub(crate) reason: &'a str,
    pub(crate) by: &'a str,
}

/// Proposes that a traveller is not the listed person. It protects nobody until another person approves.
pub(crate) async fn propose(
    tx: &mut Conn,
    at_rest: &AtRest,
    new: &NewInnocent<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO innocent (id, agency, list, record, version, number, state, birth, reason, proposed_by, proposed_at, expires)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (id) DO NOTHING",
    )
    .bind(new.id.as_bytes().to_vec())
    .bind(new.agency.as_str())
    .bind(new.list)
    .bind(new.record)
    .bind(i64::from(new.version))
    .bind(at_rest.mark(&new.traveller.number).into_owned())
    .bind(new.traveller.state.as_str())
    .bind(at_rest.mark(&new.traveller.birth).into_owned())
    .bind(new.reason)
    .bind(new.by)
    .bind(now.as_micros())
    .bind(now.plus(HOLDS).as_micros())
    .execute(tx)
    .await?;
    Ok(())
}

/// Approves a proposal of another person. `false`: there is none, it is approved, or it is the approver's own.
pub(crate) async fn approve(tx: &mut Conn, id: MessageId, by: &str, now: Timestamp) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE innocent SET approved_by = $2, approved_at = $3 WHERE id = $1 AND approved_by IS NULL AND proposed_by <> $2 AND expires > $3",
    )
    .bind(id.as_bytes().to_vec())
    .bind(by)
    .bind(now.as_micros())
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Removes those that have expired: nothing is kept of a traveller beyond need.
pub(crate) async fn prune(tx: &mut Conn, now: Timestamp) -> Result<(), DbError> {
    sqlx::query("DELETE FROM innocent WHERE expires <= $1").bind(now.as_micros()).execute(tx).await?;
    Ok(())
}

/// A page of an agency's entries, the newest first.
pub(crate) const PAGE: &str = "
    SELECT id, list, record, reason, proposed_by, proposed_at, approved_by, expires FROM innocent
    WHERE agency = $1 AND id < $2 ORDER BY id DESC LIMIT $3";

/// Lists an agency's entries, those before `before`.
pub(crate) async fn page(
    conn: &mut Conn,
    agency: &AgencyCode,
    before: Option<MessageId>,
    limit: i64,
) -> Result<Vec<InnocentRow>, DbError> {
    let before = before.map_or_else(|| vec![u8::MAX; 16], |id| id.as_bytes().to_vec());
    let rows = sqlx::query(PAGE).bind(agency.as_str()).bind(before).bind(limit).fetch_all(conn).await?;
    let row = |row: &AnyRow| {
        Ok(InnocentRow {
            id: row.message_id("id")?,
            list: row.try_get("list")?,
            record: row.try_get("record")?,
            reason: row.try_get("reason")?,
            proposed_by: row.try_get("proposed_by")?,
            proposed_at: row.instant("proposed_at")?,
            approved_by: row.try_get("approved_by")?,
            expires: row.instant("expires")?,
        })
    };
    rows.iter().map(row).collect()
}

/// The agency and the proposer of an entry.
pub(crate) async fn one(conn: &mut Conn, id: MessageId) -> Result<Option<(AgencyCode, String)>, DbError> {
    let row = sqlx::query("SELECT agency, proposed_by FROM innocent WHERE id = $1")
        .bind(id.as_bytes().to_vec())
        .fetch_optional(conn)
        .await?;
    row.map(|row| Ok((row.parsed("agency")?, row.try_get("proposed_by")?))).transpose()
}
