//! A whole request: its state, and what its messages say beside that.

use std::collections::{BTreeMap, BTreeSet};

use rovuma_schemas::{
    AgencyCode, CaseSoFar, Date, MessageId, Timestamp, any_case::PurgeOutcome, request::AnswerResult,
};

use super::{
    fact::{AskedQuestion, QuestionResult, RequestMessage, Said, Word},
    state::{Progress, RequestFact, RequestRules, RequestState, RequestView},
};
use crate::{
    cases::fold::rules::{Applied, Ball, Breach, CaseRules, NoEffect, Step},
    families::care::Care,
};

/// The rules of whole requests: those of their states, and beside them confirmations and certificates, which change none.
#[derive(Debug, Default)]
pub(super) struct WholeRules(pub(super) RequestRules);

/// What the messages of a request add up to.
#[derive(Clone, Debug, Default)]
pub(super) struct WholeState {
    state: RequestState,
    said: Said,
    care: Care,
    results: BTreeMap<u8, GivenAnswer>,
    refusal: Option<(String, Option<AgencyCode>)>,
    delay_reason: Option<String>,
    cancel_reason: Option<String>,
    outcomes: Vec<String>,
    opener: Option<MessageId>,
    confirm_by: Option<Timestamp>,
    confirmed: BTreeSet<MessageId>,
    certificates: BTreeMap<AgencyCode, PurgeOutcome>,
}

/// The last answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GivenAnswer {
    /// The message that gave it.
    pub(crate) message: MessageId,
    /// The result.
    pub(crate) result: QuestionResult,
}

/// A whole request at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WholeRequest {
    /// How far it has come, and the clock.
    pub(crate) progress: RequestView,
    /// Until when the release of the request must be confirmed, if it must and was not.
    pub(crate) confirm_by: Option<Timestamp>,
    /// Whether that time has passed: nobody acts on it until somebody confirms.
    is_suspended: bool,
    /// What it says.
    pub(super) said: Said,
    /// The care that it needs.
    pub(super) care: Care,
    /// The last answer to each question.
    pub(crate) answers: BTreeMap<u8, GivenAnswer>,
    /// Why it was refused, and who may have what is asked.
    pub(crate) refusal: Option<(String, Option<AgencyCode>)>,
    /// Why it takes longer.
    pub(crate) delay_reason: Option<String>,
    /// Why it was cancelled.
    pub(crate) cancel_reason: Option<String>,
    /// What came of it.
    pub(crate) outcomes: Vec<String>,
    /// What each party did with the data.
    pub(crate) certificates: BTreeMap<AgencyCode, PurgeOutcome>,
}

impl CaseRules for WholeRules {
    type Fact = RequestMessage;
    type State = WholeState;
    type View = WholeRequest;

    fn rank(&self, message: &RequestMessage) -> u8 {
        match &message.word {
            Word::Turn(fact) => self.0.rank(fact),
            // They change no state, so nothing depends on what crosses them.
            Word::Confirm | Word::Certify(_) => 0,
        }
    }

    fn lawful(&self, whole: &WholeState, step: &Step<'_, RequestMessage>) -> Result<(), Breach> {
        match &step.fact.word {
            Word::Turn(fact) => {
                self.0.lawful(&whole.state, &step.saying(whole.read_as(fact, &step.fact.said)))
            }
            Word::Confirm if !step.is_owner => Err(Breach::NotItsPart),
            Word::Confirm | Word::Certify(_) if whole.opener.is_none() => Err(Breach::NotOpened),
            Word::Confirm | Word::Certify(_) => Ok(()),
        }
    }

    fn may_sign(&self, whole: &WholeState, step: &Step<'_, RequestMessage>) -> Result<(), Breach> {
        match &step.fact.word {
            Word::Turn(fact) => self.0.may_sign(&whole.state, &step.saying(fact)),
            // Only the request itself is released in an emergency.
            Word::Confirm if whole.confirm_by.is_none() => Err(Breach::NotInState),
            Word::Confirm | Word::Certify(_) => Ok(()),
        }
    }

    fn apply(&self, whole: &mut WholeState, step: &Step<'_, RequestMessage>) -> Applied {
        let said = &step.fact.said;
        match &step.fact.word {
            Word::Turn(fact) => {
                let fact = whole.read_as(fact, said);
                let applied = self.0.apply(&mut whole.state, &step.saying(fact));
                whole.hear(fact, said, step.id, applied);
                applied
            }
            Word::Confirm => {
                whole.confirmed.extend(step.answers);
                Applied::Whole
            }
            Word::Certify(outcome) => {
                whole.certificates.insert(step.sender.clone(), *outcome);
                Applied::Whole
            }
        }
    }

