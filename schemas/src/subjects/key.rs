//! The key of a subject: `p1`, `v1`, `d2`. Hits, flags, questions and error reports name a subject by it, and it stays the
//! same in all versions of a message's content.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    FaultCode,
    draft::Checker,
    pointer::Pointer,
    subjects::{SubjectKind, Subjects},
    view::View,
    words::shaped_text,
};

shaped_text!(
    /// The key of a subject within its message: a letter for its kind and a number.
    SubjectKey, "a subject's key such as p1",
    |text| {
        let number = text.strip_prefix(|first: char| first.is_ascii_lowercase()).unwrap_or_default();
        (1..=4).contains(&number.len())
            && number.bytes().all(|b| b.is_ascii_digit())
            && !number.starts_with('0')
    },
    { "type": "string", "pattern": "^[a-z][1-9][0-9]{0,3}$" }
);

impl SubjectKey {
    fn new(kind: SubjectKind, number: u16) -> Self {
        Self(format!("{}{number}", kind.letter()))
    }

    /// The letter of its kind, and its number.
    pub fn kind_and_number(&self) -> (char, u16) {
        let (letter, number) = self.as_str().split_at(1);
        // The type's own form: a letter and one to four digits.
        (letter.chars().next().unwrap_or_default(), number.parse().unwrap_or_default())
    }
}

/// Checks that each key is there once and begins with the letter of its kind.
pub(super) fn check(checker: &mut Checker<'_>, subjects: &View<'_>) {
    let mut seen = BTreeSet::new();
    for (kind, subject) in keyed(subjects) {
        let key = subject.field("key");
        let Some(parsed) = key.parsed::<SubjectKey>() else { continue };
        if parsed.kind_and_number().0 != kind.letter() {
            checker.fault_with(&key.at, FaultCode::SubjectKeyLetter, kind.letter());
        }
        if !seen.insert(parsed) {
            checker.fault(&key.at, FaultCode::SubjectKeyDuplicate);
        }
    }
}

/// Maximum number of a key that the author of an opener gives. The gateway gives the numbers after it, up to 9999, to the subjects
/// that have none and to those of later versions.
const GIVEN_NUMBER_MAX: u16 = 999;

/// Checks that the keys of an opener leave numbers for other subjects.
pub(crate) fn check_given(checker: &mut Checker<'_>, subjects: &View<'_>) {
    for (_, subject) in keyed(subjects) {
        let key = subject.field("key");
        let number = key.parsed::<SubjectKey>().map(|key| key.kind_and_number().1);
        if number.is_some_and(|number| number > GIVEN_NUMBER_MAX) {
            checker.fault_with(&key.at, FaultCode::OutOfRange, format!("≤ {GIVEN_NUMBER_MAX}"));
        }
    }
}

/// Checks that subjects which a follower adds to its case have no keys: the gateway knows which are free.
pub(crate) fn check_new(checker: &mut Checker<'_>, subjects: &View<'_>) {
    for (_, subject) in keyed(subjects) {
        let key = subject.field("key");
        if key.is_there() {
            let detail = crate::fault::shown(key.text().unwrap_or_default());
            checker.fault_with(&key.at, FaultCode::SubjectKeyUnknown, detail);
        }
    }
}

/// Everything that may have a key: each subject, and the documents of each person.
fn keyed<'a>(subjects: &View<'a>) -> Vec<(SubjectKind, View<'a>)> {
    let mut keyed = Vec::new();
    for kind in SubjectKind::ALL {
        for subject in subjects.field(kind.field()).items() {
            let documents = subject.field("documents").items();
            keyed.push((kind, subject));
            if kind == SubjectKind::Person {
                keyed.extend(documents.into_iter().map(|document| (SubjectKind::Document, document)));
            }
        }
    }
    keyed
}

/// The keys of the subjects in one list, each with its place.
fn keys_in<'a, T>(
    subjects: &'a [T],
    at: &Pointer,
    key: impl Fn(&'a T) -> Option<&'a SubjectKey>,
) -> Vec<(Pointer, &'a SubjectKey)> {
    let placed = |(index, subject)| Some((at.item(index).field("key"), key(subject)?));
    subjects.iter().enumerate().filter_map(placed).collect()
}

impl Subjects {
    /// The key of every subject that has one.
    pub fn keys(&self) -> BTreeSet<SubjectKey> {
        self.placed_keys(&Pointer::default()).into_iter().map(|(_, key)| key.clone()).collect()
    }

