//! The fold of a case: its state is a pure function of the set of its messages and of the time, so that both sides compute the
//! same from the same messages, in whatever order those arrived.
//!
//! 1. [`Chains`] puts messages that were issued again together, and each party's messages in the order of their turns.
//! 2. [`merge`] makes one order of the chains.
//! 3. In that order, each message is judged by the state that its author knew: exactly the author's earlier turns and what it had
//!    seen. Lawful ones are applied.
//! 4. The family's rules add what follows from time.
//!
//! Architecture invariant: nothing here reads a store, a clock or the order of arrival. An unlawful message is an entry with its
//! reason, never an error.

mod chains;
pub(crate) mod message;
mod names;
mod order;
pub(crate) mod rules;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use rovuma_schemas::{AgencyCode, MessageId, Timestamp};

pub(crate) use chains::MissingTurns;
use chains::{ChainEntry, Chains};
use message::{CONTENTS_PER_TURN_MAX, CaseMessage, TURN_MAX, TURNS_RESERVED};
pub(crate) use names::deliveries;
use order::merge;
use rules::{Ball, Breach, CaseRules, Doubt, Effect, PartyTurn, Step};

/// A copy of the state is kept after every so many messages. A message that crossed others is judged from the last copy before
/// them; more copies would cost more than they save in a case of a few dozen messages.
const SNAPSHOT_EVERY: usize = 16;

/// The messages of a case in their order, each judged.
#[derive(Debug)]
pub(crate) struct CaseFold<'a, R: CaseRules> {
    rules: &'a R,
    chains: Chains<'a, R::Fact>,
    /// The judged entries in their order.
    judged: Vec<Judged>,
    /// The states before each [`SNAPSHOT_EVERY`]th of them.
    snapshots: Vec<R::State>,
    state: R::State,
}

#[derive(Clone, Copy, Debug)]
struct Judged {
    index: usize,
    effect: Effect,
}

/// One line of a case's time line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'f> {
    /// The sender.
    pub(crate) sender: &'f AgencyCode,
    /// The sender's turn.
    pub(crate) turn: u64,
    /// The canonical id.
    pub(crate) id: MessageId,
    /// Every id under which the content came, ascending.
    pub(crate) ids: &'f [MessageId],
    /// The name of its type.
    pub(crate) message_type: &'f str,
    /// What became of it.
    pub(crate) effect: Effect,
}

/// What a case is at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome<V> {
    /// The state, in the family's terms.
    pub(crate) state: V,
    /// Who must act next.
    pub(crate) ball: Ball,
    /// The turns that are on the way or lost. With the owner's turn 1 among them, the case itself has not arrived.
    pub(crate) missing: Vec<MissingTurns>,
    /// What people must look at, by agency and turn.
    pub(crate) warnings: Vec<Warning>,
}

/// What people must look at in a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Warning {
    /// The agency whose message or turn it is.
    pub(crate) agency: AgencyCode,
    /// The turn.
    pub(crate) turn: u64,
    /// The kind of warning.
    pub(crate) kind: WarningKind,
}

/// The kinds of warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WarningKind {
    /// The turn was used twice with different content: the agency's store was restored. All contents are kept.
    CaseTurnReused,
    /// An unlawful message.
    Unlawful(Breach),
    /// A message of an unknown type: the state may be older than it.
    UnknownType,
    /// A message beyond a limit, which does not count.
    BeyondLimit,
}

impl WarningKind {
    /// The code in the API and of the alarm.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::CaseTurnReused => "case_turn_reused",
            Self::Unlawful(_) => "case_message_unlawful",
            Self::UnknownType => "case_type_unknown",
            Self::BeyondLimit => "case_beyond_limit",
        }
    }
}

/// The place of a message that is released now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NextPlace {
    /// Its turn.
    pub(crate) turn: u64,
    /// For each other party, the turn up to which everything is here; parties of whom nothing is here are left out.
    pub(crate) seen: BTreeMap<AgencyCode, u64>,
}

