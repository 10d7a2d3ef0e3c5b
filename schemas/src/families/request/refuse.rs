//! `request.refuse`: the answerer does not give what is asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AgencyCode, CodeLists, FaultCode, Line, Locale, Text,
    draft::Checker,
    families::{Operational, Reserved},
    view::View,
    words::listed_code,
};

listed_code!(
    /// Why a request or a question is refused: a closed list, so that refusals can be counted (Directive (EU) 2023/977, Article 6).
    RefusalReason, "refusal_reasons"
);

/// The body of `request.refuse`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RequestRefuse")]
pub struct Refuse {
    /// Why the request is refused.
    pub reason: RefusalReason,
    /// Who may have what is asked; with `not_available` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub try_agency: Option<AgencyCode>,
    /// The reference of the former answer; with `already_answered` only, and always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_reference: Option<Line>,
    /// More about it, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

impl Operational for Refuse {
    fn check(checker: &mut Checker<'_>) {
        let body = checker.body();
        let Some(reason) = body.field("reason").text() else { return };
        let (agency, reference) = (body.field("try_agency"), body.field("answered_reference"));
        if agency.is_there() && reason != "not_available" {
            checker.fault(&agency.at, FaultCode::TryAgencyMismatch);
        }
        if reference.is_there() != (reason == "already_answered") {
            checker.fault(&reference.at, FaultCode::AlreadyAnsweredMismatch);
        }
    }

    fn reserved(_: &View<'_>) -> Reserved {
        Reserved::Supervisor
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        let kind = lists.label("message_types", "request.refuse", locale);
        format!("{kind}: {}", lists.label("refusal_reasons", self.reason.as_str(), locale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::support::{checked, example, faults, just, summary, with, without};

    #[test]
    fn it_has_a_reason_of_the_list_and_what_belongs_to_that_reason() {
        let draft = example("request-refuse");
        assert_eq!(faults(&draft), []);
        assert_eq!(
            faults(&without(draft.clone(), "/body/reason")),
            just("/body/reason", FaultCode::MissingField)
        );
        let unlisted = with(draft.clone(), "/body/reason", "no_time");
        assert!(faults(&unlisted).contains(&just("/body/reason", FaultCode::UnknownCode)[0]));
        let answered = with(without(draft.clone(), "/body/try_agency"), "/body/reason", "already_answered");
        let mismatch = just("/body/answered_reference", FaultCode::AlreadyAnsweredMismatch);
        assert_eq!(faults(&answered), mismatch);
        assert_eq!(faults(&with(answered, "/body/answered_reference", "TPF/77/2026")), []);
        assert_eq!(faults(&with(draft.clone(), "/body/answered_reference", "TPF/77/2026")), mismatch);
        let other = with(draft, "/body/reason", "no_offence_here");
        assert_eq!(faults(&other), just("/body/try_agency", FaultCode::TryAgencyMismatch));
    }

    #[test]
    fn a_supervisor_refuses() {
        let draft = example("request-refuse");
        assert_eq!(checked(&draft).reserved(), Reserved::Supervisor);
        assert!(summary(&draft, Locale::Pt).contains(": "));
    }
}
