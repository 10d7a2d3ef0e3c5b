//! The family of requests for assistance.

mod fact;
mod state;
mod whole;

use rovuma_schemas::{AgencyCode, MessageType, OperationalBody, Terms, Timestamp};

use super::{CaseDetails, FamilyRules, possible};
use crate::cases::{
    fold::deliveries,
    folded::{CaseMessages, CaseView, FoldedCase, StateFacts, fold_kept},
};
use state::RequestRules;
pub(crate) use state::{Progress, Punctuality};
use whole::WholeRules;
pub(crate) use whole::{GivenAnswer, WholeRequest};

/// The rules of requests.
pub(super) struct Rules;

impl FamilyRules for Rules {
    fn fact(
        &self,
        body: &OperationalBody,
        terms: &Terms,
        to: Option<&AgencyCode>,
        signed: Timestamp,
    ) -> Option<String> {
        // A fact always serialises: no map of it has keys other than strings and numbers.
        fact::of(body, terms, to, signed).and_then(|fact| serde_json::to_string(&fact).ok())
    }

    fn reminder(&self, facts: &StateFacts, now: Timestamp) -> Option<MessageType> {
        let CaseDetails::Request(request) = &facts.details else { return None };
        let is_overdue = facts.due.is_some_and(|due| due <= now);
        let is_waiting = request.state() == Progress::Open.as_str() && !request.progress.is_dormant;
        (is_overdue && is_waiting).then_some(MessageType::RequestRemind)
    }

    fn possible(&self, fold: &dyn FoldedCase, agency: &AgencyCode, now: Timestamp) -> Vec<&'static str> {
        possible(fold, agency, now, fact::samples(now))
    }

    fn fold(&self, case: &CaseMessages<'_>, read: &mut dyn FnMut(&dyn FoldedCase)) {
        let rules = WholeRules(RequestRules { delivered: deliveries(case.kept) });
        fold_kept(&rules, case, read);
    }
}

impl CaseView for WholeRequest {
    fn facts(self) -> StateFacts {
        StateFacts {
            state: self.state(),
            instants: self.confirm_by.into_iter().collect(),
            due: self.progress.due,
            version: None,
            facet: self.said.kind.clone(),
            is_about_minor: self.care.is_about_minor,
            handling: self.care.handling,
            retain_until: self.care.retain_until,
            // Retention counts from the last word: a request that nobody closes is not kept for ever.
            over_at: self.progress.last_signed,
            is_direct: self.said.is_direct,
            hangs_on: None,
            group: self.said.group,
            earlier: self.so_far(),
            details: CaseDetails::Request(Box::new(self)),
        }
    }
}