/// What an author is about to sign.
#[derive(Debug)]
pub(crate) struct Intent<'a, F> {
    /// The author's agency.
    pub(crate) sender: &'a AgencyCode,
    /// The id that the message will have.
    pub(crate) id: MessageId,
    /// The canonical id of the message that it answers.
    pub(crate) answers: Option<MessageId>,
    /// The time of signing.
    pub(crate) signed: Timestamp,
    /// What it says.
    pub(crate) fact: &'a F,
    /// The turn that it gets.
    pub(crate) turn: u64,
}

/// Which of the contents of a reused turn count.
#[derive(Clone, Copy)]
enum Choice {
    All,
    /// The content at this place of each reused turn, or its last.
    Only(usize),
}

impl<'a, R: CaseRules> CaseFold<'a, R> {
    /// Folds the messages of the case that `owner` opened. Duplicates and the order of the messages make no difference.
    pub(crate) fn new(rules: &'a R, owner: &'a AgencyCode, messages: &'a [CaseMessage<R::Fact>]) -> Self {
        let chains = Chains::of(owner, messages, |fact| rules.is_absorbing(fact));
        let order = merge(&chains, |fact| rules.rank(fact));
        let mut fold = Self {
            rules,
            judged: Vec::with_capacity(order.len()),
            chains,
            snapshots: Vec::new(),
            state: R::State::default(),
        };
        for index in order {
            if fold.judged.len().is_multiple_of(SNAPSHOT_EVERY) {
                fold.snapshots.push(fold.state.clone());
            }
            let effect = fold.judge_and_apply(index);
            fold.judged.push(Judged { index, effect });
        }
        fold
    }