    /// Every key with its place, where these subjects are at `at`.
    pub(crate) fn placed_keys(&self, at: &Pointer) -> Vec<(Pointer, &SubjectKey)> {
        let list = |kind: SubjectKind| at.field(kind.field());
        let persons = list(SubjectKind::Person);
        let mut placed = keys_in(&self.persons, &persons, |person| person.key.as_ref());
        for (index, person) in self.persons.iter().enumerate() {
            let own = persons.item(index).field("documents");
            placed.extend(keys_in(&person.documents, &own, |document| document.key.as_ref()));
        }
        placed
            .extend(keys_in(&self.documents, &list(SubjectKind::Document), |document| document.key.as_ref()));
        placed.extend(keys_in(&self.vehicles, &list(SubjectKind::Vehicle), |vehicle| vehicle.key.as_ref()));
        placed.extend(keys_in(&self.firearms, &list(SubjectKind::Firearm), |firearm| firearm.key.as_ref()));
        placed.extend(keys_in(&self.vessels, &list(SubjectKind::Vessel), |vessel| vessel.key.as_ref()));
        placed.extend(keys_in(&self.objects, &list(SubjectKind::Object), |object| object.key.as_ref()));
        placed.extend(keys_in(&self.places, &list(SubjectKind::Place), |place| place.key.as_ref()));
        placed
    }

    /// Gives a key to every subject that has none: the number after the highest of its kind, here and in `used`, so that a number
    /// that the author left out stays unused.
    pub(crate) fn give_keys(&mut self, used: &BTreeMap<char, u16>) {
        for kind in SubjectKind::ALL {
            let mut slots = self.key_slots(kind);
            let numbers = slots.iter().filter_map(|slot| slot.as_ref().map(|key| key.kind_and_number().1));
            let highest = used.get(&kind.letter()).copied().unwrap_or_default();
            let mut last = numbers.max().unwrap_or_default().max(highest);
            for slot in slots.iter_mut().filter(|slot| slot.is_none()) {
                last = last.saturating_add(1);
                **slot = Some(SubjectKey::new(kind, last));
            }
        }
    }

    fn key_slots(&mut self, kind: SubjectKind) -> Vec<&mut Option<SubjectKey>> {
        match kind {
            SubjectKind::Person => self.persons.iter_mut().map(|person| &mut person.key).collect(),
            SubjectKind::Document => {
                let of_persons = self.persons.iter_mut().flat_map(|person| &mut person.documents);
                self.documents.iter_mut().chain(of_persons).map(|document| &mut document.key).collect()
            }
            SubjectKind::Vehicle => self.vehicles.iter_mut().map(|vehicle| &mut vehicle.key).collect(),
            SubjectKind::Firearm => self.firearms.iter_mut().map(|firearm| &mut firearm.key).collect(),
            SubjectKind::Vessel => self.vessels.iter_mut().map(|vessel| &mut vessel.key).collect(),
            SubjectKind::Object => self.objects.iter_mut().map(|object| &mut object.key).collect(),
            SubjectKind::Place => self.places.iter_mut().map(|place| &mut place.key).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_subject_without_a_key_gets_the_next_of_its_kind() {
        let mut subjects: Subjects = serde_json::from_value(json!({
            "persons": [
                { "role": "wanted", "minor": false, "documents": [{ "type": "passport", "number": "AB123" }] },
                { "role": "witness", "minor": false, "key": "p3" }
            ],
            "documents": [{ "type": "passport", "number": "CD456" }],
            "vehicles": [{ "type": "car", "key": "v1" }, { "type": "car" }]
        }))
        .expect("subjects");
        subjects.give_keys(&BTreeMap::new());
        let key = |slot: &Option<SubjectKey>| slot.as_ref().map(ToString::to_string).unwrap_or_default();
        assert_eq!(subjects.persons.iter().map(|person| key(&person.key)).collect::<Vec<_>>(), ["p4", "p3"]);
        assert_eq!(key(&subjects.documents[0].key), "d1");
        assert_eq!(key(&subjects.persons[0].documents[0].key), "d2");
        assert_eq!(key(&subjects.vehicles[1].key), "v2");
    }

    #[test]
    fn a_key_is_a_letter_and_a_number() {
        for good in ["p1", "d9999", "z10"] {
            assert!(good.parse::<SubjectKey>().is_ok(), "{good}");
        }
        for bad in ["", "p", "p0", "p01", "P1", "p10000", "1", "pp1", "p-1"] {
            assert!(bad.parse::<SubjectKey>().is_err(), "{bad}");
        }
    }
}
