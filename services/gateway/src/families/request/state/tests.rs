//! The model of the rules in every order of delivery, and what must hold in all of them.

mod naive;

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::*;
use crate::cases::fold::{
    CaseFold, Intent,
    message::CaseMessage,
    rules::Effect,
    tests::{
        agency,
        conversation::{AtRest, Conversation, LATE, Mishap, Side},
        hour, id, message,
    },
};

const REQUESTER: &str = "tz.tpf";
const ANSWERER: &str = "mz.prm";

fn submit() -> RequestFact {
    RequestFact::Submit { to: agency(ANSWERER), limit: Duration::ZERO }
}

/// Rules by which every message of a conversation was delivered at once, so that a reminder is always due.
fn rules() -> RequestRules {
    RequestRules { delivered: (0..10_000).map(|number| (id(number), hour(0))).collect() }
}

/// The model's words: the requester sends up to so many after the request, the answerer so many.
fn sides(requester_max: usize, answerer_max: usize) -> Vec<Side<RequestFact>> {
    use RequestFact as F;
    let answerer = [
        F::Acknowledge { expected_by: None },
        F::Ask,
        F::Delay { until: hour(LATE) },
        F::AnswerPartial,
        F::Answer,
        F::Refuse,
    ];
    vec![
        Side {
            agency: agency(REQUESTER),
            menu: vec![F::Clarify, F::Remind, F::Cancel, F::Close],
            messages_max: requester_max,
        },
        Side { agency: agency(ANSWERER), menu: answerer.to_vec(), messages_max: answerer_max },
    ]
}

fn must_hold(rest: &AtRest<'_, '_, RequestRules>) {
    let view = rest.fold.at(hour(LATE)).state;
    let accused = rest.lines_with(|effect| matches!(effect, Effect::Unlawful(_)));
    assert!(accused.iter().all(|line| rest.restored.contains(line.sender)), "{rest:?}");
    let lawful = rest.lines_with(Effect::is_lawful);
    let is_lawful = |message: &&Message| lawful.iter().any(|line| line.ids.contains(&message.id));
    let said = |facts: &'static [RequestFact]| {
        let messages = rest.messages.iter().filter(is_lawful);
        messages.filter(move |message| message.fact.as_ref().is_some_and(|fact| facts.contains(fact)))
    };
    let seen_by = |facts| {
        let seen = said(facts).filter_map(|message| message.seen.get(&agency(ANSWERER)).copied());
        seen.max().unwrap_or_default()
    };
    match view.progress {
        Progress::Closed => {
            let last =
                said(&[RequestFact::Answer, RequestFact::AnswerPartial]).map(|message| message.turn).max();
            assert!(
                last.is_none_or(|last| last <= seen_by(&[RequestFact::Close])),
                "closed unread: {rest:?}"
            );
        }
        Progress::Cancelled => {
            let last = said(&[RequestFact::Answer]).map(|message| message.turn).max();
            let seen = seen_by(&[RequestFact::Cancel]);
            assert!(last.is_none_or(|last| last <= seen), "an answer is lost: {rest:?}");
        }
        _ => {}
    }
}

/// The counts of `request.py 3 2` without `reopen`, which the rules do not have.
#[test]
fn the_model_in_every_order_of_delivery() {
    let rules = rules();
    let mut conversation = Conversation::new(&rules, submit(), sides(3, 2), Mishap::None);
    let mut at_rest = BTreeMap::new();
    let situations = conversation.explore(|rest| {
        must_hold(&rest);
        assert!(rest.lines_with(|effect| !effect.is_lawful()).is_empty(), "{rest:?}");
        let view = rest.fold.at(hour(LATE)).state;
        *at_rest.entry((view.progress.as_str(), view.is_cancelled_late, view.is_disclosed)).or_insert(0) += 1;
    });
    assert_eq!(situations, 92_372);
    let expected = [
        (("open", false, true), 2_860),
        (("open", false, false), 2_699),
        (("answered", false, true), 1_497),
        (("cancelled", false, false), 1_445),
        (("cancelled", false, true), 1_323),
        (("refused", false, false), 872),
        (("clarification", false, false), 823),
        (("answered", true, true), 521),
        (("closed", false, true), 420),
        (("clarification", false, true), 418),
        (("refused", false, true), 307),
        (("refused", true, false), 293),
        (("closed", false, false), 200),
        (("closed", true, true), 123),
        (("refused", true, true), 98),
        (("closed", true, false), 57),
    ];
    assert_eq!(at_rest, BTreeMap::from(expected));
}

