//! The case on which another one hangs: a hit hangs on its alert. What is lawful in the one does not depend on the other, but whether the
//! reporter may act, or must release, does.

use rovuma_schemas::{AgencyCode, CaseId, MessageId, MessageType, Timestamp, ValidDraft};
use rovuma_store::Conn;

use super::{
    fold::rules::Breach,
    folded::CaseMessages,
    follow::{self, NotFollowing},
    identifiers::StoredIdentifier,
    kept::{self, CaseKey, KeptMessage},
    signed,
};
use crate::{
    error::DbError,
    families::{self, NumberInSeries},
};

/// Maximum cases that are folded again because the case that they hang on is over; the others show it when they are read.
pub(super) const HANGING_MAX: i64 = 256;

/// The versions of a case that are read at once, when a number is looked for in its series: nearly always the last one has it.
const VERSIONS_AT_ONCE: usize = 4;

/// The cases that hang on the case `$2`, `$3` of `$1`.
pub(crate) const HANGING: &str = "
    SELECT owner, case_id, kind FROM case_file
    WHERE agency = $1 AND about_owner = $2 AND about_id = $3 ORDER BY opened_at DESC LIMIT $4";

/// The state, at `now`, of the case that `key` hangs on, of which these messages are here; none where it hangs on none, or that one is not
/// here. In a replay only what was here by `now` counts.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(crate) async fn state_of(
    conn: &mut Conn,
    key: &CaseKey,
    messages: &[KeptMessage],
    (now, is_replay): (Timestamp, bool),
) -> Result<Option<&'static str>, DbError> {
    let Ok(family) = key.kind.parse() else { return Ok(None) };
    let case = CaseMessages { owner: &key.owner, kept: messages, state_beside: None };
    let Some(other) = families::rules(family).hangs_on(&case) else { return Ok(None) };
    let other = CaseKey::new(&key.agency, &other);
    let mut messages = messages_of(conn, &other).await?;
    if is_replay {
        let is_own = |message: &KeptMessage| message.sender == key.agency;
        let came = |message: &KeptMessage| message.delivered.filter(|_| !is_own(message));
        messages.retain(|message| came(message).unwrap_or(message.created) <= now);
    }
    Ok(folded_state(&other, &messages, now))
}

async fn messages_of(conn: &mut Conn, key: &CaseKey) -> Result<Vec<KeptMessage>, DbError> {
    Ok(kept::load(conn, std::slice::from_ref(key)).await?.remove(key).unwrap_or_default())
}

/// The state that these messages of a case add up to at `now`; none of a case that is not here, or is of a kind that is not known.
fn folded_state(key: &CaseKey, messages: &[KeptMessage], now: Timestamp) -> Option<&'static str> {
    let rules = families::rules(key.kind.parse().ok()?);
    let mut state = None;
    if !messages.is_empty() {
        let case = CaseMessages { owner: &key.owner, kept: messages, state_beside: None };
        rules.fold(&case, &mut |fold| state = Some(fold.at(now).state.state));
    }
    state
}

/// The cases that hang on this one, the last opened first.
///
/// # Errors
/// [`DbError`] when the store does not answer.
pub(super) async fn hanging(conn: &mut Conn, key: &CaseKey, most: i64) -> Result<Vec<CaseKey>, DbError> {
    let query = sqlx::query(HANGING).bind(key.agency.as_str()).bind(key.owner.as_str());
    let rows = query.bind(key.id.as_bytes().to_vec()).bind(most).fetch_all(conn).await?;
    rows.iter().map(|row| CaseKey::read(key.agency.clone(), row)).collect()
}

/// The case on which the case of `draft` would hang.
pub(crate) fn about(draft: &ValidDraft) -> Option<CaseId> {
    families::rules(draft.message_type().class().family()?).about(draft.body())
}

