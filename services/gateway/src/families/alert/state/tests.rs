//! Every cell of the table of states, the instants at which time alone changes a state, and every order of delivery among three
//! parties.

use proptest::{collection::vec, prelude::*};
use rovuma_schemas::Timestamp;

use super::*;
use crate::cases::fold::{
    CaseFold, Intent, Line, Outcome,
    message::CaseMessage,
    rules::{Doubt, Effect},
    tests::{
        agency,
        conversation::{AtRest, Conversation, LATE, Mishap, Side},
        hour, id, message,
    },
};

const ISSUER: &str = "tz.tpf";
const PRM: &str = "mz.prm";
const SENAMI: &str = "mz.senami";

type Message = CaseMessage<AlertFact>;

/// Content that ends at this hour.
fn until(hours: u64) -> Content {
    Content { ends: Some(hour(hours)), confirm_by: None, ..Content::default() }
}

fn update(version: u32, content: Content) -> AlertFact {
    AlertFact::Update { version, content }
}

fn extend(hours: u64) -> AlertFact {
    AlertFact::Extend { ends: hour(hours), retain_until: None }
}

const WITHDRAW: AlertFact = AlertFact::Withdraw { reason: WithdrawReason::Error, retain_until: None };

/// The issuer's message of this turn, signed at this hour.
fn signed(turn: u64, hours: u64, fact: AlertFact) -> Message {
    Message { created: hour(hours), ..message(ISSUER, turn, &[], fact) }
}

/// The issuer's confirmation, under this turn, of its message of another turn.
fn confirm(turn: u64, hours: u64, confirmed: &Message) -> Message {
    Message { in_reply_to: Some(confirmed.id), ..signed(turn, hours, AlertFact::Confirm) }
}

/// A recipient's message, with one version seen.
fn report(sender: &str, turn: u64, fact: AlertFact) -> Message {
    message(sender, turn, &[(ISSUER, 1)], fact)
}

