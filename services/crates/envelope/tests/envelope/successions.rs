//! Successions from one authority key to the next.

use rovuma_envelope::{
    PublicKey, SharedTrust, Signer, SigningKey, TrustFault, TrustListDraft, Typ,
    trust::{DraftFault, GeneralJws, OfferOutcome},
};
use serde_json::{Value, json};

use crate::fixture::{Country, DAY, Fixture, HOUR, country, key, start, today};

fn offer(trust: &SharedTrust, json: &str) -> Result<OfferOutcome, TrustFault> {
    trust.offer(json.as_bytes(), start().plus(HOUR))
}

/// Mozambique after its authority went from the first key to the second.
struct HandedOver {
    pin: rovuma_envelope::Pin,
    before: String,
    old: SigningKey,
    mz: Country,
}

fn handed_over() -> HandedOver {
    let Fixture { mut mz, .. } = Fixture::new();
    let (pin, before, new) = (mz.pin(), mz.signed(), key());
    mz.revise();
    mz.draft.hand_over(&mz.authority, &new, today()).expect("hands over");
    let old = std::mem::replace(&mut mz.authority, new);
    HandedOver { pin, before, old, mz }
}

fn pinned(pin: &rovuma_envelope::Pin) -> SharedTrust {
    let store = rovuma_envelope::TrustStore::new(Default::default(), [pin.clone()]);
    SharedTrust::new(store.expect("one country"))
}

#[test]
fn a_partner_follows_from_the_key_it_pinned() {
    let HandedOver { pin, before, mz, .. } = handed_over();
    let running = pinned(&pin);
    offer(&running, &before).expect("the first list");
    assert!(matches!(
        offer(&running, &mz.signed()),
        Ok(OfferOutcome::Replaced { serial: 2, previous: Some(1), .. })
    ));
    // And after a restart, with the old pin or the new one.
    let restarted = pinned(&pin);
    offer(&restarted, &mz.signed()).expect("follows the succession");
    assert!(restarted.current().statuses(today())[0].pin_outdated);
    let renewed = pinned(&mz.pin());
    offer(&renewed, &mz.signed()).expect("pinned anew");
    assert!(!renewed.current().statuses(today())[0].pin_outdated);
}

#[test]
fn several_successions_are_followed_in_turn() {
    let HandedOver { pin, mut mz, .. } = handed_over();
    let third = key();
    let list = rovuma_envelope::SignedTrustList::from_json(mz.signed().as_bytes()).expect("reads");
    mz.draft = TrustListDraft::revise(&list.verify(&pin).expect("holds"));
    mz.draft.hand_over(&mz.authority, &third, today()).expect("hands over");
    mz.authority = third;
    offer(&pinned(&pin), &mz.signed()).expect("two steps");
}

#[test]
fn the_old_authority_no_longer_signs() {
    let HandedOver { pin, before, old, mz } = handed_over();
    let trust = pinned(&pin);
    offer(&trust, &mz.signed()).expect("the second list");
    assert!(mz.draft.clone().sign(&old, start(), today()).is_err());
    // The old key signs a third list as if it had never handed over.
    let list = rovuma_envelope::SignedTrustList::from_json(before.as_bytes()).expect("reads");
    let mut branch = TrustListDraft::revise(&list.verify(&pin).expect("holds"));
    for _ in 0..3 {
        let next = branch.sign(&old, start(), start().plus(30 * DAY)).expect("signs");
        let refused = offer(&trust, &next.to_json());
        assert!(
            matches!(refused, Err(TrustFault::NoSuccession { .. } | TrustFault::SameSerial { .. })),
            "{refused:?}"
        );
        branch = TrustListDraft::revise(&next.verify(&pin).expect("holds by itself"));
    }
}

