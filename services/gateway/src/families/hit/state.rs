//! The states of a hit: the reporter, who opened the case, found what the owner's alert is about. Pure.
//!
//! Reports of facts are never void: what the reporter did and what the owner said always counts, and the last word of each
//! stands.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use rovuma_schemas::{AgencyCode, MessageId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cases::fold::rules::{Applied, Ball, Breach, CaseRules, NoEffect, PartyTurn, Step};

/// The owner's time to confirm while somebody is held: nobody waits at a crossing for longer.
const HELD_LIMIT: Duration = Duration::from_secs(60 * 60);

/// The owner's time to confirm when nobody is held: a working day, seen from either country.
const NOT_HELD_LIMIT: Duration = Duration::from_secs(12 * 60 * 60);

/// What a message of a hit says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HitFact {
    /// The reporter opens the case.
    Notify {
        /// The agency whose alert it is.
        alert_owner: AgencyCode,
    },
    /// The reporter asks the owner to confirm.
    Ask {
        /// Until when it may hold the person or thing, if it does.
        held_until: Option<Timestamp>,
    },
    /// The owner's answer.
    Word(OwnersWord),
    /// The owner says in the case of the hit that it withdrew the alert. No message type says this: the alert's own case does, which
    /// [`AlertStanding`] reads. The rules hold for both.
    AlertWithdrawn,
    /// What the reporter did.
    Act(ReportedAct),
    /// The reporter was wrong: it is no hit.
    Retract,
    /// The reporter has nothing more to do.
    Close,
}

/// The owner's answer to the question whether it is a hit and the alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OwnersWord {
    /// It is.
    Confirmed,
    /// It is not.
    NotConfirmed,
    /// The owner needs until then.
    MoreTime(Timestamp),
}

/// What the reporter did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReportedAct {
    /// What the alert asks for.
    Action,
    /// It did nothing.
    NoAction,
    /// It released the person or thing.
    Released,
    /// It could not do what the alert asks for.
    NotPossible,
}

/// The state of the alert, as the alert's own case has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum AlertStanding {
    /// In force.
    #[default]
    Active,
    /// Expired or suspended: no ground to act, and none to release by itself.
    NotActive,
    /// Withdrawn.
    Withdrawn,
}

/// The rules of hits.
#[derive(Debug, Default)]
pub(crate) struct HitRules {
    /// When each message of the case was delivered to the other party, by canonical id.
    pub(crate) delivered: BTreeMap<MessageId, Timestamp>,
    /// The state of the alert.
    pub(crate) alert: AlertStanding,
}

/// What the messages of a hit add up to.
#[derive(Clone, Debug, Default)]
pub(crate) struct HitState {
    alert_owner: Option<AgencyCode>,
    question: Option<Question>,
    word: Option<OwnersWord>,
    act: Option<ReportedAct>,
    is_withdrawn: bool,
    is_retracted: bool,
    is_closed: bool,
    /// The owner's last message.
    last_word: Option<PartyTurn>,
}

/// The reporter's open or last question.
#[derive(Clone, Copy, Debug)]
struct Question {
    held_until: Option<Timestamp>,
    delivered: Option<Timestamp>,
    /// Until when the owner needs more time, as it said while the question was open.
    more_time: Option<Timestamp>,
    is_answered: bool,
}

/// The state of a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Progress {
    /// The hit itself has not arrived.
    NotArrived,
    /// Reported.
    Notified,
    /// The owner is asked to confirm.
    Asked,
    /// The owner needs more time.
    MoreTime,
    /// The owner confirmed.
    Confirmed,
    /// The owner did not confirm.
    NotConfirmed,
    /// The reporter did what the alert asks for.
    Action,
    /// The reporter did nothing.
    NoAction,
    /// The reporter released.
    Released,
    /// The reporter could not do what the alert asks for.
    NotPossible,
    /// The reporter took it back.
    Retracted,
    /// The reporter closed it, and had seen the owner's last word.
    Closed,
}

