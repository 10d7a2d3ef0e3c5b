//! `alert.update`: a newer version of an alert.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    issue::{Issue, Validity},
    validity,
};
use crate::{
    CodeLists, FaultCode, Identifier, Locale, SecondPersonReason, SubjectKey, Terms, Text, Timestamp,
    draft::{Checker, Remark},
    families::{AtRelease, CaseSoFar, Operational},
    fault::Finding,
    limits::SUBJECTS_MAX,
    pointer::Pointer,
    view::View,
    words::listed_code,
};

listed_code!(
    /// Why a newer version of an alert leaves out a subject.
    DropReason, "drop_reasons"
);

/// A subject of the version before that the new one leaves out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dropped {
    /// The subject's key.
    pub key: SubjectKey,
    /// Why it is left out.
    pub reason: DropReason,
    /// More about it, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

/// The body of `alert.update`. It has the whole content of the alert, so the highest version that has arrived is enough to act on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AlertUpdate")]
pub struct Update {
    /// The version, counted by the issuer from 1 (the issue); the gateway sets it at release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 1_000_000))]
    pub version: Option<u32>,
    /// The whole content. A subject that stays has the key that it had. The end stays where it was unless the content states an
    /// earlier one.
    pub alert: Issue,
    /// Each subject of the version before that is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 128))]
    pub dropped: Vec<Dropped>,
    /// What was changed and why, in the message's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Text>,
}

/// The member of the body that has the content.
const CONTENT: &str = "alert";

impl Operational for Update {
    fn check(checker: &mut Checker<'_>) {
        let version = checker.body().field("version");
        if version.is_there() {
            // The issuer's gateway counts: a version that the author chose could hide a later one.
            checker.fault_with(&version.at, FaultCode::UnknownField, "version");
        }
        let mut explained = BTreeSet::new();
        for dropped in checker.body().field("dropped").items() {
            if dropped.field("key").text().is_some_and(|key| !explained.insert(key)) {
                checker.fault(&dropped.at, FaultCode::DuplicateItem);
            }
        }
        checker.check_within(CONTENT, |checker| {
            Issue::check_content(checker);
            let stated = checker.body().field("validity").field("until").parsed();
            validity::check(checker, stated.map(validity::stated).as_ref());
        });
    }

    fn put_right(body: &mut Value, at: &Pointer, remarks: &mut Vec<Remark>) {
        if let Some(content) = body.get_mut(CONTENT) {
            Issue::put_right(content, &at.field(CONTENT), remarks);
        }
    }

    fn remark(body: &View<'_>, remarks: &mut Vec<Remark>) {
        Issue::remark(&body.field(CONTENT), remarks);
    }

    fn check_received(body: &View<'_>, found: &mut Vec<Finding>) {
        let version = body.field("version");
        if !version.is_there() {
            found.push(Finding::with(&version.at, FaultCode::MissingField, "version"));
        }
        Issue::check_received(&body.field(CONTENT), found);
    }

    fn second_person(body: &View<'_>) -> Vec<SecondPersonReason> {
        Issue::second_person(&body.field(CONTENT))
    }

    fn names_a_person(body: &View<'_>) -> bool {
        Issue::names_a_person(&body.field(CONTENT))
    }

    fn has_duplicates() -> bool {
        true
    }

    fn identifiers(body: &View<'_>) -> Vec<Identifier> {
        Issue::identifiers(&body.field(CONTENT))
    }

    fn content_version(body: &View<'_>) -> Option<u32> {
        body.field("version").count().and_then(|version| version.try_into().ok())
    }

    fn facet_of(body: &View<'_>) -> Option<String> {
        Issue::facet_of(&body.field(CONTENT))
    }

    fn facet(&self) -> Option<&str> {
        self.alert.facet()
    }

    fn normalise(&mut self) {
        self.alert.normalise();
    }

    fn complete(&mut self, at: &AtRelease<'_>) {
        self.version = Some(at.case.version.saturating_add(1));
        self.alert.subjects.give_keys(&at.case.numbers_used);
    }

    fn check_against(&self, terms: &Terms, earlier: &CaseSoFar, found: &mut Vec<Finding>) {
        let body = Pointer::default().field("body");
        self.check_keys(earlier, &body, found);
        if let Some(ends) = earlier.ends {
            self.check_end(terms, ends, &body, found);
        }
    }