fn fold_at(messages: &[Message], now: Timestamp) -> (Vec<Effect>, Outcome<AlertView>) {
    let issuer = agency(ISSUER);
    let fold = CaseFold::new(&AlertRules, &issuer, messages);
    (fold.lines().iter().map(|line: &Line<'_>| line.effect).collect(), fold.at(now))
}

/// What the last message of the issuer, signed at hour 20, does to what came before, and the state at hour 21.
fn cell(before: &[Message], fact: AlertFact) -> (Effect, &'static str) {
    let turn = before.len() as u64 + 1;
    let mut messages = before.to_vec();
    messages.push(Message { in_reply_to: before.first().map(|first| first.id), ..signed(turn, 20, fact) });
    let (effects, outcome) = fold_at(&messages, hour(21));
    (*effects.last().expect("a line"), outcome.state.state.as_str())
}

/// The whole table, one block a state.
#[test]
fn every_cell_of_the_table() {
    use Effect::{Applied as Done, Unlawful, Without};
    let not_allowed = Unlawful(Breach::NotInState);
    let facts =
        || [AlertFact::Issue(until(100)), update(3, until(100)), extend(100), WITHDRAW, AlertFact::Confirm];
    let row = |before: &[Message]| facts().map(|fact| cell(before, fact));
    assert_eq!(
        row(&[]),
        [
            (Done, "active"),
            (Done, "active"),
            (Done, "not_arrived"),
            (Done, "withdrawn"),
            (Done, "not_arrived")
        ],
        "nothing has arrived"
    );
    let active = [signed(1, 1, AlertFact::Issue(until(50)))];
    assert_eq!(
        row(&active),
        [(not_allowed, "active"), (Done, "active"), (Done, "active"), (Done, "withdrawn"), (Done, "active")],
        "active"
    );
    let expired = [signed(1, 1, AlertFact::Issue(until(10)))];
    let ended = Without(NoEffect::AfterEnd);
    assert_eq!(
        row(&expired),
        [
            (not_allowed, "expired"),
            (ended, "expired"),
            (ended, "expired"),
            (Done, "withdrawn"),
            (Done, "expired")
        ],
        "expired"
    );
    let withdrawn = [signed(1, 1, AlertFact::Issue(until(50))), signed(2, 2, WITHDRAW)];
    let gone = Without(NoEffect::Withdrawn);
    assert_eq!(
        row(&withdrawn),
        [
            (not_allowed, "withdrawn"),
            (gone, "withdrawn"),
            (gone, "withdrawn"),
            (gone, "withdrawn"),
            (Done, "withdrawn")
        ],
        "withdrawn"
    );
    let emergency = Content { ends: Some(hour(50)), confirm_by: Some(hour(13)), ..Content::default() };
    let suspended = [signed(1, 1, AlertFact::Issue(emergency))];
    assert_eq!(fold_at(&suspended, hour(21)).1.state.state, AlertState::Suspended);
    assert_eq!(
        row(&suspended),
        [
            (not_allowed, "suspended"),
            // A new version that two people released.
            (Done, "active"),
            (Done, "suspended"),
            (Done, "withdrawn"),
            (Done, "active")
        ],
        "suspended"
    );
}

/// The issuer's own gateway answers 409 where the table says "no effect" or nothing.
#[test]
fn the_own_gateway_signs_only_what_has_an_effect() {
    let active = vec![signed(1, 1, AlertFact::Issue(until(50)))];
    let expired = vec![signed(1, 1, AlertFact::Issue(until(10)))];
    let withdrawn = [&active[..], &[signed(2, 2, WITHDRAW)]].concat();
    let facts = [
        AlertFact::Issue(until(9)),
        update(2, until(60)),
        extend(60),
        WITHDRAW,
        AlertFact::Confirm,
        AlertFact::Reply,
    ];
    let signs = |before: &[Message]| {
        let issuer = agency(ISSUER);
        let fold = CaseFold::new(&AlertRules, &issuer, before);
        let turn = fold.next_place(&issuer, false).turn;
        facts.each_ref().map(|fact| {
            let signed = hour(20);
            let intent = Intent { sender: &issuer, id: id(0), answers: None, signed, fact, turn };
            fold.check(&intent).is_ok()
        })
    };
    assert_eq!(
        signs(&[]),
        [true, false, true, true, true, true],
        "nothing has arrived, or all was forgotten"
    );
    assert_eq!(signs(&active), [false, true, true, true, true, true], "active");
    assert_eq!(signs(&expired), [false, false, false, true, true, true], "expired");
    assert_eq!(signs(&withdrawn), [false; 6], "withdrawn");
}

/// Whatever the state, a recipient's facts are lawful and the issuer's are not its part; and the other way round.
#[test]
fn each_side_says_what_is_its_part() {
    let reports = [
        AlertFact::FlagOn,
        AlertFact::FlagOff,
        AlertFact::ErrorReport { version: 1 },
        AlertFact::Certify(Certificate::NeverHeld),
    ];
    let changes = [
        AlertFact::Issue(until(9)),
        update(2, until(9)),
        extend(9),
        WITHDRAW,
        AlertFact::Confirm,
        AlertFact::Reply,
    ];
    let issue = signed(1, 1, AlertFact::Issue(until(50)));
    let issued = [vec![], vec![issue.clone()], vec![issue, signed(2, 2, WITHDRAW)]];
    for before in issued {
        for fact in &reports {
            let messages = [&before[..], &[report(PRM, 1, fact.clone())]].concat();
            assert!(
                fold_at(&messages, hour(3)).0.iter().all(|effect| *effect == Effect::Applied),
                "{fact:?}"
            );
            assert_eq!(cell(&before, fact.clone()).0, Effect::Unlawful(Breach::NotItsPart), "{fact:?}");
        }
        for fact in &changes {
            let messages = [&before[..], &[report(PRM, 1, fact.clone())]].concat();
            let (effects, _) = fold_at(&messages, hour(3));
            assert!(effects.contains(&Effect::Unlawful(Breach::NotItsPart)), "{fact:?}");
        }
    }
}

#[test]
fn an_alert_is_active_until_its_end_and_not_at_it() {
    let end = hour(12);
    let microsecond = std::time::Duration::from_micros(1);
    let issued = |content| AlertCase { version: Some((1, id(1))), ends: content, ..AlertCase::default() };
    let alert = issued(Some(end));
    assert_eq!(alert.at(end.minus(microsecond)), AlertState::Active);
    assert_eq!(alert.at(end), AlertState::Expired);
    assert_eq!(alert.at(end.plus(microsecond)), AlertState::Expired);
    assert_eq!(issued(None).at(end), AlertState::Active);
}

#[test]
fn an_emergency_release_is_suspended_from_its_instant_on_until_it_is_confirmed() {
    let by = hour(12);
    let microsecond = std::time::Duration::from_micros(1);
    let issue = signed(
        1,
        0,
        AlertFact::Issue(Content { ends: Some(hour(50)), confirm_by: Some(by), ..Content::default() }),
    );
    let state = |messages: &[Message], now| fold_at(messages, now).1.state.state;
    for confirmed in [3, 12, 40] {
        let confirm = confirm(2, confirmed, &issue);
        for now in [by.minus(microsecond), by, by.plus(microsecond)] {
            let alone = if now < by { AlertState::Active } else { AlertState::Suspended };
            assert_eq!(state(std::slice::from_ref(&issue), now), alone, "{now}");
            assert_eq!(state(&[confirm.clone(), issue.clone()], now), AlertState::Active, "{now}");
        }
    }
    // A confirmation of another message is none.
    let other = Message { in_reply_to: Some(id(77)), ..signed(2, 3, AlertFact::Confirm) };
    assert_eq!(state(&[issue.clone(), other], by), AlertState::Suspended);
    // A newer version in an emergency suspends the alert again; its confirmation lifts that, with the update still on the way.
    let again = update(2, Content { ends: None, confirm_by: Some(hour(20)), ..Content::default() });
    let again = signed(3, 8, again);
    let messages = [issue.clone(), confirm(2, 3, &issue), again.clone(), confirm(4, 9, &again)];
    assert_eq!(state(&messages[..3], hour(19)), AlertState::Active);
    assert_eq!(state(&messages[..3], hour(20)), AlertState::Suspended);
    assert_eq!(state(&messages, hour(20)), AlertState::Active);
    assert_eq!(fold_at(&messages[..3], hour(20)).1.ball, Ball::Owner);
    assert_eq!(state(&messages, hour(50)), AlertState::Expired);
}

#[test]
fn the_highest_version_counts_whatever_is_lost() {
    let messages = [
        signed(1, 1, AlertFact::Issue(until(50))),
        signed(2, 2, update(2, until(60))),
        signed(3, 3, update(3, Content::default())),
        signed(4, 4, update(2, until(70))),
    ];
    let view = |messages: &[Message]| fold_at(messages, hour(10)).1.state;
    let (effects, outcome) = fold_at(&messages, hour(10));
    assert_eq!(effects[3], Effect::Without(NoEffect::OlderVersion));
    assert_eq!((outcome.state.version, outcome.state.ends), (Some(3), Some(hour(60))));
    // Version 2 is lost; version 1 is lost too; the end is that of the highest version that states one and is here.
    let without_second = [messages[0].clone(), messages[2].clone()];
    assert_eq!((view(&without_second).version, view(&without_second).ends), (Some(3), Some(hour(50))));
    let alone = view(&messages[2..3]);
    assert_eq!((alone.state, alone.version, alone.ends), (AlertState::Active, Some(3), None));
}

#[test]
fn an_end_moves_only_before_it_has_come() {
    let issue = signed(1, 1, AlertFact::Issue(until(50)));
    let ends = |messages: &[Message]| fold_at(messages, hour(10)).1.state.ends;
    let extension = |hours| signed(2, hours, extend(90));
    assert_eq!(ends(&[issue.clone(), extension(49)]), Some(hour(90)));
    assert_eq!(ends(&[issue.clone(), extension(50)]), Some(hour(50)));
    // The extension came first, and was kept until there was content.
    let update = signed(3, 60, update(2, Content::default()));
    let messages = [extension(49), update, issue];
    assert_eq!(fold_at(&messages[..1], hour(70)).1.state.state, AlertState::NotArrived);
    assert_eq!(fold_at(&messages[..2], hour(70)).1.state.state, AlertState::Active);
    assert_eq!(fold_at(&messages, hour(70)).1.state.version, Some(2));
    assert_eq!(fold_at(&messages, hour(90)).1.state.state, AlertState::Expired);
}

/// The time of signing is that of the first signature, though the message was issued again after the end.
#[test]
fn an_extension_issued_again_counts_from_its_first_signature() {
    let issue = signed(1, 1, AlertFact::Issue(until(50)));
    let mut extension = signed(2, 60, extend(90));
    (extension.first_created, extension.replaces) = (Some(hour(40)), Some(id(7)));
    assert_eq!(fold_at(&[issue, extension], hour(10)).1.state.ends, Some(hour(90)));
}

#[test]
fn a_country_is_flagged_while_one_of_its_agencies_flags() {
    let mut messages = vec![
        signed(1, 1, AlertFact::Issue(until(50))),
        report(PRM, 1, AlertFact::FlagOn),
        report(SENAMI, 1, AlertFact::FlagOn),
        report(SENAMI, 2, AlertFact::FlagOff),
        report("ke.nps", 1, AlertFact::FlagOff),
    ];
    let view = |messages: &[Message]| fold_at(messages, hour(10)).1.state;
    let mz: CountryCode = agency(PRM).country();
    assert_eq!(view(&messages).flagged, [agency(PRM)].into());
    assert_eq!(view(&messages).flagged_countries, [mz].into());
    messages.push(report(PRM, 2, AlertFact::FlagOff));
    assert!(view(&messages).flagged_countries.is_empty());
}

#[test]
fn each_error_report_has_its_answer() {
    let issue = signed(1, 1, AlertFact::Issue(until(50)));
    let reports: Vec<Message> = [(PRM, 1), (PRM, 2), (SENAMI, 1)]
        .map(|(sender, turn)| report(sender, turn, AlertFact::ErrorReport { version: 1 }))
        .to_vec();
    // The second report was issued again; the issuer's answer names it by its new id.
    let again = crate::cases::fold::tests::reissue(&reports[1], 5_000);
    let replying = |turn, to, fact| Message { in_reply_to: Some(to), ..signed(turn, 3, fact) };
    let mut messages = vec![
        issue,
        reports[0].clone(),
        again.clone(),
        reports[2].clone(),
        replying(2, reports[0].id, update(2, until(60))),
        replying(3, again.id, AlertFact::Reply),
    ];
    let answers = |messages: &[Message]| {
        let outcome = fold_at(messages, hour(10)).1;
        let mut answers: Vec<_> = outcome.state.reports.iter().map(|report| report.answer).collect();
        answers.sort_by_key(|answer| answer.map(|answer| answer as u8));
        (answers, outcome.ball)
    };
    let (updated, refused) = (Some(ReportAnswer::Updated), Some(ReportAnswer::NotAccepted));
    let open = (vec![None, updated, refused], Ball::Owner);
    assert_eq!(answers(&messages), open);
    messages.push(reports[1].clone());
    assert_eq!(answers(&messages), open, "the original comes later");
    messages.push(signed(4, 4, WITHDRAW));
    let withdrawn = Some(ReportAnswer::Withdrawn);
    assert_eq!(answers(&messages), (vec![updated, withdrawn, refused], Ball::Nobody));
}

#[test]
fn each_agency_certifies_for_itself() {
    let retained = Certificate::Retained { until: None };
    let messages = [
        report(PRM, 1, AlertFact::Certify(retained)),
        report(PRM, 2, AlertFact::Certify(Certificate::Erased)),
        report(SENAMI, 1, AlertFact::Certify(Certificate::NeverHeld)),
        signed(1, 1, AlertFact::Issue(until(50))),
        signed(2, 2, AlertFact::Withdraw { reason: WithdrawReason::PurposeAchieved, retain_until: None }),
    ];
    let view = fold_at(&messages, hour(10)).1.state;
    let expected = [(agency(PRM), Certificate::Erased), (agency(SENAMI), Certificate::NeverHeld)];
    assert_eq!(view.certificates, expected.into());
    assert_eq!(view.withdrawn, Some(WithdrawReason::PurposeAchieved));
}

/// A withdrawal holds in any order and for ever, with whatever else is missing.
#[test]
fn a_withdrawal_absorbs() {
    let reasons = [
        WithdrawReason::PurposeAchieved,
        WithdrawReason::DecisionRevoked,
        WithdrawReason::Error,
        WithdrawReason::MisusedIdentity,
        WithdrawReason::NoLongerJustified,
        WithdrawReason::Superseded { by: id(9) },
    ];
    for reason in reasons {
        let all = [
            signed(1, 1, AlertFact::Issue(until(50))),
            signed(2, 2, update(2, until(60))),
            signed(3, 3, AlertFact::Withdraw { reason: reason.clone(), retain_until: None }),
            signed(4, 4, update(3, until(70))),
            signed(5, 5, extend(80)),
        ];
        for kept in 0_u32..32 {
            let is_kept = |(index, _): &(usize, &Message)| kept >> index & 1 == 1;
            let messages: Vec<Message> =
                all.iter().enumerate().filter(is_kept).map(|(_, message)| message.clone()).collect();
            let view = fold_at(&messages, hour(6)).1.state;
            let is_withdrawn = kept >> 2 & 1 == 1;
            assert_eq!(view.state == AlertState::Withdrawn, is_withdrawn, "{kept:b}");
            assert_eq!(view.withdrawn, is_withdrawn.then(|| reason.clone()), "{kept:b}");
        }
    }
}

/// The issuer's and two recipients' words, up to so many of each after the alert.
fn sides(issuer_max: usize, recipient_max: [usize; 2]) -> Vec<Side<AlertFact>> {
    let emergency = Content { ends: None, confirm_by: Some(hour(1)), ..Content::default() };
    let issuer = vec![update(2, emergency), extend(LATE * 2), WITHDRAW, AlertFact::Confirm];
    let recipient = vec![AlertFact::FlagOn, AlertFact::FlagOff, AlertFact::ErrorReport { version: 1 }];
    let other = vec![AlertFact::FlagOn, AlertFact::Certify(Certificate::Erased)];
    vec![
        Side { agency: agency(ISSUER), menu: issuer, messages_max: issuer_max },
        Side { agency: agency(PRM), menu: recipient, messages_max: recipient_max[0] },
        Side { agency: agency(SENAMI), menu: other, messages_max: recipient_max[1] },
    ]
}

fn must_hold(rest: &AtRest<'_, '_, AlertRules>) {
    let view = rest.fold.at(hour(LATE)).state;
    let said = |fact: &AlertFact| rest.messages.iter().any(|message| message.fact.as_ref() == Some(fact));
    assert!(rest.lines_with(|effect| matches!(effect, Effect::Unlawful(_))).is_empty(), "{rest:?}");
    assert_eq!(view.state == AlertState::Withdrawn, said(&WITHDRAW), "{rest:?}");
    let flags = |code: &str| {
        let own = rest.messages.iter().filter(|message| message.sender.as_str() == code);
        let flags =
            own.filter(|message| matches!(message.fact, Some(AlertFact::FlagOn | AlertFact::FlagOff)));
        flags.max_by_key(|message| message.turn).and_then(|message| message.fact.clone())
    };
    for code in [PRM, SENAMI] {
        if rest.restored.is_empty() {
            let is_flagged = flags(code) == Some(AlertFact::FlagOn);
            assert_eq!(view.flagged.contains(&agency(code)), is_flagged, "{rest:?}");
        }
    }
}

fn explore(issuer_max: usize, recipient_max: [usize; 2], mishap: Mishap) -> usize {
    let sides = sides(issuer_max, recipient_max);
    let mut conversation = Conversation::new(&AlertRules, AlertFact::Issue(until(LATE * 2)), sides, mishap);
    conversation.explore(|rest| must_hold(&rest))
}

#[test]
fn three_parties_in_every_order_of_delivery() {
    assert!(explore(1, [1, 1], Mishap::None) > 1_000);
}

#[test]
fn three_parties_with_a_restore_or_a_message_issued_again() {
    explore(1, [1, 0], Mishap::Restore);
    explore(1, [1, 0], Mishap::Reissue);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    /// Whenever the confirmation is signed and comes, and in whatever order: suspended from the instant on and never before it,
    /// as long as it is not here; never with it.
    #[test]
    fn a_release_is_suspended_exactly_from_its_instant_until_it_is_confirmed(
        by in 1..48_u64,
        off_micros in -90_000_000_i64..90_000_000,
        confirmed in 0..96_u64,
        is_here in any::<bool>(),
        is_first in any::<bool>(),
    ) {
        let limit = hour(by);
        let distance = std::time::Duration::from_micros(off_micros.unsigned_abs());
        let now = if off_micros < 0 { limit.minus(distance) } else { limit.plus(distance) };
        let content = Content { ends: Some(hour(100)), confirm_by: Some(limit), ..Content::default() };
        let issue = signed(1, 0, AlertFact::Issue(content));
        let mut messages = vec![issue.clone()];
        if is_here {
            messages.insert(usize::from(!is_first), confirm(2, confirmed, &issue));
        }
        let expected = if is_here || now < limit { AlertState::Active } else { AlertState::Suspended };
        prop_assert_eq!(fold_at(&messages, now).1.state.state, expected);
    }

    /// Conversations much longer than all that can be tried, with stores restored and messages issued again at any time.
    #[test]
    fn long_conversations_in_which_much_goes_wrong(restored in 0..3_usize, choices in vec(any::<u16>(), 0..60)) {
        let sides = sides(8, [6, 6]);
        let mut conversation =
            Conversation::new(&AlertRules, AlertFact::Issue(until(LATE * 2)), sides, Mishap::Many(restored));
        conversation.walk(&choices, |rest| must_hold(&rest));
    }
}

/// Any message may be lost on the way to one side: that side accuses nobody, and knows what it lacks.
#[test]
fn three_parties_with_a_lost_message() {
    let mut conversation =
        Conversation::new(&AlertRules, AlertFact::Issue(until(LATE * 2)), sides(1, [1, 1]), Mishap::None);
    let mut lost = 0;
    conversation.explore(|rest| {
        let issuer = agency(ISSUER);
        for index in 0..rest.messages.len() {
            let rests = rest.without(index);
            let fold = CaseFold::new(&AlertRules, &issuer, &rests);
            let is_accused = |line: &Line<'_>| {
                matches!(line.effect, Effect::Unlawful(_) | Effect::Unjudged(Doubt::BeyondLimit))
            };
            assert!(!fold.lines().iter().any(is_accused), "{rest:?}");
            lost += 1;
        }
    });
    assert!(lost > 100);
}