/// A hit at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HitView {
    /// Its state.
    pub(crate) progress: Progress,
    /// Whether the reporter may do what the alert asks for.
    pub(crate) may_act: bool,
    /// Whether the reporter must release, or stop.
    pub(crate) must_release: bool,
    /// Whether the reporter acted and must release: red on both sides.
    pub(crate) is_contested: bool,
    /// Until when the reporter may hold.
    pub(crate) held_until: Option<Timestamp>,
    /// When the owner's time to answer ends, while a question is open and its receipt is here.
    pub(crate) limit: Option<Timestamp>,
    /// Whether that time is over.
    pub(crate) is_overdue: bool,
}

impl CaseRules for HitRules {
    type Fact = HitFact;
    type State = HitState;
    type View = HitView;

    fn rank(&self, fact: &HitFact) -> u8 {
        // Only a closing depends on what stands beside it.
        u8::from(*fact == HitFact::Close)
    }

    fn is_absorbing(&self, fact: &HitFact) -> bool {
        matches!(fact, HitFact::Retract | HitFact::AlertWithdrawn)
    }

    fn lawful(&self, state: &HitState, step: &Step<'_, HitFact>) -> Result<(), Breach> {
        use HitFact as F;
        let is_reporters = !matches!(step.fact, F::Word(_) | F::AlertWithdrawn);
        if is_reporters != step.is_owner {
            return Err(Breach::NotItsPart);
        }
        let Some(alert_owner) = &state.alert_owner else {
            return if let F::Notify { .. } = step.fact { Ok(()) } else { Err(Breach::NotOpened) };
        };
        match step.fact {
            F::Notify { .. } => Err(Breach::NotInState),
            F::Word(_) | F::AlertWithdrawn if step.sender != alert_owner => Err(Breach::NotAParty),
            F::Close if !state.progress().may_be_closed() => Err(Breach::NotInState),
            _ => Ok(()),
        }
    }

    /// The reporter's own gateway says "release" instead of taking the report of an action that is not allowed, and the owner's
    /// does not confirm an alert that is withdrawn. Once it happened all the same it is a fact, and the other side must read it.
    fn may_sign(&self, state: &HitState, step: &Step<'_, HitFact>) -> Result<(), Breach> {
        let is_refused = match step.fact {
            HitFact::Act(ReportedAct::Action) => self.must_release(state),
            HitFact::Word(OwnersWord::Confirmed) => {
                state.is_withdrawn || self.alert == AlertStanding::Withdrawn
            }
            _ => false,
        };
        if is_refused { Err(Breach::NotInState) } else { Ok(()) }
    }

    fn apply(&self, state: &mut HitState, step: &Step<'_, HitFact>) -> Applied {
        if !step.is_owner {
            // A word that the reporter had not seen when it closed the case opens it again.
            (state.last_word, state.is_closed) = (Some(step.place), false);
        }
        match step.fact {
            HitFact::Notify { alert_owner } => state.alert_owner = Some(alert_owner.clone()),
            HitFact::Ask { held_until } => self.apply_ask(state, step, *held_until),
            HitFact::Word(word) => {
                state.word = Some(*word);
                match (&mut state.question, word) {
                    (Some(question), OwnersWord::MoreTime(until)) => question.more_time = Some(*until),
                    (Some(question), _) => question.is_answered = true,
                    (None, _) => {}
                }
            }
            HitFact::AlertWithdrawn => state.is_withdrawn = true,
            HitFact::Act(act) => state.act = Some(*act),
            HitFact::Retract => state.is_retracted = true,
            HitFact::Close if state.last_word.is_some_and(|word| !step.certainly_had(word)) => {
                return Applied::Without(NoEffect::LastWordUnseen);
            }
            HitFact::Close => state.is_closed = true,
        }
        Applied::Whole
    }

