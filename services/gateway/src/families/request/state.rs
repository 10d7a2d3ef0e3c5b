//! The states of a request: one requester, who opened the case, and one answerer. Pure.

mod clock;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use rovuma_schemas::{AgencyCode, MessageId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cases::fold::rules::{Applied, Ball, Breach, CaseRules, NoEffect, PartyTurn, Step};
use clock::Clock;

/// The requester's time to answer a question. After it the answerer may refuse the request as not compliant.
const CLARIFY_LIMIT: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// The least time between two reminders: more often they are noise.
const REMIND_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// A request without a message for this long is dormant: nobody closes it unless somebody looks.
const DORMANT_AFTER: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What a message of a request says, of what the state depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RequestFact {
    /// The requester opens the case.
    Submit {
        /// The one agency that is to answer.
        to: AgencyCode,
        /// Its time to answer, as the agreement has it.
        limit: Duration,
    },
    /// The answerer has taken it up.
    Acknowledge {
        /// When it expects to answer.
        expected_by: Option<Timestamp>,
    },
    /// The answerer needs to know more.
    Ask,
    /// The requester says more.
    Clarify,
    /// The answerer needs longer.
    Delay {
        /// The new limit.
        until: Timestamp,
    },
    /// An answer that leaves some questions for later.
    AnswerPartial,
    /// An answer that leaves none.
    Answer,
    /// The answerer refuses.
    Refuse,
    /// The requester reminds the answerer.
    Remind,
    /// The requester needs no answer any more.
    Cancel,
    /// The requester has what it needs.
    Close,
}

/// The rules of requests.
#[derive(Debug, Default)]
pub(crate) struct RequestRules {
    /// When each message of the case was delivered to the other party, as that party's receipts say, by canonical id.
    pub(crate) delivered: BTreeMap<MessageId, Timestamp>,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Progress {
    /// The request itself has not arrived.
    #[default]
    NotArrived,
    /// The answerer works on it.
    Open,
    /// The requester is asked for more.
    Clarification,
    /// Answered completely.
    Answered,
    /// Refused.
    Refused,
    /// Cancelled before an answer. What was disclosed until then must be erased.
    Cancelled,
    /// The requester has read the last answer and needs no more.
    Closed,
}

/// What the messages of a request add up to.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestState {
    progress: Progress,
    to: Option<AgencyCode>,
    is_acknowledged: bool,
    expected_by: Option<Timestamp>,
    is_disclosed: bool,
    is_cancelled_late: bool,
    last_ask: Option<PartyTurn>,
    /// The answerer's last answer, whole or in part, or refusal.
    last_word: Option<PartyTurn>,
    submitted: Option<Timestamp>,
    last_reminder: Option<Timestamp>,
    last_signed: Option<Timestamp>,
    limit: Duration,
    delayed_until: Option<Timestamp>,
    /// When the request was answered or refused for the first time.
    settled: Option<Timestamp>,
    answering: Clock,
    clarifying: Clock,
}

/// A request at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestView {
    /// How far it has come.
    pub(crate) progress: Progress,
    /// Whether the answerer has taken it up.
    pub(crate) is_acknowledged: bool,
    /// When the answerer expects to answer.
    pub(crate) expected_by: Option<Timestamp>,
    /// Whether data was disclosed.
    pub(crate) is_disclosed: bool,
    /// Whether a cancellation came too late.
    pub(crate) is_cancelled_late: bool,
    /// Whether the requester must erase what was disclosed before it cancelled, and certify that.
    pub(crate) is_erasure_due: bool,
    /// The one agency that is to answer.
    pub(crate) to: Option<AgencyCode>,
    /// The answerer's time, as the agreement has it.
    pub(crate) limit: Duration,
    /// When the time of whoever has the ball is over, if nothing more is written: the answerer's with the delay that it asked for, the
    /// requester's for a clarification.
    pub(crate) due: Option<Timestamp>,
    /// The new limit, if the answerer asked for one.
    pub(crate) delayed_until: Option<Timestamp>,
    /// When the requester last reminded the answerer.
    pub(crate) last_reminder: Option<Timestamp>,
    /// When the request was answered or refused for the first time.
    pub(crate) settled: Option<Timestamp>,
    /// When its last message was signed.
    pub(crate) last_signed: Option<Timestamp>,
    /// The answerer's time so far, as far as receipts tell it.
    pub(crate) answering: Option<Duration>,
    /// The time that the requester took for its clarifications, once it has given them.
    pub(crate) clarifying: Option<Duration>,
    /// Whether the answerer is, or was, in time.
    pub(crate) punctuality: Option<Punctuality>,
    /// Whether the requester has left a question open for too long: the answerer may refuse.
    pub(crate) is_clarification_overdue: bool,
    /// Whether nothing was written for a long time and nothing is settled.
    pub(crate) is_dormant: bool,
}

