//! What was found, in the store: what is kept, what waits for the gateway, what was told. What a person decides is in `candidates.rs`.

pub(crate) mod candidates;

use std::time::Duration;

use rovuma_api::answers::watchlist::ScreenedHit;
use rovuma_schemas::{AgencyCode, MessageId, Timestamp};
use rovuma_store::{Conn, RowExt};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{Row, any::AnyRow};

use crate::{
    at_rest::AtRest,
    error::DbError,
    forward::NO_ANSWER,
    screening::{KeptBack, Traveller},
};

/// Something that was found, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FoundHit {
    /// What was found, whole.
    pub(crate) hit: ScreenedHit,
    /// The kind of number, a code of `matched_kinds`.
    pub(crate) matched: String,
    /// The number as it was read.
    pub(crate) value: String,
    /// The number as the alert has it; none where it is a series that has something alike.
    pub(crate) reported: Option<String>,
    /// The version of the alert that was looked at.
    pub(crate) version: u32,
    /// The key of the subject in the alert.
    pub(crate) subject: Option<String>,
    /// The list and the entry in it.
    pub(crate) list: String,
    pub(crate) record: String,
    /// The notice to the alert's owner, of what is forwarded: the same however often the gateway is asked.
    pub(crate) notice: Option<Value>,
    /// The traveller, of what is only alike: so that a person can say that it is somebody else, once for all.
    pub(crate) traveller: Option<Traveller>,
}

/// A hit that is to be kept.
#[derive(Clone, Debug)]
pub(crate) struct NewHit {
    pub(crate) encounter: MessageId,
    pub(crate) found: FoundHit,
    /// The agency of ours that reports it, or whose officers look at it.
    pub(crate) agency: AgencyCode,
    /// What repeats of it join.
    pub(crate) place: String,
    /// Of what it is a hit, by which number, wherever: what a traveller's protection holds back.
    pub(crate) about: String,
    /// Whether the traveller may need protection.
    pub(crate) is_protected: bool,
    /// When it was found; before now, of what is found afterwards.
    pub(crate) found_at: Timestamp,
    pub(crate) post: Option<String>,
    pub(crate) direction: Option<String>,
    pub(crate) is_discreet: bool,
    pub(crate) state: HitState,
}

/// The state of a hit here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HitState {
    /// It waits for the gateway.
    Queued,
    /// The owner of the alert is told.
    Forwarded,
    /// A person decides.
    Review,
    /// A person says that it is the same.
    Confirmed,
    /// A person says that it is not.
    Rejected,
    /// It is told to nobody elsewhere.
    Kept,
    /// The gateway did not take it.
    Refused,
}

impl HitState {
    pub(crate) const ALL: [Self; 7] = [
        Self::Queued,
        Self::Forwarded,
        Self::Review,
        Self::Confirmed,
        Self::Rejected,
        Self::Kept,
        Self::Refused,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Forwarded => "forwarded",
            Self::Review => "review",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::Kept => "kept",
            Self::Refused => "refused",
        }
    }
}

/// Why a hit that does not read back is not told.
pub(crate) const DAMAGED: &str = "damaged";

/// Of what something is a hit, by which number, wherever it is found.
pub(crate) fn about(list: &str, record: &str, number: &str) -> String {
    [list, record, number].join("|")
}

/// How long the same find at the same post is one: a queue moves slowly, and a document is scanned more than once.
const REPEATED_WITHIN: Duration = Duration::from_secs(6 * 60 * 60);

/// The newest hit at a place that may still be joined: what a person decided, and what the gateway refused, is over.
pub(crate) const OPEN: &str = "
    SELECT id, protected FROM hit
    WHERE place = $1 AND found_at > $2 AND found_at < $3 AND state IN ('queued', 'forwarded', 'review', 'kept')
    ORDER BY found_at DESC LIMIT 1";

/// Whether somebody who is found by this number asked for protection since then. Of whom a person said that it is somebody else does not count.
pub(crate) const PROTECTED: &str =
    "SELECT 1 FROM hit WHERE about = $1 AND protected = 1 AND last_at > $2 AND state <> 'rejected' LIMIT 1";

