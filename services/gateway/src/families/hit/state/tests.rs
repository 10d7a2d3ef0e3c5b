//! The model of the rules in every order of delivery, and what must hold in all of them.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::cases::fold::{
    CaseFold, Intent, Outcome, WarningKind,
    message::CaseMessage,
    rules::Effect,
    tests::{
        agency,
        conversation::{AtRest, Conversation, LATE, Mishap, Side},
        hour, id, message,
    },
};

const REPORTER: &str = "tz.tisd";
const OWNER: &str = "mz.prm";

fn notify() -> HitFact {
    HitFact::Notify { alert_owner: agency(OWNER) }
}

/// The model's words: the reporter sends up to so many after the report, the owner so many.
fn sides(reporter_max: usize, owner_max: usize) -> Vec<Side<HitFact>> {
    use HitFact as F;
    let reporter = [
        F::Ask { held_until: None },
        F::Act(ReportedAct::Action),
        F::Act(ReportedAct::NoAction),
        F::Retract,
        F::Close,
    ];
    let owner = [
        F::Word(OwnersWord::Confirmed),
        F::Word(OwnersWord::NotConfirmed),
        F::Word(OwnersWord::MoreTime(hour(LATE))),
        F::AlertWithdrawn,
    ];
    vec![
        Side { agency: agency(REPORTER), menu: reporter.to_vec(), messages_max: reporter_max },
        Side { agency: agency(OWNER), menu: owner.to_vec(), messages_max: owner_max },
    ]
}

fn must_hold(rest: &AtRest<'_, '_, HitRules>) {
    let view = rest.fold.at(hour(LATE)).state;
    assert!(!(view.may_act && view.must_release), "{rest:?}");
    let accused = rest.lines_with(|effect| matches!(effect, Effect::Unlawful(_)));
    assert!(accused.iter().all(|line| rest.restored.contains(line.sender)), "{rest:?}");
    if view.progress == Progress::Closed {
        let last = rest.turns(OWNER).max().unwrap_or_default();
        let closes = rest.messages.iter().filter(|message| message.fact == Some(HitFact::Close));
        let had = closes.filter_map(|close| close.seen.get(&agency(OWNER)).copied()).max();
        assert!(had.unwrap_or_default() >= last, "closed unread: {rest:?}");
        assert!(rest.contents(OWNER, last) <= 1, "perhaps unread: {rest:?}");
    }
}

/// The counts of `hit.py 3 2`.
#[test]
fn the_model_in_every_order_of_delivery() {
    let rules = HitRules::default();
    let mut conversation = Conversation::new(&rules, notify(), sides(3, 2), Mishap::None);
    let mut at_rest = BTreeMap::new();
    let situations = conversation.explore(|rest| {
        must_hold(&rest);
        assert!(rest.lines_with(|effect| !effect.is_lawful()).is_empty(), "{rest:?}");
        let view = rest.fold.at(hour(LATE)).state;
        let outcome = (view.progress.as_str(), view.may_act, view.must_release, view.is_contested);
        *at_rest.entry(outcome).or_insert(0) += 1;
    });
    assert_eq!(situations, 399_012);
    for (outcome, count) in [
        (("retracted", false, true, false), 23_906),
        (("no_action", false, true, false), 8_871),
        (("retracted", false, true, true), 5_301),
        (("action", false, true, true), 5_288),
        (("closed", false, true, false), 3_833),
        (("no_action", false, false, false), 3_199),
        (("no_action", true, false, false), 3_181),
        (("action", false, false, false), 2_865),
        (("action", true, false, false), 2_847),
        (("closed", false, true, true), 984),
        (("closed", false, false, false), 762),
        (("closed", true, false, false), 746),
        (("not_confirmed", false, true, false), 531),
        (("more_time", false, false, false), 314),
    ] {
        assert_eq!(at_rest.get(&outcome), Some(&count), "{outcome:?}");
    }
}

/// A store restored at any point: whoever lost nothing is never accused.
#[test]
fn the_model_with_a_restored_store() {
    let rules = HitRules::default();
    let mut conversation = Conversation::new(&rules, notify(), sides(2, 1), Mishap::Restore);
    let mut reused = 0;
    conversation.explore(|rest| {
        must_hold(&rest);
        reused += usize::from(rest.accuses_only_the_restored());
    });
    assert!(reused > 100, "{reused}");
}