/// Mozambique's second list with its succession replaced by that text.
fn with_succession(handed: &HandedOver, succession: Value) -> Result<OfferOutcome, TrustFault> {
    let mut content = serde_json::to_value(handed.mz.draft.content()).expect("serialises");
    content["successions"] = json!([succession]);
    content["issued"] = json!(start());
    content["next_update"] = json!(start().plus(30 * DAY));
    let payload = content.to_string();
    let signed =
        GeneralJws::sign(Typ::TRUST_LIST, payload.as_bytes(), &[&handed.mz.authority]).expect("signs");
    offer(&pinned(&handed.pin), &serde_json::to_string(&signed).expect("serialises"))
}

fn succession(handed: &HandedOver, typ: Typ, country: &str, signers: &[&dyn Signer]) -> Value {
    succession_from(handed.old.public_key(), handed, typ, country, signers)
}

fn succession_from(
    from: &PublicKey,
    handed: &HandedOver,
    typ: Typ,
    country: &str,
    signers: &[&dyn Signer],
) -> Value {
    let payload = json!({
        "country": country,
        "from": from,
        "to": handed.mz.authority.public_key(),
        "at": today(),
    });
    let general = GeneralJws::sign(typ, payload.to_string().as_bytes(), signers).expect("signs");
    serde_json::to_value(general).expect("serialises")
}

#[test]
fn a_succession_needs_both_signatures() {
    let handed = handed_over();
    let (old, new, thief): (&dyn Signer, &dyn Signer, _) = (&handed.old, &handed.mz.authority, key());
    let attempt = |typ, country, signers: &[&dyn Signer]| {
        with_succession(&handed, succession(&handed, typ, country, signers)).is_ok()
    };
    assert!(attempt(Typ::SUCCESSION, "mz", &[old, new]));
    assert!(attempt(Typ::SUCCESSION, "mz", &[new, old]));
    assert!(!attempt(Typ::SUCCESSION, "mz", &[old]));
    assert!(!attempt(Typ::SUCCESSION, "mz", &[new]));
    assert!(!attempt(Typ::SUCCESSION, "mz", &[old, old]));
    assert!(!attempt(Typ::SUCCESSION, "mz", &[&thief, new]));
    assert!(!attempt(Typ::SUCCESSION, "mz", &[old, &thief]));
    assert!(!attempt(Typ::SUCCESSION, "tz", &[old, new]), "another country's succession");
    assert!(!attempt(Typ::TRUST_LIST, "mz", &[old, new]), "signed for another purpose");
    let elsewhere = succession_from(thief.public_key(), &handed, Typ::SUCCESSION, "mz", &[old, new]);
    assert!(with_succession(&handed, elsewhere).is_err(), "it starts from another key than its signer");
}

#[test]
fn the_successor_is_the_one_that_was_named() {
    let Fixture { mut mz, .. } = Fixture::new();
    let (named, other) = (key(), key());
    mz.draft.name_next_authority(*named.public_key());
    let trust = pinned(&mz.pin());
    offer(&trust, &mz.signed()).expect("the first list");
    mz.revise();
    let refused = mz.draft.hand_over(&mz.authority, &other, today());
    assert!(matches!(refused, Err(DraftFault::NotTheSuccessor { .. })));

    // The old key names another next authority in the very list that hands over to it: no earlier list
    // announced it.
    let mut sly = mz.draft.clone();
    sly.name_next_authority(*other.public_key());
    sly.hand_over(&mz.authority, &other, today()).expect("hands over");
    let list = sly.sign(&other, start(), start().plus(30 * DAY)).expect("signs");
    assert!(matches!(offer(&trust, &list.to_json()), Err(TrustFault::OtherSuccessor { .. })));

    mz.draft.hand_over(&mz.authority, &named, today()).expect("hands over");
    mz.authority = named;
    assert!(offer(&trust, &mz.signed()).is_ok());
}

#[test]
fn only_the_authority_hands_over_and_signs() {
    let Fixture { mz, .. } = Fixture::new();
    let (thief, new) = (key(), key());
    let mut draft = mz.draft.clone();
    assert!(matches!(draft.hand_over(&thief, &new, today()), Err(DraftFault::NotTheAuthority { .. })));
    assert!(matches!(draft.sign(&thief, start(), today()), Err(DraftFault::NotTheAuthority { .. })));
    assert_eq!(mz.code, country("mz"));
}
