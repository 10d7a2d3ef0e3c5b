//! Reads the copies that may leave: the sizes of all candidates, and the bytes of the chosen ones.

use rovuma_envelope::{BUNDLE_BYTES_MAX, BUNDLE_MESSAGES_MAX, Jws};
use rovuma_schemas::Timestamp;
use rovuma_store::{RowExt, padded_list, with_list};
use sqlx::{Row, any::AnyRow};

use super::{
    choose::{Candidate, WindowRoom, choose},
    host::MovedCopy,
};
use crate::{
    Outbox, StreamPosition,
    model::{RecipientLane, to_column},
    partner,
};

/// The copies chosen for one bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BundleChoice {
    pub(crate) positions: Vec<i64>,
    /// Whether these are all copies that may leave now: no further bundle is full yet.
    pub(crate) is_all: bool,
}

/// A chosen copy with its signed message.
#[derive(Clone, Debug)]
pub(crate) struct LoadedCopy {
    pub(crate) position: i64,
    pub(crate) copy: MovedCopy,
    /// Absent when the stored bytes do not read back.
    pub(crate) jws: Option<Jws>,
    /// Whether its bytes were erased at the end of their retention.
    pub(crate) is_erased: bool,
}

impl Outbox {
    /// Chooses the copies of the next bundle on a lane.
    pub(crate) async fn choose(&self, lane: &RecipientLane, now: Timestamp) -> sqlx::Result<BundleChoice> {
        let due = self.due(lane, now).await?;
        let room = self.room(lane).await?;
        let mut fresh = self.waiting(lane, Numbered::No, now).await?;
        if room.bundle {
            fresh.extend(self.waiting(lane, Numbered::Yes, now).await?);
            fresh.sort_unstable_by_key(|candidate| candidate.position);
        }
        let again = self.requested_again(lane, now).await?;
        let positions = choose(&due, &fresh, &again, room);
        let is_all =
            due.is_empty() && positions.len() == fresh.len() && positions.len() < BUNDLE_MESSAGES_MAX;
        Ok(BundleChoice { positions, is_all })
    }

    /// The lanes on which a copy waits or has come due, whichever process put it there.
    pub(crate) async fn lanes_with_work(&self, now: Timestamp) -> sqlx::Result<Vec<RecipientLane>> {
        let rows = sqlx::query(
            "SELECT DISTINCT recipient, lane FROM outbox_copy WHERE state = 0 AND number IS NOT NULL
             UNION
             SELECT DISTINCT recipient, lane FROM outbox_copy WHERE state = 0 AND number IS NULL
             UNION
             SELECT DISTINCT c.recipient, c.lane FROM outbox_copy c
               JOIN outbox_partner p ON p.agency = c.recipient
             WHERE c.state = 1 AND c.due_at <= $1 AND p.heard_at >= $2
             UNION
             SELECT DISTINCT c.recipient, c.lane FROM outbox_copy c
               JOIN outbox_partner p ON p.agency = c.recipient
             WHERE c.again_at IS NOT NULL AND p.heard_at >= $2",
        )
        .bind(now.as_micros())
        .bind(now.minus(self.settings().silence()).as_micros())
        .fetch_all(self.store().read())
        .await?;
        rows.iter()
            .map(|row| Ok(RecipientLane { lane: row.parsed("lane")?, recipient: row.parsed("recipient")? }))
            .collect()
    }

    /// Loads the chosen copies with their messages, in the order of leaving.
    pub(crate) async fn load(&self, positions: &[i64]) -> sqlx::Result<Vec<LoadedCopy>> {
        if positions.is_empty() {
            return Ok(Vec::new());
        }
        let text = with_list(
            "SELECT c.position, c.message, c.sender, c.recipient, c.lane, c.stream, c.number, c.attempts,
                    m.message_type, m.compact
             FROM outbox_copy c JOIN outbox_message m ON m.id = c.message AND m.country = c.country
             WHERE c.position IN ({}) ORDER BY c.position",
            1,
            positions.len(),
        );
        let query = padded_list(positions).fold(sqlx::query(text), |query, position| query.bind(position));
        let rows = query.fetch_all(self.store().read()).await?;
        rows.iter().map(loaded_copy).collect()
    }

    /// The settled copies that the recipient has requested; none while it is silent.
    async fn requested_again(&self, lane: &RecipientLane, now: Timestamp) -> sqlx::Result<Vec<Candidate>> {
        let rows = sqlx::query(
            "SELECT position, size_bytes FROM outbox_copy
             WHERE recipient = $1 AND lane = $2 AND again_at IS NOT NULL
               AND EXISTS (SELECT 1 FROM outbox_partner p WHERE p.agency = $1 AND p.heard_at >= $3)
             ORDER BY position LIMIT $4",
        )
        .bind(lane.recipient.as_str())
        .bind(lane.lane.as_str())
        .bind(now.minus(self.settings().silence()).as_micros())
        .bind(messages_max())
        .fetch_all(self.store().read())
        .await?;
        rows.iter().map(|row| candidate(row, true)).collect()
    }