/// What became of a hit that is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    /// The hit: of a repeat the one that it joined.
    pub(crate) id: MessageId,
    /// Whether it joined one that is there.
    pub(crate) is_repeat: bool,
    /// Whether the one that it joined is protected from now on.
    pub(crate) is_protected_now: bool,
}

/// Keeps a hit. A repeat within six hours of the first joins it, whether it is found then or afterwards, and its id stands.
///
/// Whoever asks for protection stops what waits, and protects what it joins; what is found of them in the next hours is told to nobody
/// elsewhere.
pub(crate) async fn keep(
    tx: &mut Conn,
    at_rest: &AtRest,
    new: &mut NewHit,
    now: Timestamp,
) -> Result<Kept, DbError> {
    let since = now.minus(REPEATED_WITHIN).as_micros();
    let (about, place) = (at_rest.mark(&new.about), at_rest.mark(&new.place));
    if new.is_protected {
        sqlx::query("UPDATE hit SET state = 'kept', next_at = NULL, protected = 1 WHERE about = $1 AND state = 'queued'")
            .bind(about.as_ref())
            .execute(&mut *tx)
            .await?;
    } else if new.state == HitState::Queued {
        let protected =
            sqlx::query(PROTECTED).bind(about.as_ref()).bind(since).fetch_optional(&mut *tx).await?;
        if protected.is_some() {
            new.state = HitState::Kept;
            new.found.hit.forwarded = false;
            new.found.hit.not_forwarded = vec!["protection".to_owned()];
        }
    }
    let open = sqlx::query(OPEN)
        .bind(place.as_ref())
        .bind(new.found_at.minus(REPEATED_WITHIN).as_micros())
        .bind(new.found_at.plus(REPEATED_WITHIN).as_micros())
        .fetch_optional(&mut *tx)
        .await?;
    if let Some(row) = open {
        let (id, was_protected) = (row.message_id("id")?, row.count("protected")? != 0);
        sqlx::query(
            "UPDATE hit SET last_at = $2, times = times + 1, protected = CASE WHEN $3 = 1 THEN 1 ELSE protected END WHERE id = $1",
        )
        .bind(id.as_bytes().to_vec())
        .bind(now.as_micros())
        .bind(i64::from(new.is_protected))
        .execute(tx)
        .await?;
        return Ok(Kept { id, is_repeat: true, is_protected_now: new.is_protected && !was_protected });
    }
    let body = serde_json::to_string(&new.found).map_err(|fault| DbError::damaged("hit", fault))?;
    sqlx::query(
        "INSERT INTO hit (id, encounter, state, place, agency, found_at, last_at, times, discreet, post, direction, body,
                          attempts, next_at, about, protected)
         VALUES ($1, $2, $3, $4, $5, $6, $12, 1, $7, $8, $9, $10, 0, $11, $13, $14)",
    )
    .bind(new.found.hit.id.as_bytes().to_vec())
    .bind(new.encounter.as_bytes().to_vec())
    .bind(new.state.as_str())
    .bind(place.as_ref())
    .bind(new.agency.as_str())
    .bind(new.found_at.as_micros())
    .bind(i64::from(new.is_discreet))
    .bind(new.post.as_deref())
    .bind(new.direction.as_deref())
    .bind(at_rest.write(body, &body_place(new.found.hit.id))?)
    .bind((new.state == HitState::Queued).then(|| now.as_micros()))
    .bind(now.as_micros())
    .bind(about.as_ref())
    .bind(i64::from(new.is_protected))
    .execute(tx)
    .await?;
    Ok(Kept { id: new.found.hit.id, is_repeat: false, is_protected_now: new.is_protected })
}

/// A hit that waits for the gateway.
#[derive(Clone, Debug)]
pub(crate) struct QueuedHit {
    pub(crate) id: MessageId,
    pub(crate) agency: AgencyCode,
    pub(crate) attempts: u64,
    /// Whether its notice was sent and nobody answered: the gateway may have signed it.
    pub(crate) is_maybe_signed: bool,
    /// What was found; none where the store is damaged.
    pub(crate) found: Option<FoundHit>,
}

/// The hits whose turn it is.
pub(crate) const DUE: &str = "
    SELECT id, agency, attempts, refusal, body FROM hit
    WHERE next_at IS NOT NULL AND (next_at <= $1 OR next_at > $3) ORDER BY next_at LIMIT $2";

