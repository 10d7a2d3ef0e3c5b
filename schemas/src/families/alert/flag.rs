//! `alert.flag`: a recipient marks an alert as not executable on its territory.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::issue::ActionCode;
use crate::{CodeLists, FaultCode, Locale, Text, draft::Checker, families::Operational, words::listed_code};

listed_code!(
    /// Why a recipient does not execute an alert (after Regulation (EU) 2018/1862, Article 24).
    FlagReason, "flag_reasons"
);

/// Whether the mark is put on or taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(extend("x-code-list" = "flag_states"))]
pub enum FlagState {
    /// The alert is not executable on the recipient's territory.
    On,
    /// It is again.
    Off,
}

/// The body of `alert.flag`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AlertFlag")]
pub struct Flag {
    /// On or off.
    pub flag: FlagState,
    /// Why; always with `on`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<FlagReason>,
    /// What is done instead; always with `on`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<ActionCode>,
    /// More about it, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

impl Operational for Flag {
    fn check(checker: &mut Checker<'_>) {
        let body = checker.body();
        if body.field("flag").text() != Some("on") {
            return;
        }
        for member in ["reason", "instead"].map(|member| body.field(member)) {
            if !member.is_there() {
                checker.fault(&member.at, FaultCode::FlagReasonMissing);
            }
        }
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        let state = match self.flag {
            FlagState::On => "on",
            FlagState::Off => "off",
        };
        lists.label("flag_states", state, locale).to_owned()
    }
}