/// The same with everything that may go wrong once, at any point. Whoever lost nothing is never accused.
#[test]
fn the_model_with_a_restored_store() {
    let rules = rules();
    let mut conversation = Conversation::new(&rules, submit(), sides(2, 2), Mishap::Restore);
    let mut reused = 0;
    conversation.explore(|rest| {
        must_hold(&rest);
        reused += usize::from(rest.accuses_only_the_restored());
    });
    assert!(reused > 1_000, "{reused}");
}

/// A message issued again at any point, whichever of the two ids each side has, leaves both with the state of one of them.
#[test]
fn the_model_with_a_message_issued_again() {
    let rules = rules();
    let mut conversation = Conversation::new(&rules, submit(), sides(2, 2), Mishap::Reissue);
    let mut reissued = 0;
    conversation.explore(|rest| {
        must_hold(&rest);
        assert!(rest.lines_with(|effect| !effect.is_lawful()).is_empty(), "{rest:?}");
        let Some(again) = rest.messages.iter().position(|message| message.replaces.is_some()) else { return };
        reissued += 1;
        let requester = agency(REQUESTER);
        let original = rest.messages.iter().position(|old| Some(old.id) == rest.messages[again].replaces);
        for left_out in [Some(again), original].into_iter().flatten() {
            let messages = rest.without(left_out);
            let fold = CaseFold::new(&rules, &requester, &messages);
            assert_eq!(fold.at(hour(LATE)), rest.fold.at(hour(LATE)), "{rest:?}");
            let effects = |fold: &CaseFold<'_, RequestRules>| {
                fold.lines().iter().map(|line| (line.id, line.effect)).collect::<Vec<_>>()
            };
            assert_eq!(effects(&fold), effects(rest.fold), "{rest:?}");
        }
    });
    assert!(reissued > 1_000, "{reissued}");
}

/// Any one message is lost on the way to one side, which accuses nobody, claims nothing that the rest does not prove, and
/// names the gap if anything tells of it.
#[test]
fn the_model_with_a_lost_message() {
    let rules = rules();
    let mut conversation = Conversation::new(&rules, submit(), sides(2, 2), Mishap::None);
    conversation.explore(|rest| {
        let requester = agency(REQUESTER);
        for index in 0..rest.messages.len() {
            let messages = rest.without(index);
            let fold = CaseFold::new(&rules, &requester, &messages);
            let lines = fold.lines();
            let is_accused = lines.iter().any(|line| matches!(line.effect, Effect::Unlawful(_)));
            assert!(!is_accused, "{rest:?} without {index}");
            let lost = &rest.messages[index];
            let is_known = messages.iter().any(|other| {
                let is_later = other.sender == lost.sender && other.turn > lost.turn;
                is_later || other.seen.get(&lost.sender).is_some_and(|seen| lost.turn <= *seen)
            });
            let missing = fold.at(hour(LATE)).missing;
            let is_named = missing
                .iter()
                .any(|gap| gap.agency == lost.sender && (gap.from..=gap.to).contains(&lost.turn));
            assert_eq!(is_named, is_known, "{rest:?} without {index}");
        }
    });
}

/// A conversation of both sides, one word after the other, each with everything seen.
struct Talk {
    rules: RequestRules,
    messages: Vec<Message>,
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    /// Conversations much longer than all that can be tried, with stores restored and messages issued again at any time.
    #[test]
    fn long_conversations_in_which_much_goes_wrong(restored in 0..2_usize, choices in vec(any::<u16>(), 0..60)) {
        let rules = rules();
        let mut conversation = Conversation::new(&rules, submit(), sides(8, 8), Mishap::Many(restored));
        conversation.walk(&choices, |rest| must_hold(&rest));
    }
}

type Message = CaseMessage<RequestFact>;

