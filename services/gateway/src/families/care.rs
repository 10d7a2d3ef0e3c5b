//! The care that the content of a case needs, whatever its family.

use std::collections::{BTreeMap, BTreeSet};

use rovuma_schemas::{
    Date, EMERGENCY_CONFIRMED_WITHIN, HandlingCode, SubjectKey, Subjects, Terms, Timestamp,
};
use serde::{Deserialize, Serialize};

/// What must be known of a message, or of all messages of a case, to handle it with care.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Care {
    /// Whether it is about a minor.
    pub(crate) is_about_minor: bool,
    /// Until when a second person must confirm it, if one person released it in an emergency.
    pub(crate) confirm_by: Option<Timestamp>,
    /// The restriction on its use.
    pub(crate) handling: Option<HandlingCode>,
    /// The last day on which it may be kept.
    pub(crate) retain_until: Option<Date>,
    /// The keys of its subjects.
    pub(crate) keys: BTreeSet<SubjectKey>,
}

impl Care {
    /// What the terms of a message say that was first signed at `signed`.
    pub(crate) fn of(terms: &Terms, signed: Timestamp) -> Self {
        // A sender that gives itself longer than the rule allows is not believed.
        let latest = signed.plus(EMERGENCY_CONFIRMED_WITHIN);
        let emergency = terms.emergency.as_ref();
        Self {
            confirm_by: emergency.map(|emergency| emergency.confirm_by.map_or(latest, |by| by.min(latest))),
            handling: Some(terms.handling.code),
            retain_until: Some(terms.retain_until),
            ..Self::default()
        }
    }

    /// Adds what the subjects of the message say.
    pub(crate) fn names(&mut self, subjects: &Subjects) {
        self.is_about_minor |= subjects.persons.iter().any(|person| person.minor);
        self.keys.extend(subjects.keys());
    }

    /// Adds the care that another message of the case needs: the stricter restriction, the longer retention.
    pub(crate) fn add(&mut self, other: &Self) {
        self.is_about_minor |= other.is_about_minor;
        self.handling = self.handling.max(other.handling);
        self.retain_until = self.retain_until.max(other.retain_until);
        self.keys.extend(other.keys.iter().cloned());
    }

    /// For each letter, the highest number that a subject's key has.
    pub(crate) fn numbers_used(&self) -> BTreeMap<char, u16> {
        let mut used = BTreeMap::new();
        for (letter, number) in self.keys.iter().map(SubjectKey::kind_and_number) {
            let highest = used.entry(letter).or_default();
            *highest = number.max(*highest);
        }
        used
    }
}
