//! What a message of a request says, of what its case depends on.

use std::{collections::BTreeMap, time::Duration};

use rovuma_schemas::{
    AgencyCode, MessageId, MessageType, OperationalBody, SubjectKey, Terms, Timestamp,
    any_case::PurgeOutcome,
    request::{ANSWER_HOURS_MAX, Answer, AnswerLimits, AnswerResult, Submit},
};
use serde::{Deserialize, Serialize};

use super::state::RequestFact;
use crate::families::care::Care;

/// A message of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RequestMessage {
    pub(super) word: Word,
    pub(super) said: Said,
}

/// What a message does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Word {
    /// It takes a turn in the request.
    Turn(RequestFact),
    /// A second person of its sender confirms what one person released in an emergency. The header names that message.
    Confirm,
    /// Its sender certifies what it did with the data.
    Certify(PurgeOutcome),
}

/// What a message says that no state depends on. What both sides show of the case is the sum of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    /// Of the request: its kind.
    pub(super) kind: Option<String>,
    /// Of the request: what is asked, by number.
    pub(super) questions: BTreeMap<u8, AskedQuestion>,
    /// Of the request: the common mark of requests that ask several agencies the same.
    pub(super) group: Option<MessageId>,
    /// Of the request: by when the answer is needed.
    pub(super) needed_by: Option<Timestamp>,
    /// Of the request: whether a database of the answerer answers every question.
    pub(super) is_direct: bool,
    /// Of an answer: the result of each question that it names.
    pub(super) results: BTreeMap<u8, QuestionResult>,
    /// Of a refusal, a delay or a cancellation: why.
    pub(super) reason: Option<String>,
    /// Of a refusal: who may have what is asked.
    pub(super) try_agency: Option<AgencyCode>,
    /// Of the closing: what came of it.
    pub(super) outcomes: Vec<String>,
    /// The care that it needs.
    pub(super) care: Care,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AskedQuestion {
    pub(crate) ask: String,
    pub(crate) subject: Option<SubjectKey>,
}

/// The result of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QuestionResult {
    pub(crate) result: AnswerResult,
    /// Why it is refused.
    pub(crate) reason: Option<String>,
    /// Who may have it.
    pub(crate) try_agency: Option<AgencyCode>,
    /// When the answer comes that is left for later.
    pub(crate) expected_by: Option<Timestamp>,
}

/// What a message says that goes to `to`; none of a type that has no part in requests.
pub(super) fn of(
    body: &OperationalBody,
    terms: &Terms,
    to: Option<&AgencyCode>,
    signed: Timestamp,
) -> Option<RequestMessage> {
    use OperationalBody as B;
    let mut said = Said { care: Care::of(terms, signed), ..Said::default() };
    let code = |code: &dyn ToString| Some(code.to_string());
    let turn = Word::Turn;
    let word = match body {
        B::RequestSubmit(submit) => {
            said.opens(submit);
            turn(RequestFact::Submit { to: to?.clone(), limit: limit(submit, terms) })
        }
        B::RequestAcknowledge(acknowledge) => {
            turn(RequestFact::Acknowledge { expected_by: acknowledge.expected_by })
        }
        B::RequestAsk(_) => turn(RequestFact::Ask),
        B::RequestClarify(clarify) => {
            said.care.names(&clarify.subjects);
            turn(RequestFact::Clarify)
        }
        B::RequestDelay(delay) => {
            said.reason = code(&delay.reason);
            // An answerer that gives itself longer than the rule allows is not believed.
            let latest = signed.plus(Duration::from_secs(u64::from(ANSWER_HOURS_MAX) * 60 * 60));
            turn(RequestFact::Delay { until: delay.until.min(latest) })
        }
        B::RequestAnswerPartial(answer) => {
            said.answers(&answer.0);
            turn(RequestFact::AnswerPartial)
        }
        B::RequestAnswer(answer) => {
            said.answers(answer);
            turn(RequestFact::Answer)
        }
        B::RequestRefuse(refuse) => {
            said.reason = code(&refuse.reason);
            said.try_agency.clone_from(&refuse.try_agency);
            turn(RequestFact::Refuse)
        }
        B::RequestRemind(_) => turn(RequestFact::Remind),
        B::RequestCancel(cancel) => {
            said.reason = code(&cancel.reason);
            turn(RequestFact::Cancel)
        }
        B::RequestClose(close) => {
            said.outcomes = close.outcomes.iter().map(ToString::to_string).collect();
            turn(RequestFact::Close)
        }
        B::ReleaseConfirm(_) => Word::Confirm,
        B::PurgeCertify(certify) => Word::Certify(certify.outcome),
        _ => return None,
    };
    Some(RequestMessage { word, said })
}

/// A message of each type, to ask a case which of them it allows.
pub(super) fn samples(now: Timestamp) -> Vec<(MessageType, RequestMessage)> {
    use MessageType as T;
    let turns = [
        (T::RequestAcknowledge, RequestFact::Acknowledge { expected_by: None }),
        (T::RequestAsk, RequestFact::Ask),
        (T::RequestClarify, RequestFact::Clarify),
        (T::RequestDelay, RequestFact::Delay { until: now }),
        (T::RequestAnswerPartial, RequestFact::AnswerPartial),
        (T::RequestAnswer, RequestFact::Answer),
        (T::RequestRefuse, RequestFact::Refuse),
        (T::RequestRemind, RequestFact::Remind),
        (T::RequestCancel, RequestFact::Cancel),
        (T::RequestClose, RequestFact::Close),
    ];
    let turns = turns.map(|(kind, fact)| (kind, Word::Turn(fact)));
    let any = [(T::ReleaseConfirm, Word::Confirm), (T::PurgeCertify, Word::Certify(PurgeOutcome::NeverHeld))];
    let message = |(kind, word)| (kind, RequestMessage { word, said: Said::default() });
    turns.into_iter().chain(any).map(message).collect()
}

/// The answerer's time. A request of a sender that wrote none has the usual one.
fn limit(submit: &Submit, terms: &Terms) -> Duration {
    let usual = AnswerLimits::default().hours(terms.urgency.level, submit.is_direct());
    Duration::from_secs(u64::from(submit.answer_within_hours.unwrap_or(usual)) * 60 * 60)
}

impl Said {
    fn opens(&mut self, submit: &Submit) {
        self.kind = Some(submit.kind.to_string());
        self.group = submit.group;
        self.needed_by = submit.needed_by.as_ref().map(|needed| needed.at);
        self.is_direct = submit.is_direct();
        let asked = submit.questions.iter().map(|question| {
            let asked = AskedQuestion { ask: question.ask.to_string(), subject: question.subject.clone() };
            (question.n, asked)
        });
        self.questions = asked.collect();
        self.care.names(&submit.subjects);
    }

    fn answers(&mut self, answer: &Answer) {
        for one in &answer.answers {
            self.care.names(&one.data);
            let result = QuestionResult {
                result: one.result,
                reason: one.reason.as_ref().map(ToString::to_string),
                try_agency: one.try_agency.clone(),
                expected_by: one.expected_by,
            };
            self.results.insert(one.n, result);
        }
    }
}