    fn apply_for_judging(&self, whole: &mut WholeState, step: &Step<'_, RequestMessage>) {
        let said = &step.fact.said;
        let Word::Turn(fact) = &step.fact.word else { return };
        let fact = whole.read_as(fact, said);
        self.0.apply(&mut whole.state, &step.saying(fact));
        if let RequestFact::Submit { .. } = fact {
            whole.opener = Some(step.id);
            whole.said.questions.clone_from(&said.questions);
        }
        whole.answer(said, step.id);
    }

    fn view(&self, whole: &WholeState, now: Timestamp) -> WholeRequest {
        let progress = self.0.view(&whole.state, now);
        let is_confirmed = whole.opener.is_some_and(|opener| whole.confirmed.contains(&opener));
        let confirm_by = whole.confirm_by.filter(|_| !is_confirmed);
        let is_live = matches!(progress.progress, Progress::Open | Progress::Clarification);
        WholeRequest {
            is_suspended: is_live && confirm_by.is_some_and(|by| by <= now),
            confirm_by,
            progress,
            said: whole.said.clone(),
            answers: whole.results.clone(),
            refusal: whole.refusal.clone(),
            delay_reason: whole.delay_reason.clone(),
            cancel_reason: whole.cancel_reason.clone(),
            outcomes: whole.outcomes.clone(),
            certificates: whole.certificates.clone(),
            care: whole.care.clone(),
        }
    }

    fn ball(&self, view: &WholeRequest) -> Ball {
        if view.is_suspended { Ball::Owner } else { self.0.ball(&view.progress) }
    }
}

impl WholeState {
    /// The fact as both sides read it: an answer that leaves a question open is one in part, whatever its sender calls it. Else the
    /// answerer's clock would stop at a word that says nothing.
    fn read_as<'f>(&self, fact: &'f RequestFact, said: &Said) -> &'f RequestFact {
        let result = |n: &u8| said.results.get(n).or_else(|| self.results.get(n).map(|given| &given.result));
        let is_open = |n: &u8| result(n).is_none_or(|result| result.result == AnswerResult::Later);
        let leaves_one_open = *fact == RequestFact::Answer && self.said.questions.keys().any(is_open);
        if leaves_one_open { &RequestFact::AnswerPartial } else { fact }
    }

    /// Adds what a message says that took a turn.
    fn hear(&mut self, fact: &RequestFact, said: &Said, id: MessageId, applied: Applied) {
        let is_without = matches!(applied, Applied::Without(NoEffect::TooLate | NoEffect::LastWordUnseen));
        match fact {
            RequestFact::Submit { .. } => {
                self.opener = Some(id);
                self.said = said.clone();
                self.confirm_by = said.care.confirm_by;
            }
            RequestFact::AnswerPartial | RequestFact::Answer => self.answer(said, id),
            RequestFact::Refuse => {
                self.refusal = said.reason.clone().map(|reason| (reason, said.try_agency.clone()));
            }
            RequestFact::Delay { .. } => self.delay_reason.clone_from(&said.reason),
            RequestFact::Cancel if !is_without => self.cancel_reason.clone_from(&said.reason),
            RequestFact::Close if !is_without => self.outcomes.clone_from(&said.outcomes),
            _ => {}
        }
        self.care.add(&said.care);
    }

    /// A later result for a question takes the place of the one before.
    fn answer(&mut self, said: &Said, message: MessageId) {
        for (n, result) in &said.results {
            self.results.insert(*n, GivenAnswer { message, result: result.clone() });
        }
    }
}

impl WholeRequest {
    /// The code of the state.
    pub(crate) fn state(&self) -> &'static str {
        if self.is_suspended { "suspended" } else { self.progress.progress.as_str() }
    }

    /// What is asked, by number.
    pub(crate) fn questions(&self) -> &BTreeMap<u8, AskedQuestion> {
        &self.said.questions
    }

    /// The common mark of requests that ask several agencies the same.
    pub(crate) fn group(&self) -> Option<MessageId> {
        self.said.group
    }

    /// The last day on which its data may be kept.
    pub(crate) fn retain_until(&self) -> Option<Date> {
        self.care.retain_until
    }

    /// By when the answer is needed.
    pub(crate) fn needed_by(&self) -> Option<Timestamp> {
        self.said.needed_by
    }

    /// Whether a database of the answerer answers every question.
    pub(crate) fn is_direct(&self) -> bool {
        self.said.is_direct
    }

    /// What a message that follows must know.
    pub(super) fn so_far(&self) -> CaseSoFar {
        let is_answered =
            |n: &&u8| self.answers.get(n).is_some_and(|answer| answer.result.result != AnswerResult::Later);
        CaseSoFar {
            numbers_used: self.care.numbers_used(),
            questions: self.said.questions.keys().copied().collect(),
            open_questions: self.said.questions.keys().filter(|n| !is_answered(n)).copied().collect(),
            ..CaseSoFar::default()
        }
    }
}
