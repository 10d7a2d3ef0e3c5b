//! The family of alerts.

mod fact;
mod state;

use rovuma_schemas::{
    AgencyCode, MessageType, OperationalBody, Terms, Timestamp,
    alert::{Issue, Update},
};

use super::{CaseDetails, FamilyRules, possible};
use crate::cases::{
    folded::{CaseMessages, CaseView, FoldedCase, StateFacts, fold_kept},
    signed,
};
use state::AlertRules;
pub(crate) use state::{AlertState, AlertView, Certificate, Report, ReportAnswer, WithdrawReason};

/// The rules of alerts.
pub(super) struct Rules;

impl FamilyRules for Rules {
    fn fact(
        &self,
        body: &OperationalBody,
        terms: &Terms,
        _to: Option<&AgencyCode>,
        signed: Timestamp,
    ) -> Option<String> {
        // A fact always serialises: no map of it has keys other than strings.
        fact::of(body, terms, signed).and_then(|fact| serde_json::to_string(&fact).ok())
    }

    fn is_absorbing(&self, message_type: &str) -> bool {
        message_type == MessageType::AlertWithdraw.as_str()
    }

    fn possible(&self, fold: &dyn FoldedCase, agency: &AgencyCode, now: Timestamp) -> Vec<&'static str> {
        possible(fold, agency, now, fact::samples(now))
    }

    fn has_in_series(&self, message_type: MessageType, payload: &[u8], number: &str) -> bool {
        content_of(message_type, payload).is_some_and(|content| content.subjects.have_in_series(number))
    }

    fn fold(&self, case: &CaseMessages<'_>, read: &mut dyn FnMut(&dyn FoldedCase)) {
        fold_kept(&AlertRules, case, read);
    }
}

/// Whether messages of this type bring an alert's whole content.
pub(crate) const fn brings_content(message_type: MessageType) -> bool {
    matches!(message_type, MessageType::AlertIssue | MessageType::AlertUpdate)
}

/// The content that a message of this type brings, from its signed JSON.
pub(crate) fn content_of(message_type: MessageType, payload: &[u8]) -> Option<Issue> {
    match message_type {
        MessageType::AlertIssue => signed::body::<Issue>(payload),
        MessageType::AlertUpdate => signed::body::<Update>(payload).map(|update| update.alert),
        _ => None,
    }
}

impl CaseView for AlertView {
    fn facts(self) -> StateFacts {
        let mut instants: Vec<Timestamp> = match self.state {
            AlertState::Withdrawn | AlertState::NotArrived => Vec::new(),
            AlertState::Active | AlertState::Suspended | AlertState::Expired => {
                self.ends.into_iter().chain(self.confirm_by).collect()
            }
        };
        instants.sort_unstable();
        let over_at = match self.state {
            AlertState::Withdrawn => Some(Timestamp::EPOCH),
            AlertState::NotArrived => None,
            AlertState::Active | AlertState::Suspended | AlertState::Expired => self.ends,
        };
        StateFacts {
            state: self.state.as_str(),
            instants,
            due: self
                .confirm_by
                .filter(|_| !matches!(self.state, AlertState::Withdrawn | AlertState::Expired)),
            version: self.version,
            facet: self.content.category.map(|category| category.to_string()),
            is_about_minor: self.content.is_about_minor,
            handling: self.content.handling,
            retain_until: self.retain_until,
            over_at,
            is_direct: false,
            hangs_on: None,
            group: None,
            earlier: self.earlier.clone(),
            details: CaseDetails::Alert(Box::new(self)),
        }
    }
}