    /// The copies that have left and must leave again; none while the recipient is silent.
    async fn due(&self, lane: &RecipientLane, now: Timestamp) -> sqlx::Result<Vec<Candidate>> {
        let heard = partner::heard_at(self.store().read(), &lane.recipient).await?;
        if !partner::is_heard(heard, now, self.settings().silence()) {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(
            "SELECT position, size_bytes FROM outbox_copy
             WHERE recipient = $1 AND lane = $2 AND state = 1 AND due_at <= $3
             ORDER BY position LIMIT $4",
        )
        .bind(lane.recipient.as_str())
        .bind(lane.lane.as_str())
        .bind(now.as_micros())
        .bind(messages_max())
        .fetch_all(self.store().read())
        .await?;
        rows.iter().map(|row| candidate(row, true)).collect()
    }

    /// The copies that have not left and not expired.
    async fn waiting(
        &self,
        lane: &RecipientLane,
        numbered: Numbered,
        now: Timestamp,
    ) -> sqlx::Result<Vec<Candidate>> {
        let rows = sqlx::query(numbered.waiting())
            .bind(lane.recipient.as_str())
            .bind(lane.lane.as_str())
            .bind(now.as_micros())
            .bind(messages_max())
            .fetch_all(self.store().read())
            .await?;
        rows.iter().map(|row| candidate(row, numbered == Numbered::Yes)).collect()
    }

    /// The room left in the window.
    async fn room(&self, lane: &RecipientLane) -> sqlx::Result<WindowRoom> {
        let row = sqlx::query(
            "SELECT COUNT(DISTINCT bundle) AS bundles, CAST(COALESCE(SUM(sent_bytes), 0) AS BIGINT) AS bytes
             FROM outbox_copy WHERE recipient = $1 AND lane = $2 AND state = 1",
        )
        .bind(lane.recipient.as_str())
        .bind(lane.lane.as_str())
        .fetch_one(self.store().read())
        .await?;
        let (bundles, bytes) = (row.count("bundles")?, row.count("bytes")?);
        // However small the configured window, an empty one takes one bundle.
        let least = if bundles == 0 { u64::try_from(BUNDLE_BYTES_MAX).unwrap_or(u64::MAX) } else { 0 };
        let left = self.settings().window_bytes.saturating_sub(bytes).max(least);
        Ok(WindowRoom {
            bundle: bundles < u64::from(self.settings().window_bundles).max(1) && left > 0,
            bytes: left,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbered {
    Yes,
    No,
}

impl Numbered {
    /// Two texts rather than a parameter, so that each is answered from an index of its own.
    const fn waiting(self) -> &'static str {
        match self {
            Self::Yes => {
                "SELECT position, size_bytes FROM outbox_copy
                 WHERE recipient = $1 AND lane = $2 AND state = 0 AND number IS NOT NULL
                   AND (expires_at IS NULL OR expires_at > $3)
                 ORDER BY position LIMIT $4"
            }
            Self::No => {
                "SELECT position, size_bytes FROM outbox_copy
                 WHERE recipient = $1 AND lane = $2 AND state = 0 AND number IS NULL
                   AND (expires_at IS NULL OR expires_at > $3)
                 ORDER BY position LIMIT $4"
            }
        }
    }
}

fn messages_max() -> i64 {
    to_column(u64::try_from(BUNDLE_MESSAGES_MAX).unwrap_or(u64::MAX))
}

fn candidate(row: &AnyRow, numbered: bool) -> sqlx::Result<Candidate> {
    Ok(Candidate { position: row.try_get("position")?, size_bytes: row.count("size_bytes")?, numbered })
}

fn loaded_copy(row: &AnyRow) -> sqlx::Result<LoadedCopy> {
    let is_erased = row.try_get::<&[u8], _>("compact")?.is_empty();
    let (copy, jws) = (moved_copy(row)?, signed_message(row)?);
    Ok(LoadedCopy { position: row.try_get("position")?, copy, jws, is_erased })
}

/// The signed message; none when the stored bytes do not read back.
pub(crate) fn signed_message(row: &AnyRow) -> sqlx::Result<Option<Jws>> {
    let compact: &[u8] = row.try_get("compact")?;
    Ok(std::str::from_utf8(compact).ok().and_then(|text| Jws::from_compact(text).ok()))
}

/// Reads a copy as the host gets it.
pub(crate) fn moved_copy(row: &AnyRow) -> sqlx::Result<MovedCopy> {
    let position = match (row.opt_store_id("stream")?, row.opt_count("number")?) {
        (Some(stream), Some(number)) => Some(StreamPosition { stream, number }),
        _ => None,
    };
    Ok(MovedCopy {
        message: row.message_id("message")?,
        message_type: row.try_get("message_type")?,
        sender: row.parsed("sender")?,
        recipient: row.parsed("recipient")?,
        lane: row.parsed("lane")?,
        position,
        attempts: row.count("attempts")?,
    })
}
