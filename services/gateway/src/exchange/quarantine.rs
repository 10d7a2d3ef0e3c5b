//! Quarantine: deliveries that could not be verified, kept sealed for the operators.

use rovuma_schemas::{AgencyCode, Digest, Timestamp};
use rovuma_store::{Conn, RowExt};
use sqlx::Row;

use crate::error::DbError;

/// The quarantine keeps at most this many bytes of originals, so that a forger cannot fill the disk
/// that honest messages need. Past it only the digest, the reason and the count are kept.
pub(crate) const QUARANTINE_MAX_BYTES: i64 = 256 * 1024 * 1024;

/// The quarantine keeps at most this many deliveries, with or without their originals: what a forger sends
/// beyond it is counted.
pub(crate) const QUARANTINE_MAX_ROWS: i64 = 100_000;

/// Why a delivery, or one message in it, was not taken. Stable words: the log, the metric and the
/// operators' list use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum QuarantineReason {
    /// The routing key names no agency of this exchange.
    NotOurs,
    /// It came over neither this country's own exchange nor a partner's.
    UnknownExchange,
    /// None of the agency's sealing keys opens it.
    Unsealing,
    /// What was sealed is not a bundle, or larger than a bundle may be.
    Bundle,
    /// A message in the bundle is not a JWS of ours, or its signature or signer does not hold.
    Signature,
    /// Signed by a known agency, but not meant for the agency whose key opened it, or over a road
    /// that is not the signer's.
    Misrouted,
    /// It should be held until a trust list comes, and there is no room for more.
    NoRoomToHold,
    /// Verified, but an id that is already taken by other content.
    Conflict,
    /// Verified, but not readable as its type says, where no rejection can answer it.
    Unreadable,
    /// It fails whenever it is to be decided: a fault of ours, for the operators to look at.
    Poison,
}

impl QuarantineReason {
    /// The reason's word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NotOurs => "not_ours",
            Self::UnknownExchange => "unknown_exchange",
            Self::Unsealing => "unsealing",
            Self::Bundle => "bundle",
            Self::Signature => "signature",
            Self::Misrouted => "misrouted",
            Self::NoRoomToHold => "no_room_to_hold",
            Self::Conflict => "conflict",
            Self::Unreadable => "unreadable",
            Self::Poison => "poison",
        }
    }
}

/// What is put into quarantine.
#[derive(Clone, Debug)]
pub(crate) struct Quarantined<'a> {
    /// SHA-256 of the body as it arrived.
    pub(crate) digest: Digest,
    /// Whose key opened it, when one did.
    pub(crate) agency: Option<&'a AgencyCode>,
    /// The queue it came from.
    pub(crate) queue: &'a str,
    /// The exchange it was published to.
    pub(crate) exchange: &'a str,
    /// Its routing key.
    pub(crate) routing_key: &'a str,
    /// Why.
    pub(crate) reason: QuarantineReason,
    /// More of why, for the operators; no content.
    pub(crate) detail: &'a str,
    /// The body as it arrived, sealed.
    pub(crate) body: &'a [u8],
}

/// What became of a delivery that was put into quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is kept.
    New,
    /// The same was kept already, and is counted.
    Again,
    /// The quarantine is full: it is counted with all others beyond, so many by now.
    Beyond(u64),
}

/// Keeps a delivery, once per content and reason; later copies, and those beyond the quarantine's room, are
/// only counted.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn put(tx: &mut Conn, item: &Quarantined<'_>, now: Timestamp) -> Result<Put, DbError> {
    metrics::counter!("rovuma_quarantined_total", "reason" => item.reason.as_str()).increment(1);
    if count_again(tx, item, now).await? {
        return Ok(Put::Again);
    }
    let row = sqlx::query("SELECT kept_rows, kept_bytes, beyond FROM quarantine_total WHERE one = 1")
        .fetch_one(&mut *tx)
        .await?;
    if row.try_get::<i64, _>("kept_rows")? >= QUARANTINE_MAX_ROWS {
        sqlx::query("UPDATE quarantine_total SET beyond = beyond + 1 WHERE one = 1").execute(tx).await?;
        return Ok(Put::Beyond(row.count("beyond")? + 1));
    }
    let size = i64::try_from(item.body.len()).unwrap_or(i64::MAX);
    let has_room = row.try_get::<i64, _>("kept_bytes")?.saturating_add(size) <= QUARANTINE_MAX_BYTES;
    insert(tx, item, size, has_room, now).await?;
    sqlx::query(
        "UPDATE quarantine_total SET kept_rows = kept_rows + 1, kept_bytes = kept_bytes + $1 WHERE one = 1",
    )
    .bind(if has_room { size } else { 0 })
    .execute(tx)
    .await?;
    Ok(Put::New)
}

async fn count_again(tx: &mut Conn, item: &Quarantined<'_>, now: Timestamp) -> Result<bool, DbError> {
    let counted = sqlx::query(
        "UPDATE quarantine SET times = times + 1, last_at = $1 WHERE digest = $2 AND reason = $3",
    )
    .bind(now.as_micros())
    .bind(item.digest.as_bytes().as_slice())
    .bind(item.reason.as_str())
    .execute(tx)
    .await?;
    Ok(counted.rows_affected() > 0)
}

async fn insert(
    tx: &mut Conn,
    item: &Quarantined<'_>,
    size: i64,
    has_room: bool,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO quarantine
             (digest, agency, queue, exchange, routing_key, reason, detail, body, size_bytes, times, first_at,
              last_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $10)",
    )
    .bind(item.digest.as_bytes().as_slice())
    .bind(item.agency.map(AgencyCode::as_str))
    .bind(item.queue)
    .bind(item.exchange)
    .bind(item.routing_key)
    .bind(item.reason.as_str())
    .bind(item.detail)
    .bind(has_room.then(|| item.body.to_vec()))
    .bind(size)
    .bind(now.as_micros())
    .execute(tx)
    .await?;
    Ok(())
}