    fn ends(&self, _created: Timestamp) -> Option<Timestamp> {
        self.alert.validity.until
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        self.alert.summary(lists, locale)
    }
}

impl Update {
    /// Adds a fault for each subject of the version before that is left out without a word, for each that is said to be left out
    /// and is not, and for each key that the version before did not have.
    fn check_keys(&self, earlier: &CaseSoFar, at: &Pointer, found: &mut Vec<Finding>) {
        let subjects = at.field(CONTENT).field("subjects");
        let here = self.alert.subjects.placed_keys(&subjects);
        let is_here = |key: &SubjectKey| here.iter().any(|(_, other)| *other == key);
        let is_explained = |key: &SubjectKey| self.dropped.iter().any(|dropped| dropped.key == *key);
        for key in earlier.keys.iter().filter(|key| !is_here(key) && !is_explained(key)) {
            found.push(Finding::with(&at.field("dropped"), FaultCode::SubjectDropped, key.as_str()));
        }
        for (index, Dropped { key, .. }) in self.dropped.iter().enumerate() {
            if is_here(key) || !earlier.keys.contains(key) {
                let place = at.field("dropped").item(index).field("key");
                found.push(Finding::with(&place, FaultCode::SubjectNotDropped, key.as_str()));
            }
        }
        for (place, key) in here.iter().filter(|(_, key)| !earlier.keys.contains(*key)) {
            found.push(Finding::with(place, FaultCode::SubjectKeyUnknown, key.as_str()));
        }
    }

    /// Adds the faults about the end: a version states an earlier one than `ends` or leaves it there.
    fn check_end(&self, terms: &Terms, ends: Timestamp, at: &Pointer, found: &mut Vec<Finding>) {
        let validity = at.field(CONTENT).field("validity");
        let Validity { from, until } = self.alert.validity;
        if let Some(until) = until {
            // The check of the draft has compared it with the beginning and the retention.
            if until > ends {
                found.push(Finding::with(&validity.field("until"), FaultCode::EndLater, ends.to_string()));
            }
            return;
        }
        if from.is_some_and(|from| from >= ends) {
            found.push(Finding::new(&validity.field("from"), FaultCode::ValidityOrder));
        }
        let retain = Pointer::default().field("terms").field("retain_until");
        found.extend(validity::erased_before(&retain, terms.retain_until, validity::stated(ends)));
    }
}

