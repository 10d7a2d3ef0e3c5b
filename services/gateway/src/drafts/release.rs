//! Releases drafts: afterwards a draft is a message.
//!
//! A release has two halves. [`Drafts::review`] makes the checks that take time, outside the transaction: checking JSON against
//! a schema must not occupy the store's one writer. [`Drafts::release`] does the rest in one transaction, and fails if the
//! draft was changed in between. What a case allows is asked in both: outside to answer at once, inside because a message may
//! have come in between.

use rovuma_policy::{Permit, Resource, Role, act};
use rovuma_schemas::{
    AgencyCode, CheckedDraft, Locale, MessageId, MessageType, Reserved, SecondPersonReason, Sender, Timestamp,
};
use rovuma_store::Conn;

use super::{
    Drafts, Refusal, SeenVersion,
    content::Content,
    draft::Draft,
    duplicates::{self, StatedReason},
    reads, restricted,
    state::{DraftState, Step},
};
use crate::{
    alarm::{self, AlarmKind},
    cases::{
        beside,
        follow::{self, Following},
    },
    events::EventKind,
    exchange::send::{self, Release, Released},
};

/// What the author or a second person states so that a draft is released all the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct StatedReasons {
    /// Why, although something is live already about the same persons or things.
    pub(crate) despite_duplicates: Option<StatedReason>,
    /// Where the agency knows from what another agency sent under a handling code, too.
    pub(crate) own_source: Option<StatedReason>,
}

/// A draft that may be released now: this version of it, valid at this moment.
pub(crate) struct Reviewed {
    draft: Draft,
    content: Content,
    /// Why its case requires a second person.
    by_case: Option<SecondPersonReason>,
}

impl Reviewed {
    /// The weightiest reason why a second person must release it, by today's rules and by its case.
    pub(crate) fn second_person(&self) -> Option<&'static str> {
        self.content.second_person().or(self.by_case.map(SecondPersonReason::as_str))
    }

    /// The result of the check by today's rules.
    pub(crate) fn checked(&self) -> &CheckedDraft {
        self.content.checked()
    }
}

impl Drafts {
    /// Makes every check of a release by `releaser` except the access policy. `content` is the draft's, checked
    /// at `now`; a discarded draft has none.
    pub(crate) async fn review(
        &self,
        draft: Draft,
        content: Option<Content>,
        (releaser, locale): (&str, Locale),
        seen: SeenVersion,
        now: Timestamp,
    ) -> Result<Reviewed, Refusal> {
        state_after(&draft, releaser)?;
        let content = content.ok_or(Refusal::Internal("a draft in work has content"))?;
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
        let by_case = self.check_case(&draft.agency, &content, draft.id, (releaser, locale), now).await?;
        Ok(Reviewed { draft, content, by_case })
    }

    /// Asks the case of a draft whether the draft may follow in it, outside the transaction. Returns why the case
    /// requires a second person.
    async fn check_case(
        &self,
        agency: &AgencyCode,
        content: &Content,
        id: MessageId,
        (releaser, locale): (&str, Locale),
        now: Timestamp,
    ) -> Result<Option<SecondPersonReason>, Refusal> {
        let valid = content.valid()?;
        let mut conn = self.exchange.base.store.read().acquire().await?;
        let following = follow_in_case(&mut conn, agency, content, id, (releaser, locale), now).await?;
        Ok(following.and_then(|following| follow::second_person(&following, valid)))
    }

