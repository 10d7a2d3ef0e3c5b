//! The family of leave: an agency asks whether it may use something beyond its handling code, and the agency that sent it decides.

pub(crate) mod leave;

use std::collections::BTreeMap;

use rovuma_schemas::{
    AgencyCode, CaseSoFar, Date, MessageType, OperationalBody, Terms, Timestamp,
    any_case::PurgeOutcome,
    permission::{About, PermissionDecision, PermissionUse},
};
use serde::{Deserialize, Serialize};

use super::{CaseDetails, FamilyRules, care::Care, possible};
use crate::cases::{
    fold::rules::{Applied, Ball, Breach, CaseRules, Step},
    folded::{CaseMessages, CaseView, FoldedCase, StateFacts, fold_kept},
};

/// The rules of leave.
#[derive(Debug)]
pub(super) struct Rules;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PermissionFact {
    /// An agency asks.
    Ask {
        /// The agency that is to decide.
        from: AgencyCode,
        /// What leave is asked for.
        asked: LeaveAsked,
        /// The care that the question needs.
        care: Box<Care>,
    },
    /// The agency that was asked decides; a later decision takes the place of the one before.
    Decide {
        /// Leave, or none.
        decision: PermissionDecision,
        /// The last day of the leave.
        until: Option<Date>,
        /// The last day on which the decision may be kept.
        retain_until: Date,
    },
    /// A party certifies what it did with the data.
    Certify(PurgeOutcome),
}

/// What leave is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeaveAsked {
    /// The case, and the message in it.
    pub(crate) about: About,
    /// The uses.
    pub(crate) uses: Vec<PermissionUse>,
    /// The agencies that are to have it.
    pub(crate) to: Vec<AgencyCode>,
}

/// What the messages add up to.
#[derive(Clone, Debug, Default)]
pub(super) struct PermissionState {
    asked: Option<(AgencyCode, LeaveAsked, Care)>,
    decided: Option<(PermissionDecision, Option<Date>)>,
    retain_until: Option<Date>,
    last_signed: Option<Timestamp>,
    certificates: BTreeMap<AgencyCode, PurgeOutcome>,
}

/// A question for leave at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Permission {
    state: &'static str,
    /// The agency that is to decide.
    pub(crate) from: Option<AgencyCode>,
    /// What leave is asked for.
    pub(crate) asked: Option<LeaveAsked>,
    /// The last day of the leave.
    pub(crate) until: Option<Date>,
    care: Care,
    retain_until: Option<Date>,
    last_signed: Option<Timestamp>,
    /// What each party did with the data.
    pub(crate) certificates: BTreeMap<AgencyCode, PurgeOutcome>,
}

/// The state in which leave is given.
const GRANTED: &str = "granted";

impl FamilyRules for Rules {
    fn fact(
        &self,
        body: &OperationalBody,
        terms: &Terms,
        to: Option<&AgencyCode>,
        signed: Timestamp,
    ) -> Option<String> {
        let fact = match body {
            OperationalBody::PermissionAsk(ask) => PermissionFact::Ask {
                from: to?.clone(),
                asked: LeaveAsked { about: ask.about.clone(), uses: ask.uses.clone(), to: ask.to.clone() },
                care: Box::new(Care::of(terms, signed)),
            },
            OperationalBody::PermissionDecide(decide) => PermissionFact::Decide {
                decision: decide.decision,
                until: decide.until,
                retain_until: terms.retain_until,
            },
            OperationalBody::PurgeCertify(certify) => PermissionFact::Certify(certify.outcome),
            _ => return None,
        };
        // A fact always serialises: no map of it has keys other than strings.
        serde_json::to_string(&fact).ok()
    }

    fn possible(&self, fold: &dyn FoldedCase, agency: &AgencyCode, now: Timestamp) -> Vec<&'static str> {
        let today = Date::of(now);
        let decide =
            PermissionFact::Decide { decision: PermissionDecision::Denied, until: None, retain_until: today };
        let samples = [
            (MessageType::PermissionDecide, decide),
            (MessageType::PurgeCertify, PermissionFact::Certify(PurgeOutcome::NeverHeld)),
        ];
        possible(fold, agency, now, samples)
    }

    fn fold(&self, case: &CaseMessages<'_>, read: &mut dyn FnMut(&dyn FoldedCase)) {
        fold_kept(self, case, read);
    }
}

