//! Every conversation that a few sides can have within bounds: each may sign whatever its own gateway allows, and each message
//! may arrive at any time and in any order. The rules were first
//! checked by models in Python that did the same; the counts are theirs.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt,
};

use rovuma_schemas::AgencyCode;

use super::{content, hour, id};
use crate::cases::fold::{
    CaseFold, Intent, Line, WarningKind,
    message::CaseMessage,
    rules::{CaseRules, Effect},
};

/// The time at which conversations are looked at: after everything was signed.
pub(crate) const LATE: u64 = 24 * 365;

/// One side of a conversation.
pub(crate) struct Side<F> {
    /// Its agency.
    pub(crate) agency: AgencyCode,
    /// What it may say.
    pub(crate) menu: Vec<F>,
    /// How often it says something, the opening not counted.
    pub(crate) messages_max: usize,
}

/// Something that goes wrong once in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// Nothing.
    None,
    /// A side's store is restored to before its last message, and its turn is used again.
    Restore,
    /// A side's last message is issued again under a new id, whoever has the old one.
    Reissue,
    /// Any message is issued again and this side's store is restored, at any time and more than once. Only for
    /// [`Conversation::walk`].
    Many(usize),
}

/// A conversation within bounds. The first side opens the case.
pub(crate) struct Conversation<'r, R: CaseRules> {
    rules: &'r R,
    sides: Vec<Side<R::Fact>>,
    mishap: Mishap,
    messages: Vec<CaseMessage<R::Fact>>,
    known: HashMap<(usize, u64, Vec<u64>, usize), u16>,
    replies: HashMap<(usize, Vec<u16>), Vec<u16>>,
}

/// What each side has, and whether the mishap is still to come.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Situation {
    has: Vec<Vec<u16>>,
    is_mishap_to_come: bool,
    /// The sides that were restored.
    restored: BTreeSet<usize>,
}

/// A situation in which everybody has everything.
pub(crate) struct AtRest<'a, 'r, R: CaseRules> {
    /// The messages in no particular order.
    pub(crate) messages: &'a [CaseMessage<R::Fact>],
    /// The fold over them.
    pub(crate) fold: &'a CaseFold<'r, R>,
    /// The agencies whose stores were restored.
    pub(crate) restored: Vec<AgencyCode>,
}

impl<R: CaseRules> fmt::Debug for AtRest<'_, '_, R>
where
    R::Fact: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for message in self.messages {
            let said = (&message.sender, message.turn, &message.seen, &message.fact);
            writeln!(f, "{said:?}")?;
        }
        write!(f, "{:#?}", self.fold.lines())
    }
}

impl<R: CaseRules> AtRest<'_, '_, R> {
    /// The turns of this agency.
    pub(crate) fn turns(&self, agency: &str) -> impl Iterator<Item = u64> {
        let own = self.messages.iter().filter(move |message| message.sender.as_str() == agency);
        own.map(|message| message.turn)
    }

    /// How many contents this turn of this agency has.
    pub(crate) fn contents(&self, agency: &str, turn: u64) -> usize {
        let same = self.messages.iter().filter(|message| {
            message.sender.as_str() == agency && message.turn == turn && message.replaces.is_none()
        });
        same.count()
    }

    /// The messages without this one.
    pub(crate) fn without(&self, index: usize) -> Vec<CaseMessage<R::Fact>>
    where
        R::Fact: Clone,
    {
        let others = self.messages.iter().enumerate().filter(|(other, _)| *other != index);
        others.map(|(_, message)| message.clone()).collect()
    }

    /// Asserts that whoever lost nothing is not accused. Whether a turn was used twice.
    pub(crate) fn accuses_only_the_restored(&self) -> bool
    where
        R::Fact: fmt::Debug,
    {
        let void = self.lines_with(|effect| !effect.is_lawful());
        assert!(void.iter().all(|line| self.restored.contains(line.sender)), "{self:?}");
        let warnings = self.fold.at(hour(LATE)).warnings;
        warnings.iter().any(|warning| warning.kind == WarningKind::CaseTurnReused)
    }

    /// The messages whose lines have this effect.
    pub(crate) fn lines_with(&self, is_meant: impl Fn(Effect) -> bool) -> Vec<Line<'_>> {
        self.fold.lines().into_iter().filter(|line| is_meant(line.effect)).collect()
    }
}

