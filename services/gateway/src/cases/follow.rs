//! The place of a message of ours that follows in a case, and whether the case allows it now.

use std::collections::BTreeMap;

use rovuma_schemas::{
    AgencyCode, CaseId, CaseSoFar, HandlingCode, MessageId, SecondPersonReason, Timestamp, ValidDraft,
};
use rovuma_store::{Conn, RowExt};
use serde_json::Value;
use sqlx::Row;

use super::{
    CasePlace, beside,
    fold::rules::Breach,
    folded::{CaseMessages, Proposal, StateFacts},
    kept::{self, CaseKey},
};
use crate::{alarm::AlarmKind, error::DbError, exchange::stored_jws, families};

/// What a draft that follows in a case must know of that case.
#[derive(Debug)]
pub(crate) struct Following {
    /// Its place.
    pub(crate) place: CasePlace,
    /// Whom it goes to: all that have the case, from its owner; the owner, from anybody else.
    pub(crate) recipients: Vec<AgencyCode>,
    /// The versions before it.
    pub(crate) earlier: CaseSoFar,
    /// The restriction on the use of the case so far.
    pub(crate) handling: Option<HandlingCode>,
    /// Whether the case is about a minor.
    pub(crate) is_about_minor: bool,
}

/// Why a draft cannot follow in a case.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotFollowing {
    /// The agency has no such case.
    #[error("there is no case {0} here")]
    Unknown(CaseId),
    /// The case is an exercise and the draft is not, or the other way round.
    #[error("case {case} is {present}")]
    OtherStatus {
        /// The case.
        case: CaseId,
        /// Its status.
        present: String,
    },
    /// The state of the case does not allow it.
    #[error("case {case} is {state}: {}", breach.reason())]
    NotAllowed {
        /// The case.
        case: CaseId,
        /// Its state.
        state: &'static str,
        /// What the message would be.
        breach: Breach,
    },
    /// It says that something was found which the case is not about.
    #[error("case {case} has no such identifier as the one at {pointer}")]
    NotInCase {
        /// The case.
        case: CaseId,
        /// The place in the draft.
        pointer: String,
    },
    /// It confirms a message that nobody here released in an emergency.
    #[error("message {0} was not released here in an emergency")]
    NothingToConfirm(MessageId),
    /// Whoever released a message in an emergency does not confirm it.
    #[error("message {0} was released by the same person")]
    OwnRelease(MessageId),
    /// The store failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<sqlx::Error> for NotFollowing {
    fn from(fault: sqlx::Error) -> Self {
        Self::Db(fault.into())
    }
}

/// Looks up the case that `draft` follows in and asks it whether `agency` may sign the draft now.
///
/// # Errors
/// [`NotFollowing`].
pub(crate) async fn follow(
    conn: &mut Conn,
    agency: &AgencyCode,
    draft: &ValidDraft,
    id: MessageId,
    now: Timestamp,
) -> Result<Option<Following>, NotFollowing> {
    let Some(case) = draft.case() else { return Ok(None) };
    let unknown = || NotFollowing::Unknown(case.clone());
    let key = CaseKey::new(agency, case);
    let status = status_of(conn, &key).await?.ok_or_else(unknown)?;
    if status != draft.status().as_str() {
        return Err(NotFollowing::OtherStatus { case: case.clone(), present: status });
    }
    let messages = kept::load(conn, std::slice::from_ref(&key)).await?.remove(&key).ok_or_else(unknown)?;
    let is_restored = is_older_than_a_restore(conn, &key).await?;
    let rules = families::rules(case.kind.parse().map_err(|_| unknown())?);
    let fact =
        rules.fact(draft.body(), draft.terms(), draft.recipients().first(), now).ok_or_else(unknown)?;
    let mut outcome = Err(unknown());
    let state_beside = beside::state_of(conn, &key, &messages, (now, false)).await?;
    let kept = CaseMessages { owner: &key.owner, kept: &messages, state_beside };
    rules.fold(&kept, &mut |fold| {
        let next = fold.next_place(agency, is_restored);
        let facts = fold.at(now).state;
        let proposal = Proposal {
            sender: agency,
            id,
            answers: draft.in_reply_to(),
            signed: now,
            fact: &fact,
            turn: next.turn,
        };
        outcome = match fold.check(&proposal) {
            Ok(_) => Ok((next, facts)),
            Err(breach) => Err(NotFollowing::NotAllowed { case: case.clone(), state: facts.state, breach }),
        };
    });
    let (next, facts) = outcome?;
    let is_owner = key.owner == *agency;
    let recipients = recipients(conn, agency, case).await?;
    let place = CasePlace {
        case: Some(case.clone()),
        turn: Some(next.turn),
        // What an owner says goes to everybody, and nobody must wait there for what somebody else said to the owner alone.
        seen: if is_owner && recipients.len() > 1 { BTreeMap::new() } else { next.seen },
        first_created: None,
        in_reply_to: draft.in_reply_to(),
    };
    let StateFacts { earlier, handling, is_about_minor, .. } = facts;
    Ok(Some(Following { place, recipients, earlier, handling, is_about_minor }))
}

/// Whom a message of `agency` in this case goes to: from its owner to all that have the case, from anybody else to the owner.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn recipients(
    conn: &mut Conn,
    agency: &AgencyCode,
    case: &CaseId,
) -> Result<Vec<AgencyCode>, DbError> {
    match case.owner == *agency {
        true => parties(conn, &CaseKey::new(agency, case)).await,
        false => Ok(vec![case.owner.clone()]),
    }
}

