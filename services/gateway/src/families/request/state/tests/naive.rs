//! The rule that the fold replaces: each side applies what comes in the order in which it comes, and rejects what its own state
//! does not allow. It is kept as a test because it is the obvious rule, and leaves the two sides in different states in more than
//! half of all situations.

use std::collections::{BTreeMap, HashSet};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum State {
    Open,
    Clarification,
    Answered,
    Refused,
    Cancelled,
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Word {
    Cancel,
    Remind,
    Clarify,
    Close,
    Reopen,
    Acknowledge,
    Ask,
    Delay,
    AnswerPartial,
    Answer,
    Refuse,
}

const SIDES: usize = 2;

/// Each side's state, what is on the way to it, and how much it has said. Side 0 asks, side 1 answers.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Situation {
    states: [State; SIDES],
    coming: [Vec<Word>; SIDES],
    said: [usize; SIDES],
}

/// What this side may say in this state.
fn allowed(side: usize, state: State) -> &'static [Word] {
    use {State as S, Word as W};
    match (side, state) {
        (0, S::Open) => &[W::Cancel, W::Remind, W::Clarify],
        (0, S::Clarification) => &[W::Clarify, W::Cancel],
        (0, S::Answered | S::Refused) => &[W::Close, W::Reopen],
        (0, S::Closed) => &[W::Reopen],
        (1, S::Open) => &[W::Acknowledge, W::Ask, W::Delay, W::AnswerPartial, W::Answer, W::Refuse],
        (1, S::Clarification) => &[W::Acknowledge, W::AnswerPartial, W::Answer, W::Refuse],
        (1, S::Answered | S::Refused | S::Closed) => &[W::Answer],
        _ => &[],
    }
}

fn after(state: State, word: Word) -> State {
    match word {
        Word::Ask => State::Clarification,
        Word::Clarify | Word::Reopen => State::Open,
        Word::Answer => State::Answered,
        Word::Refuse => State::Refused,
        Word::Cancel => State::Cancelled,
        Word::Close => State::Closed,
        Word::AnswerPartial if state == State::Clarification => State::Open,
        Word::AnswerPartial | Word::Acknowledge | Word::Delay | Word::Remind => state,
    }
}

impl Situation {
    fn next(&self, said_max: usize) -> Vec<Self> {
        let mut next = Vec::new();
        for side in 0..SIDES {
            let other = 1 - side;
            for index in 0..self.coming[side].len() {
                let mut with = self.clone();
                let word = with.coming[side].remove(index);
                if allowed(other, self.states[side]).contains(&word) {
                    with.states[side] = after(self.states[side], word);
                }
                next.push(with);
            }
            if self.said[side] < said_max {
                for word in allowed(side, self.states[side]) {
                    let mut with = self.clone();
                    with.states[side] = after(self.states[side], *word);
                    with.coming[other].push(*word);
                    with.said[side] += 1;
                    next.push(with);
                }
            }
        }
        next
    }
}

/// The counts of `naive.py`, with up to three words of each side.
#[test]
fn applying_what_comes_leaves_the_sides_apart_in_88_of_161_situations() {
    let mut open =
        vec![Situation { states: [State::Open; SIDES], coming: [Vec::new(), Vec::new()], said: [0; SIDES] }];
    let (mut visited, mut same, mut apart) = (HashSet::new(), 0, BTreeMap::new());
    while let Some(situation) = open.pop() {
        if !visited.insert(situation.clone()) {
            continue;
        }
        let [one, other] = situation.states;
        let is_at_rest = situation.coming.iter().all(Vec::is_empty);
        if is_at_rest && one == other {
            same += 1;
        } else if is_at_rest {
            *apart.entry((one, other)).or_insert(0) += 1;
        }
        open.extend(situation.next(3));
    }
    assert_eq!((same, apart.values().sum::<u32>()), (73, 88));
    assert_eq!(apart.get(&(State::Clarification, State::Open)), Some(&11));
    assert_eq!(apart.get(&(State::Cancelled, State::Answered)), Some(&9));
}
