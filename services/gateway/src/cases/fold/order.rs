//! The one order of a case's messages: causality first, then rank, then agency code. Neither clocks nor arrival decide.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::chains::Chains;

/// The indexes of all entries in their order.
///
/// Each step takes, of the chains' next entries, the one with the lowest rank and agency code among those whose author had seen
/// nothing that is still to come. An entry waits in the list of the one party that it needs next, so that each step looks at few.
pub(crate) fn merge<F>(chains: &Chains<'_, F>, rank: impl Fn(&F) -> u8) -> Vec<usize> {
    let mut merge = Merge {
        chains,
        rank,
        next: vec![0; chains.parties.len()],
        free: BinaryHeap::new(),
        waiting: vec![Vec::new(); chains.parties.len()],
    };
    for party in 0..chains.parties.len() {
        merge.offer(party);
    }
    let mut order = Vec::with_capacity(chains.entries.len());
    while let Some(party) = merge.take() {
        order.push(chains.of_party[party][merge.next[party]]);
        merge.next[party] += 1;
        merge.offer(party);
        for blocked in std::mem::take(&mut merge.waiting[party]) {
            merge.offer(blocked);
        }
    }
    order
}

struct Merge<'a, 'c, F, R> {
    chains: &'a Chains<'c, F>,
    rank: R,
    /// For each party, how many of its entries have their place.
    next: Vec<usize>,
    /// Parties whose next entry may be placed, the lowest rank first.
    free: BinaryHeap<Reverse<(u8, usize)>>,
    /// For each party, the parties whose next entry waits for one of its entries.
    waiting: Vec<Vec<usize>>,
}

impl<F, R: Fn(&F) -> u8> Merge<'_, '_, F, R> {
    /// Puts the party where its next entry belongs: among the free ones, or to the party that it waits for.
    fn offer(&mut self, party: usize) {
        let Some(index) = self.chains.of_party[party].get(self.next[party]) else { return };
        let past = &self.chains.entries[*index].past;
        let needed = (0..past.len())
            .find(|other| *other != party && self.next_turn(*other).is_some_and(|turn| turn <= past[*other]));
        match needed {
            Some(other) => self.waiting[other].push(party),
            None => self.free.push(Reverse(self.key(party))),
        }
    }

    /// The party whose next entry is placed now; none at the end.
    fn take(&mut self) -> Option<usize> {
        if let Some(Reverse((_, party))) = self.free.pop() {
            return Some(party);
        }
        // Two that claim to have seen each other: at least one gateway lies. The order must be one all the same.
        let (_, party) = self.waiting.iter().flatten().map(|party| self.key(*party)).min()?;
        for waiting in &mut self.waiting {
            waiting.retain(|other| *other != party);
        }
        Some(party)
    }

    fn next_turn(&self, party: usize) -> Option<u64> {
        let index = self.chains.of_party[party].get(self.next[party])?;
        Some(self.chains.entries[*index].turn)
    }

    /// The rank of the party's next entry, and the party. A type that is not known here holds back nothing behind it.
    fn key(&self, party: usize) -> (u8, usize) {
        let index = self.chains.of_party[party].get(self.next[party]);
        let fact = index.and_then(|index| self.chains.entries[*index].fact);
        (fact.map_or(0, &self.rank), party)
    }
}
