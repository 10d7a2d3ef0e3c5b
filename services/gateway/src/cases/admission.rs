//! Which messages of others stand in the case that they name. A case's id is no secret: other cases, groups and questions for leave
//! name it. So whoever knows the id does not thereby become a party of the case, to whom its owner's next messages would go.
//!
//! A message that is not admitted is stored, receipted and readable like every verified message; its case is as if it had not come.

use rovuma_schemas::{AgencyCode, Status, Timestamp};
use rovuma_store::Conn;

use super::{
    follow,
    kept::{CaseKey, KeptMessage, ROWS_PER_SENDER_MAX},
    project::NewInCase,
};
use crate::{
    alarm::{self, AlarmKind},
    error::DbError,
};

/// Why a message does not stand in the case that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotAdmitted {
    /// Its sender is no party: the owner has not written to it or, in a case of somebody else, does not write for the owner.
    NotAParty,
    /// The case is an exercise and the message is not, or the other way round.
    OtherStatus,
    /// Its sender has more messages in the case than count.
    BeyondLimit,
}

impl NotAdmitted {
    /// The code of the alarm.
    const fn as_str(self) -> &'static str {
        match self {
            Self::NotAParty => "case_not_a_party",
            Self::OtherStatus => "case_other_status",
            Self::BeyondLimit => "case_beyond_limit",
        }
    }
}

/// Checks whether a message may stand in its case, of which these messages are here; `status` is that of those of them which this
/// transaction adds.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(super) async fn check(
    conn: &mut Conn,
    new: &NewInCase,
    (messages, status): (&[KeptMessage], Option<Status>),
) -> Result<Result<(), NotAdmitted>, DbError> {
    let (key, sender) = (&new.key, &new.message.sender);
    if !has_room(new, messages) {
        return Ok(Err(NotAdmitted::BeyondLimit));
    }
    if *sender == key.agency {
        return Ok(Ok(()));
    }
    if *sender != key.owner && !is_party(conn, key, sender, messages).await? {
        return Ok(Err(NotAdmitted::NotAParty));
    }
    // What opens the case says what it is, even where something else of its owner came first. It opens it once.
    if new.is_opener() && !is_open(key, messages) {
        return Ok(Ok(()));
    }
    let present = match status {
        Some(status) => Some(status.as_str().to_owned()),
        None => follow::status_of(conn, key).await?,
    };
    let is_other = present.is_some_and(|present| !present.is_empty() && present != new.status.as_str());
    Ok(if is_other { Err(NotAdmitted::OtherStatus) } else { Ok(()) })
}

/// Whether the owner of the case has written to `sender`, which is not the owner. Only the owner's own store can tell: others hear from
/// the owner alone.
async fn is_party(
    conn: &mut Conn,
    key: &CaseKey,
    sender: &AgencyCode,
    messages: &[KeptMessage],
) -> Result<bool, DbError> {
    if key.owner != key.agency {
        return Ok(false);
    }
    if is_open(key, messages) {
        return Ok(follow::parties(conn, key).await?.contains(sender));
    }
    // A store that was restored knows a case that it has forgotten only from those who still write in it. It drew the case's id before.
    let restored_at = follow::restored_at(conn, &key.agency).await?;
    Ok(restored_at.is_some_and(|restored_at| key.id.drawn_at() <= restored_at))
}

/// Whether the message that opened the case is among these.
fn is_open(key: &CaseKey, messages: &[KeptMessage]) -> bool {
    messages.iter().any(|message| message.sender == key.owner && message.turn == 1)
}

/// Whether the case keeps another message of this sender. A withdrawal is kept whatever its sender sent before.
fn has_room(new: &NewInCase, messages: &[KeptMessage]) -> bool {
    let of_sender = || messages.iter().filter(|kept| kept.sender == new.message.sender);
    let is_first_absorbing =
        new.is_absorbing() && !of_sender().any(|kept| kept.message_type == new.message.message_type);
    is_first_absorbing || of_sender().count() < ROWS_PER_SENDER_MAX
}

/// Raises an alarm about a message that was not admitted.
///
/// # Errors
/// [`DbError`] when the store does not answer; then the transaction must be rolled back.
pub(super) async fn alarm(
    tx: &mut Conn,
    new: &NewInCase,
    reason: NotAdmitted,
    now: Timestamp,
) -> Result<(), DbError> {
    let (key, message) = (&new.key, &new.message);
    let subject = format!("{} {} {}", key.case(), message.sender, message.id);
    let about = (subject.as_str(), reason.as_str());
    alarm::raise_by(tx, &key.agency, AlarmKind::CaseFault, &message.sender, about, now).await
}
