//! What was found, as the second line sees and decides it.

use rovuma_api::answers::watchlist::{Candidate, ScreenedHit};
use rovuma_schemas::{AgencyCode, MessageId, Timestamp};
use rovuma_store::{Conn, RowExt};
use sqlx::{Row, any::AnyRow};

use super::{DAMAGED, FoundHit, HitState, PROTECTED, body};
use crate::{at_rest::AtRest, error::DbError, screen::CALL};

const COLUMNS: &str = "id, state, found_at, last_at, times, post, direction, body, discreet, message, refusal, decided_by, reason";

/// A page of an agency's hits in one state, the newest first.
pub(crate) const PAGE: &str = "
    SELECT id, state, found_at, last_at, times, post, direction, body, discreet, message, refusal, decided_by, reason FROM hit
    WHERE agency = $1 AND state = $2 AND id < $3 ORDER BY id DESC LIMIT $4";

/// A page of what an agency's second line looks at: what a person decides, what waits, was refused or is told here alone, and every discreet
/// check; the newest first.
pub(crate) const PAGE_OPEN: &str = "
    SELECT id, state, found_at, last_at, times, post, direction, body, discreet, message, refusal, decided_by, reason FROM hit
    WHERE agency = $1 AND id < $2 AND (state IN ('review', 'queued', 'refused', 'kept') OR discreet = 1) AND state <> 'rejected'
    ORDER BY id DESC LIMIT $3";

/// Lists an agency's hits in one state, or those that its second line looks at: those before `before`.
pub(crate) async fn page(
    conn: &mut Conn,
    at_rest: &AtRest,
    agency: &AgencyCode,
    state: Option<HitState>,
    before: Option<MessageId>,
    limit: i64,
) -> Result<Vec<Candidate>, DbError> {
    let before = before.map_or_else(|| vec![u8::MAX; 16], |id| id.as_bytes().to_vec());
    let query = match state {
        Some(state) => sqlx::query(PAGE).bind(agency.as_str()).bind(state.as_str()),
        None => sqlx::query(PAGE_OPEN).bind(agency.as_str()),
    };
    let rows = query.bind(before).bind(limit).fetch_all(conn).await?;
    rows.iter().map(|row| candidate(row, at_rest)).collect()
}

/// A hit as the second line decides it.
#[derive(Debug)]
pub(crate) struct DecidedHit {
    /// The agency that it belongs to.
    pub(crate) agency: AgencyCode,
    pub(crate) found: FoundHit,
    pub(crate) candidate: Candidate,
    /// The common mark of what was found of one traveller.
    pub(crate) encounter: MessageId,
    /// Whether somebody who was found by this number asked for protection.
    pub(crate) is_protected: bool,
}

/// One hit.
pub(crate) async fn one(
    conn: &mut Conn,
    at_rest: &AtRest,
    id: MessageId,
) -> Result<Option<DecidedHit>, DbError> {
    let text =
        sqlx::AssertSqlSafe(format!("SELECT agency, encounter, about, {COLUMNS} FROM hit WHERE id = $1"));
    let Some(row) = sqlx::query(text).bind(id.as_bytes().to_vec()).fetch_optional(&mut *conn).await? else {
        return Ok(None);
    };
    let about: String = row.try_get("about")?;
    let protected = sqlx::query(PROTECTED).bind(about).bind(0).fetch_optional(conn).await?;
    let found = body(&row, at_rest).unwrap_or_else(|fault| {
        tracing::error!(hit.id = %id, %fault, "a hit cannot be read back");
        FoundHit::unreadable(id)
    });
    Ok(Some(DecidedHit {
        agency: row.parsed("agency")?,
        candidate: candidate_of(&row, found.clone())?,
        found,
        encounter: row.message_id("encounter")?,
        is_protected: protected.is_some(),
    }))
}

/// Writes a person's decision down. `false`: somebody decided before.
pub(crate) async fn decide(
    tx: &mut Conn,
    id: MessageId,
    state: HitState,
    (by, reason): (&str, &str),
    now: Timestamp,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE hit SET state = $2, decided_by = $3, reason = $4, decided_at = $5 WHERE id = $1 AND state IN ('review', 'refused')",
    )
    .bind(id.as_bytes().to_vec())
    .bind(state.as_str())
    .bind(by)
    .bind(reason)
    .bind(now.as_micros())
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes the message by which a person reported what was decided to be the same. `false`: it is not in that state.
pub(crate) async fn reported(tx: &mut Conn, id: MessageId, message: MessageId) -> Result<bool, DbError> {
    let done =
        sqlx::query("UPDATE hit SET state = 'forwarded', message = $2 WHERE id = $1 AND state = 'confirmed'")
            .bind(id.as_bytes().to_vec())
            .bind(message.as_bytes().to_vec())
            .execute(tx)
            .await?;
    Ok(done.rows_affected() == 1)
}

fn candidate(row: &AnyRow, at_rest: &AtRest) -> Result<Candidate, DbError> {
    match body(row, at_rest) {
        Ok(found) => candidate_of(row, found),
        // One that does not read back hides no other, and a person sees that it is there.
        Err(fault) => {
            let id = row.message_id("id")?;
            tracing::error!(hit.id = %id, %fault, "a hit cannot be read back");
            let candidate = candidate_of(row, FoundHit::unreadable(id))?;
            Ok(Candidate { refusal: candidate.refusal.or_else(|| Some(DAMAGED.to_owned())), ..candidate })
        }
    }
}

impl FoundHit {
    /// What is shown in place of a hit that does not read back.
    fn unreadable(id: MessageId) -> Self {
        let hit = ScreenedHit {
            id,
            reference: String::new(),
            list: String::new(),
            rule: String::new(),
            rule_version: 0,
            score: 0.0,
            action: CALL.to_owned(),
            actions: Vec::new(),
            warnings: Vec::new(),
            flagged: None,
            status: None,
            case: None,
            forwarded: false,
            not_forwarded: vec![DAMAGED.to_owned()],
            possible_misuse: false,
            retroactive: false,
            repeated: false,
            explanation: Vec::new(),
            call: None,
        };
        Self {
            hit,
            matched: String::new(),
            value: String::new(),
            reported: None,
            version: 0,
            subject: None,
            list: String::new(),
            record: String::new(),
            notice: None,
            traveller: None,
        }
    }
}

/// The hit as it is now: what was to be forwarded may have been kept back or refused since.
fn candidate_of(row: &AnyRow, mut found: FoundHit) -> Result<Candidate, DbError> {
    let state: String = row.try_get("state")?;
    let is_forwarded = [HitState::Queued, HitState::Forwarded].iter().any(|told| told.as_str() == state);
    found.hit.forwarded &= is_forwarded;
    Ok(Candidate {
        id: row.message_id("id")?,
        state,
        found_at: row.instant("found_at")?,
        last_at: row.instant("last_at")?,
        times: row.count("times")?,
        post: row.try_get("post")?,
        direction: row.try_get("direction")?,
        hit: found.hit,
        matched: found.matched,
        value: found.value,
        discreet: row.count("discreet")? != 0,
        message: row.opt_message_id("message")?,
        refusal: row.try_get("refusal")?,
        decided_by: row.try_get("decided_by")?,
        reason: row.try_get("reason")?,
        notice: None,
    })
}
