//! `alert.extend`: a later end of an alert.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::validity;
use crate::{
    CodeLists, Date, FaultCode, Locale, Terms, Text, Timestamp,
    draft::Checker,
    families::{CaseSoFar, Operational, Reserved},
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
        match until.parsed::<Timestamp>() {
            Some(end) if end <= checker.context.now => checker.fault(&until.at, FaultCode::ValidityPast),
            end => validity::retention(checker, end.map(validity::stated).as_ref()),
        }
    }

    fn reserved(_: &View<'_>) -> Reserved {
        Reserved::Supervisor
    }

    fn check_against(&self, _: &Terms, earlier: &CaseSoFar, found: &mut Vec<Finding>) {
        let at = Pointer::default().field("body").field("until");
        if let Some(ends) = earlier.ends.filter(|ends| self.until <= *ends) {
            found.push(Finding::with(&at, FaultCode::EndNotLater, ends.to_string()));
        }
        if let Some(latest) = earlier.latest_end.filter(|latest| self.until > *latest) {
            found.push(Finding::with(&at, FaultCode::ValidityTooLong, Date::of(latest).to_string()));
        }
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        lists.label("message_types", "alert.extend", locale).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::families::support::{
        at, checked, example, faults, faults_against, just, summary, with, without,
    };

    fn active() -> CaseSoFar {
        CaseSoFar {
            version: 3,
            ends: Some(at("2028-03-14T05:10:00Z")),
            latest_end: Some(at("2029-11-23T12:00:00Z")),
            ..CaseSoFar::default()
        }
    }

    #[rstest]
    #[case("2026-11-23T12:00:00Z", &["/body/until validity_past"])]
    // It ends on the next day in UTC.
    #[case("2036-12-31T23:30:00-02:00", &["/terms/retain_until retention_before_end"])]
    #[case("2036-12-31T18:00:00Z", &[])]
    #[case("2029-06-30", &["/body/until wrong_format"])]
    fn it_ends_in_the_future_and_its_data_may_be_kept_so_long(
        #[case] until: &str,
        #[case] expected: &[&str],
    ) {
        let found = faults(&with(example("alert-extend"), "/body/until", until));
        let found: Vec<String> = found.into_iter().map(|(place, code)| format!("{place} {code}")).collect();
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case("2028-03-14T05:10:00Z", Some(FaultCode::EndNotLater))]
    #[case("2028-03-14T05:10:00.000001Z", None)]
    #[case("2029-11-23T12:00:00Z", None)]
    #[case("2029-11-23T12:00:00.000001Z", Some(FaultCode::ValidityTooLong))]
    fn it_ends_later_than_before_and_within_the_time_of_its_category(
        #[case] until: &str,
        #[case] expected: Option<FaultCode>,
    ) {
        let found = faults_against(&with(example("alert-extend"), "/body/until", until), &active());
        assert_eq!(found, expected.map(|code| just("/body/until", code)).unwrap_or_default());
    }

    #[test]
    fn it_says_why() {
        let missing = just("/body/reason", FaultCode::MissingField);
        assert_eq!(faults(&without(example("alert-extend"), "/body/reason")), missing);
        let advice = checked(&with(example("alert-extend"), "/body/reason", "Pediu asilo na Tanzânia."))
            .advice(Locale::Pt);
        assert_eq!((advice[0].pointer.as_str(), advice[0].topic.as_str()), ("/body/reason", "asylum"));
    }

    #[test]
    fn a_supervisor_releases_it() {
        assert_eq!(checked(&example("alert-extend")).reserved(), Reserved::Supervisor);
        assert_eq!(summary(&example("alert-extend"), Locale::En), "Extension of the alert");
    }
}