/// Whether the answerer is, or was, in time. The line's time is nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Punctuality {
    /// Within the limit.
    InTime,
    /// Beyond the limit, within the delay that it asked for.
    WithinDelay,
    /// Later.
    Late,
}

impl CaseRules for RequestRules {
    type Fact = RequestFact;
    type State = RequestState;
    type View = RequestView;

    fn rank(&self, fact: &RequestFact) -> u8 {
        use RequestFact as F;
        match fact {
            F::Submit { .. } | F::Answer | F::AnswerPartial => 0,
            F::Refuse => 1,
            F::Acknowledge { .. } | F::Ask | F::Delay { .. } => 2,
            F::Clarify | F::Remind => 3,
            F::Close => 4,
            F::Cancel => 5,
        }
    }

    fn lawful(&self, state: &RequestState, step: &Step<'_, RequestFact>) -> Result<(), Breach> {
        use {Progress as P, RequestFact as F};
        if step.fact.is_requesters() != step.is_owner {
            return Err(Breach::NotItsPart);
        }
        if let F::Submit { .. } = step.fact {
            return if state.progress == P::NotArrived { Ok(()) } else { Err(Breach::NotInState) };
        }
        let Some(to) = &state.to else { return Err(Breach::NotOpened) };
        if !step.is_owner && step.sender != to {
            return Err(Breach::NotAParty);
        }
        let is_allowed = match (state.progress, step.fact) {
            (P::Open, F::Ask | F::Delay { .. } | F::Remind)
            | (P::Open | P::Clarification, F::Acknowledge { .. } | F::AnswerPartial | F::Refuse)
            | (P::Open | P::Clarification, F::Clarify | F::Cancel)
            | (P::Answered | P::Refused, F::Close) => true,
            (progress, F::Answer) => progress != P::Cancelled,
            _ => false,
        };
        match step.fact {
            _ if !is_allowed => Err(Breach::NotInState),
            // The time of the delivery is not signed with the request: what is certain is that it cannot have come before it was sent.
            F::Remind if !state.may_be_reminded(step.signed) => Err(Breach::TooEarly),
            _ => Ok(()),
        }
    }

    fn may_sign(&self, state: &RequestState, step: &Step<'_, RequestFact>) -> Result<(), Breach> {
        let is_early = *step.fact == RequestFact::Remind
            && state.answering.spent(step.signed).is_some_and(|spent| spent < state.limit);
        if is_early { Err(Breach::TooEarly) } else { Ok(()) }
    }

    fn apply(&self, state: &mut RequestState, step: &Step<'_, RequestFact>) -> Applied {
        use {Progress as P, RequestFact as F};
        // A reminder that nobody answers wakes nothing: else a request that the gateway reminds of would never be dormant.
        if *step.fact != F::Remind {
            state.last_signed = state.last_signed.max(Some(step.signed));
        }
        match step.fact {
            F::Submit { to, limit } => {
                (state.progress, state.to, state.limit) = (P::Open, Some(to.clone()), *limit);
                state.submitted = Some(step.signed);
                state.answering.start(self.delivered(step.id));
            }
            F::Acknowledge { expected_by } => {
                (state.is_acknowledged, state.expected_by) = (true, expected_by.or(state.expected_by));
            }
            F::Delay { until } => state.delayed_until = Some(*until),
            F::Remind => state.last_reminder = Some(step.signed),
            F::Ask => return self.apply_ask(state, step),
            F::Clarify => return self.apply_clarify(state, step),
            F::AnswerPartial | F::Answer | F::Refuse => self.apply_word(state, step),
            F::Cancel => return apply_cancel(state),
            F::Close => return apply_close(state, step),
        }
        Applied::Whole
    }

    fn view(&self, state: &RequestState, now: Timestamp) -> RequestView {
        let at = state.settled.unwrap_or(now);
        let is_settled = matches!(state.progress, Progress::Cancelled | Progress::Closed);
        let clarifying = state.clarifying.spent(now).unwrap_or_default();
        RequestView {
            progress: state.progress,
            is_acknowledged: state.is_acknowledged,
            expected_by: state.expected_by,
            is_disclosed: state.is_disclosed,
            is_cancelled_late: state.is_cancelled_late,
            is_erasure_due: state.progress == Progress::Cancelled && state.is_disclosed,
            to: state.to.clone(),
            limit: state.limit,
            due: state.due(),
            delayed_until: state.delayed_until,
            last_reminder: state.last_reminder,
            settled: state.settled,
            last_signed: state.last_signed,
            answering: state.answering.spent(at),
            clarifying: state.clarifying.taken(),
            punctuality: state.punctuality(at),
            is_clarification_overdue: state.progress == Progress::Clarification && clarifying > CLARIFY_LIMIT,
            is_dormant: !is_settled && state.last_signed.is_some_and(|last| now.since(last) >= DORMANT_AFTER),
        }
    }