impl<'r, R: CaseRules> Conversation<'r, R>
where
    R::Fact: Clone,
{
    /// The conversation that `opening`, a fact of the first side, begins.
    pub(crate) fn new(rules: &'r R, opening: R::Fact, sides: Vec<Side<R::Fact>>, mishap: Mishap) -> Self {
        let mut conversation = Self {
            rules,
            sides,
            mishap,
            messages: Vec::new(),
            known: HashMap::new(),
            replies: HashMap::new(),
        };
        let none = vec![0; conversation.sides.len()];
        conversation.message(0, 1, none, usize::MAX, opening);
        conversation
    }

    /// Visits every situation, and shows each one at rest. Returns how many situations there are.
    pub(crate) fn explore(&mut self, mut at_rest: impl FnMut(AtRest<'_, '_, R>)) -> usize {
        assert!(!matches!(self.mishap, Mishap::Many(_)), "there is no end of situations");
        let mut open = vec![self.begin()];
        let mut visited = HashSet::new();
        while let Some(situation) = open.pop() {
            if !visited.insert(situation.clone()) {
                continue;
            }
            if situation.deliveries().is_empty() {
                self.show(&situation, &mut at_rest);
            }
            open.extend(self.next(&situation));
        }
        visited.len()
    }

    /// Goes one way through the situations, longer than all ways can be tried, and then delivers everything. Each of `choices`
    /// chooses one of the next situations.
    pub(crate) fn walk(&mut self, choices: &[u16], at_rest: impl FnOnce(AtRest<'_, '_, R>)) {
        let mut situation = self.begin();
        for choice in choices {
            let mut next = self.next(&situation);
            if !next.is_empty() {
                situation = next.swap_remove(usize::from(*choice) % next.len());
            }
        }
        while let Some(next) = situation.deliveries().pop() {
            situation = next;
        }
        self.show(&situation, at_rest);
    }

    fn begin(&self) -> Situation {
        let mut has = vec![Vec::new(); self.sides.len()];
        has[0].push(0);
        let is_mishap_to_come = self.mishap != Mishap::None;
        Situation { has, is_mishap_to_come, restored: BTreeSet::new() }
    }

    fn next(&mut self, situation: &Situation) -> Vec<Situation> {
        let mut next = situation.deliveries();
        for side in 0..self.sides.len() {
            self.signings(situation, side, &mut next);
            self.mishaps(situation, side, &mut next);
        }
        next
    }

    fn show(&self, situation: &Situation, at_rest: impl FnOnce(AtRest<'_, '_, R>)) {
        let has = situation.has[0].iter().map(|index| self.messages[usize::from(*index)].clone());
        let messages: Vec<_> = has.collect();
        let fold = CaseFold::new(self.rules, &self.sides[0].agency, &messages);
        let restored = situation.restored.iter().map(|side| self.sides[*side].agency.clone()).collect();
        at_rest(AtRest { messages: &messages, fold: &fold, restored });
    }

    fn signings(&mut self, situation: &Situation, side: usize, open: &mut Vec<Situation>) {
        let own = situation.has[side].iter().filter(|index| self.is_first_of(side, **index)).count();
        if own >= self.sides[side].messages_max + usize::from(side == 0) {
            return;
        }
        for message in self.replies(side, &situation.has[side], situation.restored.contains(&side)) {
            open.push(situation.with(side, message));
        }
    }

    fn mishaps(&mut self, situation: &Situation, side: usize, open: &mut Vec<Situation>) {
        if !situation.is_mishap_to_come {
            return;
        }
        let own = situation.has[side].iter().copied().filter(|index| self.is_first_of(side, *index));
        let Some(last) = own.max_by_key(|index| self.messages[usize::from(*index)].turn) else { return };
        // The opening itself may be issued again, but nobody forgets it: there would be no case.
        let is_opening = side == 0 && self.messages[usize::from(last)].turn == 1;
        let (is_restore, is_reissue) = match self.mishap {
            Mishap::None => (false, false),
            Mishap::Restore => (true, false),
            Mishap::Reissue => (false, true),
            Mishap::Many(restored) => (side == restored, true),
        };
        let is_mishap_to_come = matches!(self.mishap, Mishap::Many(_));
        if is_restore && !is_opening {
            let mut next = Situation { is_mishap_to_come, ..situation.clone() };
            next.has[side].retain(|index| *index != last);
            next.restored.insert(side);
            open.push(next);
        }
        if is_reissue {
            let index = self.reissue_of(side, last);
            open.push(Situation { is_mishap_to_come, ..situation.with(side, index) });
        }
    }

    fn is_first_of(&self, side: usize, index: u16) -> bool {
        let message = &self.messages[usize::from(index)];
        message.sender == self.sides[side].agency && message.replaces.is_none()
    }

    /// The messages that the side's own gateway signs when it has these.
    fn replies(&mut self, side: usize, has: &[u16], is_restored: bool) -> Vec<u16> {
        let key = (side * 2 + usize::from(is_restored), has.to_vec());
        if let Some(known) = self.replies.get(&key) {
            return known.clone();
        }
        let messages: Vec<_> = has.iter().map(|index| self.messages[usize::from(*index)].clone()).collect();
        let fold = CaseFold::new(self.rules, &self.sides[0].agency, &messages);
        let sender = self.sides[side].agency.clone();
        let place = fold.next_place(&sender, is_restored);
        let signed = hour(place.turn * 25);
        let menu = self.sides[side].menu.clone();
        let is_allowed = |fact: &R::Fact| {
            let intent = Intent { sender: &sender, id: id(0), answers: None, signed, fact, turn: place.turn };
            fold.check(&intent).is_ok()
        };
        let allowed: Vec<(usize, R::Fact)> =
            menu.into_iter().enumerate().filter(|(_, fact)| is_allowed(fact)).collect();
        drop(fold);
        let seen = |other: &Side<_>| place.seen.get(&other.agency).copied().unwrap_or_default();
        let seen: Vec<u64> = self.sides.iter().map(seen).collect();
        let signed =
            allowed.into_iter().map(|(at, fact)| self.message(side, place.turn, seen.clone(), at, fact));
        let signed: Vec<u16> = signed.collect();
        self.replies.insert(key, signed.clone());
        signed
    }

    /// The number of this message. The same words at the same place are the same message in every conversation.
    fn message(&mut self, side: usize, turn: u64, seen: Vec<u64>, at: usize, fact: R::Fact) -> u16 {
        let key = (side, turn, seen, at);
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let number = u16::try_from(self.messages.len()).expect("a small model");
        let agencies = self.sides.iter().map(|side| side.agency.clone());
        let seen = agencies.zip(key.2.iter().copied()).filter(|(_, turn)| *turn > 0).collect();
        self.messages.push(CaseMessage {
            sender: self.sides[side].agency.clone(),
            id: id(u64::from(number) + 1),
            replaces: None,
            turn,
            seen,
            created: hour(turn * 25),
            first_created: None,
            content: content(u64::from(number)),
            in_reply_to: None,
            delivered: None,
            message_type: "test".to_owned(),
            fact: Some(fact),
        });
        self.known.insert(key, number);
        number
    }

    /// The number of the message issued again.
    fn reissue_of(&mut self, side: usize, original: u16) -> u16 {
        let key = (side, u64::MAX, Vec::new(), usize::from(original));
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let number = u16::try_from(self.messages.len()).expect("a small model");
        let again = super::reissue(&self.messages[usize::from(original)], u64::from(number) + 1);
        self.messages.push(again);
        self.known.insert(key, number);
        number
    }
}

impl Situation {
    /// Each message that somebody has may come to each side that lacks it.
    fn deliveries(&self) -> Vec<Self> {
        let mut all: Vec<u16> = self.has.concat();
        all.sort_unstable();
        all.dedup();
        let mut next = Vec::new();
        for (side, has) in self.has.iter().enumerate() {
            for message in all.iter().filter(|message| has.binary_search(message).is_err()) {
                next.push(self.with(side, *message));
            }
        }
        next
    }

    fn with(&self, side: usize, message: u16) -> Self {
        let mut next = self.clone();
        let has = &mut next.has[side];
        if let Err(place) = has.binary_search(&message) {
            has.insert(place, message);
        }
        next
    }
}
