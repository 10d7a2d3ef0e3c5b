//! `alert.extend`: a later end of an alert.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CodeLists, FaultCode, Locale, Text, Timestamp,
    draft::Checker,
    families::{EarlierVersions, Operational, Reserved},
    fault::Finding,
    pointer::Pointer,
    view::View,
};

/// The body of `alert.extend`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AlertExtend")]
pub struct Extend {
    /// The new end.
    pub until: Timestamp,
    /// Why the alert is still needed, in the message's language.
    pub reason: Text,
}

impl Operational for Extend {
    fn check(checker: &mut Checker<'_>) {
        let until = checker.body().field("until");
        if until.parsed::<Timestamp>().is_some_and(|end| end <= checker.context.now) {
            checker.fault(&until.at, FaultCode::ValidityPast);
        }
    }

    fn reserved(_: &View<'_>) -> Reserved {
        Reserved::Supervisor
    }

    fn check_against(&self, earlier: &EarlierVersions, at: &Pointer, found: &mut Vec<Finding>) {
        let at = at.field("until");
        if let Some(ends) = earlier.ends.filter(|ends| self.until <= *ends) {
            found.push(Finding::with(&at, FaultCode::EndNotLater, ends.to_string()));
        }
        if let Some(latest) = earlier.latest_end.filter(|latest| self.until > *latest) {
            found.push(Finding::with(&at, FaultCode::ValidityTooLong, crate::Date::of(latest).to_string()));
        }
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        lists.label("message_types", "alert.extend", locale).to_owned()
    }
}