/// A message issued again at any point, and any message lost on the way to one side.
#[test]
fn the_model_with_a_message_issued_again_or_lost() {
    let rules = HitRules::default();
    let reporter = agency(REPORTER);
    let mut conversation = Conversation::new(&rules, notify(), sides(2, 1), Mishap::Reissue);
    let mut reissued = 0;
    conversation.explore(|rest| {
        must_hold(&rest);
        let again = rest.messages.iter().position(|message| message.replaces.is_some());
        let original = again.and_then(|again| {
            rest.messages.iter().position(|old| Some(old.id) == rest.messages[again].replaces)
        });
        for left_out in 0..rest.messages.len() {
            let messages = rest.without(left_out);
            let fold = CaseFold::new(&rules, &reporter, &messages);
            let is_accused = fold.lines().iter().any(|line| matches!(line.effect, Effect::Unlawful(_)));
            assert!(!is_accused, "{rest:?} without {left_out}");
            if Some(left_out) == again || Some(left_out) == original {
                assert_eq!(fold.at(hour(LATE)), rest.fold.at(hour(LATE)), "{rest:?} without {left_out}");
                reissued += 1;
            }
        }
    });
    assert!(reissued > 1_000, "{reissued}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    /// Conversations much longer than all that can be tried, with stores restored and messages issued again at any time.
    #[test]
    fn long_conversations_in_which_much_goes_wrong(restored in 0..2_usize, choices in vec(any::<u16>(), 0..60)) {
        let rules = HitRules::default();
        let mut conversation = Conversation::new(&rules, notify(), sides(8, 8), Mishap::Many(restored));
        conversation.walk(&choices, |rest| must_hold(&rest));
    }
}

type Message = CaseMessage<HitFact>;

/// A conversation of both sides, one word after the other, each with everything seen.
fn talk(facts: &[HitFact]) -> Vec<Message> {
    let mut messages = vec![message(REPORTER, 1, &[], notify())];
    for fact in facts {
        let next = next(&messages, fact);
        messages.push(next);
    }
    messages
}

fn sender(fact: &HitFact) -> &'static str {
    if matches!(fact, HitFact::Word(_) | HitFact::AlertWithdrawn) { OWNER } else { REPORTER }
}

/// The message that says this, after these.
fn next(messages: &[Message], fact: &HitFact) -> Message {
    let reporter = agency(REPORTER);
    let rules = HitRules::default();
    let place = CaseFold::new(&rules, &reporter, messages).next_place(&agency(sender(fact)), false);
    let seen: Vec<_> = place.seen.iter().map(|(other, turn)| (other.as_str(), *turn)).collect();
    message(sender(fact), place.turn, &seen, fact.clone())
}

fn check(messages: &[Message], fact: &HitFact) -> Result<Effect, Breach> {
    let (reporter, sender) = (agency(REPORTER), agency(sender(fact)));
    let rules = HitRules::default();
    let fold = CaseFold::new(&rules, &reporter, messages);
    let turn = fold.next_place(&sender, false).turn;
    fold.check(&Intent { sender: &sender, id: id(0), answers: None, signed: hour(LATE), fact, turn })
}

fn outcome(rules: &HitRules, messages: &[Message], now: u64) -> Outcome<HitView> {
    CaseFold::new(rules, &agency(REPORTER), messages).at(hour(now))
}

fn every_fact() -> Vec<HitFact> {
    use HitFact as F;
    let acts = [ReportedAct::Action, ReportedAct::NoAction, ReportedAct::Released, ReportedAct::NotPossible]
        .map(F::Act);
    let words = [OwnersWord::Confirmed, OwnersWord::NotConfirmed, OwnersWord::MoreTime(hour(9))].map(F::Word);
    let others = [F::Ask { held_until: None }, F::AlertWithdrawn, F::Retract, F::Close];
    [&acts[..], &words, &others].concat()
}

