//! The family of spontaneous information: one message opens the case, and nobody owes an answer.

use std::collections::{BTreeMap, BTreeSet};

use rovuma_schemas::{
    AgencyCode, CaseSoFar, MessageId, MessageType, OperationalBody, Terms, Timestamp, any_case::PurgeOutcome,
};
use serde::{Deserialize, Serialize};

use super::{CaseDetails, FamilyRules, care::Care, possible};
use crate::cases::{
    fold::rules::{Applied, Ball, Breach, CaseRules, Step},
    folded::{CaseMessages, CaseView, FoldedCase, StateFacts, fold_kept},
};

/// The rules of shared information.
#[derive(Debug)]
pub(super) struct Rules;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum InfoFact {
    /// Its sender shares it.
    Share(Care),
    /// A second person of its sender confirms what one person released in an emergency.
    Confirm,
    /// A party certifies what it did with the data.
    Certify(PurgeOutcome),
}

/// What the messages add up to.
#[derive(Clone, Debug, Default)]
pub(super) struct InfoState {
    shared: Option<(MessageId, Care, Timestamp)>,
    confirmed: BTreeSet<MessageId>,
    certificates: BTreeMap<AgencyCode, PurgeOutcome>,
}

/// Shared information at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SharedInfo {
    is_suspended: bool,
    shared: Option<(Care, Timestamp)>,
    /// Until when its release must be confirmed, if it must and was not.
    pub(crate) confirm_by: Option<Timestamp>,
    /// What each party did with the data.
    pub(crate) certificates: BTreeMap<AgencyCode, PurgeOutcome>,
}

impl FamilyRules for Rules {
    fn fact(
        &self,
        body: &OperationalBody,
        terms: &Terms,
        _to: Option<&AgencyCode>,
        signed: Timestamp,
    ) -> Option<String> {
        let fact = match body {
            OperationalBody::InfoShare(share) => {
                let mut care = Care::of(terms, signed);
                care.names(&share.subjects);
                InfoFact::Share(care)
            }
            OperationalBody::ReleaseConfirm(_) => InfoFact::Confirm,
            OperationalBody::PurgeCertify(certify) => InfoFact::Certify(certify.outcome),
            _ => return None,
        };
        // A fact always serialises: no map of it has keys other than strings.
        serde_json::to_string(&fact).ok()
    }

    fn possible(&self, fold: &dyn FoldedCase, agency: &AgencyCode, now: Timestamp) -> Vec<&'static str> {
        let samples = [
            (MessageType::ReleaseConfirm, InfoFact::Confirm),
            (MessageType::PurgeCertify, InfoFact::Certify(PurgeOutcome::NeverHeld)),
        ];
        possible(fold, agency, now, samples)
    }

    fn fold(&self, case: &CaseMessages<'_>, read: &mut dyn FnMut(&dyn FoldedCase)) {
        fold_kept(self, case, read);
    }
}

impl CaseRules for Rules {
    type Fact = InfoFact;
    type State = InfoState;
    type View = SharedInfo;

    fn rank(&self, _: &InfoFact) -> u8 {
        0
    }

    fn lawful(&self, state: &InfoState, step: &Step<'_, InfoFact>) -> Result<(), Breach> {
        match step.fact {
            InfoFact::Share(_) | InfoFact::Confirm if !step.is_owner => Err(Breach::NotItsPart),
            InfoFact::Share(_) if state.shared.is_some() => Err(Breach::NotInState),
            InfoFact::Share(_) | InfoFact::Confirm | InfoFact::Certify(_) => Ok(()),
        }
    }

    fn may_sign(&self, state: &InfoState, step: &Step<'_, InfoFact>) -> Result<(), Breach> {
        let is_emergency = state.shared.as_ref().is_some_and(|(_, care, _)| care.confirm_by.is_some());
        let is_void = *step.fact == InfoFact::Confirm && !is_emergency;
        if is_void { Err(Breach::NotInState) } else { Ok(()) }
    }

    fn apply(&self, state: &mut InfoState, step: &Step<'_, InfoFact>) -> Applied {
        match step.fact {
            InfoFact::Share(care) => state.shared = Some((step.id, care.clone(), step.signed)),
            InfoFact::Confirm => state.confirmed.extend(step.answers),
            InfoFact::Certify(outcome) => drop(state.certificates.insert(step.sender.clone(), *outcome)),
        }
        Applied::Whole
    }

    fn view(&self, state: &InfoState, now: Timestamp) -> SharedInfo {
        let shared = state.shared.as_ref();
        let unconfirmed = shared.filter(|(id, _, _)| !state.confirmed.contains(id));
        let confirm_by = unconfirmed.and_then(|(_, care, _)| care.confirm_by);
        SharedInfo {
            is_suspended: confirm_by.is_some_and(|by| by <= now),
            shared: shared.map(|(_, care, signed)| (care.clone(), *signed)),
            confirm_by,
            certificates: state.certificates.clone(),
        }
    }

    fn ball(&self, view: &SharedInfo) -> Ball {
        if view.is_suspended { Ball::Owner } else { Ball::Nobody }
    }
}

impl CaseView for SharedInfo {
    fn facts(self) -> StateFacts {
        let care = self.shared.as_ref().map(|(care, _)| care.clone()).unwrap_or_default();
        StateFacts {
            state: match (&self.shared, self.is_suspended) {
                (None, _) => "not_arrived",
                (Some(_), true) => "suspended",
                (Some(_), false) => "shared",
            },
            instants: self.confirm_by.into_iter().collect(),
            due: self.confirm_by,
            version: None,
            facet: None,
            is_about_minor: care.is_about_minor,
            handling: care.handling,
            retain_until: care.retain_until,
            over_at: self.shared.as_ref().map(|(_, signed)| *signed),
            is_direct: false,
            hangs_on: None,
            group: None,
            earlier: CaseSoFar { numbers_used: care.numbers_used(), ..CaseSoFar::default() },
            details: CaseDetails::Info(Box::new(self)),
        }
    }
}
