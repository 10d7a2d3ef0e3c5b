//! Answers a partner's `stream.request` for missing numbers.

use rovuma_schemas::{AgencyCode, StreamGaps, StreamRequest, Timestamp, limits::REQUEST_NUMBERS_MAX};
use rovuma_store::{Conn, RowExt};

use crate::{Outbox, model::to_column};

/// Maximum settled copies that one request may cause to be sent again; the partner requests the rest later. Only its word
/// says that it needs them: its store may have been restored from before it had them. Copies without a receipt are bounded by
/// the numbers that a request may name.
pub const RESEND_SETTLED_MAX: u64 = 512;

/// The outcome of a request for missing numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResendOutcome {
    /// The number of copies that leave again.
    pub resent: u64,
    /// How many of those a receipt had settled.
    pub settled: u64,
    /// The number of requested numbers that are void; the next `stream.status` names them again.
    pub voided: u64,
}

impl Outbox {
    /// Sends again, at once, the copies with the numbers that `recipient` lacked at `asked_at`, by its own clock. No copy
    /// changes its state.
    ///
    /// Settled copies are sent too, at most [`RESEND_SETTLED_MAX`]: the partner's store may have been restored from before it
    /// had them. A copy whose receipt says that it came after `asked_at` is not: the request was overtaken on a slow line, and
    /// a partner that still lacks the copy will request it again. Numbers that are void are named again in the next
    /// `stream.status`.
    ///
    /// The work is bounded whatever the request says: [`REQUEST_NUMBERS_MAX`] numbers over all its ranges, each cut at the last
    /// number given out.
    ///
    /// # Errors
    /// [`sqlx::Error`] when the store does not answer.
    pub async fn resend(
        &self,
        tx: &mut Conn,
        (sender, recipient): (&AgencyCode, &AgencyCode),
        request: &StreamRequest,
        asked_at: Timestamp,
        now: Timestamp,
    ) -> sqlx::Result<ResendOutcome> {
        let mut outcome = ResendOutcome::default();
        let mut numbers_left = REQUEST_NUMBERS_MAX;
        for gaps in &request.streams {
            let stream = RequestedStream { sender, recipient, gaps, asked_at, now };
            let before = outcome.resent;
            let Some(last) = stream.last_number(tx).await? else { continue };
            for range in &gaps.missing {
                if numbers_left == 0 {
                    break;
                }
                let to = range.to.min(last).min(range.from.saturating_add(numbers_left - 1));
                if to < range.from {
                    continue;
                }
                numbers_left -= to - range.from + 1;
                let range = (range.from, to);
                let settled_left = RESEND_SETTLED_MAX.saturating_sub(outcome.settled);
                let settled = stream.resend_settled(tx, range, settled_left).await?;
                outcome.settled += settled;
                outcome.resent += settled + stream.resend_unsettled(tx, range).await?;
                outcome.voided += stream.name_voids_again(tx, range).await?;
            }
            if outcome.resent > before {
                self.mark(recipient, gaps.lane);
            }
        }
        Ok(outcome)
    }
}

/// The missing numbers of one stream of `sender`, as `recipient` requested them.
struct RequestedStream<'a> {
    sender: &'a AgencyCode,
    recipient: &'a AgencyCode,
    gaps: &'a StreamGaps,
    asked_at: Timestamp,
    now: Timestamp,
}

/// Selects the copies of a stream within a range of numbers: `$1` to `$6`.
macro_rules! in_range {
    () => {
        "sender = $1 AND recipient = $2 AND lane = $3 AND stream = $4 AND number BETWEEN $5 AND $6"
    };
}

/// Makes the queued copies of a range due.
pub(crate) const UNSETTLED_AGAIN: &str =
    concat!("UPDATE outbox_copy SET due_at = $7 WHERE state = 1 AND number IS NOT NULL AND ", in_range!());

/// Makes the settled copies of a range leave again, the first ones first.
pub(crate) const SETTLED_AGAIN: &str = concat!(
    "UPDATE outbox_copy SET again_at = $7 WHERE position IN (
       SELECT position FROM outbox_copy WHERE number IS NOT NULL AND ",
    in_range!(),
    " AND state IN (2, 3) AND COALESCE(delivered_at, rejected_at) < $9 ORDER BY number LIMIT $8)"
);

/// Makes the next status name the void numbers of a range.
pub(crate) const NAME_VOIDS_AGAIN: &str =
    concat!("UPDATE outbox_copy SET named_from = $7 WHERE state = 4 AND ", in_range!());

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

impl RequestedStream<'_> {
    /// The last number given out in the stream; none when it is no stream of ours.
    async fn last_number(&self, tx: &mut Conn) -> sqlx::Result<Option<u64>> {
        let query = sqlx::query(
            "SELECT last FROM outbox_stream WHERE stream = $4 AND sender = $1 AND recipient = $2 AND lane = $3",
        );
        self.identify(query).fetch_optional(tx).await?.map(|row| row.count("last")).transpose()
    }

    async fn resend_unsettled(&self, tx: &mut Conn, range: (u64, u64)) -> sqlx::Result<u64> {
        Ok(self.bind(sqlx::query(UNSETTLED_AGAIN), range).execute(tx).await?.rows_affected())
    }

    async fn resend_settled(&self, tx: &mut Conn, range: (u64, u64), most: u64) -> sqlx::Result<u64> {
        if most == 0 {
            return Ok(0);
        }
        let query = self.bind(sqlx::query(SETTLED_AGAIN), range);
        let query = query.bind(to_column(most)).bind(self.asked_at.as_micros());
        Ok(query.execute(tx).await?.rows_affected())
    }

    async fn name_voids_again(&self, tx: &mut Conn, range: (u64, u64)) -> sqlx::Result<u64> {
        Ok(self.bind(sqlx::query(NAME_VOIDS_AGAIN), range).execute(tx).await?.rows_affected())
    }

    /// Binds `$1` to `$4`.
    fn identify<'q>(&'q self, query: Query<'q>) -> Query<'q> {
        query
            .bind(self.sender.as_str())
            .bind(self.recipient.as_str())
            .bind(self.gaps.lane.as_str())
            .bind(self.gaps.stream.as_bytes().as_slice())
    }

    /// Binds `$1` to `$7`.
    fn bind<'q>(&'q self, query: Query<'q>, (from, to): (u64, u64)) -> Query<'q> {
        self.identify(query).bind(to_column(from)).bind(to_column(to)).bind(self.now.as_micros())
    }
}
