//! `alert.flag`: a recipient marks an alert as not executable on its territory.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::issue::ActionCode;
use crate::{
    CodeLists, FaultCode, Locale, SubjectKey, Text, draft::Checker, families::Operational, words::listed_code,
};

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

impl FlagState {
    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

/// The body of `alert.flag`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AlertFlag")]
pub struct Flag {
    /// On or off.
    pub flag: FlagState,
    /// The version that was read.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub version: u32,
    /// The subjects that it is about; all of the alert where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("uniqueItems" = true))]
    pub subjects: Vec<SubjectKey>,
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
        if body.field("flag").text() != Some(FlagState::On.as_str()) {
            return;
        }
        for member in ["reason", "instead"].map(|member| body.field(member)) {
            if !member.is_there() {
                checker.fault(&member.at, FaultCode::FlagReasonMissing);
            }
        }
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        lists.label("flag_states", self.flag.as_str(), locale).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Reserved,
        families::support::{checked, example, faults, just, summary, with, without},
    };

    #[test]
    fn what_is_not_executable_says_why_and_what_is_done_instead() {
        let draft = example("alert-flag");
        assert_eq!(faults(&draft), []);
        for member in ["/body/reason", "/body/instead"] {
            let found = faults(&without(draft.clone(), member));
            assert_eq!(found, just(member, FaultCode::FlagReasonMissing));
        }
        let bare = without(without(draft.clone(), "/body/reason"), "/body/instead");
        assert_eq!(faults(&bare).len(), 2);
        assert_eq!(faults(&with(bare, "/body/flag", "off")), []);
        assert_eq!(faults(&without(draft, "/body/flag")), just("/body/flag", FaultCode::MissingField));
    }

    #[test]
    fn its_words_are_in_their_lists() {
        let draft = example("alert-flag");
        let place = |member: &str| format!("/body/{member}");
        let bent = |member: &str, word: &str| faults(&with(draft.clone(), &place(member), word));
        assert_eq!(bent("flag", "yes"), just("/body/flag", FaultCode::UnknownValue));
        assert_eq!(bent("reason", "found"), just("/body/reason", FaultCode::UnknownCode));
        assert_eq!(bent("instead", "nothing"), just("/body/instead", FaultCode::UnknownCode));
    }

    #[test]
    fn lists_show_whether_it_is_on_or_off() {
        assert_eq!(summary(&example("alert-flag"), Locale::En), "Not executable on the sender's territory");
        let off = summary(&example("alert-flag-off"), Locale::En);
        assert_eq!(off, "Executable on the sender's territory again");
        assert_eq!(checked(&example("alert-flag")).reserved(), Reserved::No);
    }
}
