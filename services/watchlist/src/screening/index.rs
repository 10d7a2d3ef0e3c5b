//! The index: which entries may have a number. It holds digests and numbers of entries, and nothing that is listed.
//!
//! Every number is kept in its folded form, in which all characters that look alike are one. So a look-up finds the number itself and
//! everything that it may have been misread for; what each of them is, the entry says, which the caller reads and compares.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{Hash, Hasher},
};

use super::{
    listed::Listed,
    number::{NumberKind, Series, folded, series_place},
};

/// The number of an entry in its store.
pub type EntryNo = u32;

/// The least number of characters at the end of two frame numbers that make people compare them. Fewer are equal by chance.
pub(crate) const SUFFIX_MIN: usize = 6;

/// Maximum entries that one look-up names. One number is in a handful of alerts; a partner that puts it into thousands must not keep the
/// booth waiting.
pub(crate) const FOUND_MAX: usize = 128;

/// Maximum series that one look-up goes through. Series of one form lie side by side; a partner that lays thousands over each other must not
/// keep the booth waiting.
const SERIES_LOOKED_AT_MAX: usize = 10_000;

/// What a slot of the index is the digest of.
#[derive(Hash)]
enum Slot<'a> {
    /// A number in folded form.
    Whole(NumberKind, &'a str),
    /// The end of a frame number, and the length of the whole.
    End(&'a str),
    /// What the numbers of a series have in common.
    Series(NumberKind, &'a str, usize),
}

impl Slot<'_> {
    fn digest(&self) -> u64 {
        // Fixed keys: an index is built anew in each process, and a collision costs one comparison.
        let mut hasher = std::hash::DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

/// Which entries may have a number.
#[derive(Debug, Default)]
pub struct Index {
    slots: BTreeSet<(u64, EntryNo)>,
    /// The series in folded form: the digest of what its numbers have in common, the first, the last, the entry.
    series: BTreeSet<(u64, u128, u128, EntryNo)>,
    /// How far apart the ends of a series with this digest are at most: a number is looked for in series that begin no further back.
    widest: HashMap<u64, u128>,
    /// How many entries have the end of a frame number: without any, no look-up asks.
    ends: usize,
}

impl Index {
    /// Adds an entry.
    pub fn add(&mut self, entry: EntryNo, listed: &Listed) {
        for (kind, number, series) in folded_numbers(listed) {
            self.slots.insert((Slot::Whole(kind, &number).digest(), entry));
            if let Some(end) = end_of(kind, &number)
                && self.slots.insert((Slot::End(end).digest(), entry))
            {
                self.ends += 1;
            }
            if let Some(series) = series {
                let digest = series_digest(kind, &series);
                let (from, to) = series.ends();
                self.series.insert((digest, from, to, entry));
                let widest = self.widest.entry(digest).or_default();
                *widest = (*widest).max(to - from);
            }
        }
    }

    /// Removes an entry, which `listed` says as it was added.
    pub fn remove(&mut self, entry: EntryNo, listed: &Listed) {
        for (kind, number, series) in folded_numbers(listed) {
            self.slots.remove(&(Slot::Whole(kind, &number).digest(), entry));
            if let Some(end) = end_of(kind, &number)
                && self.slots.remove(&(Slot::End(end).digest(), entry))
            {
                self.ends -= 1;
            }
            if let Some(series) = series {
                let (from, to) = series.ends();
                self.series.remove(&(series_digest(kind, &series), from, to, entry));
            }
        }
    }

    /// The entries that may have this number, or one that it was misread for; those of which it may be the end only where somebody said that
    /// it is a frame number. Whether there are more than [`FOUND_MAX`], which are left out.
    pub(crate) fn find(
        &self,
        (kind, is_known): (NumberKind, bool),
        normal: &str,
        found: &mut BTreeSet<EntryNo>,
    ) -> bool {
        let (kind, number) = (kind.place(), folded(kind.compared(normal)));
        let mut are_more = self.add_slot(Slot::Whole(kind, &number).digest(), found);
        if is_known
            && self.ends > 0
            && let Some(end) = end_of(kind, &number)
        {
            are_more |= self.add_slot(Slot::End(end).digest(), found);
        }
        if let Some((prefix, at)) = series_place(&number) {
            let digest = Slot::Series(kind, prefix, number.len()).digest();
            let Some(widest) = self.widest.get(&digest) else { return are_more };
            let first = (digest, at.saturating_sub(*widest), 0, EntryNo::MIN);
            let begun = self.series.range(first..=(digest, at, u128::MAX, EntryNo::MAX));
            // Those that begin nearest come first: they are the narrowest that can have it.
            let mut looked_at = 0;
            for (_, _, to, entry) in begun.rev() {
                looked_at += 1;
                if looked_at > SERIES_LOOKED_AT_MAX || found.len() >= FOUND_MAX {
                    are_more = true;
                    break;
                }
                if at <= *to {
                    found.insert(*entry);
                }
            }
        }
        are_more
    }

    fn add_slot(&self, digest: u64, found: &mut BTreeSet<EntryNo>) -> bool {
        for (_, entry) in self.slots.range((digest, EntryNo::MIN)..=(digest, EntryNo::MAX)) {
            if found.len() >= FOUND_MAX {
                return true;
            }
            found.insert(*entry);
        }
        false
    }
}

/// The numbers of an entry, each with its place in the index, in folded form, and with its series.
fn folded_numbers(listed: &Listed) -> impl Iterator<Item = (NumberKind, String, Option<Series>)> {
    listed.numbers().flat_map(|(_, number)| {
        let whole = |normal: String| {
            let series = number.folded_series().filter(|_| number.normal().as_ref() == Some(&normal));
            (number.kind.place(), folded(number.kind.compared(&normal)), series)
        };
        number.wholes().map(whole)
    })
}

fn series_digest(kind: NumberKind, series: &Series) -> u64 {
    let (prefix, length) = series.common();
    Slot::Series(kind, prefix, length).digest()
}

/// The end of a frame number by which two are compared.
fn end_of(kind: NumberKind, number: &str) -> Option<&str> {
    (kind == NumberKind::ChassisNumber).then(|| number.get(number.len().checked_sub(SUFFIX_MIN)?..)).flatten()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::screening::listed::{ListedNumber, ListedSubject};

    fn listed(kind: NumberKind, value: &str, to: Option<&str>) -> Listed {
        let number = ListedNumber {
            kind,
            value: value.to_owned(),
            value_to: to.map(str::to_owned),
            qualifier: None,
            document_type: None,
            is_misused: false,
            key: None,
        };
        let subjects = vec![ListedSubject { numbers: vec![number], ..ListedSubject::default() }];
        Listed { list: "test".to_owned(), reference: value.to_owned(), alert: None, subjects }
    }

    fn found(index: &Index, kind: NumberKind, number: &str) -> Vec<EntryNo> {
        let mut found = BTreeSet::new();
        index.find((kind, true), number, &mut found);
        found.into_iter().collect()
    }

    #[rstest]
    #[case(NumberKind::Document, "A01O23456", None, "A01O23456", true)]
    #[case(NumberKind::Document, "A01O23456", None, "A01023456", true)]
    #[case(NumberKind::Document, "A01O23456", None, "A01023457", false)]
    #[case(NumberKind::Document, "AB1200000", Some("AB1209999"), "AB1204711", true)]
    #[case(NumberKind::Document, "AB1200000", Some("AB1209999"), "AB1210000", false)]
    #[case(NumberKind::Document, "AB1200000", Some("AB1209999"), "A812O4711", true)]
    #[case(NumberKind::Plate, "T 123 ABC", None, "T123ABC", true)]
    #[case(NumberKind::Document, "T123ABC", None, "T123ABC", true)]
    #[case(NumberKind::Vin, "MD2A21EZ0EWA00001", None, "MD2A21EZ0EWA00001", true)]
    #[case(NumberKind::ChassisNumber, "MD2A21EZ0EWA00001", None, "EWA00001", true)]
    #[case(NumberKind::ChassisNumber, "MD2A21EZ0EWA00001", None, "A00002", false)]
    fn an_entry_is_found_by_its_number_and_what_it_may_be_misread_for(
        #[case] kind: NumberKind,
        #[case] value: &str,
        #[case] to: Option<&str>,
        #[case] query: &str,
        #[case] expected: bool,
    ) {
        let (mut index, entry) = (Index::default(), listed(kind, value, to));
        index.add(7, &entry);
        assert_eq!(found(&index, kind, query), Vec::from_iter(expected.then_some(7)));
        index.remove(7, &entry);
        assert_eq!(found(&index, kind, query), [0; 0]);
        assert_eq!(index.ends, 0);
    }

    #[test]
    fn one_kind_does_not_hide_in_another() {
        let mut index = Index::default();
        index.add(1, &listed(NumberKind::Document, "T123ABC", None));
        assert_eq!(found(&index, NumberKind::Plate, "T123ABC"), [0; 0]);
        index.add(2, &listed(NumberKind::Vin, "11111111111111111", None));
        assert_eq!(found(&index, NumberKind::Vin, "11111111111111111"), [0; 0], "it stands for unknown");
    }

    #[test]
    fn overlapping_series_are_all_found() {
        let mut index = Index::default();
        for (entry, (from, to)) in [(100, 199), (150, 160), (155, 900), (161, 170)].into_iter().enumerate() {
            let number = EntryNo::try_from(entry).expect("few");
            index.add(number, &listed(NumberKind::Document, &format!("X{from}"), Some(&format!("X{to}"))));
        }
        assert_eq!(found(&index, NumberKind::Document, "X157"), [0, 1, 2]);
        assert_eq!(found(&index, NumberKind::Document, "X899"), [2]);
        assert_eq!(found(&index, NumberKind::Document, "X901"), [0; 0]);
    }
}
