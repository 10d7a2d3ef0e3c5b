//! A draft in which everything is right.

use std::{fmt, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AgencyCode, Alert, AlertDraft, Body, Category, CodeLists, Header, Lane, Line, Locale, Message, MessageId,
    Status, SubjectCounts, SubjectKind, Terms, Timestamp,
    alert::PersonName,
    draft::advice::{self, Advice},
    names,
};

/// The longest a message is worth transporting: as long as a recipient accepts late arrivals from a
/// key that has run out since (90 days), and far longer than any line was down so far (19 days).
const TRANSPORT_LIFE_MAX: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// Why a draft needs a second pair of eyes (domain 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecondPersonReason {
    /// It is about a minor.
    Minor,
    /// It is about a person.
    Person,
    /// Its handling code is H2 or H3.
    Handling,
}

impl SecondPersonReason {
    /// The code, as in the code list `second_person`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Person => "person",
            Self::Handling => "handling",
        }
    }
}

impl fmt::Display for SecondPersonReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an alert is about, without saying about whom: fit for lists, logs and statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// The category.
    pub category: Category,
    /// How many subjects of each kind.
    pub subjects: SubjectCounts,
}

impl Summary {
    /// One line in `locale`: `Vehicle: 1 × vehicle, 1 × place`.
    pub fn line(&self, lists: &CodeLists, locale: Locale) -> String {
        let category = lists.label("categories", self.category.as_str(), locale);
        let count = |kind: SubjectKind| match self.subjects.of(kind) {
            0 => None,
            number => Some(format!("{number} × {}", lists.label("subject_kinds", kind.as_str(), locale))),
        };
        let subjects: Vec<String> = SubjectKind::ALL.into_iter().filter_map(count).collect();
        if subjects.is_empty() { category.to_owned() } else { format!("{category}: {}", subjects.join(", ")) }
    }
}

impl Alert {
    /// What it is about, without saying about whom.
    pub fn summary(&self) -> Summary {
        Summary { category: self.category, subjects: self.subjects.counts() }
    }
}

/// A draft that met its schema and every rule at the time of its check. Keep the bytes that were
/// posted and parse them again: what was right yesterday may not be today.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidDraft {
    draft: AlertDraft,
}

impl ValidDraft {
    /// Only [`AlertDraft::parse`] calls it.
    pub(super) fn new(mut draft: AlertDraft) -> Self {
        let subjects = &mut draft.body.subjects;
        subjects.persons.iter_mut().flat_map(|person| person.name.iter_mut()).for_each(normalise);
        subjects.persons.iter_mut().flat_map(|person| person.aliases.iter_mut()).for_each(normalise);
        let of_persons = subjects.persons.iter_mut().flat_map(|person| person.documents.iter_mut());
        of_persons
            .chain(&mut subjects.documents)
            .flat_map(|document| &mut document.holder)
            .for_each(normalise);
        Self { draft }
    }

    /// What terms and body take in the message, as it is signed.
    pub(super) fn content_bytes(&self) -> usize {
        let size = |json: serde_json::Result<Vec<u8>>| json.map_or(usize::MAX, |bytes| bytes.len());
        size(serde_json::to_vec(&self.draft.terms)).saturating_add(size(serde_json::to_vec(&self.draft.body)))
    }

    /// The draft itself, with normalised names filled in.
    pub fn draft(&self) -> &AlertDraft {
        &self.draft
    }

    /// In earnest, exercise or test.
    pub fn status(&self) -> Status {
        self.draft.status
    }

    /// The agencies to send it to: known, in force, each once.
    pub fn recipients(&self) -> &[AgencyCode] {
        &self.draft.recipients
    }

    /// The unit or post that sends.
    pub fn unit(&self) -> Option<&Line> {
        self.draft.unit.as_ref()
    }

    /// The sender's own case reference.
    pub fn case_reference(&self) -> Option<&Line> {
        self.draft.case_reference.as_ref()
    }

    /// The message that this one answers.
    pub fn in_reply_to(&self) -> Option<MessageId> {
        self.draft.in_reply_to
    }

    /// The terms.
    pub fn terms(&self) -> &Terms {
        &self.draft.terms
    }

    /// The alert.
    pub fn alert(&self) -> &Alert {
        &self.draft.body
    }

    /// The alert's category.
    pub fn category(&self) -> Category {
        self.draft.body.category
    }

    /// The lane in which it travels.
    pub fn lane(&self) -> Lane {
        self.draft.terms.urgency.level.lane()
    }

    /// What it is about, without saying about whom.
    pub fn summary(&self) -> Summary {
        self.draft.body.summary()
    }

    /// The weightiest reason why a second person must release it, if there is one.
    pub fn needs_second_person(&self) -> Option<SecondPersonReason> {
        self.second_person_reasons().into_iter().next()
    }

    /// Every reason why a second person must release it, the weightiest first.
    pub fn second_person_reasons(&self) -> Vec<SecondPersonReason> {
        let subjects = &self.draft.body.subjects;
        let restricted = self.draft.terms.handling.code.needs_second_person();
        let reasons = [
            (subjects.include_a_minor(), SecondPersonReason::Minor),
            (subjects.name_a_person(), SecondPersonReason::Person),
            (restricted, SecondPersonReason::Handling),
        ];
        reasons.into_iter().filter_map(|(holds, reason)| holds.then_some(reason)).collect()
    }

    /// What its author should look at again before release: free text that seems to speak of what is
    /// not carried (domain 4). Advice, no fault: a stem can mean something else.
    pub fn advice(&self, locale: Locale) -> Vec<Advice> {
        advice::of(&self.draft, locale)
    }

    /// When the alert ends if it is released at `created`.
    pub fn valid_until(&self, created: Timestamp) -> Timestamp {
        self.draft.body.end(created)
    }

    /// When it stops being worth transporting if it is released at `created`: as the draft says, but
    /// not after the alert's own end nor after 90 days.
    pub fn transport_expiry(&self, created: Timestamp) -> Timestamp {
        let latest = self.valid_until(created).min(created.plus(TRANSPORT_LIFE_MAX));
        self.draft.expires.map_or(latest, |asked| asked.min(latest))
    }

    /// The message to sign: this draft under a header that the gateway has made.
    pub fn into_message(self, header: Header) -> Message {
        let mut alert = self.draft.body;
        alert.validity.until = Some(alert.end(header.created));
        Message { header, terms: Some(self.draft.terms), body: Body::AlertIssue(Box::new(alert)) }
    }
}

fn normalise(name: &mut PersonName) {
    if name.normalised.is_none() {
        name.normalised = names::normalise(name.printed.as_str()).parse().ok();
    }
}
