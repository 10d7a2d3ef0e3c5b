//! `alert.withdraw`: the issuer takes an alert back, for ever.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CaseId, CodeLists, FaultCode, Locale, Text,
    draft::Checker,
    families::{Operational, Reserved},
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
        let is_superseded = body.field("reason").text() == Some(SUPERSEDED);
        if body.field("reason").is_there() && is_superseded != by.is_there() {
            checker.fault(&by.at, FaultCode::SupersededByMismatch);
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
