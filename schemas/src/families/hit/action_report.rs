//! `hit.action_report`: what the reporter did. A report of a fact is never void.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CodeLists, FaultCode, Locale, Text, Timestamp, alert::ActionCode, draft::Checker, families::Operational,
    words::listed_code,
};

listed_code!(
    /// Why what the alert asks for was not possible.
    NotPossibleReason, "not_possible_reasons"
);

/// What the reporter did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(extend("x-code-list" = "hit_acts"))]
pub enum HitAct {
    /// What the alert asks for, or part of it.
    Action,
    /// It did nothing.
    NoAction,
    /// It released the person or thing.
    Released,
    /// It could not do what the alert asks for.
    NotPossible,
}

impl HitAct {
    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::NoAction => "no_action",
            Self::Released => "released",
            Self::NotPossible => "not_possible",
        }
    }
}

/// The body of `hit.action_report`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HitActionReport")]
pub struct ActionReport {
    /// What was done.
    pub act: HitAct,
    /// The actions; with `action` only, and always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("uniqueItems" = true))]
    pub actions: Vec<ActionCode>,
    /// Why it was not possible; with `not_possible` only, and always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<NotPossibleReason>,
    /// When it was done.
    pub at: Timestamp,
    /// More about it, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

impl Operational for ActionReport {
    fn check(checker: &mut Checker<'_>) {
        let body = checker.body();
        let at = body.field("at");
        if at.parsed::<Timestamp>().is_some_and(|at| at > checker.context.now) {
            checker.fault(&at.at, FaultCode::DateInFuture);
        }
        let Some(act) = body.field("act").text() else { return };
        let (actions, reason) = (body.field("actions"), body.field("reason"));
        if actions.items().is_empty() == (act == HitAct::Action.as_str()) {
            checker.fault(&actions.at, FaultCode::ActionsMismatch);
        }
        if reason.is_there() != (act == HitAct::NotPossible.as_str()) {
            checker.fault(&reason.at, FaultCode::NotPossibleMismatch);
        }
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        let kind = lists.label("message_types", "hit.action_report", locale);
        format!("{kind}: {}", lists.label("hit_acts", self.act.as_str(), locale))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::families::support::{example, faults, just, with, without};

    #[test]
    fn each_act_has_what_belongs_to_it() {
        let draft = example("hit-action-report");
        assert_eq!(faults(&draft), []);
        let actions = just("/body/actions", FaultCode::ActionsMismatch);
        let reason = just("/body/reason", FaultCode::NotPossibleMismatch);
        assert_eq!(faults(&without(draft.clone(), "/body/actions")), actions);
        assert_eq!(faults(&with(draft.clone(), "/body/act", "released")), actions);
        assert_eq!(faults(&with(draft.clone(), "/body/reason", "gone")), reason);
        let bare = without(draft, "/body/actions");
        for (act, expected) in [("no_action", vec![]), ("released", vec![]), ("not_possible", reason)] {
            assert_eq!(faults(&with(bare.clone(), "/body/act", act)), expected, "{act}");
        }
        let impossible = with(with(bare.clone(), "/body/act", "not_possible"), "/body/reason", "gone");
        assert_eq!(faults(&impossible), []);
        let listed = with(with(bare, "/body/act", "action"), "/body/actions", json!(["seize", "seize"]));
        assert_eq!(faults(&listed), just("/body/actions", FaultCode::DuplicateItem));
    }

    #[test]
    fn it_was_done_already() {
        let later = with(example("hit-action-report"), "/body/at", "2026-11-23T12:00:01Z");
        assert_eq!(faults(&later), just("/body/at", FaultCode::DateInFuture));
    }
}
