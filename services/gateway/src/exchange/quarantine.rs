//! Quarantine: deliveries that could not be verified, kept sealed for the operators.

use rovuma_schemas::{AgencyCode, Digest, Timestamp};
use sqlx::{AnyConnection, Row};

use crate::error::DbError;

/// The quarantine keeps at most this many bytes of originals, so that a forger cannot fill the disk
/// that honest messages need. Past it only the digest, the reason and the count are kept.
pub(crate) const QUARANTINE_MAX_BYTES: i64 = 256 * 1024 * 1024;

/// Why a delivery, or one message in it, was not taken. Stable words: the log, the metric and the
/// operators' list use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QuarantineReason {
    /// The routing key names no agency of this gateway.
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

/// Keeps a delivery, once per content and reason; later copies are only counted.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn put(
    tx: &mut AnyConnection,
    item: &Quarantined<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    metrics::counter!("rovuma_quarantined_total", "reason" => item.reason.as_str()).increment(1);
    let size = i64::try_from(item.body.len()).unwrap_or(i64::MAX);
    let kept: i64 =
        sqlx::query("SELECT COALESCE(SUM(size_bytes), 0) AS kept FROM quarantine WHERE body IS NOT NULL")
            .fetch_one(&mut *tx)
            .await?
            .try_get("kept")?;
    let body = (kept.saturating_add(size) <= QUARANTINE_MAX_BYTES).then(|| item.body.to_vec());
    sqlx::query(
        "INSERT INTO quarantine
             (digest, agency, queue, exchange, routing_key, reason, detail, body, size_bytes, times, first_at,
              last_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $10)
         ON CONFLICT (digest, reason) DO UPDATE SET times = quarantine.times + 1, last_at = excluded.last_at",
    )
    .bind(item.digest.as_bytes().to_vec())
    .bind(item.agency.map(AgencyCode::as_str))
    .bind(item.queue)
    .bind(item.exchange)
    .bind(item.routing_key)
    .bind(item.reason.as_str())
    .bind(item.detail)
    .bind(body)
    .bind(size)
    .bind(now.as_micros())
    .execute(tx)
    .await?;
    Ok(())
}