    /// Numbers, signs and puts the message into the outbox, in the transaction that releases the draft. A draft that was
    /// released already is refused by its state, so a second release does nothing.
    pub(crate) async fn release(
        &self,
        tx: &mut Conn,
        permit: &Permit<act::DraftRelease>,
        reviewed: Reviewed,
        stated: StatedReasons,
        now: Timestamp,
    ) -> Result<(Draft, Released), Refusal> {
        let Reviewed { draft, content, .. } = reviewed;
        if draft.resource() != *permit.resource() {
            return Err(Refusal::Internal("a permit for another draft"));
        }
        let state = state_after(&draft, permit.actor().subject())?;
        let mut details =
            check_duplicates(tx, &draft.agency, &content, draft.id, stated.despite_duplicates, now).await?;
        let is_second = draft.author != permit.actor().subject();
        let restricted =
            self.check_restricted(tx, &draft.agency, &content, (stated.own_source, is_second), now);
        details.extend(restricted.await?);
        let draft = draft.moved(state, now).decided(permit.actor().subject(), now);
        draft.save(tx, &self.exchange.base).await?;
        duplicates::forget(tx, draft.id).await?;
        self.record_release(tx, permit.actor(), &draft, &details, now).await?;
        let released = self.send(tx, permit, (draft.id, &draft.author), &content, details, now).await?;
        Ok((draft, released))
    }

    /// Makes every check of a message sent at once except the access policy: the checks of [`review`](Self::review) that apply
    /// without a stored draft. Returns why its case requires a second person.
    pub(crate) async fn review_at_once(
        &self,
        permit: &Permit<act::DraftRelease>,
        content: &Content,
        locale: Locale,
        now: Timestamp,
    ) -> Result<Option<SecondPersonReason>, Refusal> {
        content.valid()?;
        self.overdue.check(&self.exchange.base.trail, now).await?;
        let agency = permit.resource().owner();
        self.check_right_to_send(agency, content.checked().message_type(), now)?;
        let releaser = (permit.actor().subject(), locale);
        self.check_case(agency, content, MessageId::draw(now), releaser, now).await
    }

    /// Sends a message without storing a draft before. The permit is one to release the caller's own draft. `message.send` is
    /// the audit event.
    pub(crate) async fn send_at_once(
        &self,
        tx: &mut Conn,
        permit: &Permit<act::DraftRelease>,
        content: &Content,
        stated: StatedReasons,
        now: Timestamp,
    ) -> Result<(MessageId, Released), Refusal> {
        let (author, message_type) = (permit.actor().subject(), content.checked().message_type());
        if *permit.resource() != Resource::new_draft(permit.actor().agency(), author, message_type) {
            return Err(Refusal::Internal("a permit for another draft"));
        }
        let id = MessageId::draw(now);
        let agency = permit.resource().owner();
        let mut details = check_duplicates(tx, agency, content, id, stated.despite_duplicates, now).await?;
        details.extend(self.check_restricted(tx, agency, content, (stated.own_source, false), now).await?);
        let released = self.send(tx, permit, (id, author), content, details, now).await?;
        Ok((id, released))
    }

    /// Refuses a release that would hand on what others sent under a handling code, unless they gave leave, or the author states a
    /// source of the agency's own and a second person releases it. Returns what the audit events of the release say of it.
    async fn check_restricted(
        &self,
        tx: &mut Conn,
        agency: &AgencyCode,
        content: &Content,
        (own_source, is_second): (Option<StatedReason>, bool),
        now: Timestamp,
    ) -> Result<Vec<(&'static str, String)>, Refusal> {
        let valid = content.valid()?;
        // It goes to the owner of the case that it is about, and says what that case says: it is checked that it says nothing else.
        if beside::about(valid).is_some() {
            return Ok(Vec::new());
        }
        let to = match valid.case() {
            // A follower goes to its case's parties: who answers an agency tells it nothing that it did not say itself.
            Some(case) => follow::recipients(tx, agency, case).await?,
            None => valid.recipients().to_vec(),
        };
        let sources = restricted::without_leave(tx, agency, content, &to, now).await?;
        match own_source {
            _ if sources.is_empty() => Ok(Vec::new()),
            None => Err(Refusal::HandlingBreach(sources)),
            Some(_) if !is_second => Err(Refusal::OwnSourceAlone),
            Some(reason) => Ok(vec![
                ("own_source", reason.into_string()),
                ("restricted_sources", sources.len().to_string()),
            ]),
        }
    }

