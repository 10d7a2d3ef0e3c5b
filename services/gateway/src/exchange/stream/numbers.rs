//! Sets of stream numbers, as ranges: a partner names thousands of numbers with a few bytes.

/// A range of numbers, both ends included.
pub(crate) type Range = (u64, u64);

/// A set of numbers as ascending ranges, of which none overlaps or touches another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NumberSet(Vec<Range>);

impl FromIterator<Range> for NumberSet {
    /// The union of ranges in any order; one that ends before it begins is empty.
    fn from_iter<I: IntoIterator<Item = Range>>(ranges: I) -> Self {
        let mut ranges: Vec<Range> = ranges.into_iter().filter(|(from, to)| from <= to).collect();
        ranges.sort_unstable();
        let mut set: Vec<Range> = Vec::with_capacity(ranges.len());
        for (from, to) in ranges {
            match set.last_mut() {
                Some(before) if from <= before.1.saturating_add(1) => before.1 = before.1.max(to),
                _ => set.push((from, to)),
            }
        }
        Self(set)
    }
}

impl NumberSet {
    /// The set of these numbers, in any order.
    pub(crate) fn of(numbers: impl IntoIterator<Item = u64>) -> Self {
        numbers.into_iter().map(|number| (number, number)).collect()
    }

    pub(crate) fn ranges(&self) -> &[Range] {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The lowest and the highest number; none of an empty set.
    pub(crate) fn bounds(&self) -> Option<Range> {
        Some((self.0.first()?.0, self.0.last()?.1))
    }

    /// How many numbers it has.
    pub(crate) fn count(&self) -> u64 {
        self.0.iter().fold(0, |count, (from, to)| count.saturating_add((to - from).saturating_add(1)))
    }

    pub(crate) fn contains(&self, number: u64) -> bool {
        let before = self.0.partition_point(|(from, _)| *from <= number);
        before > 0 && self.0[before - 1].1 >= number
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        self.0.iter().chain(&other.0).copied().collect()
    }

    /// The numbers of this set between `from` and `to`.
    pub(crate) fn between(&self, from: u64, to: u64) -> Self {
        self.0.iter().map(|range| (range.0.max(from), range.1.min(to))).collect()
    }

    /// The numbers of this set that are not in `other`.
    pub(crate) fn minus(&self, other: &Self) -> Self {
        let mut left = Vec::with_capacity(self.0.len());
        let mut others = other.0.iter().peekable();
        for &(from, to) in &self.0 {
            while others.next_if(|(_, end)| *end < from).is_some() {}
            let mut rest = Some(from);
            while let (Some(from), Some(&&(begin, end))) = (rest, others.peek()) {
                if begin > to {
                    break;
                }
                if begin > from {
                    left.push((from, begin - 1));
                }
                rest = if end < to {
                    others.next();
                    Some(end + 1)
                } else {
                    None
                };
            }
            left.extend(rest.map(|from| (from, to)));
        }
        Self(left)
    }

    /// The numbers that are in both sets.
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        self.minus(&self.minus(other))
    }

    /// Takes the range that begins with `from` out of the set, and returns its end.
    pub(crate) fn take_from(&mut self, from: u64) -> Option<u64> {
        let index = self.0.iter().position(|range| range.0 == from)?;
        Some(self.0.remove(index).1)
    }

    /// Keeps the lowest `most` ranges. Returns whether there were more.
    pub(crate) fn truncate(&mut self, most: usize) -> bool {
        let had_more = self.0.len() > most;
        self.0.truncate(most);
        had_more
    }

    /// The first ranges of this set with at most `most_ranges` ranges and `most_numbers` numbers.
    pub(crate) fn first(&self, most_ranges: usize, most_numbers: u64) -> Self {
        let mut left = most_numbers;
        let mut first = Vec::new();
        for &(from, to) in self.0.iter().take(most_ranges) {
            if left == 0 {
                break;
            }
            let to = to.min(from.saturating_add(left - 1));
            left -= to - from + 1;
            first.push((from, to));
        }
        Self(first)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    type Model = BTreeSet<u64>;

    fn model(ranges: &[Range]) -> Model {
        ranges.iter().flat_map(|(from, to)| *from..=*to).collect()
    }

    fn ranges() -> impl Strategy<Value = Vec<Range>> {
        vec((1_u64..60, 0_u64..6).prop_map(|(from, more)| (from, from + more)), 0..12)
    }

    fn set(ranges: &[Range]) -> NumberSet {
        ranges.iter().copied().collect()
    }

    /// Its ranges are ascending and apart, and name exactly the numbers of the model.
    fn check(set: &NumberSet, model: &Model) -> Result<(), TestCaseError> {
        let numbers: Vec<u64> = set.ranges().iter().flat_map(|(from, to)| *from..=*to).collect();
        prop_assert_eq!(numbers, model.iter().copied().collect::<Vec<_>>());
        prop_assert!(set.ranges().windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "{:?}", set);
        prop_assert_eq!(set.count(), u64::try_from(model.len()).expect("few"));
        let bounds = model.first().zip(model.last()).map(|(first, last)| (*first, *last));
        prop_assert_eq!(set.bounds(), bounds);
        Ok(())
    }

    proptest! {
        #[test]
        fn sets_of_ranges_are_sets(one in ranges(), two in ranges(), from in 1_u64..70, to in 1_u64..70) {
            let (a, b) = (set(&one), set(&two));
            let (x, y) = (model(&one), model(&two));
            check(&a, &x)?;
            check(&a.union(&b), &(&x | &y))?;
            check(&a.minus(&b), &(&x - &y))?;
            check(&a.intersection(&b), &(&x & &y))?;
            check(&a.between(from, to), &x.iter().copied().filter(|n| (from..=to).contains(n)).collect())?;
            prop_assert_eq!(a.contains(from), x.contains(&from));
            check(&NumberSet::of(x.iter().rev().copied()), &x)?;
        }

        #[test]
        fn the_first_numbers_keep_both_bounds(one in ranges(), most_ranges in 0_usize..6, most in 0_u64..20) {
            let first = set(&one).first(most_ranges, most);
            prop_assert!(first.ranges().len() <= most_ranges && first.count() <= most);
            // Nothing is left out before the end, and something only because of a bound.
            let all = model(&one);
            let kept: Model = all.iter().copied().take(usize::try_from(first.count()).expect("few")).collect();
            check(&first, &kept)?;
            let more = usize::try_from(first.count()).expect("few") < all.len();
            prop_assert!(!more || first.count() == most || first.ranges().len() == most_ranges);
        }

        #[test]
        fn a_range_is_taken_whole(one in ranges(), from in 1_u64..70) {
            let mut taken = set(&one);
            let before = taken.clone();
            match taken.take_from(from) {
                Some(to) => {
                    prop_assert!(!taken.contains(from) && !before.contains(to + 1));
                    prop_assert_eq!(taken.union(&set(&[(from, to)])), before);
                }
                None => prop_assert!(from == 1 || !before.contains(from) || before.contains(from - 1)),
            }
        }
    }

    #[test]
    fn numbers_at_the_end_of_the_scale_do_no_harm() {
        let all = set(&[(1, u64::MAX), (7, 9)]);
        assert_eq!((all.ranges(), all.count()), ([(1, u64::MAX)].as_slice(), u64::MAX));
        assert_eq!(all.minus(&set(&[(2, u64::MAX)])).ranges(), [(1, 1)]);
        assert_eq!(set(&[(5, u64::MAX)]).minus(&all).ranges(), []);
        assert_eq!(set(&[(9, 8)]).ranges(), []);
    }
}
