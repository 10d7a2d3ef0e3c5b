//! `alert.withdraw`: the issuer takes an alert back, for ever.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CaseId, CodeLists, FaultCode, Locale, Text,
    draft::Checker,
    families::{Family, Operational, Reserved},
    fault::shown,
    view::View,
    words::listed_code,
};

listed_code!(
    /// Why an alert is withdrawn.
    WithdrawReasonCode, "withdraw_reasons"
);

/// The reasons for which a liaison officer withdraws an alert alone and at once: somebody innocent is stopped because of it.
const CANNOT_WAIT: [&str; 2] = ["error", "misused_identity"];

/// The reason that names another alert.
const SUPERSEDED: &str = "superseded";

/// The body of `alert.withdraw`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AlertWithdraw")]
pub struct Withdraw {
    /// Why it is withdrawn.
    pub reason: WithdrawReasonCode,
    /// The alert that takes its place; with the reason `superseded` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<CaseId>,
    /// More about it, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

impl Operational for Withdraw {
    fn check(checker: &mut Checker<'_>) {
        let body = checker.body();
        let by = body.field("superseded_by");
        // The check of codes reports a code that is in no list.
        let listed = checker.context.lists.get("withdraw_reasons");
        let reason =
            body.field("reason").text().filter(|code| listed.is_some_and(|list| list.find(code).is_some()));
        if reason.is_some_and(|reason| (reason == SUPERSEDED) != by.is_there()) {
            checker.fault(&by.at, FaultCode::SupersededByMismatch);
        }
        let kind = by.field("kind");
        if let Some(word) = kind.text().filter(|word| *word != Family::Alert.as_str()) {
            checker.fault_with(&kind.at, FaultCode::CaseKindOther, shown(word));
        }
    }

    fn reserved(body: &View<'_>) -> Reserved {
        let reason = body.field("reason");
        let cannot_wait = reason.text().is_some_and(|reason| CANNOT_WAIT.contains(&reason));
        if cannot_wait { Reserved::CannotWait } else { Reserved::Supervisor }
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        let kind = lists.label("message_types", "alert.withdraw", locale);
        format!("{kind}: {}", lists.label("withdraw_reasons", self.reason.as_str(), locale))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::families::support::{checked, example, faults, just, summary, with, without};

    fn for_reason(reason: &str) -> serde_json::Value {
        with(example("alert-withdraw"), "/body/reason", reason)
    }

    #[test]
    fn only_what_frees_somebody_innocent_does_not_wait_for_a_supervisor() {
        let list = CodeLists::shipped().get("withdraw_reasons").expect("the list");
        let reserved: Vec<(&str, Reserved)> = list
            .entries
            .iter()
            .map(|entry| (entry.code.as_str(), checked(&for_reason(&entry.code)).reserved()))
            .collect();
        assert_eq!(
            reserved,
            [
                ("purpose_achieved", Reserved::Supervisor),
                ("decision_revoked", Reserved::Supervisor),
                ("error", Reserved::CannotWait),
                ("misused_identity", Reserved::CannotWait),
                ("no_longer_justified", Reserved::Supervisor),
                ("superseded", Reserved::Supervisor),
            ]
        );
        assert_eq!(checked(&for_reason("errors")).reserved(), Reserved::Supervisor, "no code of the list");
        assert_eq!(checked(&without(example("alert-withdraw"), "/body")).reserved(), Reserved::Supervisor);
    }

    #[test]
    fn the_reasons_that_the_rules_know_are_in_the_list() {
        let list = CodeLists::shipped().get("withdraw_reasons").expect("the list");
        for reason in CANNOT_WAIT.into_iter().chain([SUPERSEDED]) {
            assert!(list.find(reason).is_some(), "{reason}");
        }
    }

    #[test]
    fn another_alert_takes_its_place_for_one_reason_only() {
        let mismatch = just("/body/superseded_by", FaultCode::SupersededByMismatch);
        let superseded = example("alert-withdraw-superseded");
        assert_eq!(faults(&superseded), []);
        assert_eq!(faults(&without(superseded.clone(), "/body/superseded_by")), mismatch);
        for reason in
            ["purpose_achieved", "decision_revoked", "error", "misused_identity", "no_longer_justified"]
        {
            assert_eq!(faults(&with(superseded.clone(), "/body/reason", reason)), mismatch, "{reason}");
            assert_eq!(faults(&for_reason(reason)), [], "{reason}");
        }
        // A reason that is missing or unknown is the only fault.
        let unknown = just("/body/reason", FaultCode::UnknownCode);
        assert_eq!(faults(&with(superseded.clone(), "/body/reason", "supersede")), unknown);
        let missing = just("/body/reason", FaultCode::MissingField);
        assert_eq!(faults(&without(superseded.clone(), "/body/reason")), missing);
        let no_case = with(superseded, "/body/superseded_by", json!({ "kind": "alert", "owner": "mz.prm" }));
        assert_eq!(faults(&no_case), just("/body/superseded_by/id", FaultCode::MissingField));
        let request = with(example("alert-withdraw-superseded"), "/body/superseded_by/kind", "request");
        assert_eq!(faults(&request), just("/body/superseded_by/kind", FaultCode::CaseKindOther));
    }

    #[test]
    fn its_reason_is_a_code_of_the_list() {
        assert_eq!(faults(&for_reason("found")), just("/body/reason", FaultCode::UnknownCode));
        let line = summary(&example("alert-withdraw"), Locale::Pt);
        assert_eq!(line, "Retirada do alerta: Objectivo alcançado");
        // The code of a reason is no free text.
        assert!(checked(&for_reason("no_longer_justified")).advice(Locale::Pt).is_empty());
    }
}
