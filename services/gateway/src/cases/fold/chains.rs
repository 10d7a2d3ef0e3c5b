//! The chains of a case: each party's messages by turn, with what is missing and what counts.

use std::collections::BTreeMap;

use rovuma_schemas::{AgencyCode, Digest, MessageId, Timestamp};

use super::{
    message::{CONTENTS_PER_TURN_MAX, CaseMessage, MESSAGES_MAX, PARTIES_MAX, TURN_MAX},
    names::Names,
};

/// One content at its turn: a message, or several that were issued again.
#[derive(Debug)]
pub(crate) struct ChainEntry<'a, F> {
    /// The index of its sender among the parties.
    pub(crate) party: usize,
    /// The sender's turn.
    pub(crate) turn: u64,
    /// The canonical id.
    pub(crate) id: MessageId,
    /// Every id under which it came, ascending.
    pub(crate) ids: Vec<MessageId>,
    /// What its author had: for each party, the turn up to which every message lies in its past. Of the author itself, the
    /// turns before this one.
    pub(crate) past: Vec<u64>,
    /// When the content was first signed.
    pub(crate) signed: Timestamp,
    /// The canonical id of the message that it answers.
    pub(crate) answers: Option<MessageId>,
    /// The name of its type.
    pub(crate) message_type: &'a str,
    /// What it says; absent when this version does not know the type.
    pub(crate) fact: Option<&'a F>,
    /// Its place among the contents of its turn, from 0.
    pub(crate) sibling: usize,
    /// How many contents its turn has. More than one: the sender's store was restored.
    pub(crate) siblings: usize,
}

/// A message that does not count, because it is beyond a limit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Excess<'a> {
    /// Its sender.
    pub(crate) sender: &'a AgencyCode,
    /// The sender's turn.
    pub(crate) turn: u64,
    /// The canonical id.
    pub(crate) id: MessageId,
    /// Every id under which it came, ascending.
    pub(crate) ids: Vec<MessageId>,
    /// The name of its type.
    pub(crate) message_type: &'a str,
}

/// Turns of one party that have not come, though later ones have or another party has seen them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MissingTurns {
    /// The party.
    pub(crate) agency: AgencyCode,
    /// The first missing turn of the range.
    pub(crate) from: u64,
    /// The last one.
    pub(crate) to: u64,
}

/// Each party's messages by turn.
#[derive(Debug)]
pub(crate) struct Chains<'a, F> {
    /// The parties, by agency code.
    pub(crate) parties: Vec<&'a AgencyCode>,
    /// The index of the agency that opened the case.
    pub(crate) owner: usize,
    /// Every content that counts.
    pub(crate) entries: Vec<ChainEntry<'a, F>>,
    /// For each party, the indexes of its entries by turn, then by id.
    pub(crate) of_party: Vec<Vec<usize>>,
    /// For each party, the turn up to which every message is here.
    pub(crate) prefix: Vec<u64>,
    /// Messages beyond a limit.
    pub(crate) excess: Vec<Excess<'a>>,
}

/// The messages with one content at one turn of one sender.
struct Group<'a, F> {
    sender: &'a AgencyCode,
    turn: u64,
    id: MessageId,
    messages: Vec<&'a CaseMessage<F>>,
}

impl<'a, F> Chains<'a, F> {
    /// Sorts the messages of the case that `owner` opened into chains. `is_absorbing` tells the facts that count at every turn.
    pub(crate) fn of(
        owner: &'a AgencyCode,
        messages: &'a [CaseMessage<F>],
        is_absorbing: impl Fn(&F) -> bool,
    ) -> Self {
        let names = Names::of(messages);
        let parties = parties(owner, messages);
        let (counted, excess) = counted(owner, &parties, groups(messages, &names), is_absorbing);
        let siblings = siblings(&counted);
        let mut chains = Self {
            of_party: vec![Vec::new(); parties.len()],
            prefix: vec![0; parties.len()],
            // The owner is always a party.
            owner: parties.binary_search(&owner).unwrap_or_default(),
            entries: Vec::with_capacity(counted.len()),
            excess: excess.iter().map(Group::to_excess).collect(),
            parties,
        };
        for (group, (sibling, siblings)) in counted.iter().zip(siblings) {
            chains.insert(group, &names, sibling, siblings);
        }
        for (prefix, chain) in chains.prefix.iter_mut().zip(&chains.of_party) {
            for entry in chain.iter().map(|index| &chains.entries[*index]) {
                if entry.turn == *prefix + 1 {
                    *prefix = entry.turn;
                }
            }
        }
        chains
    }