    fn ball(&self, view: &RequestView) -> Ball {
        match view.progress {
            Progress::Open => Ball::Other,
            Progress::Clarification | Progress::Answered | Progress::Refused => Ball::Owner,
            Progress::NotArrived | Progress::Cancelled | Progress::Closed => Ball::Nobody,
        }
    }
}

impl RequestFact {
    /// Whether the requester says this, and not the answerer.
    const fn is_requesters(&self) -> bool {
        match self {
            Self::Submit { .. } | Self::Clarify | Self::Remind | Self::Cancel | Self::Close => true,
            Self::Acknowledge { .. }
            | Self::Ask
            | Self::Delay { .. }
            | Self::AnswerPartial
            | Self::Answer
            | Self::Refuse => false,
        }
    }
}

impl RequestRules {
    fn delivered(&self, id: MessageId) -> Option<Timestamp> {
        self.delivered.get(&id).copied()
    }

    fn apply_ask(&self, state: &mut RequestState, step: &Step<'_, RequestFact>) -> Applied {
        // A question comes before any decision that crosses it; only an author who lies can put one behind it.
        if state.progress != Progress::Open {
            return Applied::Without(NoEffect::Withdrawn);
        }
        (state.progress, state.last_ask) = (Progress::Clarification, Some(step.place));
        state.answering.stop(step.signed);
        state.clarifying.start(self.delivered(step.id));
        Applied::Whole
    }

    /// A clarification answers a question only if its author had seen it. Otherwise it is a supplement, and the question stands.
    fn apply_clarify(&self, state: &mut RequestState, step: &Step<'_, RequestFact>) -> Applied {
        let had_question = state.last_ask.is_some_and(|ask| step.had(ask));
        if state.progress != Progress::Clarification || !had_question {
            return Applied::Supplement;
        }
        state.progress = Progress::Open;
        state.clarifying.stop(step.signed);
        state.answering.start(self.delivered(step.id));
        Applied::Whole
    }

    /// Answers and refusals are facts: they stand against every decision that had not seen them.
    fn apply_word(&self, state: &mut RequestState, step: &Step<'_, RequestFact>) {
        state.last_word = Some(step.place);
        state.is_disclosed |= *step.fact != RequestFact::Refuse;
        state.progress = match (step.fact, state.progress) {
            (RequestFact::Answer, _) => Progress::Answered,
            // Something new that nobody has closed.
            (RequestFact::AnswerPartial, Progress::Closed) => Progress::Answered,
            (RequestFact::Refuse, progress) if progress != Progress::Answered => Progress::Refused,
            (_, progress) => progress,
        };
        if *step.fact != RequestFact::AnswerPartial {
            state.answering.stop(step.signed);
            state.settled = state.settled.or(Some(step.signed));
        }
    }
}

fn apply_cancel(state: &mut RequestState) -> Applied {
    if matches!(state.progress, Progress::Open | Progress::Clarification) {
        state.progress = Progress::Cancelled;
        return Applied::Whole;
    }
    state.is_cancelled_late = true;
    Applied::Without(NoEffect::TooLate)
}

fn apply_close(state: &mut RequestState, step: &Step<'_, RequestFact>) -> Applied {
    let had_last_word = state.last_word.is_some_and(|word| step.certainly_had(word));
    if !matches!(state.progress, Progress::Answered | Progress::Refused) || !had_last_word {
        return Applied::Without(NoEffect::LastWordUnseen);
    }
    state.progress = Progress::Closed;
    Applied::Whole
}

impl RequestState {
    /// Whether a reminder that was signed then may be honest: after the limit, once a day.
    fn may_be_reminded(&self, signed: Timestamp) -> bool {
        let is_over = self.submitted.is_none_or(|submitted| signed.since(submitted) >= self.limit);
        let is_another_day = self.last_reminder.is_none_or(|last| signed.since(last) >= REMIND_EVERY);
        is_over && is_another_day
    }

    /// When the time of whoever has the ball is over.
    fn due(&self) -> Option<Timestamp> {
        match self.progress {
            Progress::Open => {
                let ends = self.answering.ends(self.limit)?;
                Some(self.delayed_until.map_or(ends, |delayed| delayed.max(ends)))
            }
            Progress::Clarification => self.clarifying.ends(CLARIFY_LIMIT),
            _ => None,
        }
    }

    /// Whether the answerer is in time at this instant, or was when it answered.
    fn punctuality(&self, at: Timestamp) -> Option<Punctuality> {
        let spent = self.answering.spent(at)?;
        Some(match self.delayed_until {
            _ if spent <= self.limit => Punctuality::InTime,
            Some(until) if at <= until => Punctuality::WithinDelay,
            _ => Punctuality::Late,
        })
    }
}

impl Punctuality {
    /// The code in the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::InTime => "in_time",
            Self::WithinDelay => "within_delay",
            Self::Late => "late",
        }
    }
}

impl Progress {
    /// The code in the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NotArrived => "not_arrived",
            Self::Open => "open",
            Self::Clarification => "clarification",
            Self::Answered => "answered",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Closed => "closed",
        }
    }
}