impl CaseRules for Rules {
    type Fact = PermissionFact;
    type State = PermissionState;
    type View = Permission;

    fn rank(&self, _: &PermissionFact) -> u8 {
        0
    }

    fn lawful(&self, state: &PermissionState, step: &Step<'_, PermissionFact>) -> Result<(), Breach> {
        match (step.fact, &state.asked) {
            (PermissionFact::Ask { .. }, _) if !step.is_owner => Err(Breach::NotItsPart),
            (PermissionFact::Ask { .. }, Some(_)) => Err(Breach::NotInState),
            (PermissionFact::Decide { .. }, _) if step.is_owner => Err(Breach::NotItsPart),
            (PermissionFact::Decide { .. }, None) => Err(Breach::NotOpened),
            (PermissionFact::Decide { .. }, Some((from, _, _))) if from != step.sender => {
                Err(Breach::NotAParty)
            }
            _ => Ok(()),
        }
    }

    fn apply(&self, state: &mut PermissionState, step: &Step<'_, PermissionFact>) -> Applied {
        state.last_signed = state.last_signed.max(Some(step.signed));
        match step.fact {
            PermissionFact::Ask { from, asked, care } => {
                state.asked = Some((from.clone(), asked.clone(), care.as_ref().clone()));
                state.retain_until = state.retain_until.max(care.retain_until);
            }
            PermissionFact::Decide { decision, until, retain_until } => {
                state.decided = Some((*decision, *until));
                // What was allowed must be provable for as long as it was.
                state.retain_until = state.retain_until.max(Some(*retain_until)).max(*until);
            }
            PermissionFact::Certify(outcome) => {
                state.certificates.insert(step.sender.clone(), *outcome);
            }
        }
        Applied::Whole
    }

    fn view(&self, state: &PermissionState, now: Timestamp) -> Permission {
        let granted_until = match state.decided {
            Some((PermissionDecision::Granted, until)) => until,
            _ => None,
        };
        let is_over = granted_until.is_some_and(|day| day < Date::of(now));
        Permission {
            state: match (&state.asked, state.decided) {
                (None, _) => "not_arrived",
                (Some(_), None) => "asked",
                (Some(_), Some((PermissionDecision::Denied, _))) => "denied",
                // Leave without a last day is none: its sender's own rule refuses it.
                (Some(_), Some((PermissionDecision::Granted, None))) => "denied",
                (Some(_), Some((PermissionDecision::Granted, Some(_)))) if is_over => "lapsed",
                (Some(_), Some((PermissionDecision::Granted, Some(_)))) => GRANTED,
            },
            from: state.asked.as_ref().map(|(from, _, _)| from.clone()),
            asked: state.asked.as_ref().map(|(_, asked, _)| asked.clone()),
            until: granted_until,
            care: state.asked.as_ref().map(|(_, _, care)| care.clone()).unwrap_or_default(),
            retain_until: state.retain_until,
            last_signed: state.last_signed,
            certificates: state.certificates.clone(),
        }
    }

    fn ball(&self, view: &Permission) -> Ball {
        if view.state == "asked" { Ball::Other } else { Ball::Nobody }
    }
}

impl CaseView for Permission {
    fn facts(self) -> StateFacts {
        StateFacts {
            state: self.state,
            instants: self.until.map(|day| day.plus_days(1).start()).into_iter().collect(),
            due: None,
            version: None,
            facet: None,
            is_about_minor: self.care.is_about_minor,
            handling: self.care.handling,
            retain_until: self.retain_until,
            over_at: self.last_signed,
            is_direct: false,
            hangs_on: None,
            group: None,
            earlier: CaseSoFar::default(),
            details: CaseDetails::Permission(Box::new(self)),
        }
    }
}
