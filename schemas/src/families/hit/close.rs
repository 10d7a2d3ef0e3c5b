//! `hit.close`: the reporter has nothing more to do. A later word of the owner opens the hit again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CodeLists, Locale, Text, draft::Checker, families::Operational};

/// The body of `hit.close`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HitClose")]
pub struct Close {
    /// More about it, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

impl Operational for Close {
    fn check(_: &mut Checker<'_>) {}

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        lists.label("message_types", "hit.close", locale).to_owned()
    }
}
