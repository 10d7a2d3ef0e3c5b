//! Leave of the sender to use a message beyond its handling code: what a `permission.decide` in force says.

use rovuma_schemas::{AgencyCode, CaseId, MessageId, Timestamp, permission::PermissionUse};
use rovuma_store::{Conn, RowExt};

use super::{GRANTED, LeaveAsked};
use crate::{
    cases::{
        folded::CaseMessages,
        kept::{self, CaseKey},
    },
    error::DbError,
    families::{self, CaseDetails},
};

/// Maximum questions for leave to one agency that are looked through, the newest first: leave lapses, and nobody waits for more.
const LOOKED_THROUGH_MAX: i64 = 256;

/// The questions for leave that `$1` asked `$2`.
pub(crate) const ASKED: &str = "
    SELECT owner, case_id FROM case_party
    WHERE agency = $1 AND partner = $2 AND (kind || '') = 'permission' AND (owner || '') = $1
    ORDER BY opened_at DESC, case_id DESC LIMIT $3";

/// The message for which leave is looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Restricted<'a> {
    /// Our agency.
    pub(crate) agency: &'a AgencyCode,
    /// The agency that sent it.
    pub(crate) sender: &'a AgencyCode,
    /// The message.
    pub(crate) id: MessageId,
    /// Its case.
    pub(crate) case: &'a CaseId,
}

/// Whether its sender has given leave for this use that holds at `now`.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn is_given(
    conn: &mut Conn,
    message: Restricted<'_>,
    wanted: PermissionUse,
    now: Timestamp,
) -> Result<bool, DbError> {
    covers(conn, message, now, |asked| asked.uses.contains(&wanted)).await
}

/// Whether its sender has given leave to quote it to `recipient`, or to forward it, that holds at `now`.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn to_hand_on(
    conn: &mut Conn,
    message: Restricted<'_>,
    recipient: &AgencyCode,
    now: Timestamp,
) -> Result<bool, DbError> {
    let hands_on = |one: &PermissionUse| matches!(one, PermissionUse::Quote | PermissionUse::Forward);
    covers(conn, message, now, |asked| asked.uses.iter().any(hands_on) && asked.to.contains(recipient)).await
}

/// Whether a leave that holds at `now` is about the message, and as `wanted` says.
async fn covers(
    conn: &mut Conn,
    message: Restricted<'_>,
    now: Timestamp,
    wanted: impl Fn(&LeaveAsked) -> bool,
) -> Result<bool, DbError> {
    let query = sqlx::query(ASKED).bind(message.agency.as_str()).bind(message.sender.as_str());
    let rows = query.bind(LOOKED_THROUGH_MAX).fetch_all(&mut *conn).await?;
    let mut keys = Vec::with_capacity(rows.len());
    for row in &rows {
        let (owner, id) = (row.parsed("owner")?, row.message_id("case_id")?);
        keys.push(CaseKey { agency: message.agency.clone(), owner, id, kind: "permission".to_owned() });
    }
    let mut is_given = false;
    for (key, messages) in kept::load(conn, &keys).await? {
        let Ok(family) = key.kind.parse() else { continue };
        let case = CaseMessages { owner: &key.owner, kept: &messages, state_beside: None };
        families::rules(family).fold(&case, &mut |fold| {
            let facts = fold.at(now).state;
            let CaseDetails::Permission(permission) = &facts.details else { return };
            let Some(asked) = permission.asked.as_ref().filter(|_| facts.state == GRANTED) else { return };
            is_given |= permission.from.as_ref() == Some(message.sender)
                && asked.about.case == *message.case
                && asked.about.message.is_none_or(|about| about == message.id)
                && wanted(asked);
        });
    }
    Ok(is_given)
}
