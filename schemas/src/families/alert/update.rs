//! `alert.update`: a newer version of an alert.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{issue::Issue, validity};
use crate::{
    CodeLists, FaultCode, Locale, SecondPersonReason, SubjectKey, Text, Timestamp,
    draft::{Checker, Remark},
    families::{EarlierVersions, Operational},
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

    fn facet_of(body: &View<'_>) -> Option<String> {
        Issue::facet_of(&body.field(CONTENT))
    }

    fn facet(&self) -> Option<&str> {
        self.alert.facet()
    }

    fn normalise(&mut self) {
        self.alert.normalise();
    }

    fn complete(&mut self, _created: Timestamp, earlier: &EarlierVersions) {
        self.version = Some(earlier.version.saturating_add(1));
        self.alert.subjects.give_keys(&earlier.numbers_used);
    }

    fn check_against(&self, earlier: &EarlierVersions, at: &Pointer, found: &mut Vec<Finding>) {
        let here = self.alert.subjects.keys();
        let explained: BTreeSet<&SubjectKey> = self.dropped.iter().map(|dropped| &dropped.key).collect();
        for key in earlier.keys.iter().filter(|key| !here.contains(*key) && !explained.contains(*key)) {
            found.push(Finding::with(&at.field("dropped"), FaultCode::SubjectDropped, key.as_str()));
        }
        for (index, dropped) in self.dropped.iter().enumerate() {
            if here.contains(&dropped.key) || !earlier.keys.contains(&dropped.key) {
                let place = at.field("dropped").item(index).field("key");
                found.push(Finding::with(&place, FaultCode::SubjectNotDropped, dropped.key.as_str()));
            }
        }
        for key in here.iter().filter(|key| !earlier.keys.contains(*key)) {
            let place = at.field(CONTENT).field("subjects");
            found.push(Finding::with(&place, FaultCode::SubjectKeyUnknown, key.as_str()));
        }
        if let (Some(until), Some(ends)) = (self.alert.validity.until, earlier.ends)
            && until > ends
        {
            let place = at.field(CONTENT).field("validity").field("until");
            found.push(Finding::with(&place, FaultCode::EndLater, ends.to_string()));
        }
    }

    fn ends(&self, _created: Timestamp) -> Option<Timestamp> {
        self.alert.validity.until
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        self.alert.summary(lists, locale)
    }
}

const _: () =
    assert!(2 * SUBJECTS_MAX == 128, "a version may drop every subject and every document of a person");