    fn view(&self, state: &HitState, now: Timestamp) -> HitView {
        let must_release = self.must_release(state);
        let is_confirmed = state.word == Some(OwnersWord::Confirmed);
        let limit = state.limit();
        HitView {
            progress: state.progress(),
            may_act: is_confirmed && !must_release && self.alert == AlertStanding::Active,
            must_release,
            is_contested: state.act == Some(ReportedAct::Action) && must_release,
            held_until: state.question.and_then(|question| question.held_until),
            limit,
            is_overdue: limit.is_some_and(|limit| limit <= now),
        }
    }

    fn ball(&self, view: &HitView) -> Ball {
        match view.progress {
            // There is something to undo.
            _ if view.is_contested => Ball::Owner,
            // Somebody may be held for an alert that is no more, whatever the owner still owes.
            Progress::Notified | Progress::Asked | Progress::MoreTime if view.must_release => Ball::Owner,
            Progress::Asked | Progress::MoreTime => Ball::Other,
            Progress::NotArrived | Progress::Notified | Progress::Closed => Ball::Nobody,
            _ => Ball::Owner,
        }
    }
}

impl HitRules {
    fn must_release(&self, state: &HitState) -> bool {
        state.is_withdrawn
            || self.alert == AlertStanding::Withdrawn
            || state.is_retracted
            || state.word == Some(OwnersWord::NotConfirmed)
    }

    /// A question asked again while the first one is open does not give the owner more time.
    fn apply_ask(&self, state: &mut HitState, step: &Step<'_, HitFact>, held_until: Option<Timestamp>) {
        let delivered = self.delivered.get(&step.id).copied();
        state.question = Some(match state.question {
            Some(open) if !open.is_answered => {
                Question { held_until: held_until.or(open.held_until), delivered: open.delivered, ..open }
            }
            _ => Question { held_until, delivered, more_time: None, is_answered: false },
        });
    }
}

impl HitState {
    fn progress(&self) -> Progress {
        let Some(_) = &self.alert_owner else { return Progress::NotArrived };
        match (self.act, self.word) {
            _ if self.is_closed => Progress::Closed,
            _ if self.is_retracted => Progress::Retracted,
            (Some(ReportedAct::Action), _) => Progress::Action,
            (Some(ReportedAct::NoAction), _) => Progress::NoAction,
            (Some(ReportedAct::Released), _) => Progress::Released,
            (Some(ReportedAct::NotPossible), _) => Progress::NotPossible,
            (None, Some(OwnersWord::Confirmed)) => Progress::Confirmed,
            (None, Some(OwnersWord::NotConfirmed)) => Progress::NotConfirmed,
            (None, Some(OwnersWord::MoreTime(_))) => Progress::MoreTime,
            (None, None) if self.question.is_some() => Progress::Asked,
            (None, None) => Progress::Notified,
        }
    }

    /// When the owner's time to answer the open question ends.
    fn limit(&self) -> Option<Timestamp> {
        let question = self.question.filter(|question| !question.is_answered)?;
        if question.more_time.is_some() {
            return question.more_time;
        }
        let limit = if question.held_until.is_some() { HELD_LIMIT } else { NOT_HELD_LIMIT };
        Some(question.delivered?.plus(limit))
    }
}

impl Progress {
    /// Whether the reporter may close: there is nothing left to do or to wait for.
    const fn may_be_closed(self) -> bool {
        match self {
            Self::NotConfirmed
            | Self::Action
            | Self::NoAction
            | Self::Released
            | Self::NotPossible
            | Self::Retracted => true,
            Self::NotArrived
            | Self::Notified
            | Self::Asked
            | Self::MoreTime
            | Self::Confirmed
            | Self::Closed => false,
        }
    }

    /// The code in the API.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NotArrived => "not_arrived",
            Self::Notified => "notified",
            Self::Asked => "asked",
            Self::MoreTime => "more_time",
            Self::Confirmed => "confirmed",
            Self::NotConfirmed => "not_confirmed",
            Self::Action => "action",
            Self::NoAction => "no_action",
            Self::Released => "released",
            Self::NotPossible => "not_possible",
            Self::Retracted => "retracted",
            Self::Closed => "closed",
        }
    }
}
