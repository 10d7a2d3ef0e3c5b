//! Quarantine: deliveries that could not be verified, kept sealed for the operators.

use rovuma_schemas::{AgencyCode, Digest, Timestamp};
use rovuma_store::{Conn, RowExt};
use sqlx::Row;

use crate::error::DbError;

/// Maximum bytes of deliveries in the quarantine, so that a forger cannot fill the disk that honest messages need. Beyond it
/// only digest, reason and count are stored.
pub(crate) const QUARANTINE_MAX_BYTES: i64 = 256 * 1024 * 1024;

/// Maximum rows in the quarantine, with or without the delivery's bytes. Deliveries beyond it are only counted.
pub(crate) const QUARANTINE_MAX_ROWS: i64 = 100_000;

/// The reason why a delivery, or one message in it, was quarantined. Its words are stable: the log, the metric and the
/// operators' list use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum QuarantineReason {
    /// The routing key names no agency of this exchange.
    NotOurs,
    /// The delivery came over neither this country's own exchange nor a partner's.
    UnknownExchange,
    /// The properties or headers that the broker carries with the delivery were not read: no gateway writes such ones.
    Header,
    /// None of the agency's sealing keys opens the delivery.
    Unsealing,
    /// The sealed content is not a bundle, or larger than a bundle may be.
    Bundle,
    /// A message in the bundle is larger than a message may be: it is set aside before anybody checks who signed it.
    TooLarge,
    /// A message in the bundle is not a JWS in our form, or its signature or signer is not valid.
    Signature,
    /// Signed by a known agency, but not addressed to the agency whose key opened it, or over an exchange that is not the
    /// signer's country's, or in another lane than the signed one.
    Misrouted,
    /// The message should be held until a trust list comes, and there is no room for more.
    NoRoomToHold,
    /// Verified, but another message has its id or number.
    Conflict,
    /// Verified, but its content does not match its type, and a message of its kind is never answered.
    Unreadable,
    /// The gateway fails on the delivery, or ends while it reads it, each time: a fault of ours, which operators must look at.
    Poison,
}

impl QuarantineReason {
    /// The reason's word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NotOurs => "not_ours",
            Self::UnknownExchange => "unknown_exchange",
            Self::Header => "header",
            Self::Unsealing => "unsealing",
            Self::Bundle => "bundle",
            Self::TooLarge => "too_large",
            Self::Signature => "signature",
            Self::Misrouted => "misrouted",
            Self::NoRoomToHold => "no_room_to_hold",
            Self::Conflict => "conflict",
            Self::Unreadable => "unreadable",
            Self::Poison => "poison",
        }
    }
}

/// A delivery to be quarantined.
#[derive(Clone, Debug)]
pub(crate) struct QuarantineItem<'a> {
    /// SHA-256 of the body as it arrived.
    pub(crate) digest: Digest,
    /// The agency whose key opened it, when one did.
    pub(crate) agency: Option<&'a AgencyCode>,
    /// The queue it came from.
    pub(crate) queue: &'a str,
    /// The exchange it was published to.
    pub(crate) exchange: &'a str,
    /// Its routing key.
    pub(crate) routing_key: &'a str,
    /// The reason.
    pub(crate) reason: QuarantineReason,
    /// Details of the reason, for operators; no content.
    pub(crate) detail: &'a str,
    /// The body as it arrived, sealed.
    pub(crate) body: &'a [u8],
}

/// Whether the quarantine stored a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QuarantineOutcome {
    /// Stored.
    Stored,
    /// The same delivery was stored before, for the same reason; its count went up.
    AlreadyStored,
    /// Quarantine full: not stored, only counted. Holds the running count.
    Full(u64),
}

/// Stores a delivery, once per content and reason. Further copies, and deliveries beyond [`QUARANTINE_MAX_ROWS`], are only
/// counted.
pub(crate) async fn store(
    tx: &mut Conn,
    item: &QuarantineItem<'_>,
    now: Timestamp,
) -> Result<QuarantineOutcome, DbError> {
    metrics::counter!("rovuma_quarantined_total", "reason" => item.reason.as_str()).increment(1);
    if count_repeated(tx, item.digest, item.reason, now).await? {
        return Ok(QuarantineOutcome::AlreadyStored);
    }
    let row = sqlx::query("SELECT kept_rows, kept_bytes, beyond FROM quarantine_total WHERE one = 1")
        .fetch_one(&mut *tx)
        .await?;
    if row.try_get::<i64, _>("kept_rows")? >= QUARANTINE_MAX_ROWS {
        sqlx::query("UPDATE quarantine_total SET beyond = beyond + 1 WHERE one = 1").execute(tx).await?;
        return Ok(QuarantineOutcome::Full(row.count("beyond")? + 1));
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
    Ok(QuarantineOutcome::Stored)
}

/// Counts a delivery that was stored before for the same reason; `false` when none was.
pub(crate) async fn count_repeated(
    tx: &mut Conn,
    digest: Digest,
    reason: QuarantineReason,
    now: Timestamp,
) -> Result<bool, DbError> {
    let counted = sqlx::query(
        "UPDATE quarantine SET times = times + 1, last_at = $1 WHERE digest = $2 AND reason = $3",
    )
    .bind(now.as_micros())
    .bind(digest.as_bytes().as_slice())
    .bind(reason.as_str())
    .execute(tx)
    .await?;
    Ok(counted.rows_affected() > 0)
}

async fn insert(
    tx: &mut Conn,
    item: &QuarantineItem<'_>,
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
    .bind(one_line(item.routing_key))
    .bind(item.reason.as_str())
    .bind(one_line(item.detail))
    .bind(has_room.then(|| item.body.to_vec()))
    .bind(size)
    .bind(now.as_micros())
    .execute(tx)
    .await?;
    Ok(())
}

/// A text of strangers as one line: each control character, and each that cannot be seen, becomes a space. PostgreSQL takes no NUL, and whoever reads the line
/// is not to be misled by what a terminal obeys.
pub(crate) fn one_line(text: &str) -> String {
    let is_kept = |c: char| !c.is_control() && !rovuma_schemas::is_unseen(c);
    text.chars().map(|c| if is_kept(c) { c } else { ' ' }).collect()
}