    async fn send(
        &self,
        tx: &mut Conn,
        permit: &Permit<act::DraftRelease>,
        (id, author): (MessageId, &str),
        content: &Content,
        details: Vec<(&'static str, String)>,
        now: Timestamp,
    ) -> Result<Released, Refusal> {
        let (valid, actor, agency) = (content.valid()?, permit.actor(), permit.resource().owner());
        let releaser = (actor.subject(), Locale::default());
        let following = follow_in_case(tx, agency, content, id, releaser, now).await?;
        let (addressed, place, earlier) = match following {
            Some(Following { place, recipients, earlier, .. }) => {
                (valid.clone().addressed_to(recipients), Some(place), earlier)
            }
            None => (valid.clone(), None, Default::default()),
        };
        let request = Release {
            id,
            draft: &addressed,
            following: place,
            earlier,
            // The officer who wrote it speaks for the agency, whoever released it.
            sender: Sender {
                agency: agency.clone(),
                unit: valid.unit().map(ToString::to_string),
                officer: Some(author.to_owned()),
            },
            released_by: actor.subject(),
            session: actor.session().map(str::to_owned),
            details,
            now,
        };
        let released = send::release(tx, &self.exchange, request).await?;
        let is_supervisor = actor.roles().contains(&Role::Supervisor);
        let told = match content.checked().reserved() {
            Reserved::CannotWait if !is_supervisor => Some(AlarmKind::WithdrawnAtOnce),
            _ if content.checked().is_emergency() => Some(AlarmKind::EmergencyRelease),
            _ => None,
        };
        if let Some(kind) = told {
            let detail = format!("{} released alone: a supervisor must look at it", valid.message_type());
            alarm::raise(tx, agency, kind, &id.to_string(), &detail, now).await.map_err(Refusal::Db)?;
            let events = &self.exchange.base.events;
            events.record(tx, agency, EventKind::SupervisorNeeded, Some(&id), 1, now);
        }
        Ok(released)
    }
}

/// Looks up the case that a draft follows in, and asks it whether `releaser` may sign the draft now.
async fn follow_in_case(
    conn: &mut Conn,
    agency: &AgencyCode,
    content: &Content,
    id: MessageId,
    (releaser, locale): (&str, Locale),
    now: Timestamp,
) -> Result<Option<Following>, Refusal> {
    let valid = content.valid()?;
    beside::check_opener(conn, agency, valid, content.identifiers(), now).await?;
    let following = follow::follow(conn, agency, valid, id, now).await?;
    if let Some(following) = &following {
        let faults = valid.faults_against(&following.earlier, locale);
        if !faults.is_empty() {
            return Err(Refusal::Contradicts(faults));
        }
    }
    if let (MessageType::ReleaseConfirm, Some(confirmed)) = (valid.message_type(), valid.in_reply_to()) {
        follow::confirms_another(conn, agency, confirmed, releaser).await?;
    }
    Ok(following)
}

/// Refuses a release that has duplicates and states no reason. Asked inside the transaction alone: of two releases at the same time,
/// the second finds the first. Returns what the audit events of the release say of it.
async fn check_duplicates(
    tx: &mut Conn,
    agency: &AgencyCode,
    content: &Content,
    id: MessageId,
    despite: Option<StatedReason>,
    now: Timestamp,
) -> Result<Vec<(&'static str, String)>, Refusal> {
    let duplicates = duplicates::find(tx, agency, content, id, now).await?;
    match despite {
        Some(reason) => Ok(vec![
            ("despite_duplicates", reason.into_string()),
            ("duplicates", duplicates.found.len().to_string()),
        ]),
        None if duplicates.found.is_empty() => Ok(Vec::new()),
        None => Err(Refusal::Duplicates(Box::new(duplicates))),
    }
}

/// The state after the release, by the author or by a second person.
fn state_after(draft: &Draft, releaser: &str) -> Result<DraftState, Refusal> {
    let by_author = draft.author == releaser;
    Ok(draft.state.after(if by_author { Step::ReleaseByAuthor } else { Step::ReleaseBySecond })?)
}
