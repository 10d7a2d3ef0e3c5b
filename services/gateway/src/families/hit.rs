//! The family of hits: an agency found what another agency's alert is about. A hit hangs on that alert.

mod fact;
mod state;
mod whole;

use rovuma_schemas::{AgencyCode, CaseId, CaseSoFar, MessageType, OperationalBody, Terms, Timestamp};

use super::{CaseDetails, FamilyRules, NumberInSeries, possible};
use crate::cases::{
    fold::deliveries,
    folded::{CaseMessages, CaseView, FoldedCase, StateFacts, fold_kept},
};
use state::{AlertStanding, HitRules};
pub(crate) use whole::WholeHit;
use whole::WholeRules;

/// The rules of hits.
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
        message_type == MessageType::HitRetract.as_str()
    }

    fn about(&self, body: &OperationalBody) -> Option<CaseId> {
        match body {
            OperationalBody::HitNotify(notify) => Some(notify.alert.clone()),
            _ => None,
        }
    }

    fn number_in_series<'b>(&self, body: &'b OperationalBody) -> Option<NumberInSeries<'b>> {
        let OperationalBody::HitNotify(notify) = body else { return None };
        Some(NumberInSeries { number: notify.number_in_series()?, pointer: "/body/matched/value" })
    }

    fn hangs_on(&self, case: &CaseMessages<'_>) -> Option<CaseId> {
        let mut alert = None;
        self.fold(case, &mut |fold| alert = fold.at(Timestamp::EPOCH).state.hangs_on);
        alert
    }

    fn possible(&self, fold: &dyn FoldedCase, agency: &AgencyCode, now: Timestamp) -> Vec<&'static str> {
        possible(fold, agency, now, fact::samples(now))
    }

    fn fold(&self, case: &CaseMessages<'_>, read: &mut dyn FnMut(&dyn FoldedCase)) {
        let alert = match case.state_beside {
            Some("withdrawn") => AlertStanding::Withdrawn,
            Some("active") => AlertStanding::Active,
            // Expired, suspended, or not here: no ground to act, and none to release by itself.
            _ => AlertStanding::NotActive,
        };
        fold_kept(&WholeRules(HitRules { delivered: deliveries(case.kept), alert }), case, read);
    }
}

impl CaseView for WholeHit {
    fn facts(self) -> StateFacts {
        StateFacts {
            state: self.progress.progress.as_str(),
            instants: Vec::new(),
            due: self.progress.limit,
            version: None,
            facet: self.found.as_ref().map(|found| found.matched.clone()),
            is_about_minor: false,
            handling: self.care.handling,
            retain_until: self.care.retain_until,
            // Retention counts from the last word: a hit that nobody closes is not kept for ever.
            over_at: self.last_signed,
            is_direct: false,
            group: self.found.as_ref().and_then(|found| found.encounter),
            hangs_on: self.found.as_ref().map(|found| found.alert.clone()),
            earlier: CaseSoFar::default(),
            details: CaseDetails::Hit(Box::new(self)),
        }
    }
}
