//! `purge.certify`: an agency certifies what it did with the data of a case.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CodeLists, Date, FaultCode, Locale, Text,
    draft::Checker,
    families::{Operational, Reserved},
    view::View,
    words::listed_code,
};

listed_code!(
    /// The ground on which an agency keeps data that it should erase.
    RetentionGround, "retention_grounds"
);

/// What an agency did with the data of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(extend("x-code-list" = "purge_outcomes"))]
pub enum PurgeOutcome {
    /// It erased them.
    Erased,
    /// It keeps them, on a ground of its own law.
    Retained,
    /// It never had them.
    NeverHeld,
}

impl PurgeOutcome {
    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Erased => "erased",
            Self::Retained => "retained",
            Self::NeverHeld => "never_held",
        }
    }
}

/// The body of `purge.certify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PurgeCertify")]
pub struct Certify {
    /// What was done.
    pub outcome: PurgeOutcome,
    /// The ground; with `retained` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground: Option<RetentionGround>,
    /// The last day on which the data are kept; with `retained` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// More about it, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

impl Operational for Certify {
    fn check(checker: &mut Checker<'_>) {
        let body = checker.body();
        let is_retained = body.field("outcome").text() == Some(PurgeOutcome::Retained.as_str());
        for member in ["ground", "until"].map(|member| body.field(member)) {
            if body.field("outcome").is_there() && member.is_there() != is_retained {
                checker.fault(&member.at, FaultCode::RetainedMismatch);
            }
        }
    }

    fn reserved(_: &View<'_>) -> Reserved {
        Reserved::Supervisor
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        let kind = lists.label("message_types", "purge.certify", locale);
        format!("{kind}: {}", lists.label("purge_outcomes", self.outcome.as_str(), locale))
    }
}
