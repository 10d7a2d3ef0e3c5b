//! `permission.ask`: may we use what you sent beyond its handling code?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AgencyCode, CaseId, CodeLists, FaultCode, Locale, MessageId, Text, draft::Checker, families::Operational,
};

/// The use for which leave is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(extend("x-code-list" = "permission_uses"))]
pub enum PermissionUse {
    /// To repeat it in a message to others.
    Quote,
    /// To hand it on to other agencies.
    Forward,
    /// To take its content out of the exchange.
    Export,
    /// To use it before a court.
    Evidence,
}

impl PermissionUse {
    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quote => "quote",
            Self::Forward => "forward",
            Self::Export => "export",
            Self::Evidence => "evidence",
        }
    }
}

/// The message whose use is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct About {
    /// Its case.
    pub case: CaseId,
    /// The message; every message of the case that the agency asked sent, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
}

/// The body of `permission.ask`. It goes to the agency that sent the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PermissionAsk")]
pub struct PermissionAsk {
    /// What leave is asked for.
    pub about: About,
    /// The uses.
    #[schemars(length(min = 1, max = 4), extend("uniqueItems" = true))]
    pub uses: Vec<PermissionUse>,
    /// The agencies that are to have it; with `forward` or `quote`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("uniqueItems" = true))]
    pub to: Vec<AgencyCode>,
    /// Why, in the message's language.
    pub reason: Text,
}

impl Operational for PermissionAsk {
    fn check(checker: &mut Checker<'_>) {
        let body = checker.body();
        let hands_on =
            body.field("uses").items().iter().any(|one| matches!(one.text(), Some("forward" | "quote")));
        let to = body.field("to");
        if hands_on && to.items().is_empty() {
            checker.fault(&to.at, FaultCode::ForwardToMissing);
        }
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        let kind = lists.label("message_types", "permission.ask", locale);
        let uses = self.uses.iter().map(|one| lists.label("permission_uses", one.as_str(), locale));
        format!("{kind}: {}", uses.collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::families::support::{example, faults, just, summary, with, without};

    #[test]
    fn it_names_the_case_the_uses_and_to_whom() {
        let draft = example("permission-ask");
        assert_eq!(faults(&draft), []);
        assert_eq!(
            faults(&without(draft.clone(), "/body/to")),
            just("/body/to", FaultCode::ForwardToMissing)
        );
        let export = with(without(draft.clone(), "/body/to"), "/body/uses", json!(["export"]));
        assert_eq!(faults(&export), []);
        let two = with(draft.clone(), "/recipients", json!(["tz.tpf", "tz.tisd"]));
        assert_eq!(faults(&two), just("/recipients", FaultCode::OneRecipientOnly));
        for member in ["/body/about", "/body/reason", "/body/uses"] {
            assert_eq!(faults(&without(export.clone(), member)), just(member, FaultCode::MissingField));
        }
        assert!(summary(&draft, Locale::Sw).contains(": "));
    }
}
