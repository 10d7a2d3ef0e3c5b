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

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        FaultCode,
        families::support::{checked, example, faults, just, summary, with, without},
    };

    #[rstest]
    #[case("/body/version", json!(0), "/body/version", FaultCode::OutOfRange)]
    #[case("/body/version", json!("1"), "/body/version", FaultCode::WrongType)]
    #[case("/body/errors", json!([]), "/body/errors", FaultCode::TooFew)]
    #[case("/body/errors/0/subject", json!("vehicle 1"), "/body/errors/0/subject", FaultCode::WrongFormat)]
    #[case("/body/errors/0/at", json!("chassis_number"), "/body/errors/0/at", FaultCode::WrongFormat)]
    #[case("/body/errors/0/proposal", json!(" "), "/body/errors/0/proposal", FaultCode::BlankText)]
    fn it_names_the_version_and_each_error(
        #[case] pointer: &str,
        #[case] value: Value,
        #[case] place: &str,
        #[case] code: FaultCode,
    ) {
        let draft = example("alert-error-report");
        assert_eq!(faults(&draft), []);
        assert_eq!(faults(&with(draft, pointer, value)), just(place, code));
    }

    #[test]
    fn it_proposes_what_the_alert_should_say() {
        let draft = without(example("alert-error-report"), "/body/errors/1/proposal");
        assert_eq!(faults(&draft), just("/body/errors/1/proposal", FaultCode::MissingField));
        let many = vec![example("alert-error-report")["body"]["errors"][0].clone(); 17];
        let draft = with(example("alert-error-report"), "/body/errors", many);
        assert_eq!(faults(&draft), just("/body/errors", FaultCode::TooMany));
        let draft =
            with(example("alert-error-report"), "/body/errors/0/proposal", "Aliomba hifadhi ya ukimbizi.");
        assert_eq!(checked(&draft).advice(Locale::Sw)[0].pointer, "/body/errors/0/proposal");
        assert_eq!(summary(&example("alert-error-report"), Locale::En), "Error report: 2");
    }

    #[rstest]
    #[case("/subjects/vehicles/0/plate", true)]
    #[case("/circumstances", true)]
    #[case("/", true)]
    #[case("/a~1b", true)]
    #[case("", false)]
    #[case("circumstances", false)]
    #[case("/circumstances ", false)]
    #[case("/placa matrícula", false)]
    #[case(&format!("/{}", "x".repeat(199)), true)]
    #[case(&format!("/{}", "x".repeat(200)), false)]
    fn a_place_in_an_alert_is_a_pointer_for_type_and_schema_alike(#[case] text: &str, #[case] is_one: bool) {
        assert_eq!(text.parse::<ContentPointer>().is_ok(), is_one);
        let draft = with(example("alert-error-report"), "/body/errors/0/at", text);
        assert_eq!(faults(&draft).is_empty(), is_one, "{:?}", faults(&draft));
    }
}