/// closed > retracted > act > word > asked > notified: whatever came before, what is further left shows.
#[test]
fn the_state_is_the_highest_of_what_was_said() {
    use HitFact as F;
    let ask = F::Ask { held_until: None };
    let (confirmed, acted) = (F::Word(OwnersWord::Confirmed), F::Act(ReportedAct::Action));
    let steps = [
        (ask, Progress::Asked, Ball::Other),
        (F::Word(OwnersWord::MoreTime(hour(9))), Progress::MoreTime, Ball::Other),
        (confirmed, Progress::Confirmed, Ball::Owner),
        (acted, Progress::Action, Ball::Owner),
        (F::Retract, Progress::Retracted, Ball::Owner),
        (F::Close, Progress::Closed, Ball::Owner),
    ];
    let rules = HitRules::default();
    let facts: Vec<HitFact> = steps.iter().map(|(fact, _, _)| fact.clone()).collect();
    assert_eq!(outcome(&rules, &talk(&[]), LATE).state.progress, Progress::Notified);
    for (index, (_, progress, ball)) in steps.iter().enumerate() {
        let outcome = outcome(&rules, &talk(&facts[..=index]), LATE);
        assert_eq!((outcome.state.progress, outcome.ball), (*progress, *ball));
        // What comes later and is further right changes nothing that is shown.
        for lower in &facts[..index] {
            let later = talk(&[&facts[..=index], std::slice::from_ref(lower)].concat());
            let shown = self::outcome(&rules, &later, LATE).state.progress;
            let reopens = *progress == Progress::Closed && sender(lower) == OWNER;
            let newer_word = index == 2 && sender(lower) == OWNER;
            if !reopens && !newer_word {
                assert_eq!(shown, *progress, "{lower:?} after {:?}", facts[index]);
            }
        }
    }
}

/// The rules of the table for every word, act, retraction and state of the alert.
#[test]
fn every_line_of_the_table() {
    use HitFact as F;
    let words = [OwnersWord::Confirmed, OwnersWord::NotConfirmed, OwnersWord::MoreTime(hour(9))].map(Some);
    let acts = [ReportedAct::Action, ReportedAct::NoAction, ReportedAct::Released, ReportedAct::NotPossible]
        .map(Some);
    for alert in [AlertStanding::Active, AlertStanding::NotActive, AlertStanding::Withdrawn] {
        let rules = HitRules { alert, ..HitRules::default() };
        for word in words.into_iter().chain([None]) {
            for act in acts.into_iter().chain([None]) {
                for (is_retracted, is_withdrawn) in
                    [(false, false), (true, false), (false, true), (true, true)]
                {
                    let mut facts: Vec<HitFact> = act.map(F::Act).into_iter().collect();
                    facts.extend(word.map(F::Word));
                    facts.extend(is_retracted.then_some(F::Retract));
                    facts.extend(is_withdrawn.then_some(F::AlertWithdrawn));
                    let view = outcome(&rules, &talk(&facts), LATE).state;
                    let is_gone = is_withdrawn || alert == AlertStanding::Withdrawn;
                    let must_release = word == Some(OwnersWord::NotConfirmed) || is_gone || is_retracted;
                    let may_act = word == Some(OwnersWord::Confirmed)
                        && alert == AlertStanding::Active
                        && !must_release;
                    let is_contested = act == Some(ReportedAct::Action) && must_release;
                    let computed = (view.may_act, view.must_release, view.is_contested);
                    assert_eq!(computed, (may_act, must_release, is_contested), "{alert:?} {facts:?}");
                    assert!(!(view.may_act && view.must_release));
                }
            }
        }
    }
}

/// The reporter's own gateway refuses the report of an action where it must release; from another gateway it is a fact.
#[test]
fn an_action_that_is_not_allowed_is_not_signed_but_is_believed() {
    let not_confirmed = talk(&[HitFact::Word(OwnersWord::NotConfirmed)]);
    let action = HitFact::Act(ReportedAct::Action);
    assert_eq!(check(&not_confirmed, &action), Err(Breach::NotInState));
    assert_eq!(check(&talk(&[HitFact::Word(OwnersWord::Confirmed)]), &action), Ok(Effect::Applied));
    assert_eq!(check(&not_confirmed, &HitFact::Act(ReportedAct::Released)), Ok(Effect::Applied));
    let acted = talk(&[HitFact::Word(OwnersWord::NotConfirmed), action]);
    let outcome = outcome(&HitRules::default(), &acted, LATE);
    assert!(outcome.state.is_contested && outcome.warnings.is_empty());
    assert_eq!(outcome.ball, Ball::Owner);
}