impl Talk {
    fn after(facts: &[RequestFact]) -> Self {
        let mut talk = Self { rules: rules(), messages: Vec::new() };
        for fact in facts {
            assert!(talk.check(fact).is_ok(), "{fact:?} in {facts:?}");
            talk.say(fact);
        }
        talk
    }

    fn sender(fact: &RequestFact) -> &'static str {
        if fact.is_requesters() { REQUESTER } else { ANSWERER }
    }

    fn fold<T>(&self, read: impl FnOnce(&CaseFold<'_, RequestRules>) -> T) -> T {
        read(&CaseFold::new(&self.rules, &agency(REQUESTER), &self.messages))
    }

    fn check(&self, fact: &RequestFact) -> Result<Effect, Breach> {
        let sender = agency(Self::sender(fact));
        self.fold(|fold| {
            let turn = fold.next_place(&sender, false).turn;
            let signed = hour(turn * 25);
            fold.check(&Intent { sender: &sender, id: id(0), answers: None, signed, fact, turn })
        })
    }

    fn say(&mut self, fact: &RequestFact) {
        let sender = Self::sender(fact);
        let place = self.fold(|fold| fold.next_place(&agency(sender), false));
        let seen: Vec<_> = place.seen.iter().map(|(other, turn)| (other.as_str(), *turn)).collect();
        self.messages.push(message(sender, place.turn, &seen, fact.clone()));
    }

    /// The answerer's or requester's word, though it has seen nothing of the other side's last word.
    fn cross(&mut self, fact: &RequestFact) -> Effect {
        let hidden = self.messages.pop().expect("something to cross");
        assert!(self.check(fact).is_ok(), "{fact:?}");
        self.say(fact);
        self.messages.push(hidden);
        let said = &self.messages[self.messages.len() - 2];
        self.fold(|fold| {
            let lines = fold.lines();
            lines.iter().find(|line| line.id == said.id).map(|line| line.effect).expect("its line")
        })
    }

    fn progress(&self) -> Progress {
        self.fold(|fold| fold.at(hour(LATE)).state.progress)
    }
}

/// The facts in the order of the table's columns, and `remind`.
fn columns() -> [RequestFact; 10] {
    use RequestFact as F;
    [
        F::Acknowledge { expected_by: None },
        F::Ask,
        F::Clarify,
        F::Delay { until: hour(LATE) },
        F::AnswerPartial,
        F::Answer,
        F::Refuse,
        F::Cancel,
        F::Close,
        F::Remind,
    ]
}

/// The whole table for an author who has seen everything: the state after each fact; `-` is refused by the own gateway, and from
/// a foreign one it is shown without effect.
#[test]
fn every_cell_of_the_table() {
    use RequestFact as F;
    let (open, ask, gone) = ("open", "clarification", "cancelled");
    let (answered, refused, closed) = ("answered", "refused", "closed");
    let rows: [(&[RequestFact], [&str; 10]); 6] = [
        (&[], [open, ask, open, open, open, answered, refused, gone, "-", open]),
        (&[F::Ask], [ask, "-", open, "-", ask, answered, refused, gone, "-", "-"]),
        (&[F::Answer], ["-", "-", "-", "-", "-", answered, "-", "-", "-", "-"].with_close(closed)),
        (&[F::Refuse], ["-", "-", "-", "-", "-", answered, "-", "-", "-", "-"].with_close(closed)),
        (&[F::Cancel], ["-"; 10]),
        (&[F::Answer, F::Close], ["-", "-", "-", "-", "-", answered, "-", "-", "-", "-"]),
    ];
    for (before, expected) in rows {
        let before = [&[submit()], before].concat();
        let state = Talk::after(&before).progress();
        for (fact, expected) in columns().iter().zip(expected) {
            let mut talk = Talk::after(&before);
            let checked = talk.check(fact);
            talk.say(fact);
            let after = talk.progress();
            if expected == "-" {
                assert_eq!((checked, after), (Err(Breach::NotInState), state), "{state:?} {fact:?}");
                let accused = talk.fold(|fold| fold.lines().last().map(|line| line.effect));
                assert_eq!(accused, Some(Effect::Unlawful(Breach::NotInState)), "{state:?} {fact:?}");
            } else {
                assert!(checked.is_ok(), "{state:?} {fact:?}");
                assert_eq!(after.as_str(), expected, "{state:?} {fact:?}");
            }
        }
    }
}

