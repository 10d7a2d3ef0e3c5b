//! `hit.confirm`: the alert's owner says whether it is a hit and the alert stands. Nobody else confirms a hit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CodeLists, FaultCode, Locale, Text, Timestamp, draft::Checker, families::Operational, request::Contact,
};

/// The owner's word. The last one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(extend("x-code-list" = "confirm_words"))]
pub enum ConfirmWord {
    /// It is a hit, and the alert stands.
    Confirmed,
    /// It is none, or the alert does not stand: release.
    NotConfirmed,
    /// The owner needs longer.
    MoreTime,
}

impl ConfirmWord {
    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::NotConfirmed => "not_confirmed",
            Self::MoreTime => "more_time",
        }
    }
}

/// The body of `hit.confirm`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HitConfirm")]
pub struct Confirm {
    /// The owner's word.
    pub word: ConfirmWord,
    /// Until when the owner needs; with `more_time`, and always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Whom to telephone.
    pub contact: Contact,
    /// Why, or what to do next, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

impl Operational for Confirm {
    fn check(checker: &mut Checker<'_>) {
        let body = checker.body();
        let Some(word) = body.field("word").text() else { return };
        let until = body.field("until");
        let is_past = until.parsed::<Timestamp>().is_some_and(|until| until <= checker.context.now);
        if until.is_there() != (word == ConfirmWord::MoreTime.as_str()) || is_past {
            checker.fault(&until.at, FaultCode::MoreTimeMismatch);
        }
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        let kind = lists.label("message_types", "hit.confirm", locale);
        format!("{kind}: {}", lists.label("confirm_words", self.word.as_str(), locale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::families::support::{example, faults, just, summary, with};

    #[test]
    fn more_time_says_until_when() {
        let draft = example("hit-confirm");
        let mismatch = just("/body/until", FaultCode::MoreTimeMismatch);
        assert_eq!(faults(&draft), []);
        assert_eq!(faults(&with(draft.clone(), "/body/word", "more_time")), mismatch);
        assert_eq!(faults(&with(draft.clone(), "/body/until", "2026-11-23T15:00:00Z")), mismatch);
        let more = with(draft.clone(), "/body/word", "more_time");
        assert_eq!(faults(&with(more.clone(), "/body/until", "2026-11-23T15:00:00Z")), []);
        assert_eq!(faults(&with(more, "/body/until", "2026-11-23T11:00:00Z")), mismatch);
        let unlisted = faults(&with(draft, "/body/word", "perhaps"));
        assert_eq!(unlisted, just("/body/word", FaultCode::UnknownValue));
    }

    #[test]
    fn lists_show_the_word() {
        assert_eq!(summary(&example("hit-confirm"), Locale::En), "Answer about the hit: confirmed");
    }
}