/// Every fact in every state that one more fact leads to: what is refused, and nothing else.
#[test]
fn facts_are_lawful_in_every_state() {
    let refused = |before: &[HitFact]| {
        let messages = talk(before);
        let refused = every_fact().into_iter().filter(|fact| check(&messages, fact).is_err());
        refused.collect::<Vec<_>>()
    };
    let (action, confirmed) = (HitFact::Act(ReportedAct::Action), HitFact::Word(OwnersWord::Confirmed));
    for fact in every_fact() {
        let expected = match &fact {
            HitFact::Act(_) => vec![],
            HitFact::Word(OwnersWord::NotConfirmed) | HitFact::Retract => vec![action.clone()],
            HitFact::AlertWithdrawn => vec![action.clone(), confirmed.clone(), HitFact::Close],
            HitFact::Close => continue,
            _ => vec![HitFact::Close],
        };
        assert_eq!(refused(std::slice::from_ref(&fact)), expected, "after {fact:?}");
    }
    assert_eq!(refused(&[]), [HitFact::Close]);
    assert_eq!(refused(&[action, HitFact::Close]), [HitFact::Close]);
    assert_eq!(check(&talk(&[]), &notify()), Err(Breach::NotInState));
    for fact in every_fact() {
        assert_eq!(check(&[], &fact), Err(Breach::NotOpened), "{fact:?} before the report");
    }
}

#[test]
fn a_closing_counts_only_with_the_owners_last_word_seen() {
    let mut messages = talk(&[HitFact::Act(ReportedAct::NoAction), HitFact::Close]);
    let rules = HitRules::default();
    assert_eq!(outcome(&rules, &messages, LATE).state.progress, Progress::Closed);
    // A word that crossed the closing opens the case again, in any order of arrival.
    messages.push(message(OWNER, 1, &[(REPORTER, 1)], HitFact::Word(OwnersWord::Confirmed)));
    assert_eq!(outcome(&rules, &messages, LATE).state.progress, Progress::NoAction);
    let close = next(&messages, &HitFact::Close);
    messages.push(close);
    assert_eq!(outcome(&rules, &messages, LATE).state.progress, Progress::Closed);
    let withdrawn = next(&messages, &HitFact::AlertWithdrawn);
    messages.push(withdrawn);
    assert_eq!(outcome(&rules, &messages, LATE).state.progress, Progress::NoAction);
}

#[test]
fn only_the_alerts_owner_gives_its_word() {
    let mut messages = talk(&[]);
    messages.push(message("mz.senami", 1, &[(REPORTER, 1)], HitFact::Word(OwnersWord::Confirmed)));
    messages.push(message(OWNER, 1, &[(REPORTER, 1)], HitFact::Retract));
    let outcome = outcome(&HitRules::default(), &messages, LATE);
    assert_eq!(outcome.state.progress, Progress::Notified);
    let warnings: Vec<_> = outcome.warnings.iter().map(|warning| warning.kind).collect();
    let expected = [Breach::NotItsPart, Breach::NotAParty].map(WarningKind::Unlawful);
    assert_eq!(warnings, expected);
}

/// The owner's time runs from the receipt of the question: an hour while somebody is held, else twelve.
#[test]
fn the_limit_of_a_question() {
    let held = |until| HitFact::Ask { held_until: until };
    let microsecond = Duration::from_micros(1);
    for (held_until, hours) in [(Some(hour(130)), 1), (None, 12)] {
        let messages = talk(&[held(held_until)]);
        let mut rules = HitRules::default();
        let view = |rules: &HitRules, messages: &[Message], now| {
            CaseFold::new(rules, &agency(REPORTER), messages).at(now).state
        };
        assert_eq!(view(&rules, &messages, hour(999)).limit, None, "not delivered: no clock");
        rules.delivered.insert(messages[1].id, hour(100));
        let limit = hour(100 + hours);
        let (before, at) =
            (view(&rules, &messages, limit.minus(microsecond)), view(&rules, &messages, limit));
        assert_eq!((before.limit, before.is_overdue, at.is_overdue), (Some(limit), false, true));
        assert_eq!(at.held_until, held_until);
        // A second question gives no more time, nor ends the holding.
        let again = next(&messages, &held(None));
        rules.delivered.insert(again.id, hour(150));
        let mut asked_again = messages.clone();
        asked_again.push(again);
        let second = view(&rules, &asked_again, limit);
        assert_eq!((second.limit, second.held_until), (Some(limit), held_until));
        // More time moves it; a word ends it; a question after that has its own limit.
        let mut answered = messages.clone();
        answered.push(next(&answered, &HitFact::Word(OwnersWord::MoreTime(hour(300)))));
        assert_eq!(view(&rules, &answered, limit).limit, Some(hour(300)));
        answered.push(next(&answered, &HitFact::Word(OwnersWord::Confirmed)));
        assert_eq!(view(&rules, &answered, hour(999)).limit, None);
        let new = next(&answered, &held(None));
        rules.delivered.insert(new.id, hour(400));
        answered.push(new);
        assert_eq!(view(&rules, &answered, hour(999)).limit, Some(hour(412)));
    }
}
