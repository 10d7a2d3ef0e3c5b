//! How much of what a partner's agency sends is refused one by one: by the hour, and no more.
//!
//! Whoever holds an agency's key, or a bundle of that agency from the way, can make us refuse as often as the line allows. Each
//! refusal is a row, an audit event, an alarm and a signed answer, kept for ever. So those beyond a number are counted only; an
//! honest sender, to whom they are not answered, sends its messages again.

use std::time::Duration;

use rovuma_schemas::{AgencyCode, Timestamp, audit::AuditAction};
use rovuma_store::{Conn, RowExt};
use rovuma_trail::AuditRecord;

use super::SYSTEM;
use crate::{
    alarm::{self, AlarmKind},
    error::DbError,
    exchange::Exchange,
};

/// Maximum refusals of one sender in [`WINDOW`] that are recorded and answered: far more than an honest one causes, but for the
/// backlog after a list or version changed, which then takes some hours.
pub(crate) const RECORDED_MAX: u64 = 256;

/// Maximum bytes that are kept of one sender's refused messages in [`WINDOW`].
pub(crate) const RECORDED_MAX_BYTES: u64 = 1024 * 1024;

/// The span of both.
const WINDOW: Duration = Duration::from_secs(60 * 60);

/// One in this many refusals beyond is recorded, with the number.
const BEYOND_EVERY: u64 = 1_000;

/// Counts a refusal of what `sender` signed, of which `size_bytes` would be kept. Returns whether to record it: those beyond the
/// bounds are counted, and one in [`BEYOND_EVERY`] becomes an alarm and an audit event of `own`.
pub(crate) async fn has_room(
    tx: &mut Conn,
    exchange: &Exchange,
    (own, sender): (&AgencyCode, &AgencyCode),
    size_bytes: usize,
    now: Timestamp,
) -> Result<bool, DbError> {
    // The first of an hour has room whatever its size.
    let size_bytes = (size_bytes as u64).min(RECORDED_MAX_BYTES);
    let size = i64::try_from(size_bytes).unwrap_or(i64::MAX);
    let row = sqlx::query(
        "INSERT INTO refusals (sender, since, times, size_bytes) VALUES ($1, $2, 1, $3)
         ON CONFLICT (sender) DO UPDATE SET
             since = CASE WHEN refusals.since > $4 THEN refusals.since ELSE excluded.since END,
             times = CASE WHEN refusals.since > $4 THEN refusals.times + 1 ELSE 1 END,
             size_bytes = CASE WHEN refusals.since > $4 THEN refusals.size_bytes + $3 ELSE $3 END
         RETURNING times, size_bytes",
    )
    .bind(sender.as_str())
    .bind(now.as_micros())
    .bind(size)
    .bind(now.minus(WINDOW).as_micros())
    .fetch_one(&mut *tx)
    .await?;
    let (times, kept) = (row.count("times")?, row.count("size_bytes")?);
    if times <= RECORDED_MAX && kept <= RECORDED_MAX_BYTES {
        return Ok(true);
    }
    metrics::counter!("rovuma_refusals_not_recorded_total").increment(1);
    // The first that is beyond because of its bytes may have any number: from then on the count of times goes on alone.
    let beyond = times.saturating_sub(RECORDED_MAX);
    if beyond % BEYOND_EVERY == 1 || (beyond == 0 && is_first_beyond(kept, size_bytes)) {
        let detail = format!("{times} within an hour; those beyond {RECORDED_MAX} are counted, not recorded");
        alarm::raise(tx, own, AlarmKind::Refusals, sender.as_str(), &detail, now).await?;
        let record = AuditRecord::new(now, SYSTEM, AuditAction::MessageReject)
            .agency(own)
            .object("agency", sender)
            .refused("too_many_refusals")
            .detail("times", times);
        exchange.base.trail.record(tx, &record).await?;
    }
    Ok(false)
}

/// Whether the bytes kept before this refusal were within the bound.
fn is_first_beyond(kept: u64, size_bytes: u64) -> bool {
    kept.saturating_sub(size_bytes) <= RECORDED_MAX_BYTES
}
