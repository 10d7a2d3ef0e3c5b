//! Release: the one step after which a draft is a message.

use rovuma_policy::{Permit, act};
use rovuma_schemas::{Sender, Timestamp, audit::AuditAction};
use rovuma_store::Conn;

use super::{
    change::decided,
    content::Content,
    draft::Draft,
    review,
    state::{DraftState, Step},
};
use crate::{
    exchange::send::{self, Release, Released},
    gateway::Gateway,
    http::error::ApiError,
};

/// What is released, as it was looked at: exactly this version, found valid now.
pub(crate) struct Reviewed {
    /// The draft.
    pub(crate) draft: Draft,
    /// Its content, found valid again at the time of release.
    pub(crate) content: Content,
}

/// Numbers, signs and puts the message into the outbox, in the transaction that releases the draft.
///
/// # Errors
/// 412 when the draft has changed since it was looked at, 409 in a state that does not allow it (so a
/// second release does nothing), or why it could not be sent.
pub(crate) async fn release(
    tx: &mut Conn,
    gateway: &Gateway,
    permit: &Permit<act::AlertRelease>,
    reviewed: Reviewed,
    now: Timestamp,
) -> Result<(Draft, Released), ApiError> {
    let Reviewed { draft, content } = reviewed;
    if draft.resource() != *permit.resource() {
        return Err(ApiError::failed("a permit for another draft"));
    }
    let state = allowed(&draft, permit.actor().subject())?;
    let draft = decided(draft.moved(state, now), permit, now);
    draft.save(tx, gateway).await?;
    review::record(tx, gateway, permit.actor(), AuditAction::AlertRelease, &draft, now).await?;
    let request = Release {
        id: draft.id,
        draft: content.valid(),
        sender: sender(&draft, &content),
        released_by: permit.actor().subject(),
        session: permit.actor().session().map(str::to_owned),
        now,
    };
    let released = send::release(tx, gateway, request).await?;
    Ok((draft, released))
}

/// The state after a release by `subject`.
///
/// # Errors
/// 409 when the draft's state does not allow it.
pub(crate) fn allowed(draft: &Draft, subject: &str) -> Result<DraftState, ApiError> {
    let by_author = draft.author == subject;
    review::step(draft, if by_author { Step::ReleaseByAuthor } else { Step::ReleaseBySecond })
}

/// The officer who wrote it speaks for the agency, whoever released it.
fn sender(draft: &Draft, content: &Content) -> Sender {
    Sender {
        agency: draft.agency.clone(),
        unit: content.valid().unit().map(ToString::to_string),
        officer: Some(draft.author.clone()),
    }
}
