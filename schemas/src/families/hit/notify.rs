//! `hit.notify`: a person or thing was found that an alert is about.
//!
//! It says what was matched and where, and nothing that the alert's owner does not have: no name, no birth date, no route.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AgencyCode, CaseId, CodeLists, Family, FaultCode, Identifier, Line, Locale, MessageId, SubjectKey, Text,
    Timestamp,
    draft::Checker,
    families::Operational,
    request::Contact,
    subjects::{CrossingCode, identifier},
    view::View,
    words::listed_code,
};

listed_code!(
    /// The kind of identifier by which it was found.
    MatchedKind, "matched_kinds"
);
listed_code!(
    /// The rule by which it was found. Rules are versioned: two people change one.
    MatchingRuleCode, "matching_rules"
);

/// How far the clock of whoever found it may be ahead of the gateway's, as everywhere in the exchange.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// The rule that a person applies to a candidate.
const DECIDED_BY_A_PERSON: &str = "review";

/// The kind of identifier whose comparison a person judges: a name is spelled in many ways.
const JUDGED: &str = "name";

/// The kind of identifier that is a number within a series of the alert's documents.
const IN_SERIES: &str = "document_series";

/// The direction in which a traveller or a vehicle crosses, as the reporting country sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(extend("x-code-list" = "directions"))]
pub enum Direction {
    /// Into the country.
    Entry,
    /// Out of it.
    Exit,
    /// Neither: found within the country, or nobody noted it.
    None,
}

impl Direction {
    /// The code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Exit => "exit",
            Self::None => "none",
        }
    }
}

/// The identifier that was read, and that the alert has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MatchedIdentifier {
    /// Its kind.
    pub kind: MatchedKind,
    /// The identifier, as it was read.
    pub value: Line,
}

/// The rule by which it was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MatchingRule {
    /// The rule.
    pub code: MatchingRuleCode,
    /// Its version.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub version: u32,
}

/// The body of `hit.notify`. A hit is a lead, never authority to detain: the alert's owner says whether it is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HitNotify")]
pub struct Notify {
    /// The alert.
    pub alert: CaseId,
    /// The version of the alert that was looked at.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub version: u32,
    /// The key of the alert's subject that was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectKey>,
    /// By what it was found.
    pub matched: MatchedIdentifier,
    /// The rule by which it was found.
    pub rule: MatchingRule,
    /// When it was found, which may be long before this was sent.
    pub found_at: Timestamp,
    /// The border post at which it was found.
    pub post: CrossingCode,
    /// The direction in which the person or thing crossed.
    pub direction: Direction,
    /// Whether the document was in the hands of somebody else than its alert names: its holder may be a victim.
    #[serde(default)]
    pub possible_misuse: bool,
    /// Whether it was found before the alert was there: the person or thing is gone.
    #[serde(default)]
    pub retroactive: bool,
    /// The common mark of hits about one traveller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encounter: Option<MessageId>,
    /// Whom to telephone at the post.
    pub contact: Contact,
    /// More about it, in the message's language; never of a machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

impl Notify {
    /// The number that was found within a series of the alert's documents, where that is what it reports.
    pub fn number_in_series(&self) -> Option<&str> {
        (self.matched.kind.as_str() == IN_SERIES).then(|| self.matched.value.as_str())
    }
}

impl Operational for Notify {
    fn check(checker: &mut Checker<'_>) {
        let body = checker.body();
        let alert = body.field("alert");
        let kind = alert.field("kind");
        if let Some(other) = kind.text().filter(|kind| *kind != Family::Alert.as_str()) {
            checker.fault_with(&kind.at, FaultCode::CaseKindOther, other.to_owned());
        }
        let (word, value) = (body.field("matched").field("kind"), body.field("matched").field("value"));
        let is_number = word.text().is_some_and(|word| word != JUDGED);
        // Whatever identifies nothing would be found in every alert.
        let is_empty = |text: &str| !text.chars().any(|c| c.is_ascii_alphanumeric());
        if is_number && value.text().is_some_and(is_empty) {
            checker.fault(&value.at, FaultCode::MatchedEmpty);
        }
        let found_at = body.field("found_at");
        let latest = checker.context.now.plus(CLOCK_TOLERANCE);
        if found_at.parsed::<Timestamp>().is_some_and(|found| found > latest) {
            checker.fault(&found_at.at, FaultCode::DateInFuture);
        }
        let recipient = checker.draft.field("recipients").item(0);
        let owner = alert.field("owner");
        let is_another =
            recipient.parsed::<AgencyCode>().zip(owner.parsed()).is_some_and(|(to, owner)| to != owner);
        if is_another {
            checker.fault(&recipient.at, FaultCode::HitRecipient);
        }
    }

    /// What a rule found without a person's judgement a machine may report, in no words of its own.
    fn is_direct(body: &View<'_>) -> bool {
        let (rule, kind) = (body.field("rule").field("code"), body.field("matched").field("kind"));
        let is_judged = rule.text().is_none_or(|rule| rule == DECIDED_BY_A_PERSON)
            || kind.text().is_none_or(|kind| kind == JUDGED);
        !is_judged && !body.field("note").is_there()
    }

