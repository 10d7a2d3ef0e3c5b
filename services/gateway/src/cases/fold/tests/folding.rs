//! Tests of the fold with the rules of a small family: one side opens, the other claims, the first stops or closes.

mod properties;

use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*, sample::Index};

use rovuma_schemas::{AgencyCode, CaseId, Header, MessageId, Sender, Status, Timestamp, Version};

use super::{agency, content, conversation::LATE, hour, id, message, reissue};
use crate::cases::fold::{
    CaseFold, Intent, MissingTurns, Outcome, WarningKind,
    message::{CONTENTS_PER_TURN_MAX, CaseMessage, MESSAGES_MAX, PARTIES_MAX, TURN_MAX, TURNS_RESERVED},
    rules::{Applied, Ball, Breach, CaseRules, Doubt, Effect, NoEffect, PartyTurn, Step},
};
use crate::cases::{
    identifiers::ContentIdentifiers,
    kept::{Contribution, KeptMessage},
};

const OWNER: &str = "tz.tpf";
const OTHER: &str = "mz.prm";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fact {
    Open,
    Claim,
    Close,
    Stop,
    Seal,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct State {
    is_open: bool,
    last_claim: Option<PartyTurn>,
    end: Option<Fact>,
    is_sealed: bool,
}

struct Rules;

impl CaseRules for Rules {
    type Fact = Fact;
    type State = State;
    type View = State;

    fn rank(&self, fact: &Fact) -> u8 {
        *fact as u8
    }

    fn is_absorbing(&self, fact: &Fact) -> bool {
        *fact == Fact::Seal
    }

    fn lawful(&self, state: &State, step: &Step<'_, Fact>) -> Result<(), Breach> {
        match step.fact {
            Fact::Seal => Ok(()),
            Fact::Open | Fact::Close | Fact::Stop if !step.is_owner => Err(Breach::NotItsPart),
            Fact::Open if state.is_open => Err(Breach::NotInState),
            Fact::Open => Ok(()),
            _ if !state.is_open => Err(Breach::NotOpened),
            Fact::Close if state.last_claim.is_none() || state.end.is_some() => Err(Breach::NotInState),
            Fact::Stop if state.last_claim.is_some() => Err(Breach::NotInState),
            Fact::Claim | Fact::Stop if state.end.is_some() => Err(Breach::NotInState),
            Fact::Claim | Fact::Close | Fact::Stop => Ok(()),
        }
    }

    fn apply(&self, state: &mut State, step: &Step<'_, Fact>) -> Applied {
        match step.fact {
            Fact::Open => state.is_open = true,
            Fact::Claim => (state.last_claim, state.end) = (Some(step.place), None),
            Fact::Close if state.last_claim.is_some_and(|claim| !step.certainly_had(claim)) => {
                return Applied::Without(NoEffect::LastWordUnseen);
            }
            Fact::Stop if state.last_claim.is_some() => return Applied::Without(NoEffect::TooLate),
            Fact::Close | Fact::Stop => state.end = Some(*step.fact),
            Fact::Seal => state.is_sealed = true,
        }
        Applied::Whole
    }

    fn view(&self, state: &State, _: Timestamp) -> State {
        *state
    }

    fn ball(&self, view: &State) -> Ball {
        if view.end.is_some() { Ball::Nobody } else { Ball::Other }
    }
}

type Message = CaseMessage<Fact>;

/// The lines as (sender, turn, id, effect), and the outcome.
type Folded = (Vec<(String, u64, MessageId, Effect)>, Outcome<State>);

fn fold(messages: &[Message]) -> Folded {
    let owner = agency(OWNER);
    let fold = CaseFold::new(&Rules, &owner, messages);
    let line =
        |line: &crate::cases::fold::Line<'_>| (line.sender.to_string(), line.turn, line.id, line.effect);
    (fold.lines().iter().map(line).collect(), fold.at(hour(LATE)))
}

fn effects(messages: &[Message]) -> Vec<Effect> {
    fold(messages).0.into_iter().map(|(_, _, _, effect)| effect).collect()
}

fn warnings(messages: &[Message]) -> Vec<(String, u64, WarningKind)> {
    let warnings = fold(messages).1.warnings.into_iter();
    warnings.map(|warning| (warning.agency.to_string(), warning.turn, warning.kind)).collect()
}

fn open() -> Message {
    message(OWNER, 1, &[], Fact::Open)
}

fn missing(code: &str, from: u64, to: u64) -> MissingTurns {
    MissingTurns { agency: agency(code), from, to }
}

fn allowed(messages: &[Message], sender: &str, turn: u64, fact: Fact) -> Result<Effect, Breach> {
    let (owner, sender) = (agency(OWNER), agency(sender));
    let fold = CaseFold::new(&Rules, &owner, messages);
    let intent = Intent { sender: &sender, id: id(0), answers: None, signed: hour(LATE), fact: &fact, turn };
    fold.check(&intent)
}

#[test]
fn a_fact_that_crosses_a_decision_comes_first() {
    let stop = message(OWNER, 2, &[], Fact::Stop);
    let crossed = message(OTHER, 1, &[(OWNER, 1)], Fact::Claim);
    assert_eq!(
        effects(&[stop.clone(), crossed, open()]),
        [Effect::Applied, Effect::Applied, Effect::Without(NoEffect::TooLate)]
    );
    let knowing = message(OTHER, 1, &[(OWNER, 2)], Fact::Claim);
    assert_eq!(
        effects(&[knowing, stop, open()]),
        [Effect::Applied, Effect::Applied, Effect::Unlawful(Breach::NotInState)]
    );
}

#[test]
fn without_the_opener_nothing_is_judged_and_nobody_accused() {
    let claim = message(OTHER, 1, &[(OWNER, 1)], Fact::Claim);
    let (lines, outcome) = fold(std::slice::from_ref(&claim));
    assert_eq!(lines[0].3, Effect::Unjudged(Doubt::OpenerMissing));
    assert_eq!(outcome.missing, [missing(OWNER, 1, 1)]);
    assert_eq!(effects(&[claim, open()]), [Effect::Applied; 2]);
    // Nobody can have answered what they had not seen.
    let guessed = message(OTHER, 1, &[], Fact::Claim);
    assert_eq!(effects(&[guessed, open()])[1], Effect::Unlawful(Breach::NotOpened));
    let not_its_part = message(OTHER, 1, &[(OWNER, 1)], Fact::Stop);
    assert_eq!(effects(&[not_its_part]), [Effect::Unlawful(Breach::NotItsPart)]);
}

#[test]
fn a_hole_is_named_and_is_not_seen() {
    let late = message(OTHER, 4, &[(OWNER, 3)], Fact::Claim);
    let messages = [open(), message(OTHER, 1, &[(OWNER, 1)], Fact::Claim), late];
    let outcome = fold(&messages).1;
    assert_eq!(outcome.missing, [missing(OTHER, 2, 3), missing(OWNER, 2, 3)]);
    let owner = agency(OWNER);
    let fold = CaseFold::new(&Rules, &owner, &messages);
    let place = fold.next_place(&owner, false);
    assert_eq!((place.turn, place.seen), (2, [(agency(OTHER), 1)].into()));
    // The owner's turns 2 and 3 are lost with its store: it goes on above what the other side has seen.
    assert_eq!(fold.next_place(&owner, true).turn, 4);
    assert_eq!(fold.next_place(&agency("mz.senami"), false).turn, 1);
    let known = fold.known_to(&owner, hour(LATE));
    assert_eq!(known.last_claim, Some(PartyTurn::new(0, 1, false)), "what came after the hole is not known");
    assert_eq!(fold.at(hour(LATE)).state.last_claim, Some(PartyTurn::new(0, 4, false)));
    assert!(
        fold.is_behind(&owner) && !fold.is_behind(&agency(OTHER)) && !fold.is_behind(&agency("mz.senami"))
    );
}

#[test]
fn a_message_beyond_a_hole_is_not_accused() {
    // Its author had the owner's turn 2, which is not here.
    let claim = message(OTHER, 2, &[(OWNER, 2)], Fact::Claim);
    let stop = message(OWNER, 3, &[], Fact::Stop);
    let close = message(OWNER, 4, &[(OTHER, 1)], Fact::Close);
    let messages = [open(), claim, stop, close];
    let judged = effects(&messages);
    assert_eq!(
        judged,
        [
            Effect::Applied,
            Effect::Applied,
            Effect::Without(NoEffect::TooLate),
            Effect::Unjudged(Doubt::PastMissing)
        ]
    );
}

#[test]
fn a_reissued_message_fills_the_place_of_the_original() {
    let claim = message(OTHER, 1, &[(OWNER, 1)], Fact::Claim);
    let again = reissue(&claim, 900);
    let third = reissue(&again, 901);
    let close = message(OWNER, 2, &[(OTHER, 1)], Fact::Close);
    let alone = fold(&[open(), claim.clone(), close.clone()]);
    for copies in
        [vec![again.clone(), claim.clone()], vec![third.clone(), again.clone(), claim.clone()], vec![again]]
    {
        let messages = [&copies[..], &[open(), close.clone()]].concat();
        assert_eq!(fold(&messages), alone, "{copies:?}");
    }
    // Of a chain whose oldest link is on nobody's side, the oldest that is named stands for all.
    let folded = fold(&[open(), third, close]);
    assert_eq!((folded.0[1].2, folded.1), (id(900), alone.1));
}

#[test]
fn a_turn_used_twice_is_kept_twice_and_settles_nothing() {
    let first = message(OTHER, 1, &[(OWNER, 1)], Fact::Claim);
    let second = Message { id: id(1), content: content(77), ..first.clone() };
    let close = message(OWNER, 2, &[(OTHER, 1)], Fact::Close);
    let mut messages = vec![open(), first.clone(), close];
    assert_eq!(fold(&messages).1.state.end, Some(Fact::Close));
    messages.push(second.clone());
    let (lines, outcome) = fold(&messages);
    let ids: Vec<_> = lines.iter().map(|(_, _, id, _)| *id).collect();
    assert_eq!(ids[1..3], [second.id, first.id], "by id");
    assert_eq!(lines[3].3, Effect::Without(NoEffect::LastWordUnseen));
    assert_eq!(outcome.state.end, None);
    assert_eq!(warnings(&messages), [(OTHER.to_owned(), 1, WarningKind::CaseTurnReused)]);
    // With a newer claim the owner can close.
    messages.push(message(OTHER, 2, &[(OWNER, 1)], Fact::Claim));
    messages.push(message(OWNER, 3, &[(OTHER, 2)], Fact::Close));
    assert_eq!(fold(&messages).1.state.end, Some(Fact::Close));
}

#[test]
fn who_has_seen_one_content_of_a_reused_turn_is_not_accused() {
    let stop = message(OWNER, 2, &[], Fact::Stop);
    let seal = Message { id: id(1), content: content(77), fact: Some(Fact::Seal), ..stop.clone() };
    // It had the sealing, not the stop.
    let claim = message(OTHER, 1, &[(OWNER, 2)], Fact::Claim);
    let messages = [open(), stop.clone(), seal, claim.clone()];
    assert_eq!(effects(&messages)[3], Effect::Applied);
    // Neither content allows this one; but who knows what its author had.
    let other = Message { id: id(2), content: content(78), ..stop.clone() };
    assert_eq!(effects(&[open(), stop, other, claim])[3], Effect::Unjudged(Doubt::TurnReused));
}

#[test]
fn an_unknown_type_holds_its_turn_and_warns() {
    let unknown = Message { fact: None, ..message(OTHER, 1, &[(OWNER, 1)], Fact::Claim) };
    let claim = message(OTHER, 2, &[(OWNER, 1)], Fact::Claim);
    let messages = [open(), unknown, claim];
    assert_eq!(effects(&messages), [Effect::Applied, Effect::Unjudged(Doubt::UnknownType), Effect::Applied]);
    assert!(fold(&messages).1.missing.is_empty());
    assert_eq!(warnings(&messages), [(OTHER.to_owned(), 1, WarningKind::UnknownType)]);
}

#[test]
fn two_that_claim_to_have_seen_each_other_have_one_order() {
    let mut messages = vec![
        open(),
        message(OTHER, 1, &[(OWNER, 2)], Fact::Claim),
        message(OWNER, 2, &[(OTHER, 1)], Fact::Seal),
        message("mz.senami", 1, &[(OTHER, 1), ("mz.sernic", 1)], Fact::Claim),
        message("mz.sernic", 1, &[("mz.senami", 1)], Fact::Claim),
    ];
    let folded = fold(&messages);
    assert_eq!(folded.0.len(), messages.len());
    for _ in 0..messages.len() {
        messages.rotate_left(1);
        assert_eq!(fold(&messages), folded);
    }
}

#[test]
fn turns_beyond_the_limit_do_not_count_but_an_absorbing_message_does() {
    let beyond = message(OTHER, TURN_MAX + 1, &[(OWNER, 1)], Fact::Claim);
    let seal = message(OTHER, TURN_MAX + 7, &[], Fact::Seal);
    let again = message(OTHER, TURN_MAX + 8, &[], Fact::Seal);
    let zero = message(OTHER, 0, &[], Fact::Claim);
    let (lines, outcome) = fold(&[open(), beyond, seal, again, zero]);
    let excess = Effect::Unjudged(Doubt::BeyondLimit);
    let effects: Vec<_> = lines.iter().map(|(_, turn, _, effect)| (*turn, *effect)).collect();
    assert_eq!(
        effects,
        [
            (1, Effect::Applied),
            (TURN_MAX + 7, Effect::Applied),
            (0, excess),
            (TURN_MAX + 1, excess),
            (TURN_MAX + 8, excess)
        ]
    );
    assert!(outcome.state.is_sealed);
    assert_eq!(outcome.missing, [missing(OTHER, 1, TURN_MAX)]);
}

#[test]
fn an_own_gateway_keeps_the_last_turns_for_what_must_be_possible() {
    let last = TURN_MAX - TURNS_RESERVED;
    assert_eq!(allowed(&[open()], OTHER, last, Fact::Claim), Ok(Effect::Applied));
    assert_eq!(allowed(&[open()], OTHER, last + 1, Fact::Claim), Err(Breach::TooMany));
    assert_eq!(allowed(&[open()], OTHER, TURN_MAX, Fact::Seal), Ok(Effect::Applied));
    // And beyond the last: nobody keeps it back by pushing the count.
    assert_eq!(allowed(&[open()], OTHER, TURN_MAX + 1, Fact::Seal), Ok(Effect::Applied));
    assert_eq!(allowed(&[open()], OTHER, TURN_MAX + 1, Fact::Claim), Err(Breach::TooMany));
    assert_eq!(allowed(&[], OTHER, 1, Fact::Claim), Err(Breach::NotOpened));
}

#[test]
fn who_lacked_what_a_third_party_had_seen_is_not_accused() {
    let stop = message(OWNER, 2, &[], Fact::Stop);
    let first = message("mz.senami", 1, &[(OWNER, 2)], Fact::Claim);
    let second = message(OTHER, 1, &[(OWNER, 1), ("mz.senami", 1)], Fact::Seal);
    let third = message("mz.sernic", 1, &[(OWNER, 2), (OTHER, 1)], Fact::Claim);
    let here = [open(), stop, second, third];
    let effect = |messages: &[Message], sender: &str| {
        let lines = fold(messages).0.into_iter();
        lines.filter(|(own, _, _, _)| own == sender).map(|(_, _, _, effect)| effect).next_back()
    };
    let doubt = Some(Effect::Unjudged(Doubt::PastMissing));
    assert_eq!(effect(&here, "mz.sernic"), doubt);
    let all = [&here[..], &[first]].concat();
    assert_eq!(effect(&all, "mz.sernic"), doubt);
    assert_eq!(effect(&all, "mz.senami"), Some(Effect::Unlawful(Breach::NotInState)));
    // Our own gateway counts as seen only what it can judge.
    let owner = agency(OWNER);
    let place = CaseFold::new(&Rules, &owner, &here).next_place(&owner, false);
    assert!(place.seen.is_empty(), "{place:?}");
}

#[test]
fn a_liar_does_not_push_our_count() {
    let lie = message(OTHER, 1, &[(OWNER, TURN_MAX)], Fact::Claim);
    let messages = [open(), lie];
    let owner = agency(OWNER);
    let fold = CaseFold::new(&Rules, &owner, &messages);
    let place = fold.next_place(&owner, false);
    assert_eq!((place.turn, place.seen.len()), (2, 0), "a message whose past is not here is not seen");
}

#[test]
fn a_flood_does_not_push_out_the_owner_and_is_bounded() {
    let mut messages: Vec<Message> = Vec::new();
    for party in 0..PARTIES_MAX + 5 {
        let sender = format!("mz.p{party:02}");
        messages.extend((1..=40).map(|turn| message(&sender, turn, &[(OWNER, 1)], Fact::Claim)));
    }
    messages.extend((1..=40).map(|turn| {
        let fact = if turn == 1 { Fact::Open } else { Fact::Seal };
        message(OWNER, turn, &[], fact)
    }));
    let (lines, outcome) = fold(&messages);
    let counted = lines.iter().filter(|(_, _, _, effect)| effect.is_lawful()).count();
    assert_eq!((counted, lines.len()), (MESSAGES_MAX, messages.len()));
    let owners = lines.iter().filter(|(sender, _, _, effect)| sender == OWNER && effect.is_lawful());
    assert_eq!((owners.count(), outcome.state.is_sealed), (40, true));

    let contents = (0..9).map(|number| Message {
        id: id(number),
        content: content(number),
        ..message(OTHER, 1, &[(OWNER, 1)], Fact::Claim)
    });
    let messages: Vec<_> = contents.chain([open()]).collect();
    let counted = effects(&messages).into_iter().filter(|effect| effect.is_lawful()).count();
    assert_eq!(counted, CONTENTS_PER_TURN_MAX + 1);
}

/// Messages that cross many others are judged without those, from whichever copy of the state.
#[test]
fn long_chains_that_cross_are_judged_by_their_own_past() {
    for before in [1, 15, 16, 17, 33] {
        let mut messages = vec![open()];
        messages.extend((2..=before).map(|turn| message(OWNER, turn, &[], Fact::Seal)));
        messages.extend((1..=40).map(|turn| message(OTHER, turn, &[(OWNER, before)], Fact::Claim)));
        messages.extend([1, 2].map(|next| message(OWNER, before + next, &[], Fact::Stop)));
        let effects = effects(&messages);
        let (last, others) =
            effects.split_last_chunk::<2>().map(|(others, last)| (last, others)).expect("two");
        assert!(others.iter().all(|effect| *effect == Effect::Applied), "{effects:?}");
        // The first crossed the claims; the second could have known of the first.
        assert_eq!(*last, [Effect::Without(NoEffect::TooLate), Effect::Unlawful(Breach::NotInState)]);
    }
}

/// The codes by which people and programs tell effects and warnings apart.
#[test]
fn every_effect_has_its_code() {
    use Effect::{Unjudged, Unlawful, Without};
    let effects = [
        Effect::Applied,
        Effect::Supplement,
        Without(NoEffect::TooLate),
        Without(NoEffect::LastWordUnseen),
        Without(NoEffect::AfterEnd),
        Without(NoEffect::OlderVersion),
        Without(NoEffect::Withdrawn),
        Unlawful(Breach::NotItsPart),
        Unlawful(Breach::NotAParty),
        Unlawful(Breach::NotOpened),
        Unlawful(Breach::NotInState),
        Unlawful(Breach::TooEarly),
        Unlawful(Breach::TooMany),
        Unjudged(Doubt::OpenerMissing),
        Unjudged(Doubt::PastMissing),
        Unjudged(Doubt::TurnReused),
        Unjudged(Doubt::UnknownType),
        Unjudged(Doubt::BeyondLimit),
    ];
    let codes: BTreeSet<_> = effects.iter().map(|effect| (effect.as_str(), effect.reason())).collect();
    assert_eq!(codes.len(), effects.len());
    let reasons: BTreeSet<_> = effects.iter().filter_map(|effect| effect.reason()).collect();
    assert_eq!(reasons.len(), effects.len() - 2);
    let warnings = [
        WarningKind::CaseTurnReused,
        WarningKind::Unlawful(Breach::NotInState),
        WarningKind::UnknownType,
        WarningKind::BeyondLimit,
    ];
    assert_eq!(warnings.map(WarningKind::as_str).iter().collect::<BTreeSet<_>>().len(), warnings.len());
    assert_eq!(WarningKind::CaseTurnReused.as_str(), "case_turn_reused");
}

#[test]
fn a_header_gives_the_place_and_a_message_without_a_case_has_none() {
    let message = message(OTHER, 3, &[(OWNER, 2)], Fact::Claim);
    let case = CaseId { kind: "sample".to_owned(), owner: agency(OWNER), id: id(1) };
    let mut header = Header {
        id: message.id,
        message_type: "sample.claim".to_owned(),
        version: Version::CURRENT,
        status: Status::Actual,
        sender: Sender { agency: agency(OTHER), unit: None, officer: None },
        recipients: Vec::new(),
        created: hour(9),
        expires: None,
        reference: None,
        in_reply_to: Some(id(1)),
        replaces: Some(id(2)),
        first_created: Some(hour(8)),
        case: Some(case.clone()),
        turn: Some(3),
        seen: message.seen.clone(),
    };
    let contribution = || Contribution {
        content: content(5),
        fact: None,
        is_bare_certificate: false,
        identifiers: ContentIdentifiers::default(),
    };
    let (in_case, read) = KeptMessage::of_header(&header, contribution()).expect("a message of a case");
    assert_eq!((in_case, read.turn, &read.seen), (case, 3, &message.seen));
    assert_eq!((read.created, read.first_created), (hour(9), Some(hour(8))));
    assert_eq!((read.id, read.replaces, read.in_reply_to), (message.id, Some(id(2)), Some(id(1))));
    header.case = None;
    assert!(KeptMessage::of_header(&header, contribution()).is_none());
}
