//! Answering a partner that says what it lacks.

use rovuma_schemas::{AgencyCode, NumberRange, StreamGaps, Timestamp};
use rovuma_store::Conn;

use crate::{Outbox, model::to_column};

/// Copies that one request may call back at most; the partner asks again for the rest. Without a bound a
/// single request could turn the whole history into traffic.
pub const RESEND_MAX: u32 = 4096;

/// What became of numbers that a partner asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resent {
    /// Copies that go again.
    pub again: u64,
    /// Numbers made void, which the next `stream.status` names again.
    pub voided: u64,
}

impl Outbox {
    /// Makes the copies with the numbers that `recipient` lacked at `asked_at`, by its own clock, go again
    /// at once. A settled one is among them: the partner's store may have been restored from before it had
    /// it. One that its receipt says came only after it asked is not: the request was overtaken on a slow
    /// line, and a partner that still lacks it asks again. Numbers it did not get because they are void
    /// are named again in the next `stream.status`.
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
    ) -> sqlx::Result<Resent> {
        let asked = Asked { sender, recipient, gaps, at: asked_at };
        let mut resent = Resent::default();
        for range in &gaps.missing {
            let left = u64::from(RESEND_MAX).saturating_sub(resent.again + resent.voided);
            resent.again += call_back(tx, &asked, range, left, now).await?;
            resent.voided += tell_again(tx, &asked, range, now).await?;
        }
        if resent.again > 0 {
            self.mark(recipient, gaps.lane);
        }
        Ok(resent)
    }
}

/// A stream of ours and the agency that asks about it.
struct Asked<'a> {
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

async fn call_back(
    tx: &mut Conn,
    asked: &Asked<'_>,
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
    let query =
        select(query, asked, range).bind(now.as_micros()).bind(to_column(most)).bind(asked.at.as_micros());
    Ok(query.execute(tx).await?.rows_affected())
}

async fn tell_again(
    tx: &mut Conn,
    asked: &Asked<'_>,
    range: &NumberRange,
    now: Timestamp,
) -> sqlx::Result<u64> {
    let query = sqlx::query(concat!("UPDATE outbox_copy SET told_at = $7 WHERE state = 4 AND ", in_range!()));
    Ok(select(query, asked, range).bind(now.as_micros()).execute(tx).await?.rows_affected())
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

fn select<'q>(query: Query<'q>, asked: &'q Asked<'_>, range: &NumberRange) -> Query<'q> {
    query
        .bind(asked.sender.as_str())
        .bind(asked.recipient.as_str())
        .bind(asked.gaps.lane.as_str())
        .bind(asked.gaps.stream.as_bytes().as_slice())
        .bind(to_column(range.from))
        .bind(to_column(range.to))
}
