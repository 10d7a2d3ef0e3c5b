//! What must be found for a query, and what must not, computed from all numbers of the list: a query about one entry may by chance have the
//! number of another.

use std::collections::HashMap;

use rovuma_watchlist::screening::{NumberKind, ScanSource};

use super::{
    list::{List, Number, Standing},
    numbers::{NumberPlace, compared, counted, folded, is_vin},
    queries::{Digit, Query, family},
};

/// The least characters of the end of a frame number by which two are compared.
const SUFFIX_MIN: usize = 6;

/// How a query's number resembles a listed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Relation {
    /// It looks like it, or is its end.
    Alike,
    /// It is within its series.
    InSeries,
    /// It is the same.
    Equal,
}

/// What is allowed of an entry for a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowed {
    /// Whether it must be called a hit; otherwise it must not be: a person may be asked to compare.
    pub(super) is_hit: bool,
    /// Whether it is certain enough to be told to the owner without a person.
    pub(super) is_forwarded: bool,
    /// Whether the person with the document is certainly not the one whom the entry names.
    pub(super) is_other_holder: bool,
}

type Key = (NumberPlace, String);

/// Series by what stands before their digits and by length: the first and the last, counted by their digits, and the number in the list.
type Series = HashMap<(String, usize), Vec<(u128, u128, usize)>>;

/// All numbers of a list, by what they may be found by.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    equal: HashMap<Key, Vec<usize>>,
    alike: HashMap<Key, Vec<usize>>,
    /// By the last characters of a frame number.
    ends: HashMap<String, Vec<usize>>,
    series: Series,
    /// The same, with one character for all that look alike.
    alike_series: Series,
}

impl Numbers {
    /// All numbers of a list.
    pub(super) fn of(list: &List) -> Self {
        let mut numbers = Self::default();
        for (at, number) in list.numbers.iter().enumerate() {
            let (place, value) = (number.place(), compared(number.place(), &number.value));
            numbers.equal.entry((place, value.to_owned())).or_default().push(at);
            numbers.alike.entry((place, folded(value))).or_default().push(at);
            if place == NumberPlace::Frame && value.len() >= SUFFIX_MIN {
                let end = value[value.len() - SUFFIX_MIN..].to_owned();
                numbers.ends.entry(end).or_default().push(at);
            }
            if let Some(to) = &number.to {
                add_series(&mut numbers.series, value, to, at);
                add_series(&mut numbers.alike_series, &folded(value), &folded(to), at);
            }
        }
        numbers
    }

    /// Whether the number, of this kind, is in the list.
    pub(super) fn has(&self, place: NumberPlace, number: &str) -> bool {
        self.equal.contains_key(&(place, compared(place, number).to_owned()))
    }

    /// The listed numbers that a query's number resembles, each with the strongest resemblance.
    fn related(&self, query: &Query) -> HashMap<usize, Relation> {
        let mut related = HashMap::new();
        let places = query.place.map_or(NumberPlace::ALL.to_vec(), |place| vec![place]);
        for place in places {
            self.related_at(place, compared(place, &query.number), query, &mut related);
        }
        related
    }

    fn related_at(
        &self,
        place: NumberPlace,
        value: &str,
        query: &Query,
        related: &mut HashMap<usize, Relation>,
    ) {
        let mut add = |found: Option<&Vec<usize>>, relation| {
            for at in found.into_iter().flatten() {
                let known = related.entry(*at).or_insert(relation);
                *known = relation.max(*known);
            }
        };
        add(self.equal.get(&(place, value.to_owned())), Relation::Equal);
        let mut forms = vec![folded(value)];
        if query.scan.source == ScanSource::Reader {
            // A filler is misread as K, and K as a filler.
            forms.extend([folded(&format!("{value}K")), folded(value.trim_end_matches('K'))]);
        }
        for form in forms {
            add(self.alike.get(&(place, form)), Relation::Alike);
        }
        if place == NumberPlace::Frame && value.len() >= SUFFIX_MIN {
            let ends = self.ends.get(&value[value.len() - SUFFIX_MIN..]);
            add(ends, Relation::Alike);
        }
        if place == NumberPlace::Document {
            add(Some(&within(&self.series, value)), Relation::InSeries);
            add(Some(&within(&self.alike_series, &folded(value))), Relation::Alike);
        }
    }

