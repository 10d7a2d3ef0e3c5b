//! `permission.decide`: the agency that sent something gives leave, or does not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CodeLists, Date, FaultCode, Locale, Text,
    draft::Checker,
    families::{Operational, Reserved},
    view::View,
};

/// The decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(extend("x-code-list" = "permission_decisions"))]
pub enum PermissionDecision {
    /// Leave, within what it says.
    Granted,
    /// No leave, or no longer.
    Denied,
}

impl PermissionDecision {
    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Denied => "denied",
        }
    }
}

/// The body of `permission.decide`. A later decision takes the place of the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PermissionDecide")]
pub struct Decide {
    /// The decision.
    pub decision: PermissionDecision,
    /// The last day of the leave, UTC; with `granted` only, and always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// On what condition, in the message's language; with `granted` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Text>,
    /// Why not, in the message's language; with `denied` only, and always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text>,
}

impl Operational for Decide {
    fn check(checker: &mut Checker<'_>) {
        let body = checker.body();
        let until = body.field("until");
        if until.parsed::<Date>().is_some_and(|last_day| last_day < checker.context.today()) {
            checker.fault(&until.at, FaultCode::LeaveUntilPast);
        }
        let is_granted = match body.field("decision").text() {
            Some("granted") => true,
            Some("denied") => false,
            _ => return,
        };
        let reason = body.field("reason");
        for (member, belongs) in [(&until, is_granted), (&reason, !is_granted)] {
            if member.is_there() != belongs {
                checker.fault(&member.at, FaultCode::LeaveMismatch);
            }
        }
        let condition = body.field("condition");
        if condition.is_there() && !is_granted {
            checker.fault(&condition.at, FaultCode::LeaveMismatch);
        }
    }

    /// It lowers a restriction (domain 5).
    fn reserved(_: &View<'_>) -> Reserved {
        Reserved::Supervisor
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        let kind = lists.label("message_types", "permission.decide", locale);
        format!("{kind}: {}", lists.label("permission_decisions", self.decision.as_str(), locale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::support::{checked, example, faults, just, summary, with, without};

    #[test]
    fn leave_has_a_last_day_and_a_refusal_a_reason_and_neither_has_what_belongs_to_the_other() {
        let granted = example("permission-decide");
        assert_eq!(faults(&granted), []);
        assert_eq!(checked(&granted).reserved(), Reserved::Supervisor);
        assert_eq!(
            faults(&without(granted.clone(), "/body/until")),
            just("/body/until", FaultCode::LeaveMismatch)
        );
        let past = with(granted.clone(), "/body/until", "2026-11-22");
        assert_eq!(faults(&past), just("/body/until", FaultCode::LeaveUntilPast));
        let reasoned = with(granted.clone(), "/body/reason", "Porque sim.");
        assert_eq!(faults(&reasoned), just("/body/reason", FaultCode::LeaveMismatch));
        let mut denied = with(without(granted, "/body/until"), "/body/decision", "denied");
        denied["body"]["reason"] = "Corre um processo.".into();
        let condition = just("/body/condition", FaultCode::LeaveMismatch);
        assert_eq!(faults(&with(denied.clone(), "/body/condition", "Só oralmente.")), condition);
        if denied["body"].get("condition").is_some() {
            denied = without(denied, "/body/condition");
        }
        assert_eq!(faults(&denied), []);
        assert_eq!(
            faults(&without(denied.clone(), "/body/reason")),
            just("/body/reason", FaultCode::LeaveMismatch)
        );
        assert!(summary(&denied, Locale::En).contains(": "));
    }
}
