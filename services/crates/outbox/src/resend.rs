//! Answers a partner's `stream.request` for missing numbers.

use rovuma_schemas::{AgencyCode, NumberRange, StreamGaps, Timestamp};
use rovuma_store::Conn;

use crate::{Outbox, model::to_column};

/// Maximum copies that one request may cause to be sent again; the partner requests the rest later. Without a bound a
/// single request could send the whole history.
pub const RESEND_MAX: u32 = 4096;

/// The outcome of a request for missing numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResendOutcome {
    /// The number of copies that leave again.
    pub resent: u64,
    /// The number of requested numbers that are void; the next `stream.status` names them again.
    pub voided: u64,
}

impl Outbox {
    /// Sends again, at once, the copies with the numbers that `recipient` lacked at `asked_at`, by its own clock.
    ///
    /// Settled copies are sent too: the partner's store may have been restored from before it had them. A copy whose
    /// receipt says that it came after `asked_at` is not: the request was overtaken on a slow line, and a partner that
    /// still lacks the copy will request it again. Numbers that are void are named again in the next `stream.status`.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn resend(
        &self,
        tx: &mut Conn,
        sender: &AgencyCode,
        recipient: &AgencyCode,
        gaps: &StreamGaps,
        asked_at: Timestamp,
        now: Timestamp,
    ) -> sqlx::Result<ResendOutcome> {
        let request = ResendRequest { sender, recipient, gaps, at: asked_at };
        let mut outcome = ResendOutcome::default();
        for range in &gaps.missing {
            let left = u64::from(RESEND_MAX).saturating_sub(outcome.resent + outcome.voided);
            outcome.resent += resend_range(tx, &request, range, left, now).await?;
            outcome.voided += name_voids_again(tx, &request, range, now).await?;
        }
        if outcome.resent > 0 {
            self.mark(recipient, gaps.lane);
        }
        Ok(outcome)
    }
}

/// A request of `recipient` for numbers of a stream of `sender`.
struct ResendRequest<'a> {
    sender: &'a AgencyCode,
    recipient: &'a AgencyCode,
    gaps: &'a StreamGaps,
    at: Timestamp,
}

/// Selects the copies of a stream within a range of numbers: `$1` to `$6`.
macro_rules! in_range {
    () => {
        "sender = $1 AND recipient = $2 AND lane = $3 AND stream = $4 AND number BETWEEN $5 AND $6"
    };
}

/// Makes copies of a range due at once, at most `most`.
async fn resend_range(
    tx: &mut Conn,
    request: &ResendRequest<'_>,
    range: &NumberRange,
    most: u64,
    now: Timestamp,
) -> sqlx::Result<u64> {
    let query = sqlx::query(concat!(
        "UPDATE outbox_copy SET state = 1, due_at = $7 WHERE position IN (
           SELECT position FROM outbox_copy WHERE ",
        in_range!(),
        " AND (state = 1 OR state IN (2, 3) AND COALESCE(delivered_at, rejected_at) < $9)
           ORDER BY number LIMIT $8)"
    ));
    let query = bind_range(query, request, range)
        .bind(now.as_micros())
        .bind(to_column(most))
        .bind(request.at.as_micros());
    Ok(query.execute(tx).await?.rows_affected())
}

/// Makes the next status name the void numbers of a range.
async fn name_voids_again(
    tx: &mut Conn,
    request: &ResendRequest<'_>,
    range: &NumberRange,
    now: Timestamp,
) -> sqlx::Result<u64> {
    let query =
        sqlx::query(concat!("UPDATE outbox_copy SET named_from = $7 WHERE state = 4 AND ", in_range!()));
    Ok(bind_range(query, request, range).bind(now.as_micros()).execute(tx).await?.rows_affected())
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

fn bind_range<'q>(query: Query<'q>, request: &'q ResendRequest<'_>, range: &NumberRange) -> Query<'q> {
    query
        .bind(request.sender.as_str())
        .bind(request.recipient.as_str())
        .bind(request.gaps.lane.as_str())
        .bind(request.gaps.stream.as_bytes().as_slice())
        .bind(to_column(range.from))
        .bind(to_column(range.to))
}
