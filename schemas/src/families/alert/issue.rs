//! `alert.issue`: a new alert.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{category::Category, rules, validity, validity::EndReason};
use crate::{
    CodeLists, Date, Identifier, Line, Locale, OffenceCode, SecondPersonReason, Subjects, Text, Timestamp,
    draft::{Checker, Remark},
    families::{AtRelease, Operational},
    fault::Finding,
    pointer::Pointer,
    subjects::{self, WarningCode},
    view::View,
    words::listed_code,
};

listed_code!(
    /// The actions requested of the recipient.
    ActionCode, "actions"
);

/// The decision that an alert rests on: a warrant, a court's or a prosecutor's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// Its reference at the body that took it.
    pub reference: Line,
    /// The body that took it.
    pub authority: Line,
    /// When it was taken.
    pub date: Date,
}

/// The period in which an alert is valid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Validity {
    /// The beginning; the release where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// The end; in a draft the category's default where absent. A released alert always has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// The body of `alert.issue`. The alert's id is the message's id; this is its first version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Alert")]
pub struct Issue {
    /// The category, which decides what else is required.
    pub category: Category,
    /// The offences behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("uniqueItems" = true))]
    pub offences: Vec<OffenceCode>,
    /// The actions requested of the recipient.
    #[schemars(length(min = 1, max = 16), extend("uniqueItems" = true))]
    pub actions: Vec<ActionCode>,
    /// Warnings about the whole alert. Warnings about one person are listed with the person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("uniqueItems" = true))]
    pub warnings: Vec<WarningCode>,
    /// The decision that it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// What happened, where and when, in the message's language.
    pub circumstances: Text,
    /// The period in which it is valid.
    #[serde(default)]
    pub validity: Validity,
    /// The persons and things that it is about.
    #[serde(default)]
    pub subjects: Subjects,
}

impl Issue {
    /// When the alert ends if it is released at `created`: as it says, otherwise by its category. A document alert ends when the
    /// last of its documents expires, at most after the category's time. Where all have expired already, it ends after the
    /// category's time, because forgers use expired documents too.
    pub fn end(&self, created: Timestamp) -> Timestamp {
        let longest = self.category.rule().validity.after(created);
        let by_documents = match self.category {
            Category::Document => self.documents_end().filter(|end| *end > created),
            _ => None,
        };
        self.validity.until.unwrap_or_else(|| by_documents.map_or(longest, |end| end.min(longest)))
    }

    /// Adds the faults in an alert's content, of whichever version.
    pub(super) fn check_content(checker: &mut Checker<'_>) {
        let subjects = checker.body().field("subjects");
        subjects::check(checker, &subjects);
        rules::check(checker);
    }

    /// When the alert under check ends and why, as far as its JSON can be read.
    fn stated_end(checker: &Checker<'_>) -> Option<(Timestamp, EndReason)> {
        let body = checker.body();
        if let Some(stated) = body.field("validity").field("until").parsed() {
            return Some((stated, EndReason::Stated));
        }
        let issue = Self::deserialize(body.value()?).ok()?;
        let (now, validity) = (checker.context.now, issue.category.rule().validity);
        let end = issue.end(now);
        let reason =
            if end == validity.after(now) { EndReason::Category(validity) } else { EndReason::Documents };
        Some((end, reason))
    }

    /// The end of the day on which the last document expires; `None` where one has no known expiry.
    fn documents_end(&self) -> Option<Timestamp> {
        let days: Option<Vec<Date>> =
            self.subjects.documents.iter().map(|document| document.expires).collect();
        days?.into_iter().max().map(|day| day.plus_days(1).start())
    }
}

impl Operational for Issue {
    fn check(checker: &mut Checker<'_>) {
        Self::check_content(checker);
        let subjects = checker.body().field("subjects");
        subjects::check_given_keys(checker, &subjects);
        let end = Self::stated_end(checker);
        validity::check(checker, end.as_ref());
    }

    fn put_right(body: &mut Value, at: &Pointer, remarks: &mut Vec<Remark>) {
        if let Some(subjects) = body.get_mut("subjects") {
            subjects::put_right::vehicles(subjects, &at.field("subjects"), remarks);
        }
    }

    fn remark(body: &View<'_>, remarks: &mut Vec<Remark>) {
        subjects::remark(&body.field("subjects"), remarks);
    }

    fn check_received(body: &View<'_>, found: &mut Vec<Finding>) {
        found.extend(subjects::too_many(&body.field("subjects")));
    }

    fn second_person(body: &View<'_>) -> Vec<SecondPersonReason> {
        subjects::second_person(&body.field("subjects"))
    }

    fn names_a_person(body: &View<'_>) -> bool {
        subjects::name_a_person(&body.field("subjects"))
    }

    fn has_duplicates() -> bool {
        true
    }

    fn identifiers(body: &View<'_>) -> Vec<Identifier> {
        subjects::identifier::of(&body.field("subjects"))
    }

    fn content_version(_body: &View<'_>) -> Option<u32> {
        Some(1)
    }

    fn facet_of(body: &View<'_>) -> Option<String> {
        body.field("category").parsed::<Category>().map(|category| category.to_string())
    }

    fn facet(&self) -> Option<&str> {
        Some(self.category.as_str())
    }

    fn normalise(&mut self) {
        self.subjects.normalise_names();
    }

    fn complete(&mut self, at: &AtRelease<'_>) {
        self.subjects.give_keys(&at.case.numbers_used);
        self.validity.until = Some(self.end(at.created));
    }

    fn ends(&self, created: Timestamp) -> Option<Timestamp> {
        Some(self.end(created))
    }

    fn summary(&self, lists: &CodeLists, locale: Locale) -> String {
        let category = lists.label("categories", self.category.as_str(), locale);
        let subjects = self.subjects.line(lists, locale);
        if subjects.is_empty() { category.to_owned() } else { format!("{category}: {subjects}") }
    }
}