/// Whether the case asks nothing but what a database answers.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn is_direct(conn: &mut Conn, agency: &AgencyCode, case: &CaseId) -> Result<bool, DbError> {
    let key = CaseKey::new(agency, case);
    let Ok(family) = case.kind.parse() else { return Ok(false) };
    let messages = kept::load(conn, std::slice::from_ref(&key)).await?.remove(&key).unwrap_or_default();
    let mut is_direct = false;
    let case = CaseMessages { owner: &key.owner, kept: &messages, state_beside: None };
    families::rules(family).fold(&case, &mut |fold| {
        is_direct = fold.at(Timestamp::EPOCH).state.is_direct;
    });
    Ok(is_direct)
}

/// Checks that the message to be confirmed was released here in an emergency, by somebody else than `confirmer`.
///
/// # Errors
/// [`NotFollowing`].
pub(crate) async fn confirms_another(
    conn: &mut Conn,
    agency: &AgencyCode,
    confirmed: MessageId,
    confirmer: &str,
) -> Result<(), NotFollowing> {
    let row = sqlx::query("SELECT released_by, jws FROM sent WHERE id = $1 AND agency = $2 LIMIT 1")
        .bind(confirmed.as_bytes().to_vec())
        .bind(agency.as_str())
        .fetch_optional(conn)
        .await?;
    let row = row.ok_or(NotFollowing::NothingToConfirm(confirmed))?;
    let released_by: String = row.try_get("released_by")?;
    let compact: Vec<u8> = row.try_get("jws")?;
    // What was erased cannot be confirmed any more.
    let signed = stored_jws(&compact).ok();
    let payload = signed.and_then(|jws| serde_json::from_slice::<Value>(jws.unverified_payload()).ok());
    if payload.is_none_or(|payload| payload["terms"].get("emergency").is_none()) {
        return Err(NotFollowing::NothingToConfirm(confirmed));
    }
    if released_by == confirmer { Err(NotFollowing::OwnRelease(confirmed)) } else { Ok(()) }
}

/// The status of the case; none where there is no such case, or only messages whose status is not known.
pub(super) async fn status_of(conn: &mut Conn, key: &CaseKey) -> Result<Option<String>, DbError> {
    let query = sqlx::query(
        "SELECT status FROM case_file WHERE agency = $1 AND owner = $2 AND case_id = $3 AND kind = $4",
    );
    let row = key.bind(query).fetch_optional(conn).await?;
    row.map(|row| Ok(row.try_get("status")?)).transpose()
}

/// The other parties of a case.
pub(crate) async fn parties(conn: &mut Conn, key: &CaseKey) -> Result<Vec<AgencyCode>, DbError> {
    let query = sqlx::query(
        "SELECT partner FROM case_party WHERE agency = $1 AND owner = $2 AND case_id = $3 AND kind = $4
         ORDER BY partner",
    );
    let rows = key.bind(query).fetch_all(conn).await?;
    rows.iter().map(|row| Ok(row.parsed("partner")?)).collect()
}

/// When this store was last restored from an older copy; none where it never was.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(super) async fn restored_at(conn: &mut Conn, agency: &AgencyCode) -> Result<Option<Timestamp>, DbError> {
    let query =
        sqlx::query("SELECT last_at FROM alarm WHERE agency = $1 AND kind = $2 AND subject = 'store'");
    let row =
        query.bind(agency.as_str()).bind(AlarmKind::StoreRestored.as_str()).fetch_optional(conn).await?;
    row.map(|row| Ok(row.instant("last_at")?)).transpose()
}

/// Whether the store has forgotten turns of the case, perhaps: then turns that others have seen are believed. In a case that was opened
/// since the last restore nothing can have been forgotten.
async fn is_older_than_a_restore(conn: &mut Conn, key: &CaseKey) -> Result<bool, DbError> {
    let Some(restored_at) = restored_at(conn, &key.agency).await? else { return Ok(false) };
    let query = sqlx::query(
        "SELECT COALESCE(first_created, created_at) AS signed_at FROM case_message
         WHERE agency = $1 AND owner = $2 AND case_id = $3 AND kind = $4 AND sender = $2 AND turn = 1 LIMIT 1",
    );
    let row = key.bind(query).fetch_optional(&mut *conn).await?;
    let signed_at = row.map(|row| row.instant("signed_at")).transpose()?;
    // Its opener may have come again since the restore, or not at all: when that was signed, or that it is not here, tells how old it is.
    Ok(signed_at.is_none_or(|signed_at| signed_at <= restored_at))
}

/// The weightiest reason in the case why a second person must release `draft`, which follows in it. What is reserved for supervisors
/// has its second pair of eyes. Only a message that has content of the case can lower the handling code.
pub(crate) fn second_person(following: &Following, draft: &ValidDraft) -> Option<SecondPersonReason> {
    if draft.message_type().is_reserved() {
        return None;
    }
    if following.is_about_minor {
        return Some(SecondPersonReason::Minor);
    }
    let has_content = draft.body().facet().is_some();
    let is_lower = following.handling.is_some_and(|before| draft.terms().handling.code < before);
    (has_content && is_lower).then_some(SecondPersonReason::HandlingLowered)
}