trait WithClose {
    fn with_close(self, closed: &'static str) -> Self;
}

impl WithClose for [&'static str; 10] {
    fn with_close(mut self, closed: &'static str) -> Self {
        self[8] = closed;
        self
    }
}

/// The cells of the table that only messages which cross can reach.
#[test]
fn every_cell_of_messages_that_cross() {
    use RequestFact as F;
    let too_late = Effect::Without(NoEffect::TooLate);
    let unseen = Effect::Without(NoEffect::LastWordUnseen);
    let open = vec![submit()];
    let answered = vec![submit(), F::Answer];
    for (before, hidden, crossing, effect, state) in [
        // A cancellation against an answer or refusal that it had not seen.
        (&open, F::Answer, F::Cancel, too_late, Progress::Answered),
        (&open, F::Refuse, F::Cancel, too_late, Progress::Refused),
        // What the answerer sent before it knew of the cancellation.
        (&open, F::Cancel, F::AnswerPartial, Effect::Applied, Progress::Cancelled),
        (&open, F::Cancel, F::Answer, Effect::Applied, Progress::Answered),
        (&open, F::Cancel, F::Refuse, Effect::Applied, Progress::Refused),
        (&open, F::Cancel, F::Ask, Effect::Applied, Progress::Cancelled),
        // A closing against a newer answer.
        (&answered, F::Answer, F::Close, unseen, Progress::Answered),
        (&answered, F::Close, F::Answer, Effect::Applied, Progress::Answered),
        // A supplement that crosses a question does not answer it.
        (&open, F::Ask, F::Clarify, Effect::Supplement, Progress::Clarification),
    ] {
        let mut talk = Talk::after(before);
        talk.say(&hidden);
        assert_eq!(talk.cross(&crossing), effect, "{crossing:?} crosses {hidden:?}");
        assert_eq!(talk.progress(), state, "{crossing:?} crosses {hidden:?}");
    }
}

#[test]
fn what_was_disclosed_before_a_cancellation_must_be_erased() {
    let mut talk = Talk::after(&[submit(), RequestFact::AnswerPartial, RequestFact::Cancel]);
    let view = |talk: &Talk| talk.fold(|fold| fold.at(hour(LATE)).state);
    assert!(view(&talk).is_erasure_due);
    talk = Talk::after(&[submit(), RequestFact::Cancel]);
    assert!(!view(&talk).is_erasure_due);
    talk.cross(&RequestFact::AnswerPartial);
    assert!(view(&talk).is_erasure_due);
}

#[test]
fn only_the_two_parties_take_part() {
    let stranger = message("mz.senami", 1, &[(REQUESTER, 1)], RequestFact::Answer);
    let own = message(REQUESTER, 2, &[], RequestFact::Answer);
    let theirs = message(ANSWERER, 1, &[(REQUESTER, 1)], RequestFact::Cancel);
    let mut talk = Talk::after(&[submit()]);
    talk.messages.extend([stranger, own, theirs]);
    let effects = talk.fold(|fold| {
        fold.lines().iter().map(|line| (line.sender.to_string(), line.effect)).collect::<Vec<_>>()
    });
    let unlawful = |sender: &str, breach| (sender.to_owned(), Effect::Unlawful(breach));
    for expected in [
        unlawful("mz.senami", Breach::NotAParty),
        unlawful(REQUESTER, Breach::NotItsPart),
        unlawful(ANSWERER, Breach::NotItsPart),
    ] {
        assert!(effects.contains(&expected), "{effects:?}");
    }
    assert_eq!(talk.progress(), Progress::Open);
}

/// Messages at given hours, delivered at given hours; the time of each party is what lies between.
#[test]
fn the_clock_runs_for_whoever_has_the_ball() {
    use RequestFact as F;
    let hours = |hours: u64| Duration::from_secs(hours * 3_600);
    let submit = F::Submit { to: agency(ANSWERER), limit: hours(8) };
    let at = |sender: &str, turn, seen: (&str, u64), created, fact| Message {
        created: hour(created),
        ..message(sender, turn, &[seen], fact)
    };
    let none = (ANSWERER, 0);
    let messages = [
        at(REQUESTER, 1, none, 0, submit),
        at(ANSWERER, 1, (REQUESTER, 1), 105, F::Ask),
        at(REQUESTER, 2, (ANSWERER, 1), 300, F::Clarify),
        at(ANSWERER, 2, (REQUESTER, 2), 402, F::Answer),
    ];
    let mut rules = RequestRules::default();
    let view = |rules: &RequestRules, messages: &[Message], now| {
        CaseFold::new(rules, &agency(REQUESTER), messages).at(hour(now)).state
    };
    assert_eq!(view(&rules, &messages, 500).answering, None, "no receipt, no clock");
    // A day on the line each way: nobody's time.
    for (index, delivered) in [100, 200, 400, 450].into_iter().enumerate() {
        rules.delivered.insert(messages[index].id, hour(delivered));
    }
    let seen = |count: usize, now| {
        let view = view(&rules, &messages[..count], now);
        (view.answering, view.punctuality)
    };
    let (in_time, late) = (Some(Punctuality::InTime), Some(Punctuality::Late));
    assert_eq!(seen(1, 108), (Some(hours(8)), in_time));
    assert_eq!(seen(1, 109), (Some(hours(9)), late));
    assert_eq!(seen(2, 1_000), (Some(hours(5)), in_time), "the requester has the ball");
    assert!(!view(&rules, &messages[..2], 200 + 72).is_clarification_overdue);
    assert!(view(&rules, &messages[..2], 200 + 73).is_clarification_overdue);
    assert_eq!(seen(3, 404), (Some(hours(9)), late));
    assert_eq!(seen(4, 9_999), (Some(hours(7)), in_time), "answered in time");
    // A delay that was asked for counts as what it is.
    let delay = at(ANSWERER, 1, (REQUESTER, 1), 101, F::Delay { until: hour(120) });
    let delayed = [messages[0].clone(), delay];
    for (now, expected) in
        [(108, Punctuality::InTime), (120, Punctuality::WithinDelay), (121, Punctuality::Late)]
    {
        assert_eq!(view(&rules, &delayed, now).punctuality, Some(expected), "{now}");
    }
}

#[test]
fn a_reminder_waits_for_the_limit_and_for_another_day() {
    use RequestFact as F;
    let limit = Duration::from_secs(8 * 3_600);
    let opener = message(REQUESTER, 1, &[], F::Submit { to: agency(ANSWERER), limit });
    let rules = RequestRules { delivered: [(opener.id, hour(100))].into() };
    let requester = agency(REQUESTER);
    let check = |messages: &[Message], signed| {
        let fold = CaseFold::new(&rules, &requester, messages);
        let turn = fold.next_place(&requester, false).turn;
        let fact = &F::Remind;
        let intent =
            Intent { sender: &requester, id: id(0), answers: None, signed: hour(signed), fact, turn };
        fold.check(&intent).map(|_| ())
    };
    let reminder = Message { created: hour(110), ..message(REQUESTER, 2, &[], F::Remind) };
    let mut messages = vec![opener];
    assert_eq!((check(&messages, 107), check(&messages, 108)), (Err(Breach::TooEarly), Ok(())));
    messages.push(reminder);
    assert_eq!((check(&messages, 133), check(&messages, 134)), (Err(Breach::TooEarly), Ok(())));
}

#[test]
fn a_request_that_nobody_writes_in_is_dormant_until_it_is_closed() {
    let dormant = |facts: &[RequestFact], days: u64| {
        let talk = Talk::after(facts);
        let last = talk.messages.iter().map(|message| message.created).max().expect("a message");
        let now = last.plus(Duration::from_secs(days * 24 * 3_600));
        talk.fold(|fold| fold.at(now).state.is_dormant)
    };
    let answered = [submit(), RequestFact::Answer];
    assert!(!dormant(&answered, 29) && dormant(&answered, 30) && dormant(&[submit()], 31));
    assert!(!dormant(&[submit(), RequestFact::Answer, RequestFact::Close], 99));
    assert!(!dormant(&[submit(), RequestFact::Cancel], 99));
}