    /// What is allowed of each entry that may be found at all; every other must not be.
    pub(super) fn allowed(&self, list: &List, query: &Query) -> HashMap<usize, Allowed> {
        let mut allowed: HashMap<usize, Allowed> = HashMap::new();
        for (at, relation) in self.related(query) {
            let number = &list.numbers[at];
            let Some(one) = allowed_of(list, query, number, relation) else { continue };
            allowed
                .entry(number.entry)
                .and_modify(|known| {
                    known.is_hit |= one.is_hit;
                    known.is_forwarded |= one.is_forwarded;
                })
                .or_insert(one);
        }
        allowed
    }
}

/// What is allowed of a number's entry because of this number; none where it must not be found by it.
fn allowed_of(list: &List, query: &Query, number: &Number, relation: Relation) -> Option<Allowed> {
    let entry = &list.entries[number.entry];
    if entry.standing == Standing::Over {
        return None;
    }
    let scan = &query.scan;
    let place = number.place();
    let is_other_state = query.state.as_deref().zip(number.state).is_some_and(|(one, other)| one != other);
    if place == NumberPlace::Document && is_other_state {
        // Two states issued the two documents: they are two documents.
        return None;
    }
    let of_number = number.document_type.and_then(family);
    let is_other_family = place == NumberPlace::Document
        && query.family.zip(of_number).is_some_and(|(one, other)| one != other);
    let seen = scan.vehicle.as_ref().and_then(|vehicle| vehicle.make.as_deref());
    let is_other_make =
        place == NumberPlace::Plate && seen.zip(entry.make).is_some_and(|(one, other)| one != other);
    let is_unconfirmed = scan.source == ScanSource::Camera && !scan.confirmed;
    let is_hit = relation >= Relation::InSeries
        && query.digit != Digit::Wrong
        && !(is_other_state || is_other_family || is_other_make || is_unconfirmed);
    let is_known_state = query.state.is_some() && number.state.is_some();
    let is_certain = match place {
        NumberPlace::Document => {
            let is_compared = query.digit == Digit::Right || scan.confirmed;
            is_known_state && query.family.is_some() && of_number.is_some() && is_compared
        }
        NumberPlace::Plate => is_known_state,
        // A number that is no VIN is one of many of its maker's.
        NumberPlace::Frame => is_vin(&number.value),
        NumberPlace::Object => number.kind == NumberKind::Imei && query.digit == Digit::Right,
        NumberPlace::Engine => false,
    };
    let is_kind_known = query.place.is_some() || (place == NumberPlace::Frame && is_vin(&query.number));
    let is_forwarded = is_hit
        && is_certain
        && is_kind_known
        && matches!(entry.standing, Standing::Partner | Standing::Neighbour)
        && !number.is_misused
        && !query.asks_protection
        && !query.is_stateless;
    Some(Allowed { is_hit, is_forwarded, is_other_holder: query.is_other_holder && entry.holder.is_some() })
}

fn add_series(series: &mut Series, from: &str, to: &str, at: usize) {
    if let (Some((prefix, first)), Some((_, last))) = (counted(from), counted(to)) {
        series.entry((prefix.to_owned(), from.len())).or_default().push((first, last, at));
    }
}

fn within(series: &Series, value: &str) -> Vec<usize> {
    let Some((prefix, number)) = counted(value) else { return Vec::new() };
    let of_its_kind = series.get(&(prefix.to_owned(), value.len()));
    of_its_kind
        .into_iter()
        .flatten()
        .filter(|(from, to, _)| (*from..=*to).contains(&number))
        .map(|(_, _, at)| *at)
        .collect()
}