    /// The index of this agency among the parties.
    pub(crate) fn party(&self, agency: &AgencyCode) -> Option<usize> {
        self.parties.binary_search(&agency).ok()
    }

    /// The party's last turn that is here; 0 when none is.
    pub(crate) fn last_turn(&self, party: usize) -> u64 {
        self.of_party[party].last().map_or(0, |index| self.entries[*index].turn)
    }

    /// The party's last turn that another party says to have seen.
    pub(crate) fn claimed_turn(&self, party: usize) -> u64 {
        let others = self.entries.iter().filter(|entry| entry.party != party);
        others.map(|entry| entry.past[party]).max().unwrap_or_default().min(TURN_MAX)
    }

    /// Whether everything is here that the author of `entry` had.
    pub(crate) fn is_past_complete(&self, entry: &ChainEntry<'_, F>) -> bool {
        entry.past.iter().zip(&self.prefix).all(|(had, here)| had <= here)
    }

    /// The turns that are missing, by party.
    pub(crate) fn missing(&self) -> Vec<MissingTurns> {
        let mut missing = Vec::new();
        for (party, agency) in self.parties.iter().enumerate() {
            let turns = self.of_party[party].iter().map(|index| self.entries[*index].turn);
            let last = self.last_turn(party).min(TURN_MAX).max(self.claimed_turn(party));
            let mut next = 1;
            // The turn after the last one ends the last range.
            for turn in turns.filter(|turn| *turn <= last).chain([last + 1]) {
                if turn > next {
                    missing.push(MissingTurns { agency: (*agency).clone(), from: next, to: turn - 1 });
                }
                next = turn + 1;
            }
        }
        missing
    }

    /// What an author has seen that has exactly what is here: the longest prefixes such that everything in them has its own past
    /// in them. A hole is not seen, nor is a message whose author had more than is here. `own` is the author's index, if it has
    /// sent something: of its own turns all count.
    pub(crate) fn seen_by(&self, own: Option<usize>) -> Vec<u64> {
        let mut seen = self.prefix.clone();
        if let Some(own) = own {
            seen[own] = self.last_turn(own);
        }
        loop {
            let before = seen.clone();
            for (other, chain) in self.of_party.iter().enumerate().filter(|(other, _)| Some(*other) != own) {
                let entries = chain.iter().map(|index| &self.entries[*index]);
                let open = entries
                    .take_while(|entry| entry.turn <= before[other])
                    .find(|entry| entry.past.iter().zip(&before).any(|(had, here)| had > here));
                if let Some(entry) = open {
                    seen[other] = entry.turn - 1;
                }
            }
            if seen == before {
                return seen;
            }
        }
    }

    fn insert(&mut self, group: &Group<'a, F>, names: &Names<'a>, sibling: usize, siblings: usize) {
        // `counted` keeps groups of parties only.
        let (Some(party), Some(first)) = (self.party(group.sender), group.messages.first()) else { return };
        let mut past: Vec<u64> =
            self.parties.iter().map(|agency| first.seen.get(*agency).copied().unwrap_or_default()).collect();
        past[party] = group.turn - 1;
        self.of_party[party].push(self.entries.len());
        self.entries.push(ChainEntry {
            party,
            turn: group.turn,
            id: group.id,
            ids: group.ids(),
            past,
            signed: group.messages.iter().map(|message| message.signed()).min().unwrap_or(first.created),
            answers: first.in_reply_to.map(|id| names.referred(self.parties[self.owner], id)),
            message_type: &first.message_type,
            fact: first.fact.as_ref(),
            sibling,
            siblings,
        });
    }
}

impl<'a, F> Group<'a, F> {
    fn ids(&self) -> Vec<MessageId> {
        let mut ids: Vec<MessageId> = self.messages.iter().map(|message| message.id).collect();
        ids.dedup();
        ids
    }