/// Checks that the case on which the case of `draft` would hang is here, is of the draft's status, is not withdrawn, and has what the draft
/// says to have found.
///
/// # Errors
/// [`NotFollowing`].
pub(crate) async fn check_opener(
    conn: &mut Conn,
    agency: &AgencyCode,
    draft: &ValidDraft,
    identifiers: &[StoredIdentifier],
    now: Timestamp,
) -> Result<(), NotFollowing> {
    let Some(about) = about(draft) else { return Ok(()) };
    let unknown = |case: &CaseId| NotFollowing::Unknown(case.clone());
    let key = CaseKey::new(agency, &about);
    let present = follow::status_of(conn, &key).await?.ok_or_else(|| unknown(&about))?;
    if present != draft.status().as_str() {
        return Err(NotFollowing::OtherStatus { case: about, present });
    }
    let messages = messages_of(conn, &key).await?;
    match folded_state(&key, &messages, now).ok_or_else(|| unknown(&about))? {
        state @ ("withdrawn" | "not_arrived") => {
            return Err(NotFollowing::NotAllowed { case: about, state, breach: Breach::NotInState });
        }
        // What has expired or is suspended may still have been found: its owner says what that means.
        _ => has_identifiers(conn, &key, identifiers).await?,
    }
    let opened = draft.message_type().class().family().map(families::rules);
    match opened.and_then(|rules| rules.number_in_series(draft.body())) {
        Some(found) => has_in_series(conn, (&key, &messages), found).await,
        None => Ok(()),
    }
}

/// Checks that the owner of the case said, in the version in force or an earlier one, that it is about a series that has this number. The
/// store has digests of the two ends alone, so the versions are read again, the last one first.
async fn has_in_series(
    conn: &mut Conn,
    (key, messages): (&CaseKey, &[KeptMessage]),
    found: NumberInSeries<'_>,
) -> Result<(), NotFollowing> {
    let not_in_case = || NotFollowing::NotInCase { case: key.case(), pointer: found.pointer.to_owned() };
    let Ok(family) = key.kind.parse() else { return Err(not_in_case()) };
    let rules = families::rules(family);
    let mut said: Vec<(MessageType, Vec<MessageId>)> = Vec::new();
    rules.fold(&CaseMessages { owner: &key.owner, kept: messages, state_beside: None }, &mut |fold| {
        let lawful =
            fold.lines().into_iter().filter(|line| *line.sender == key.owner && line.effect.is_lawful());
        said = lawful.filter_map(|line| Some((line.message_type.parse().ok()?, line.ids.to_vec()))).collect();
    });
    said.reverse();
    for versions in said.chunks(VERSIONS_AT_ONCE) {
        let ids = versions.iter().flat_map(|(_, ids)| ids);
        let wanted = ids.map(|id| (key.owner.clone(), *id)).collect();
        let payloads = signed::payloads(conn, &key.agency, &wanted).await?;
        let has_it = |(kind, ids): &(MessageType, Vec<MessageId>)| {
            let payload = payloads.of(&key.owner, ids);
            payload.is_some_and(|payload| rules.has_in_series(*kind, payload, found.number))
        };
        if versions.iter().any(has_it) {
            return Ok(());
        }
    }
    Err(not_in_case())
}

/// An identifier of the case `$2`, `$3` of `$1`.
pub(crate) const HAS: &str = "
    SELECT 1 FROM case_identifier
    WHERE agency = $1 AND what = $4 AND value_digest = $5 AND owner = $2 AND case_id = $3 LIMIT 1";

/// Checks that the case has each of these identifiers: what hangs on it says nothing that its owner does not have.
async fn has_identifiers(
    conn: &mut Conn,
    key: &CaseKey,
    identifiers: &[StoredIdentifier],
) -> Result<(), NotFollowing> {
    for identifier in identifiers {
        let query = sqlx::query(HAS)
            .bind(key.agency.as_str())
            .bind(key.owner.as_str())
            .bind(key.id.as_bytes().to_vec())
            .bind(identifier.kind.as_str())
            .bind(identifier.value.as_bytes().to_vec());
        if query.fetch_optional(&mut *conn).await?.is_none() {
            return Err(NotFollowing::NotInCase { case: key.case(), pointer: identifier.pointer.clone() });
        }
    }
    Ok(())
}
