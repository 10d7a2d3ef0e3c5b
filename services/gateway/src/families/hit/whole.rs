//! A whole hit: its state, and what its messages say beside that.

use std::collections::BTreeMap;

use rovuma_schemas::{AgencyCode, Timestamp, any_case::PurgeOutcome};

use super::{
    fact::{HitMessage, HitNotice, Word, alert_owner},
    state::{HitRules, HitState, HitView},
};
use crate::{
    cases::fold::rules::{Applied, Ball, Breach, CaseRules, Step},
    families::care::Care,
};

/// The rules of whole hits: those of their states, and beside them certificates, which change none.
#[derive(Debug, Default)]
pub(super) struct WholeRules(pub(super) HitRules);

/// What the messages of a hit add up to.
#[derive(Clone, Debug, Default)]
pub(super) struct WholeState {
    state: HitState,
    alert_owner: Option<AgencyCode>,
    found: Option<HitNotice>,
    actions: Vec<String>,
    care: Care,
    last_signed: Option<Timestamp>,
    certificates: BTreeMap<AgencyCode, PurgeOutcome>,
}

/// A whole hit at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WholeHit {
    /// How far it has come.
    pub(crate) progress: HitView,
    /// The agency whose alert it is.
    pub(crate) alert_owner: Option<AgencyCode>,
    /// What was found; none while the notice itself has not arrived.
    pub(crate) found: Option<HitNotice>,
    /// What the reporter did, of its last report.
    pub(crate) actions: Vec<String>,
    /// When its last message was signed.
    pub(super) last_signed: Option<Timestamp>,
    /// The care that it needs.
    pub(crate) care: Care,
    /// What each party did with the data.
    pub(crate) certificates: BTreeMap<AgencyCode, PurgeOutcome>,
}

impl CaseRules for WholeRules {
    type Fact = HitMessage;
    type State = WholeState;
    type View = WholeHit;

    fn rank(&self, message: &HitMessage) -> u8 {
        match &message.word {
            Word::Turn(fact) => self.0.rank(fact),
            // It changes no state, so nothing depends on what crosses it.
            Word::Certify(_) => 0,
        }
    }

    fn is_absorbing(&self, message: &HitMessage) -> bool {
        matches!(&message.word, Word::Turn(fact) if self.0.is_absorbing(fact))
    }

    fn lawful(&self, whole: &WholeState, step: &Step<'_, HitMessage>) -> Result<(), Breach> {
        match &step.fact.word {
            Word::Turn(fact) => self.0.lawful(&whole.state, &step.saying(fact)),
            Word::Certify(_) if whole.found.is_none() => Err(Breach::NotOpened),
            Word::Certify(_) => Ok(()),
        }
    }

    fn may_sign(&self, whole: &WholeState, step: &Step<'_, HitMessage>) -> Result<(), Breach> {
        match &step.fact.word {
            Word::Turn(fact) => self.0.may_sign(&whole.state, &step.saying(fact)),
            Word::Certify(_) => Ok(()),
        }
    }

    fn apply(&self, whole: &mut WholeState, step: &Step<'_, HitMessage>) -> Applied {
        whole.last_signed = whole.last_signed.max(Some(step.signed));
        let fact = match &step.fact.word {
            Word::Turn(fact) => fact,
            Word::Certify(outcome) => {
                whole.certificates.insert(step.sender.clone(), *outcome);
                return Applied::Whole;
            }
        };
        let applied = self.0.apply(&mut whole.state, &step.saying(fact));
        if let Some(found) = &step.fact.found {
            (whole.alert_owner, whole.found) = (alert_owner(fact).cloned(), Some(found.clone()));
        }
        if !step.fact.actions.is_empty() {
            whole.actions.clone_from(&step.fact.actions);
        }
        whole.care.add(&step.fact.care);
        applied
    }

    fn view(&self, whole: &WholeState, now: Timestamp) -> WholeHit {
        WholeHit {
            progress: self.0.view(&whole.state, now),
            alert_owner: whole.alert_owner.clone(),
            found: whole.found.clone(),
            actions: whole.actions.clone(),
            last_signed: whole.last_signed,
            care: whole.care.clone(),
            certificates: whole.certificates.clone(),
        }
    }

    fn ball(&self, view: &WholeHit) -> Ball {
        self.0.ball(&view.progress)
    }
}