    fn to_excess(&self) -> Excess<'a> {
        let message_type = self.messages.first().map_or("", |message| message.message_type.as_str());
        Excess { sender: self.sender, turn: self.turn, id: self.id, ids: self.ids(), message_type }
    }
}

/// The owner, every sender, and every agency that a sender has seen, sorted; within the limit in this order.
fn parties<'a, F>(owner: &'a AgencyCode, messages: &'a [CaseMessage<F>]) -> Vec<&'a AgencyCode> {
    let mut senders: Vec<&AgencyCode> = messages.iter().map(|message| &message.sender).collect();
    let mut named: Vec<&AgencyCode> = messages.iter().flat_map(|message| message.seen.keys()).collect();
    let mut parties = vec![owner];
    for agencies in [&mut senders, &mut named] {
        agencies.sort_unstable();
        agencies.dedup();
        agencies.retain(|agency| !parties.contains(agency));
        agencies.truncate(PARTIES_MAX - parties.len());
        parties.append(agencies);
    }
    parties.sort_unstable();
    parties
}

/// Puts the messages with one content at one turn together: a message that was issued again fills the place of the original.
fn groups<'a, F>(messages: &'a [CaseMessage<F>], names: &Names<'_>) -> Vec<Group<'a, F>> {
    let mut groups: BTreeMap<(&AgencyCode, u64, Digest), Vec<&CaseMessage<F>>> = BTreeMap::new();
    for message in messages {
        groups.entry((&message.sender, message.turn, message.content)).or_default().push(message);
    }
    let group =
        |((sender, turn, _), mut messages): ((&'a AgencyCode, u64, Digest), Vec<&'a CaseMessage<F>>)| {
            messages.sort_unstable_by_key(|message| (message.id, message.created));
            let ids = messages.iter().map(|message| names.canonical(sender, message.id));
            let id = ids.min()?;
            Some(Group { sender, turn, id, messages })
        };
    groups.into_iter().filter_map(group).collect()
}

/// Divides the contents into those that count, by sender, turn and id, and those beyond a limit.
fn counted<'a, F>(
    owner: &AgencyCode,
    parties: &[&AgencyCode],
    mut groups: Vec<Group<'a, F>>,
    is_absorbing: impl Fn(&F) -> bool,
) -> (Vec<Group<'a, F>>, Vec<Group<'a, F>>) {
    // The sort is stable: under one id, contents stay in the order of their digests.
    groups.sort_by_key(|group| (group.sender != owner, group.turn, group.sender, group.id));
    let (mut counted, mut excess) = (Vec::<Group<'a, F>>::new(), Vec::new());
    let (mut of_turn, mut absorbing) = (0, Vec::new());
    for group in groups {
        let is_same_turn =
            counted.last().is_some_and(|last| (last.sender, last.turn) == (group.sender, group.turn));
        of_turn = if is_same_turn { of_turn + 1 } else { 1 };
        let is_in_turns = (1..=TURN_MAX).contains(&group.turn) && of_turn <= CONTENTS_PER_TURN_MAX;
        let fact = group.messages.first().and_then(|message| message.fact.as_ref());
        // One absorbing message of a party is as good as many, and no limit keeps it out: neither its sender nor anybody else can
        // make a withdrawal that was delivered look as if it had not come.
        let is_first_absorbing = fact.is_some_and(&is_absorbing) && !absorbing.contains(&group.sender);
        let is_party = parties.binary_search(&group.sender).is_ok();
        if is_party && (is_first_absorbing || (is_in_turns && counted.len() < MESSAGES_MAX)) {
            if is_first_absorbing {
                absorbing.push(group.sender);
            }
            counted.push(group);
        } else {
            excess.push(group);
        }
    }
    for groups in [&mut counted, &mut excess] {
        groups.sort_by_key(|group| (group.sender, group.turn, group.id));
    }
    (counted, excess)
}

/// For each group, its place among the contents of its turn, and how many there are.
fn siblings<F>(groups: &[Group<'_, F>]) -> Vec<(usize, usize)> {
    let of_one_turn = groups.chunk_by(|one, next| (one.sender, one.turn) == (next.sender, next.turn));
    of_one_turn.flat_map(|turn| (0..turn.len()).map(|place| (place, turn.len()))).collect()
}