    /// Every message in its order. Messages beyond a limit come last.
    pub(crate) fn lines(&self) -> Vec<Line<'_>> {
        let judged = self.judged.iter().map(|judged| {
            let entry = &self.chains.entries[judged.index];
            Line {
                sender: self.chains.parties[entry.party],
                turn: entry.turn,
                id: entry.id,
                ids: &entry.ids,
                message_type: entry.message_type,
                effect: judged.effect,
            }
        });
        let excess = self.chains.excess.iter().map(|excess| Line {
            sender: excess.sender,
            turn: excess.turn,
            id: excess.id,
            ids: &excess.ids,
            message_type: excess.message_type,
            effect: Effect::Unjudged(Doubt::BeyondLimit),
        });
        judged.chain(excess).collect()
    }

    /// What the case is at `now`.
    pub(crate) fn at(&self, now: Timestamp) -> Outcome<R::View> {
        let (state, ball) = self.view_at(now);
        Outcome { ball, state, missing: self.chains.missing(), warnings: self.warnings() }
    }

    /// The state at `now`, and who must act.
    pub(crate) fn view_at(&self, now: Timestamp) -> (R::View, Ball) {
        let view = self.rules.view(&self.state, now);
        let ball = self.rules.ball(&view);
        (view, ball)
    }

    /// What `agency` knows of the case at `now`: the state that its next message is judged by. Unlike [`Self::at`] it leaves out
    /// what came after a hole.
    pub(crate) fn known_to(&self, agency: &AgencyCode, now: Timestamp) -> R::View {
        let past = self.chains.seen_by(self.chains.party(agency));
        self.rules.view(&self.state_of_past(&past), now)
    }

    /// Whether another party has seen turns of `agency` that are not here. In that agency's own store this means that the store
    /// was restored, or that the other party is wrong.
    pub(crate) fn is_behind(&self, agency: &AgencyCode) -> bool {
        let own = self.chains.party(agency);
        own.is_some_and(|own| self.chains.claimed_turn(own) > self.chains.last_turn(own))
    }

    /// The turn and `seen` of the next message of `sender`. After a restore (`is_restored`) the turn is above what the other
    /// parties have seen. Without a restore their word is not believed: it could push the count to its limit.
    pub(crate) fn next_place(&self, sender: &AgencyCode, is_restored: bool) -> NextPlace {
        let own = self.chains.party(sender);
        let last = own.map_or(0, |own| {
            let claimed = if is_restored { self.chains.claimed_turn(own) } else { 0 };
            self.chains.last_turn(own).max(claimed)
        });
        let seen = self.chains.seen_by(own).into_iter().enumerate();
        let others = seen.filter(|(party, turn)| Some(*party) != own && *turn > 0);
        let seen = others.map(|(party, turn)| (self.chains.parties[party].clone(), turn)).collect();
        NextPlace { turn: last + 1, seen }
    }

    /// Whether the sender's own gateway signs this message now, and the effect that it would have if nothing crossed it.
    ///
    /// # Errors
    /// The [`Breach`] that it would be: the gateway does not sign it.
    pub(crate) fn check(&self, intent: &Intent<'_, R::Fact>) -> Result<Effect, Breach> {
        // A party's first absorbing message counts at every turn: nobody keeps it back by pushing our count.
        if !self.rules.is_absorbing(intent.fact) && intent.turn > TURN_MAX - TURNS_RESERVED {
            return Err(Breach::TooMany);
        }
        let own = self.chains.party(intent.sender);
        let past = self.chains.seen_by(own);
        let step = Step {
            sender: intent.sender,
            is_owner: own == Some(self.chains.owner),
            id: intent.id,
            answers: intent.answers,
            signed: intent.signed,
            fact: intent.fact,
            // An agency that has sent nothing gets an index behind all others.
            place: PartyTurn::new(own.unwrap_or(self.chains.parties.len()), intent.turn, false),
            past: &past,
        };
        let mut state = self.state_of_past(&past);
        self.rules.lawful(&state, &step)?;
        self.rules.may_sign(&state, &step)?;
        Ok(self.rules.apply(&mut state, &step).into())
    }

    fn judge_and_apply(&mut self, index: usize) -> Effect {
        let entry = &self.chains.entries[index];
        let Some(fact) = entry.fact else { return Effect::Unjudged(Doubt::UnknownType) };
        let step = step(&self.chains, entry, fact);
        match self.judge(entry, &step) {
            Ok(()) => self.rules.apply(&mut self.state, &step).into(),
            Err(verdict) => verdict,
        }
    }

    /// Judges an entry by the state that its author knew. Each entry is judged once, for all states that it is part of.
    fn judge(&self, entry: &ChainEntry<'_, R::Fact>, step: &Step<'_, R::Fact>) -> Result<(), Effect> {
        let lawful = |choice| {
            if !self.rules.is_judged_by_state(step.fact) {
                return self.rules.lawful(&self.state, step);
            }
            let apply = |state: &mut R::State, step: &Step<'_, R::Fact>| {
                self.rules.apply_for_judging(state, step);
            };
            self.with_state_of_past(&entry.past, choice, apply, |state| self.rules.lawful(state, step))
        };
        let Err(breach) = lawful(Choice::All) else { return Ok(()) };
        if breach.is_certain() {
            return Err(Effect::Unlawful(breach));
        }
        if self.has_reused(&entry.past) {
            // Its author may have seen one content of the turn alone.
            let mut choices = (0..CONTENTS_PER_TURN_MAX).map(Choice::Only);
            let is_lawful = choices.any(|choice| lawful(choice).is_ok());
            return if is_lawful { Ok(()) } else { Err(Effect::Unjudged(Doubt::TurnReused)) };
        }
        if self.chains.is_past_complete(entry) && self.is_closed(&entry.past) {
            return Err(Effect::Unlawful(breach));
        }
        let is_opened = self.chains.prefix[self.chains.owner] > 0;
        Err(Effect::Unjudged(if is_opened { Doubt::PastMissing } else { Doubt::OpenerMissing }))
    }

    fn has_reused(&self, past: &[u64]) -> bool {
        self.entries_in(past).any(|entry| entry.siblings > 1)
    }

    /// Whether everything in this past has its own past in it. Where a third party's message came without what that party had
    /// seen, the author could not judge it as everybody can later.
    fn is_closed(&self, past: &[u64]) -> bool {
        self.entries_in(past).all(|entry| entry.past.iter().zip(past).all(|(had, here)| had <= here))
    }

    fn entries_in<'s>(&'s self, past: &'s [u64]) -> impl Iterator<Item = &'s ChainEntry<'a, R::Fact>> {
        let placed = self.judged.iter().map(|judged| &self.chains.entries[judged.index]);
        placed.filter(|entry| is_in(entry, past))
    }

    fn state_of_past(&self, past: &[u64]) -> R::State {
        // In another state the same message may have another effect. Only the whole order decides which one is shown.
        let apply = |state: &mut R::State, step: &Step<'_, R::Fact>| {
            self.rules.apply(state, step);
        };
        self.with_state_of_past(past, Choice::All, apply, R::State::clone)
    }

    /// Reads the state of those entries that the author with this past had. Where that is all so far, it is the present state.
    fn with_state_of_past<T>(
        &self,
        past: &[u64],
        choice: Choice,
        apply: impl Fn(&mut R::State, &Step<'_, R::Fact>),
        read: impl FnOnce(&R::State) -> T,
    ) -> T {
        let is_left_out = |judged: &Judged| {
            let entry = &self.chains.entries[judged.index];
            judged.effect.is_lawful() && !(is_in(entry, past) && choice.includes(entry))
        };
        let Some(first) = self.judged.iter().position(is_left_out) else { return read(&self.state) };
        let snapshot = first / SNAPSHOT_EVERY;
        let mut state = self.snapshots.get(snapshot).cloned().unwrap_or_default();
        for judged in self.judged.iter().skip(snapshot * SNAPSHOT_EVERY) {
            let entry = &self.chains.entries[judged.index];
            if let Some(fact) = entry.fact.filter(|_| judged.effect.is_lawful() && !is_left_out(judged)) {
                apply(&mut state, &step(&self.chains, entry, fact));
            }
        }
        read(&state)
    }

    fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for line in self.lines() {
            let kind = match line.effect {
                Effect::Unlawful(breach) => WarningKind::Unlawful(breach),
                Effect::Unjudged(Doubt::UnknownType) => WarningKind::UnknownType,
                Effect::Unjudged(Doubt::BeyondLimit) => WarningKind::BeyondLimit,
                _ => continue,
            };
            warnings.push(Warning { agency: line.sender.clone(), turn: line.turn, kind });
        }
        let reused = self.chains.entries.iter().filter(|entry| entry.siblings > 1 && entry.sibling == 0);
        warnings.extend(reused.map(|entry| Warning {
            agency: self.chains.parties[entry.party].clone(),
            turn: entry.turn,
            kind: WarningKind::CaseTurnReused,
        }));
        warnings.sort_by(|one, other| (&one.agency, one.turn).cmp(&(&other.agency, other.turn)));
        warnings
    }
}

impl Choice {
    fn includes<F>(self, entry: &ChainEntry<'_, F>) -> bool {
        match self {
            Self::All => true,
            Self::Only(place) => entry.sibling == place.min(entry.siblings - 1),
        }
    }
}

fn step<'e, F>(chains: &Chains<'e, F>, entry: &'e ChainEntry<'_, F>, fact: &'e F) -> Step<'e, F> {
    Step {
        sender: chains.parties[entry.party],
        is_owner: entry.party == chains.owner,
        id: entry.id,
        answers: entry.answers,
        signed: entry.signed,
        fact,
        place: PartyTurn::new(entry.party, entry.turn, entry.siblings > 1),
        past: &entry.past,
    }
}

/// Whether the author with this past had the entry.
fn is_in<F>(entry: &ChainEntry<'_, F>, past: &[u64]) -> bool {
    entry.turn <= past[entry.party]
}
