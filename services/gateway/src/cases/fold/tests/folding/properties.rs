//! What holds for any messages, however they came about.

use super::*;

/// Any message of any of three parties: gateways may lie, stores may be lost.
fn any_message() -> impl Strategy<Value = Message> {
    let facts = [
        Some(Fact::Open),
        Some(Fact::Claim),
        Some(Fact::Claim),
        Some(Fact::Close),
        Some(Fact::Stop),
        Some(Fact::Seal),
        None,
    ];
    let fact = proptest::sample::select(facts.to_vec());
    (0..3_usize, 1..5_u64, [0..5_u64, 0..5, 0..5], fact, 0..40_u64, proptest::option::of(0..40_u64)).prop_map(
        |(sender, turn, seen, fact, number, replaces)| {
            let codes = [OWNER, OTHER, "mz.senami"];
            let others = (0..3).filter(|other| *other != sender && seen[*other] > 0);
            let seen: Vec<_> = others.map(|other| (codes[other], seen[other])).collect();
            // Two messages have one content exactly when they say the same at the same place.
            let said = format!("{sender} {turn} {seen:?} {fact:?}");
            let digest = said.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(131) + u64::from(byte));
            Message {
                id: id(number),
                replaces: replaces.map(id),
                content: content(digest),
                fact,
                ..message(codes[sender], turn, &seen, Fact::Open)
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_permutation_with_duplicates_is_the_same_case(
        messages in vec(any_message(), 0..14),
        twice in vec(any::<Index>(), 0..8),
        swaps in vec((any::<Index>(), any::<Index>()), 0..30),
    ) {
        let mut other = messages.clone();
        if !messages.is_empty() {
            other.extend(twice.iter().map(|index| index.get(&messages).clone()));
            for (one, two) in &swaps {
                let (one, two) = (one.index(other.len()), two.index(other.len()));
                other.swap(one, two);
            }
        }
        prop_assert_eq!(fold(&other), fold(&messages));
        prop_assert_eq!(fold(&messages).0.len(), distinct(&messages));
    }

    /// What came later, or crossed it, never changes whether a message was lawful.
    #[test]
    fn a_verdict_depends_on_the_past_alone(messages in vec(any_message(), 0..14)) {
        let messages = one_content_a_turn(messages);
        let judged = fold(&messages).0;
        for message in &messages {
            let had = |other: &Message| {
                let own = other.sender == message.sender && other.turn < message.turn;
                own || message.seen.get(&other.sender).is_some_and(|seen| other.turn <= *seen)
            };
            let mut past: Vec<Message> = messages.iter().filter(|other| had(other)).cloned().collect();
            // Only among gateways that count as seen what they could judge is the past of the past part of it.
            let is_closed = past.iter().all(|earlier| {
                let within = |(agency, turn): (&AgencyCode, &u64)| {
                    let bound = if *agency == message.sender { message.turn - 1 } else {
                        message.seen.get(agency).copied().unwrap_or_default()
                    };
                    *turn <= bound
                };
                earlier.seen.iter().all(within) && !past.iter().any(|other| {
                    let mutual = other.seen.get(&earlier.sender).is_some_and(|seen| earlier.turn <= *seen);
                    mutual && earlier.seen.get(&other.sender).is_some_and(|seen| other.turn <= *seen)
                })
            });
            if !is_closed {
                continue;
            }
            past.push(message.clone());
            let verdict = |lines: &[(String, u64, MessageId, Effect)]| {
                let own = lines.iter().find(|(sender, turn, _, _)| {
                    *sender == message.sender.to_string() && *turn == message.turn
                });
                own.map(|(_, _, _, effect)| effect.is_lawful())
            };
            prop_assert_eq!(verdict(&judged), verdict(&fold(&past).0), "{:?}", message);
        }
    }
}

fn distinct(messages: &[Message]) -> usize {
    let places = messages.iter().map(|message| (&message.sender, message.turn, message.content));
    places.collect::<BTreeSet<_>>().len()
}

fn one_content_a_turn(messages: Vec<Message>) -> Vec<Message> {
    let mut places = BTreeSet::new();
    let mut kept = messages;
    kept.retain(|message| places.insert((message.sender.clone(), message.turn)));
    kept
}