    fn identifiers(body: &View<'_>) -> Vec<Identifier> {
        let matched = body.field("matched");
        let kind = matched.field("kind");
        let found = kind.text().and_then(|kind| identifier::of_number(kind, &matched.field("value")));
        found.into_iter().collect()
    }

    fn facet_of(body: &View<'_>) -> Option<String> {
        body.field("matched").field("kind").parsed::<MatchedKind>().map(|kind| kind.to_string())
    }

    fn facet(&self) -> Option<&str> {
        Some(self.matched.kind.as_str())
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        let kind = lists.label("message_types", "hit.notify", locale);
        let matched = lists.label("matched_kinds", self.matched.kind.as_str(), locale);
        format!("{kind}: {matched}, {}", lists.label("crossings", self.post.as_str(), locale))
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::{
        IdentifierKind, Reserved,
        families::support::{checked, example, faults, just, summary, with, without},
    };

    #[test]
    fn it_names_an_alert_and_goes_to_its_owner() {
        let draft = example("hit-notify");
        assert_eq!(faults(&draft), []);
        let other = with(draft.clone(), "/body/alert/kind", "request");
        assert_eq!(faults(&other), just("/body/alert/kind", FaultCode::CaseKindOther));
        let third = with(draft.clone(), "/body/alert/owner", "tz.tisd");
        assert_eq!(faults(&third), just("/recipients/0", FaultCode::HitRecipient));
        assert_eq!(faults(&without(draft, "/body/contact")), just("/body/contact", FaultCode::MissingField));
    }

    #[test]
    fn it_was_found_already() {
        let later = with(example("hit-notify"), "/body/found_at", "2026-11-23T12:05:01Z");
        assert_eq!(faults(&later), just("/body/found_at", FaultCode::DateInFuture));
    }

    #[rstest]
    #[case("plate", "vehicle_exact", true)]
    #[case("imei", "vehicle_exact", true)]
    #[case("plate", "review", false)]
    #[case("name", "vehicle_exact", false)]
    #[case("document_series", "document_exact", true)]
    #[case("document_series", "review", false)]
    fn a_machine_reports_what_one_number_shows(
        #[case] kind: &str,
        #[case] rule: &str,
        #[case] is_direct: bool,
    ) {
        let draft = without(with(example("hit-notify"), "/body/matched/kind", kind), "/body/note");
        let draft = with(draft, "/body/rule/code", rule);
        assert_eq!(checked(&draft).is_direct(), is_direct);
        assert!(!checked(&with(draft, "/body/note", "Viu-se hoje.")).is_direct(), "words are a person's");
    }

    #[rstest]
    #[case("imei", "35-2099", Some((IdentifierKind::ObjectSerial, "352099")))]
    #[case("plate", "aaa 1 cd", Some((IdentifierKind::Plate, "AAA1CD")))]
    #[case("chassis_number", "MD2A21EZ0EWA00000", Some((IdentifierKind::Vin, "MD2A21EZ0EWA00000")))]
    #[case("name", "Amina", None)]
    #[case("document_series", "AB123", None)]
    fn what_was_found_is_compared_as_the_alert_has_it(
        #[case] kind: &str,
        #[case] value: &str,
        #[case] expected: Option<(IdentifierKind, &str)>,
    ) {
        let draft =
            with(with(example("hit-notify"), "/body/matched/kind", kind), "/body/matched/value", value);
        let found = checked(&draft).identifiers();
        let found: Vec<_> = found.iter().map(|one| (one.kind, one.value.as_str())).collect();
        assert_eq!(found, Vec::from_iter(expected));
    }

    #[test]
    fn what_was_found_has_letters_or_digits() {
        for (kind, is_refused) in
            [("plate", true), ("imei", true), ("document_series", true), ("name", false)]
        {
            let draft =
                with(with(example("hit-notify"), "/body/matched/kind", kind), "/body/matched/value", "--");
            let expected = just("/body/matched/value", FaultCode::MatchedEmpty);
            assert_eq!(faults(&draft), if is_refused { expected } else { Vec::new() }, "{kind}");
        }
    }

    #[test]
    fn its_words_are_in_their_lists() {
        for (pointer, code) in [
            ("/body/matched/kind", FaultCode::UnknownCode),
            ("/body/rule/code", FaultCode::UnknownCode),
            ("/body/post", FaultCode::UnknownCode),
            ("/body/direction", FaultCode::UnknownValue),
        ] {
            let draft = with(example("hit-notify"), pointer, "elsewhere");
            assert_eq!(faults(&draft), just(pointer, code), "{pointer}");
        }
    }

    #[test]
    fn lists_show_what_was_found_and_where() {
        let draft = example("hit-notify");
        assert_eq!(summary(&draft, Locale::En), "Hit: Plate, Namoto–Kilambo (ferry)");
        assert_eq!(checked(&draft).facet().as_deref(), Some("plate"));
        assert_eq!(checked(&draft).reserved(), Reserved::No);
        assert_eq!(checked(&draft).second_person_reasons(), []);
    }
}
