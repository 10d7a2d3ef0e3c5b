//! `hit.retract`: the reporter was wrong. It takes effect at once, whatever else was said.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CodeLists, Locale, Text, draft::Checker, families::Operational, words::listed_code};

listed_code!(
    /// Why a hit is taken back.
    RetractReason, "retract_reasons"
);

/// The body of `hit.retract`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HitRetract")]
pub struct Retract {
    /// Why the reporter takes it back.
    pub reason: RetractReason,
    /// More about it, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

impl Operational for Retract {
    fn check(_: &mut Checker<'_>) {}

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        let kind = lists.label("message_types", "hit.retract", locale);
        format!("{kind}: {}", lists.label("retract_reasons", self.reason.as_str(), locale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        FaultCode,
        families::support::{example, faults, just, summary, with},
    };

    #[test]
    fn it_has_a_reason_of_the_list() {
        let draft = example("hit-retract");
        assert_eq!(faults(&draft), []);
        assert_eq!(
            faults(&with(draft.clone(), "/body/reason", "mood")),
            just("/body/reason", FaultCode::UnknownCode)
        );
        assert!(summary(&draft, Locale::Sw).contains(": "));
    }
}