const _: () =
    assert!(2 * SUBJECTS_MAX == 128, "a version may drop all subjects, and as many documents of persons");

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;
    use crate::{
        Body, MessageType, OperationalBody,
        families::support::{
            self, at, checked, example, faults, faults_against, just, now, summary, valid, with, without,
        },
        request::AnswerLimits,
    };

    /// The stolen motorcycle as it was issued.
    fn issued() -> CaseSoFar {
        earlier(1, &["v1", "l1"], &[('v', 1), ('l', 1)])
    }

    fn earlier(version: u32, keys: &[&str], used: &[(char, u16)]) -> CaseSoFar {
        CaseSoFar {
            version,
            keys: keys.iter().map(|key| key.parse().expect("a key")).collect(),
            numbers_used: used.iter().copied().collect(),
            ends: Some(at("2028-03-14T05:10:00Z")),
            latest_end: Some(at("2029-11-23T12:00:00Z")),
            ..CaseSoFar::default()
        }
    }

    /// A draft of an update with the content of this alert, under its terms.
    fn update_of(alert: &str) -> Value {
        let alert = example(alert);
        let draft = with(example("alert-update"), "/body/alert", alert["body"].clone());
        with(draft, "/terms", alert["terms"].clone())
    }

    /// The body that the draft's message has.
    fn released(draft: &Value, earlier: &CaseSoFar) -> Update {
        match support::released(draft, earlier, &AnswerLimits::default()).body {
            Body::Operational(OperationalBody::AlertUpdate(update)) => *update,
            other => panic!("{other:?}"),
        }
    }

    fn keys(update: &Update) -> Vec<&str> {
        let placed = update.alert.subjects.placed_keys(&Pointer::default());
        placed.into_iter().map(|(_, key)| key.as_str()).collect()
    }

    #[rstest]
    #[case("/body/version", json!(2), "/body/version", FaultCode::UnknownField)]
    #[case("/body/alert/category", json!("car"), "/body/alert/category", FaultCode::UnknownValue)]
    #[case("/body/alert/actions", json!(["arrest"]), "/body/alert/actions/0", FaultCode::ActionNotForCategory)]
    #[case("/body/alert/offences", json!([]), "/body/alert/offences", FaultCode::OffenceMissing)]
    #[case("/body/alert/offences", json!(["theeft"]), "/body/alert/offences/0", FaultCode::UnknownCode)]
    #[case("/body/alert/decision/date", json!("2026-11-24"), "/body/alert/decision/date", FaultCode::DateInFuture)]
    #[case("/body/alert/subjects/vehicles", json!([]), "/body/alert/subjects/vehicles", FaultCode::SubjectMissing)]
    #[case("/body/alert/subjects/vehicles/0/key", json!("p1"), "/body/alert/subjects/vehicles/0/key", FaultCode::SubjectKeyLetter)]
    #[case("/body/alert/subjects/places/1/key", json!("l1"), "/body/alert/subjects/places/1/key", FaultCode::SubjectKeyDuplicate)]
    #[case("/body/alert/validity", json!({ "until": "2026-11-23T12:00:00Z" }), "/body/alert/validity/until", FaultCode::ValidityPast)]
    #[case("/body/alert/validity", json!({ "until": "2029-11-24T00:00:00Z" }), "/body/alert/validity/until", FaultCode::ValidityTooLong)]
    #[case("/body/alert/surplus", json!(1), "/body/alert/surplus", FaultCode::UnknownField)]
    #[case("/body/dropped", json!([{ "key": "v2", "reason": "lost" }]), "/body/dropped/0/reason", FaultCode::UnknownCode)]
    #[case("/body/dropped", json!([{ "key": "v2" }]), "/body/dropped/0/reason", FaultCode::MissingField)]
    #[case("/body/change", json!(" "), "/body/change", FaultCode::BlankText)]
    fn the_content_is_checked_like_that_of_a_new_alert(
        #[case] pointer: &str,
        #[case] value: Value,
        #[case] place: &str,
        #[case] code: FaultCode,
    ) {
        assert_eq!(faults(&example("alert-update")), []);
        assert_eq!(faults(&with(example("alert-update"), pointer, value)), just(place, code));
    }

    #[test]
    fn a_subject_is_left_out_for_one_reason() {
        let dropped =
            |key: &str| json!([{ "key": "d2", "reason": "found" }, { "key": key, "reason": "error" }]);
        let draft = |key: &str| with(example("alert-update-one-found"), "/body/dropped", dropped(key));
        assert_eq!(faults(&draft("d3")), []);
        assert_eq!(faults(&draft("d2")), just("/body/dropped/1", FaultCode::DuplicateItem));
    }

    #[test]
    fn the_end_of_the_version_before_counts_where_this_one_states_none() {
        let kept_until = |day: &str| with(example("alert-update"), "/terms/retain_until", day);
        // The draft alone does not know when the alert ends: its category's three years do not begin again.
        assert_eq!(faults(&kept_until("2026-11-23")), []);
        let too_short = just("/terms/retain_until", FaultCode::RetentionBeforeEnd);
        assert_eq!(faults_against(&kept_until("2028-03-13"), &issued()), too_short);
        assert_eq!(faults_against(&kept_until("2028-03-14"), &issued()), []);
        let stated = |day: &str| {
            with(kept_until(day), "/body/alert/validity", json!({ "until": "2027-01-31T00:00:00Z" }))
        };
        assert_eq!(faults(&stated("2027-01-30")), too_short);
        assert_eq!(faults_against(&stated("2027-01-31"), &issued()), []);

        let from =
            |from: &str| with(example("alert-update"), "/body/alert/validity", json!({ "from": from }));
        assert_eq!(
            faults_against(&from("2028-03-14T05:10:00Z"), &issued()),
            just("/body/alert/validity/from", FaultCode::ValidityOrder)
        );
        assert_eq!(faults_against(&from("2028-03-14T05:09:59Z"), &issued()), []);
    }

    #[rstest]
    #[case("2028-03-14T05:10:00Z", &[])]
    #[case("2028-03-14T05:10:00.000001Z", &[FaultCode::EndLater])]
    fn a_version_may_end_earlier_and_not_later(#[case] until: &str, #[case] expected: &[FaultCode]) {
        let draft = with(example("alert-update"), "/body/alert/validity", json!({ "until": until }));
        let found = faults_against(&draft, &issued());
        assert_eq!(found.iter().map(|(_, code)| *code).collect::<Vec<_>>(), expected);
        assert!(found.iter().all(|(place, _)| place == "/body/alert/validity/until"), "{found:?}");
    }

    #[test]
    fn every_subject_of_the_version_before_is_there_or_explained() {
        let two = earlier(1, &["d1", "d2"], &[('d', 2)]);
        let draft = example("alert-update-one-found");
        assert_eq!(faults_against(&draft, &two), []);
        let silent = without(draft.clone(), "/body/dropped");
        assert_eq!(faults_against(&silent, &two), just("/body/dropped", FaultCode::SubjectDropped));
        // One fault for each that is missing.
        let three = earlier(1, &["d1", "d2", "d3"], &[('d', 3)]);
        assert_eq!(faults_against(&silent, &three).len(), 2);

        let still_there = with(draft.clone(), "/body/dropped/0/key", "d1");
        assert_eq!(
            faults_against(&still_there, &two),
            [
                ("/body/dropped".to_owned(), FaultCode::SubjectDropped),
                ("/body/dropped/0/key".to_owned(), FaultCode::SubjectNotDropped)
            ]
        );
        let only_one = earlier(1, &["d1"], &[('d', 2)]);
        let gone_before = just("/body/dropped/0/key", FaultCode::SubjectNotDropped);
        assert_eq!(faults_against(&draft, &only_one), gone_before, "version 2 had left it out");
    }

    #[rstest]
    #[case("alert-stolen-motorcycle", "/subjects/vehicles/0")]
    #[case("alert-stolen-motorcycle", "/subjects/places/0")]
    #[case("alert-wanted-person", "/subjects/persons/0")]
    #[case("alert-wanted-person", "/subjects/persons/0/documents/0")]
    #[case("alert-stolen-passports", "/subjects/documents/1")]
    #[case("alert-firearm", "/subjects/firearms/0")]
    #[case("alert-stolen-dhow", "/subjects/vessels/1")]
    #[case("alert-stolen-ivory", "/subjects/objects/0")]
    fn an_author_invents_no_key(#[case] alert: &str, #[case] subject: &str) {
        let draft = update_of(alert);
        let nothing = CaseSoFar { ends: None, ..earlier(1, &[], &[]) };
        assert_eq!(faults_against(&draft, &nothing), []);
        let letter = match subject.split('/').rev().find(|part| part.parse::<usize>().is_err()) {
            Some("places") => 'l',
            Some("vessels") => 's',
            other => other.and_then(|list| list.chars().next()).expect("a list"),
        };
        let place = format!("/body/alert{subject}/key");
        let draft = with(draft, &place, format!("{letter}7"));
        assert_eq!(faults_against(&draft, &nothing), just(&place, FaultCode::SubjectKeyUnknown));
    }

    #[test]
    fn subjects_keep_their_keys_and_a_number_is_never_given_again() {
        let second = released(&example("alert-update"), &issued());
        assert_eq!((second.version, keys(&second)), (Some(2), vec!["v1", "l1", "l2"]));
        assert_eq!(second.alert.validity.until, None, "the end stays where it was");

        // Version 2 leaves out d2; the document that version 3 adds is another one.
        let found = released(&example("alert-update-one-found"), &earlier(1, &["d1", "d2"], &[('d', 2)]));
        assert_eq!((found.version, keys(&found)), (Some(2), vec!["d1"]));
        let mut draft = without(example("alert-update-one-found"), "/body/dropped");
        let documents = draft["body"]["alert"]["subjects"]["documents"].as_array_mut().expect("documents");
        documents
            .push(json!({ "type": "passport", "number": "15EX00043", "issuer": "MOZ", "status": "stolen" }));
        let third = released(&draft, &earlier(2, &["d1"], &[('d', 2)]));
        assert_eq!((third.version, keys(&third)), (Some(3), vec!["d1", "d3"]));
    }

    #[rstest]
    #[case("alert-stolen-motorcycle", &[])]
    #[case("alert-stolen-passports", &[SecondPersonReason::Person])]
    #[case("alert-wanted-person", &[SecondPersonReason::Person])]
    #[case("alert-missing-person", &[SecondPersonReason::Minor, SecondPersonReason::Person, SecondPersonReason::Handling])]
    #[case("alert-threat-warning", &[SecondPersonReason::Handling])]
    fn a_second_person_releases_what_they_would_release_as_a_new_alert(
        #[case] alert: &str,
        #[case] expected: &[SecondPersonReason],
    ) {
        assert_eq!(valid(&update_of(alert)).second_person_reasons(), expected);
        assert_eq!(checked(&update_of(alert)).reserved(), crate::Reserved::No);
    }

    #[test]
    fn the_author_of_an_update_about_a_person_confirms_the_protection_check() {
        let draft = without(update_of("alert-wanted-person"), "/terms/protection_check");
        let missing = just("/terms/protection_check/confirmed", FaultCode::ProtectionCheckMissing);
        assert_eq!(faults(&draft), missing);
    }

    #[test]
    fn an_update_about_a_person_may_be_released_in_an_emergency() {
        let emergency = json!({ "reason": "Ameonekana mpakani." });
        let draft = with(update_of("alert-wanted-person"), "/terms/emergency", emergency.clone());
        assert_eq!(faults(&draft), []);
        assert!(checked(&draft).is_emergency());
        let draft = with(example("alert-update"), "/terms/emergency", emergency);
        assert_eq!(faults(&draft), just("/terms/emergency", FaultCode::EmergencyNotNeeded));
    }

    #[test]
    fn what_is_put_right_or_pointed_out_has_its_place_in_the_whole_draft() {
        let plate = "/body/alert/subjects/vehicles/0/plate/number";
        let given = with(example("alert-update"), plate, " aaa 000  cd ");
        let read = checked(&given);
        let advice = read.advice(crate::Locale::En);
        assert_eq!(advice.iter().map(|one| one.pointer.as_str()).collect::<Vec<_>>(), [plate]);
        let kept: Value = serde_json::from_slice(&read.put_right().expect("put right")).expect("JSON");
        assert_eq!(kept, example("alert-update"), "only the plate has changed");

        let person = "/body/alert/subjects/persons/0";
        let draft = without(update_of("alert-wanted-person"), &format!("{person}/aliases"));
        let draft = with(draft, &format!("{person}/name"), json!({ "printed": "Иван" }));
        let advice = checked(&draft).advice(crate::Locale::En);
        assert_eq!(advice.iter().map(|one| &one.topic).collect::<Vec<_>>(), ["name_form"]);
        assert_eq!(advice[0].pointer, format!("{person}/name/printed"));
        let draft = with(example("alert-update"), "/body/change", "Pediu asilo.");
        assert_eq!(checked(&draft).advice(crate::Locale::En)[0].pointer, "/body/change");
    }

    #[test]
    fn lists_show_it_as_the_alert_that_it_is() {
        let draft = example("alert-update");
        assert_eq!(checked(&draft).facet().as_deref(), Some("vehicle"));
        assert_eq!(summary(&draft, crate::Locale::En), "Vehicle: 1 × vehicle, 2 × event or place");
        assert_eq!(valid(&draft).transport_expiry(now()), None, "only openers expire on the way");
    }

    #[test]
    fn a_received_version_has_a_number_and_at_most_sixty_four_subjects() {
        let found = |body: &Value| {
            let mut found = Vec::new();
            MessageType::AlertUpdate.check_received(&View::root(body), &mut found);
            found.into_iter().map(|one| (one.at.to_string(), one.code)).collect::<Vec<_>>()
        };
        let body = example("message-alert.update")["body"].take();
        assert_eq!(found(&body), []);
        let bare = without(json!({ "body": body.clone() }), "/body/version")["body"].take();
        assert_eq!(found(&bare), just("/version", FaultCode::MissingField));
        let places = vec![body["alert"]["subjects"]["places"][1].clone(); SUBJECTS_MAX];
        let crowded = with(body, "/alert/subjects/places", places);
        assert_eq!(found(&crowded), just("/alert/subjects", FaultCode::TooManySubjects));
    }
}
