//! Releases drafts: afterwards a draft is a message.
//!
//! A release has two halves. [`Drafts::review`] makes the checks that take time, outside the transaction: checking JSON against
//! a schema must not occupy the store's one writer. [`Drafts::release`] does the rest in one transaction, and fails if the
//! draft was changed in between.

use rovuma_policy::{Permit, Resource, act};
use rovuma_schemas::{CheckedDraft, MessageId, Sender, Timestamp, audit::AuditAction};
use rovuma_store::Conn;

use super::{
    Drafts, Refusal, SeenVersion,
    content::Content,
    draft::Draft,
    reads,
    state::{DraftState, Step},
};
use crate::exchange::send::{self, Release, Released};

/// A draft that may be released now: this version of it, valid at this moment.
pub(crate) struct Reviewed {
    draft: Draft,
    content: Content,
}

impl Reviewed {
    /// The weightiest reason why a second person must release it, by today's rules.
    pub(crate) fn second_person(&self) -> Option<&'static str> {
        self.content.second_person()
    }

    /// The result of the check by today's rules.
    pub(crate) fn checked(&self) -> &CheckedDraft {
        self.content.checked()
    }
}

impl Drafts {
    /// Makes every check of a release by `releaser` except the access policy.
    pub(crate) async fn review(
        &self,
        draft: Draft,
        releaser: &str,
        seen: SeenVersion,
        now: Timestamp,
    ) -> Result<Reviewed, Refusal> {
        state_after(&draft, releaser)?;
        if draft.author == releaser {
            seen.check(draft.version)?;
        } else {
            // A second person answers for what they release: they name its version and have read that version themselves.
            seen.must_be_named()?;
            seen.check(draft.version)?;
            if !reads::has_read(self.exchange.base.store.read(), &draft, releaser).await? {
                return Err(Refusal::NotRead { id: draft.id, version: draft.version });
            }
        }
        self.overdue.check(&self.exchange.base.trail, now).await?;
        self.check_right_to_send(&draft.agency, draft.message_type, now)?;
        // A draft that was valid when written need not be valid now: codes and agencies have dates.
        let content = self.check(&draft.agency, &draft.content, now)?;
        content.valid()?;
        Ok(Reviewed { draft, content })
    }

    /// Numbers, signs and puts the message into the outbox, in the transaction that releases the draft. A draft that was
    /// released already is refused by its state, so a second release does nothing.
    pub(crate) async fn release(
        &self,
        tx: &mut Conn,
        permit: &Permit<act::DraftRelease>,
        reviewed: Reviewed,
        now: Timestamp,
    ) -> Result<(Draft, Released), Refusal> {
        let Reviewed { draft, content } = reviewed;
        if draft.resource() != *permit.resource() {
            return Err(Refusal::Internal("a permit for another draft"));
        }
        let state = state_after(&draft, permit.actor().subject())?;
        let draft = draft.moved(state, now).decided(permit.actor().subject(), now);
        draft.save(tx, &self.exchange.base).await?;
        self.record(tx, permit.actor(), AuditAction::DraftRelease, &draft, now).await?;
        let released = self.send(tx, permit, draft.id, &draft.author, &content, now).await?;
        Ok((draft, released))
    }

    /// Makes every check of a message sent at once except the access policy: the checks of [`review`](Self::review) that apply
    /// without a stored draft.
    pub(crate) async fn review_at_once(
        &self,
        permit: &Permit<act::DraftRelease>,
        content: &Content,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        content.valid()?;
        self.overdue.check(&self.exchange.base.trail, now).await?;
        self.check_right_to_send(permit.resource().owner(), content.checked().message_type(), now)
    }

    /// Sends a message without storing a draft before. The permit is one to release the caller's own draft. `message.send` is
    /// the audit event.
    pub(crate) async fn send_at_once(
        &self,
        tx: &mut Conn,
        permit: &Permit<act::DraftRelease>,
        content: &Content,
        now: Timestamp,
    ) -> Result<(MessageId, Released), Refusal> {
        let (author, message_type) = (permit.actor().subject(), content.checked().message_type());
        if *permit.resource() != Resource::new_draft(permit.actor().agency(), author, message_type) {
            return Err(Refusal::Internal("a permit for another draft"));
        }
        let id = MessageId::draw(now);
        let released = self.send(tx, permit, id, author, content, now).await?;
        Ok((id, released))
    }

    async fn send(
        &self,
        tx: &mut Conn,
        permit: &Permit<act::DraftRelease>,
        id: MessageId,
        author: &str,
        content: &Content,
        now: Timestamp,
    ) -> Result<Released, Refusal> {
        let valid = content.valid()?;
        let request = Release {
            id,
            draft: valid,
            // The officer who wrote it speaks for the agency, whoever released it.
            sender: Sender {
                agency: permit.resource().owner().clone(),
                unit: valid.unit().map(ToString::to_string),
                officer: Some(author.to_owned()),
            },
            released_by: permit.actor().subject(),
            session: permit.actor().session().map(str::to_owned),
            now,
        };
        Ok(send::release(tx, &self.exchange, request).await?)
    }
}

/// The state after the release, by the author or by a second person.
fn state_after(draft: &Draft, releaser: &str) -> Result<DraftState, Refusal> {
    let by_author = draft.author == releaser;
    Ok(draft.state.after(if by_author { Step::ReleaseByAuthor } else { Step::ReleaseBySecond })?)
}
