//! Numbers that partners made void, with the signed statuses that say so.
//!
//! A void number is a sender's word that a message will never come. The exact bytes of the status that first said it are
//! kept: when a message comes under the number all the same, both statements can be proved.

use rovuma_envelope::Authorized;
use rovuma_schemas::{AgencyCode, Digest, StreamEnd, Timestamp, VoidReason, audit::AuditAction};
use rovuma_store::{Conn, Insert, RowExt};
use rovuma_trail::AuditRecord;
use sqlx::Row;

use super::{IncomingStreamKey, NumberSet, RANGES_MAX, range, stream_query, to_column};
use crate::{error::DbError, exchange::SYSTEM};

/// Maximum statuses of a partner that are kept in [`BOUNDED_FOR`], because they make numbers void. An honest sender sends 1,440 a
/// day, and few of them have such news.
const STATUSES_MAX: u64 = 2_000;

/// Maximum bytes of those statuses.
const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Maximum numbers that a partner makes void in [`BOUNDED_FOR`]: what an agency that issues 2,500 alerts a day lets expire in a
/// cut of 20 days.
const NUMBERS_MAX: u64 = 50_000;

/// The time over which these bounds count.
const BOUNDED_FOR: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

/// Maximum bytes of the list of numbers, but for the mark that ends a longer one, in an audit event; the status, whose digest the event has, names all of them.
const LISTED_MAX_BYTES: usize = 2_000;

/// New void numbers of a stream, as a status announces them.
pub(crate) struct NewVoids {
    pub(crate) key: IncomingStreamKey,
    /// The stream's end in the status.
    pub(crate) announced: StreamEnd,
    /// Those of its void numbers that had neither come nor been void.
    pub(crate) numbers: NumberSet,
}

/// A number that its sender made void.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VoidNumber {
    /// The reason that the sender gave.
    pub(crate) reason: VoidReason,
    /// When the status came.
    pub(crate) received_at: Timestamp,
    /// SHA-256 of the status.
    pub(crate) status: Digest,
    /// The status, exactly as received.
    pub(crate) jws: String,
}

/// Whether the void numbers of a status of `size_bytes` may be noted. Without room for its proof, a number stays missing: nobody
/// could show later that its sender had made it void.
pub(crate) async fn has_room(
    tx: &mut Conn,
    (own, partner): (&AgencyCode, &AgencyCode),
    (numbers, size_bytes): (u64, u64),
    now: Timestamp,
) -> Result<bool, DbError> {
    let row = sqlx::query(
        "SELECT COUNT(*) AS statuses, CAST(COALESCE(SUM(numbers), 0) AS BIGINT) AS numbers,
                CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) AS bytes
         FROM void_status WHERE recipient = $1 AND sender = $2 AND received_at > $3",
    )
    .bind(own.as_str())
    .bind(partner.as_str())
    .bind(now.minus(BOUNDED_FOR).as_micros())
    .fetch_one(tx)
    .await?;
    Ok(row.count("statuses")? < STATUSES_MAX
        && row.count("numbers")?.saturating_add(numbers) <= NUMBERS_MAX
        && row.count("bytes")?.saturating_add(size_bytes) <= BYTES_MAX)
}

const NUMBERS: Insert = Insert {
    into: "INSERT INTO stream_void (recipient, sender, lane, stream, first, last, reason, status)",
    columns: 8,
    // The first status that made the number void is the proof.
    then: "ON CONFLICT (recipient, sender, lane, stream, first) DO NOTHING",
};