/// Nothing waits longer than this for its turn: what does was put off before the clock was set back.
const PUT_OFF_MAX: Duration = Duration::from_secs(60);

/// The hits whose turn it is at `now`, the one that has waited longest first.
pub(crate) async fn due(
    conn: &mut Conn,
    at_rest: &AtRest,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<QueuedHit>, DbError> {
    let rows = sqlx::query(DUE)
        .bind(now.as_micros())
        .bind(limit)
        .bind(now.plus(PUT_OFF_MAX).as_micros())
        .fetch_all(conn)
        .await?;
    let queued = |row: &AnyRow| {
        Ok(QueuedHit {
            id: row.message_id("id")?,
            agency: row.parsed("agency")?,
            attempts: row.count("attempts")?,
            is_maybe_signed: row.try_get::<Option<&str>, _>("refusal")? == Some(NO_ANSWER),
            // One that does not read back is no reason to keep the others waiting.
            found: body(row, at_rest).ok(),
        })
    };
    rows.iter().map(queued).collect()
}

/// When the next hit has its turn.
pub(crate) async fn next_due(conn: &mut Conn) -> Result<Option<Timestamp>, DbError> {
    let row = sqlx::query("SELECT min(next_at) AS next_at FROM hit WHERE next_at IS NOT NULL")
        .fetch_one(conn)
        .await?;
    Ok(row.opt_instant("next_at")?)
}

/// What became of a hit at the gateway.
#[derive(Clone, Debug)]
pub(crate) enum Forwarding {
    /// It was signed as this message.
    Taken(MessageId),
    /// It will never be.
    Refused(String),
    /// Not now.
    Later { at: Timestamp, why: String },
    /// What has changed since it was found keeps it back.
    KeptBack(KeptBack),
}

/// Writes down what became of a hit at the gateway. `false`: meanwhile somebody asked for protection, and it is kept back already. What the
/// gateway has signed is written down all the same: its owner knows.
pub(crate) async fn forwarded(tx: &mut Conn, id: MessageId, outcome: &Forwarding) -> Result<bool, DbError> {
    let (state, message, refusal, next_at) = match outcome {
        Forwarding::Taken(message) => (HitState::Forwarded, Some(message), None, None),
        Forwarding::Refused(code) => (HitState::Refused, None, Some(code.as_str()), None),
        // A rule that two people switched off leaves it to a person.
        Forwarding::KeptBack(KeptBack::RuleOff) => {
            (HitState::Review, None, Some(KeptBack::RuleOff.as_str()), None)
        }
        Forwarding::KeptBack(why) => (HitState::Kept, None, Some(why.as_str()), None),
        Forwarding::Later { at, why } => (HitState::Queued, None, Some(why.as_str()), Some(at.as_micros())),
    };
    let done = sqlx::query(
        "UPDATE hit SET state = $2, message = $3, refusal = $4, next_at = $5, attempts = attempts + 1
         WHERE id = $1 AND (state = 'queued' OR $2 = 'forwarded')",
    )
    .bind(id.as_bytes().to_vec())
    .bind(state.as_str())
    .bind(message.map(|message| message.as_bytes().to_vec()))
    .bind(refusal)
    .bind(next_at)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How long what a person rejected is kept: an innocent traveller's number is in it.
const REJECTED_KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long everything else is kept: as long as the notices that it led to.
const KEPT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Removes what is older than it may be.
pub(crate) async fn prune(tx: &mut Conn, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM hit WHERE last_at < $1 AND (state = 'rejected' OR last_at < $2)")
        .bind(now.minus(REJECTED_KEPT).as_micros())
        .bind(now.minus(KEPT).as_micros())
        .execute(tx)
        .await
        .map(|_| ())
}

fn body(row: &AnyRow, at_rest: &AtRest) -> Result<FoundHit, DbError> {
    let body: &str = row.try_get("body")?;
    let body = at_rest.read(body, &body_place(row.message_id("id")?))?;
    serde_json::from_str(&body).map_err(|fault| DbError::damaged("hit", fault))
}

/// The place of a hit's body, where it is sealed.
fn body_place(id: MessageId) -> String {
    format!("hit {id}")
}
