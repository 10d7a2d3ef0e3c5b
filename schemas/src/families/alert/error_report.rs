//! `alert.error_report`: a recipient reports errors in an alert to its issuer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CodeLists, Locale, SubjectKey, Text, draft::Checker, families::Operational, words::shaped_text};

shaped_text!(
    /// The place of an error in an alert's content: a JSON pointer (RFC 6901) into its body.
    ContentPointer, "a JSON pointer into the alert, such as /subjects/vehicles/0/plate",
    |text| text.len() <= 200 && text.starts_with('/') && text.bytes().all(|b| b.is_ascii_graphic()),
    { "type": "string", "pattern": "^/[!-~]{0,199}$" }
);

/// One error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportedError {
    /// The subject that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectKey>,
    /// The member that is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<ContentPointer>,
    /// What it should say, in the message's language.
    pub proposal: Text,
}

/// The body of `alert.error_report`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AlertErrorReport")]
pub struct ErrorReport {
    /// The version that was read.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub version: u32,
    /// The errors.
    #[schemars(length(min = 1, max = 16))]
    pub errors: Vec<ReportedError>,
}

impl Operational for ErrorReport {
    fn check(_: &mut Checker<'_>) {}

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        format!("{}: {}", lists.label("message_types", "alert.error_report", locale), self.errors.len())
    }
}