/// Keeps a status that makes numbers void. Returns the audit events that record it, one a stream.
pub(crate) async fn keep(
    tx: &mut Conn,
    status: &Authorized,
    voids: &[NewVoids],
    now: Timestamp,
) -> Result<Vec<AuditRecord>, DbError> {
    let (own, partner) = (&status.recipient().agency, status.sender());
    let (jws, digest) = (status.jws().to_compact(), status.digest());
    let numbers = voids.iter().map(|voids| voids.numbers.count()).sum();
    sqlx::query(
        "INSERT INTO void_status (digest, recipient, sender, jws, size_bytes, numbers, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (digest) DO NOTHING",
    )
    .bind(digest.as_bytes().to_vec())
    .bind(own.as_str())
    .bind(partner.as_str())
    .bind(jws.as_bytes())
    .bind(i64::try_from(jws.len()).unwrap_or(i64::MAX))
    .bind(to_column(numbers))
    .bind(now.as_micros())
    .execute(&mut *tx)
    .await?;
    let mut records = Vec::with_capacity(voids.len());
    for NewVoids { key, announced, numbers } in voids {
        let rows = by_reason(announced, numbers);
        let insert = NUMBERS.rows(tx, &rows, |query, ((first, last), reason)| {
            query
                .bind(key.recipient.as_str())
                .bind(key.sender.as_str())
                .bind(key.lane.as_str())
                .bind(key.stream.as_bytes().to_vec())
                .bind(to_column(*first))
                .bind(to_column(*last))
                .bind(reason.as_str())
                .bind(digest.as_bytes().to_vec())
        });
        insert.await?;
        let mut reasons: Vec<&str> = rows.iter().map(|(_, reason)| reason.as_str()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        records.push(
            AuditRecord::new(now, SYSTEM, AuditAction::StreamVoid)
                .agency(own)
                .object("stream", format_args!("{}/{own}/{}/{}", key.sender, key.lane, key.stream))
                .detail("from", partner)
                .detail("lane", key.lane)
                .detail("stream", key.stream)
                .detail("numbers", listed(numbers.ranges().iter().map(range_text)))
                .detail("count", numbers.count())
                .detail("reason", listed(reasons.iter().map(|reason| (*reason).to_owned())))
                .detail("digest", digest),
        );
    }
    Ok(records)
}

/// The numbers of a stream that its sender made void, as far as their ranges could be kept with the stream.
pub(super) async fn of_stream(tx: &mut Conn, key: &IncomingStreamKey) -> Result<NumberSet, DbError> {
    let rows = stream_query(
        key,
        "SELECT first, last FROM stream_void
         WHERE recipient = $1 AND sender = $2 AND lane = $3 AND stream = $4 ORDER BY first LIMIT $5",
    )
    .bind(i64::try_from(RANGES_MAX).unwrap_or(i64::MAX))
    .fetch_all(tx)
    .await?;
    Ok(rows.iter().map(range).collect::<sqlx::Result<_>>()?)
}

/// What the sender said when it made this number void; none when it did not.
pub(crate) async fn find(
    conn: &mut Conn,
    key: &IncomingStreamKey,
    number: u64,
) -> Result<Option<VoidNumber>, DbError> {
    let row = stream_query(
        key,
        "SELECT v.last, v.reason, v.status, s.jws, s.received_at
         FROM stream_void v JOIN void_status s ON s.digest = v.status
         WHERE v.recipient = $1 AND v.sender = $2 AND v.lane = $3 AND v.stream = $4 AND v.first <= $5
         ORDER BY v.first DESC LIMIT 1",
    )
    .bind(to_column(number))
    .fetch_optional(conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if row.count("last")? < number {
        return Ok(None);
    }
    let jws =
        String::from_utf8(row.try_get("jws")?).map_err(|fault| DbError::damaged("void_status", fault))?;
    Ok(Some(VoidNumber {
        reason: row.parsed("reason")?,
        received_at: row.instant("received_at")?,
        status: row.digest("status")?,
        jws,
    }))
}

/// The new void numbers as ranges of numbers with one reason.
fn by_reason<'s>(announced: &'s StreamEnd, new: &NumberSet) -> Vec<((u64, u64), &'s VoidReason)> {
    let mut rows: Vec<((u64, u64), &VoidReason)> = Vec::new();
    for voided in announced.voided.iter().filter(|voided| new.contains(voided.number)) {
        match rows.last_mut() {
            Some(((_, last), reason)) if *last + 1 == voided.number && **reason == voided.reason => {
                *last = voided.number;
            }
            _ => rows.push(((voided.number, voided.number), &voided.reason)),
        }
    }
    rows
}

fn range_text((from, to): &(u64, u64)) -> String {
    if from == to { from.to_string() } else { format!("{from}-{to}") }
}

/// The words, separated by blanks, as far as there is room for them.
fn listed(words: impl Iterator<Item = String>) -> String {
    let mut list = String::new();
    for word in words {
        if !list.is_empty() {
            list.push(' ');
        }
        if list.len() + word.len() > LISTED_MAX_BYTES {
            list.push('…');
            break;
        }
        list.push_str(&word);
    }
    list
}

#[cfg(test)]
mod tests {
    use rovuma_schemas::{Lane, StreamId, VoidedNumber};

    use super::*;

    #[test]
    fn neighbours_with_one_reason_share_a_row() {
        let voided = |number, reason: &VoidReason| VoidedNumber { number, reason: reason.clone() };
        let (expired, replaced) = (VoidReason::Expired, VoidReason::Replaced);
        let announced = StreamEnd {
            lane: Lane::Normal,
            stream: StreamId::draw(),
            last: 20,
            voided: vec![
                voided(2, &expired),
                voided(3, &expired),
                voided(4, &replaced),
                voided(5, &expired),
                voided(7, &expired),
                voided(8, &expired),
            ],
        };
        let new = [(2, 4), (7, 8)].into_iter().collect();
        let rows = by_reason(&announced, &new);
        assert_eq!(rows, [((2, 3), &expired), ((4, 4), &replaced), ((7, 8), &expired)]);
    }

    #[test]
    fn a_list_ends_where_its_room_does() {
        assert_eq!(listed([(1, 3), (5, 5)].iter().map(range_text)), "1-3 5");
        let long = listed((1..5_000).map(|number| number.to_string()));
        assert!(long.len() <= LISTED_MAX_BYTES + '…'.len_utf8() && long.ends_with(" …"), "{}", long.len());
    }
}
