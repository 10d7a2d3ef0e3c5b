//! Acknowledging an alarm: somebody has looked at it, and says what they found or did.

use rovuma_policy::{Permit, act};
use rovuma_schemas::{Line, Timestamp};
use rovuma_store::Conn;

use super::list::{self, Alarm};
use crate::error::DbError;

/// The place of an acknowledged alarm is its severity's rank and this: all open ones come before it.
pub(super) const ACKNOWLEDGED: i64 = 10;

/// An acknowledgement of the alarm `seq`.
#[derive(Debug)]
pub(crate) struct Acknowledgement<'a> {
    pub(crate) seq: i64,
    /// How often the alarm had been raised when the person looked: what came after must not be acknowledged unseen.
    pub(crate) times: u64,
    pub(crate) reason: &'a Line,
    pub(crate) by: &'a str,
}

/// An alarm is not acknowledged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAcknowledged {
    /// The agency has no such alarm.
    #[error("no alarm {seq}")]
    NotFound {
        /// The number that was given.
        seq: i64,
    },
    /// It was raised again since the person looked.
    #[error("raised {times} times by now")]
    RaisedAgain {
        /// How often by now.
        times: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<sqlx::Error> for NotAcknowledged {
    fn from(fault: sqlx::Error) -> Self {
        Self::Db(fault.into())
    }
}

/// Acknowledges an alarm of the permit's agency in the caller's transaction. An alarm that is acknowledged already keeps who did
/// it first.
///
/// # Errors
/// [`NotAcknowledged`]; nothing was changed then.
pub(crate) async fn acknowledge(
    tx: &mut Conn,
    permit: &Permit<act::AlarmAcknowledge>,
    acknowledgement: &Acknowledgement<'_>,
    now: Timestamp,
) -> Result<Alarm, NotAcknowledged> {
    let found =
        sqlx::query(concat!("SELECT ", list::columns!(), " FROM alarm WHERE seq = $1 AND agency = $2"))
            .bind(acknowledgement.seq)
            .bind(permit.resource().owner().as_str())
            .fetch_optional(&mut *tx)
            .await?;
    let mut alarm = list::read(&found.ok_or(NotAcknowledged::NotFound { seq: acknowledgement.seq })?)?;
    if alarm.times != acknowledgement.times {
        return Err(NotAcknowledged::RaisedAgain { times: alarm.times });
    }
    if alarm.acknowledged.is_some() {
        return Ok(alarm);
    }
    sqlx::query(
        "UPDATE alarm SET place = place + $2, acknowledged_at = $3, acknowledged_by = $4, acknowledged_reason = $5
         WHERE seq = $1",
    )
    .bind(acknowledgement.seq)
    .bind(ACKNOWLEDGED)
    .bind(now.as_micros())
    .bind(acknowledgement.by)
    .bind(acknowledgement.reason.as_str())
    .execute(tx)
    .await?;
    alarm.acknowledged = Some((now, acknowledgement.by.to_owned(), acknowledgement.reason.to_string()));
    Ok(alarm)
}
