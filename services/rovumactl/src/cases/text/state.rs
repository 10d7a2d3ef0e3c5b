//! What a case is about, and its state, in words.

use rovuma_api::answers::gateway::{AlertCase, CaseRow, CaseView, PermissionCase, RequestCase};
use rovuma_schemas::Timestamp;

use super::{CaseReader, CaseWords};
use crate::reading::facet_list;

impl CaseReader {
    /// What a case is about: the category of an alert, the kind of a request; of the others, what opened them.
    pub(crate) fn about(&self, row: &CaseRow) -> Option<String> {
        let kind = row.case.kind.as_str();
        let label = match (kind, row.facet.as_deref()) {
            ("info", _) => self.reader.label("message_types", "info.share"),
            ("permission", _) => self.reader.label("message_types", "permission.ask"),
            (_, facet) => self.reader.label(facet_list(kind), facet?),
        };
        Some(label.to_owned())
    }

    /// A state as one word.
    pub(crate) fn state_word(&self, state: &str) -> String {
        state_word(self.words(), state).to_owned()
    }

    /// The state of a case in words, with since or until when and why.
    pub(crate) fn state(&self, view: &CaseView) -> String {
        let told = match (&view.alert, &view.request, &view.permission) {
            (Some(alert), _, _) => self.state_of_alert(view, alert),
            (_, Some(request), _) => self.state_of_request(view, request),
            (_, _, Some(permission)) => self.state_of_permission(view, permission),
            // Of shared information, only the confirmation of its release can be due.
            _ => self.suspended(view, view.case.due),
        };
        told.unwrap_or_else(|| self.state_word(&view.case.state))
    }

    fn suspended(&self, view: &CaseView, confirm_by: Option<Timestamp>) -> Option<String> {
        let since = confirm_by.filter(|_| view.case.state == "suspended")?;
        Some(self.words().suspended_since(self.limit_with(since, self.other_country(view))))
    }

    fn state_of_alert(&self, view: &CaseView, alert: &AlertCase) -> Option<String> {
        let words = self.words();
        let ends = || alert.ends.map(|at| self.limit_with(at, self.other_country(view)));
        match view.case.state.as_str() {
            "active" => ends().map(|at| words.active_until(at)),
            "expired" => ends().map(|at| words.expired_at(at)),
            "withdrawn" => alert
                .withdrawn
                .as_deref()
                .map(|reason| words.withdrawn_because(self.reader.label("withdraw_reasons", reason))),
            _ => self.suspended(view, alert.confirm_by),
        }
    }

    fn state_of_request(&self, view: &CaseView, request: &RequestCase) -> Option<String> {
        let (words, reader) = (self.words(), &self.reader);
        let due = || view.case.due.map(|at| self.limit_with(at, self.other_country(view)));
        match view.case.state.as_str() {
            "open" if request.overdue => due().map(|at| words.open_overdue(at)),
            "open" if request.spent_s.is_none() => Some(words.open_undelivered().to_owned()),
            "clarification" if request.overdue => due().map(|at| words.clarification_overdue(at)),
            "refused" => {
                let reason = request.refused.as_deref()?;
                Some(words.refused_because(reader.label("refusal_reasons", reason)))
            }
            "cancelled" => {
                let reason = request.cancelled.as_deref()?;
                Some(words.cancelled_because(reader.label("cancel_reasons", reason)))
            }
            "closed" if !request.outcomes.is_empty() => {
                let outcomes = request.outcomes.iter().map(|code| reader.label("request_outcomes", code));
                Some(words.closed_with(outcomes.collect::<Vec<_>>().join("; ")))
            }
            _ => self.suspended(view, request.confirm_by),
        }
    }

    fn state_of_permission(&self, view: &CaseView, permission: &PermissionCase) -> Option<String> {
        let (words, until) = (self.words(), permission.until?);
        match view.case.state.as_str() {
            "granted" => Some(words.granted_until(until)),
            "lapsed" => Some(words.lapsed_after(until)),
            _ => None,
        }
    }
}

/// A state as one word; the code itself where this version does not know it.
pub(crate) fn state_word(words: CaseWords, state: &str) -> &str {
    match state {
        "not_arrived" => words.not_arrived(),
        "active" => words.active(),
        "suspended" => words.suspended(),
        "expired" => words.expired(),
        "withdrawn" => words.withdrawn(),
        "open" => words.open(),
        "clarification" => words.clarification(),
        "answered" => words.answered(),
        "refused" => words.refused(),
        "cancelled" => words.cancelled(),
        "closed" => words.closed(),
        "notified" => words.notified(),
        "more_time" => words.more_time(),
        "confirmed" => words.confirmed(),
        "not_confirmed" => words.not_confirmed(),
        "action" => words.action(),
        "no_action" => words.no_action(),
        "released" => words.released(),
        "not_possible" => words.not_possible(),
        "retracted" => words.retracted(),
        "shared" => words.shared(),
        "asked" => words.asked(),
        "granted" => words.granted(),
        "denied" => words.denied(),
        "lapsed" => words.lapsed(),
        later => later,
    }
}
