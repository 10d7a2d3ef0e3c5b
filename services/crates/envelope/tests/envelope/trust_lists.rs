//! Which lists are accepted, how long they are believed, and which messages are held meanwhile.

use rovuma_envelope::{
    Pin, SealingKey, SharedTrust, SignedTrustList, Signer, TrustFault, TrustStore, Typ,
    trust::{
        ContentFault, Expiring, GeneralJws, KeyTerm, ListState, NoSealingKey, OfferOutcome, Revocation,
        RevocationReason,
    },
};
use rovuma_schemas::Timestamp;
use serde_json::{Value, json};

use crate::fixture::{
    Country, DAY, Fixture, HOUR, agency, country, key, message, new_agency, outcome, signed, start, today,
    year,
};

fn offer(trust: &SharedTrust, json: &str) -> Result<OfferOutcome, TrustFault> {
    trust.offer(json.as_bytes(), start().plus(HOUR))
}

/// The content of Mozambique's list, changed and truly signed by its authority.
fn tampered(change: impl FnOnce(&mut Value)) -> Result<OfferOutcome, TrustFault> {
    let fixture = Fixture::new();
    let mut content = serde_json::to_value(fixture.mz.list().content()).expect("serialises");
    change(&mut content);
    let payload = content.to_string();
    let general =
        GeneralJws::sign(Typ::TRUST_LIST, payload.as_bytes(), &[&fixture.mz.authority]).expect("signs");
    let json = serde_json::to_string(&general).expect("serialises");
    offer(&SharedTrust::new(fixture.empty_trust()), &json)
}

fn content_fault(change: impl FnOnce(&mut Value)) -> ContentFault {
    match tampered(change) {
        Err(TrustFault::Content(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_list_reads_back_as_it_was_written() {
    let fixture = Fixture::new();
    let json = fixture.mz.signed();
    let list =
        SignedTrustList::from_json(json.as_bytes()).expect("reads").verify(&fixture.mz.pin()).expect("holds");
    assert_eq!(list.content().agencies, fixture.mz.draft.content().agencies);
    assert_eq!(SignedTrustList::from_json(json.as_bytes()).expect("reads").to_json(), json);
}

#[test]
fn a_list_is_taken_from_its_authority_only() {
    let fixture = Fixture::new();
    let trust = SharedTrust::new(fixture.empty_trust());
    let (mut other, mut foreign) = (Country::new("mz"), Country::new("zm"));
    other.add_agency("mz.prm");
    foreign.add_agency("zm.police");
    assert!(matches!(offer(&trust, &other.signed()), Err(TrustFault::Signature { .. })));
    assert!(matches!(offer(&trust, &foreign.signed()), Err(TrustFault::NotPinned { .. })));
    // Tanzania's authority signs a list that says it is Mozambique's.
    let posing = Country { code: country("mz"), authority: fixture.tz.authority, draft: other.draft };
    assert!(posing.draft.clone().sign(&posing.authority, start(), today()).is_err());
    assert!(trust.current().lists().next().is_none());
}

#[test]
fn a_list_for_another_purpose_or_without_a_signature_is_refused() {
    let fixture = Fixture::new();
    let trust = SharedTrust::new(fixture.empty_trust());
    let payload = serde_json::to_vec(fixture.mz.list().content()).expect("serialises");
    let wrong = GeneralJws::sign(Typ::MESSAGE, &payload, &[&fixture.mz.authority]).expect("signs");
    let wrong = serde_json::to_string(&wrong).expect("serialises");
    assert!(matches!(offer(&trust, &wrong), Err(TrustFault::Signature { .. })));

    let good: Value = serde_json::from_str(&fixture.mz.signed()).expect("JSON");
    let mut none = good.clone();
    none["signatures"] = json!([]);
    let mut many = good.clone();
    many["signatures"] = json!(vec![good["signatures"][0].clone(); 5]);
    let mut unprotected = good.clone();
    unprotected["signatures"][0]["header"] = json!({ "kid": "other" });
    for bad in [none, many, unprotected, json!([]), json!({})] {
        assert!(matches!(offer(&trust, &bad.to_string()), Err(TrustFault::Jws(_))), "{bad:.80}");
    }
    let huge = format!("{}{}", fixture.mz.signed(), " ".repeat(1024 * 1024));
    assert!(matches!(offer(&trust, &huge), Err(TrustFault::TooLarge { .. })));
}

#[test]
fn the_content_keeps_its_rules_even_when_the_authority_breaks_them() {
    let fault = content_fault(|list| list["agencies"][1]["code"] = json!("tz.tpf"));
    assert!(matches!(fault, ContentFault::ForeignAgency { .. }), "{fault}");
    let fault = content_fault(|list| list["agencies"][1]["code"] = json!("mz.senami"));
    assert!(matches!(fault, ContentFault::AgencyTwice { .. }), "{fault}");
    let fault = content_fault(|list| list["agencies"][0]["code"] = json!("mz.other"));
    assert!(matches!(fault, ContentFault::NodeOnly { .. } | ContentFault::NoNode { .. }), "{fault}");
    let fault = content_fault(|list| {
        list["agencies"].as_array_mut().expect("an array").remove(0);
    });
    assert!(matches!(fault, ContentFault::NoNode { .. }), "{fault}");
    let fault = content_fault(|list| list["agencies"][1]["may_send"] = json!(["link.fault"]));
    assert!(matches!(fault, ContentFault::NodeOnly { .. }), "{fault}");
    let fault = content_fault(|list| list["format"] = json!(2));
    assert!(matches!(fault, ContentFault::Format { got: 2 }), "{fault}");
    let fault = content_fault(|list| list["serial"] = json!(0));
    assert!(matches!(fault, ContentFault::Serial), "{fault}");
    let fault = content_fault(|list| list["next_update"] = list["issued"].clone());
    assert!(matches!(fault, ContentFault::Dates { .. }), "{fault}");
    let fault = content_fault(|list| list["authority"] = json!(*key().public_key()));
    assert!(matches!(fault, ContentFault::Authority { .. }), "{fault}");
    let any = GeneralJws::sign(Typ::SUCCESSION, b"{}", &[&key()]).expect("signs");
    let fault = content_fault(|list| list["successions"] = json!(vec![any; 65]));
    assert!(matches!(fault, ContentFault::Successions { got: 65 }), "{fault}");
}

/// One key may be the authority of two countries by mistake; their lists are still not interchangeable.
#[test]
fn a_list_is_checked_against_its_own_countrys_pin() {
    let fixture = Fixture::new();
    let list = SignedTrustList::from_json(fixture.mz.signed().as_bytes()).expect("reads");
    let pin = Pin::new(country("tz"), *fixture.mz.authority.public_key());
    assert!(matches!(list.verify(&pin), Err(TrustFault::OtherCountry { .. })));
}

#[test]
fn keys_keep_their_rules_even_when_the_authority_breaks_them() {
    let fault = content_fault(|list| {
        list["agencies"][2]["signing_keys"] = list["agencies"][1]["signing_keys"].clone()
    });
    assert!(matches!(fault, ContentFault::KeyTwice { .. }), "{fault}");
    let fault = content_fault(|list| {
        let entry = &mut list["agencies"][1]["signing_keys"][0];
        entry["kid"] = json!(*key().key_id());
    });
    assert!(matches!(fault, ContentFault::KeyId { .. }), "{fault}");
    let fault = content_fault(|list| {
        let entry = &mut list["agencies"][1]["signing_keys"][0];
        entry["not_after"] = entry["not_before"].clone();
    });
    assert!(matches!(fault, ContentFault::Validity { .. }), "{fault}");
    let fault =
        content_fault(|list| list["agencies"][1]["valid_until"] = list["agencies"][1]["valid_from"].clone());
    assert!(matches!(fault, ContentFault::Validity { .. }), "{fault}");
    for (member, value) in
        [("alg", json!("none")), ("alg", json!("RS256")), ("revoked", json!({ "reason": "x" }))]
    {
        let fault = content_fault(|list| list["agencies"][1]["signing_keys"][0][member] = value);
        assert!(matches!(fault, ContentFault::Shape(_)), "{fault}");
    }
}

#[test]
fn members_of_newer_lists_are_passed_over() {
    let taken = tampered(|list| list["agencies"][1]["telephone"] = json!("+258"));
    assert!(matches!(taken, Ok(OfferOutcome::Replaced { serial: 1, previous: None, .. })), "{taken:?}");
}

#[test]
fn the_serial_only_goes_up() {
    let mut fixture = Fixture::new();
    let trust = SharedTrust::new(fixture.empty_trust());
    let first = fixture.mz.signed();
    fixture.mz.revise();
    let second = fixture.mz.signed();
    assert!(matches!(offer(&trust, &second), Ok(OfferOutcome::Replaced { serial: 2, previous: None, .. })));
    assert!(matches!(offer(&trust, &first), Err(TrustFault::Older { held: 2, offered: 1, .. })));
    assert!(matches!(offer(&trust, &second), Ok(OfferOutcome::Unchanged { serial: 2, .. })));
    fixture.mz.add_agency("mz.sernic");
    assert!(matches!(offer(&trust, &fixture.mz.signed()), Err(TrustFault::SameSerial { serial: 2, .. })));
    assert_eq!(trust.current().list(country("mz")).expect("held").serial(), 2);
    assert!(trust.current().agency(&agency("mz.sernic")).is_none());
}

#[test]
fn a_restart_does_not_let_an_older_list_in() {
    let mut fixture = Fixture::new();
    let first = fixture.mz.signed();
    let pin = Pin { minimum_serial: 2, ..fixture.mz.pin() };
    let trust = SharedTrust::new(TrustStore::new(fixture.policy.clone(), [pin]).expect("one country"));
    assert!(matches!(offer(&trust, &first), Err(TrustFault::Older { held: 2, offered: 1, .. })));
    fixture.mz.revise();
    assert!(offer(&trust, &fixture.mz.signed()).is_ok());
}

#[test]
fn a_list_issued_in_the_future_is_a_clock_fault() {
    let fixture = Fixture::new();
    let trust = SharedTrust::new(fixture.empty_trust());
    let json = fixture.mz.signed_at(today());
    let offered = trust.offer(json.as_bytes(), today().minus(HOUR));
    assert!(matches!(offered, Err(TrustFault::Clock { .. })));
    assert!(trust.offer(json.as_bytes(), today().minus(fixture.policy.clock_tolerance)).is_ok());
}

#[test]
fn a_bad_list_does_not_keep_the_others_out() {
    let fixture = Fixture::new();
    let trust = SharedTrust::new(fixture.empty_trust());
    let (mz, tz) = (fixture.mz.signed(), fixture.tz.signed());
    let results = trust.reload([b"not a list".as_slice(), mz.as_bytes(), tz.as_bytes()], start());
    assert!(results[0].is_err() && results[1].is_ok() && results[2].is_ok());
    assert_eq!(trust.current().lists().count(), 2);
}

#[test]
fn one_country_has_one_pin() {
    let fixture = Fixture::new();
    let pins = [fixture.mz.pin(), Country::new("mz").pin()];
    assert!(matches!(TrustStore::new(fixture.policy.clone(), pins), Err(TrustFault::PinnedTwice { .. })));
}

#[test]
fn an_unknown_key_is_held_until_a_list_brings_it() {
    let mut fixture = Fixture::new();
    let trust = SharedTrust::new(fixture.empty_trust());
    let fresh = key();
    let jws = signed(&message(today()), &fresh);
    assert_eq!(outcome(&trust.current(), &jws, today()), "no_trust_list");
    offer(&trust, &fixture.mz.signed()).expect("holds");
    assert_eq!(outcome(&trust.current(), &jws, today()), "unknown_key");
    fixture.mz.revise();
    fixture.mz.add_key("mz.prm", fresh.public_key(), year());
    offer(&trust, &fixture.mz.signed()).expect("holds");
    assert_eq!(outcome(&trust.current(), &jws, today()), "verified");
}

#[test]
fn a_list_long_overdue_holds_messages_until_the_next() {
    let mut fixture = Fixture::new();
    let trust = SharedTrust::new(fixture.empty_trust());
    offer(&trust, &fixture.mz.signed()).expect("holds");
    let due = start().plus(30 * DAY);
    let (created, bound) = (due.plus(50 * DAY), due.plus(60 * DAY));
    let jws = signed(&message(created), &fixture.prm);
    let state = |now: Timestamp| trust.current().statuses(now)[0].state;
    assert_eq!(
        (state(due), state(due.plus(HOUR)), state(bound)),
        (ListState::Current, ListState::Overdue, ListState::Overdue)
    );
    assert_eq!(outcome(&trust.current(), &jws, bound), "verified");
    assert_eq!(outcome(&trust.current(), &jws, bound.plus(HOUR)), "trust_list_overdue");
    assert_eq!(state(bound.plus(HOUR)), ListState::PastBound);
    fixture.mz.revise();
    let renewed = fixture.mz.signed_at(bound);
    trust.offer(renewed.as_bytes(), bound.plus(HOUR)).expect("holds");
    assert_eq!(outcome(&trust.current(), &jws, bound.plus(HOUR)), "verified");
}

/// Forgeries under a known key are refused at once, however old the list is.
#[test]
fn a_long_overdue_list_does_not_hold_forgeries() {
    let fixture = Fixture::new();
    let trust = fixture.trust();
    let late = start().plus(100 * DAY);
    let honest = signed(&message(late), &fixture.prm);
    let forged = rovuma_envelope::Jws::from_segments(
        honest.protected().to_vec(),
        message(late).to_string().into_bytes(),
        *honest.signature(),
    );
    assert_eq!(outcome(&trust, &honest, late), "trust_list_overdue");
    assert_eq!(outcome(&trust, &forged, late), "bad_signature");
}

#[test]
fn the_newest_valid_sealing_key_is_sealed_to() {
    let mut fixture = Fixture::new();
    let tpf = agency("tz.tpf");
    let recipient =
        |fixture: &Fixture, now| fixture.trust().sealing_recipient(&tpf, now).map(ToString::to_string);
    let first = recipient(&fixture, today()).expect("one key");
    let next = SealingKey::generate();
    let term = KeyTerm { not_before: today(), ..year() };
    fixture.tz.draft.rotate_sealing_key(&tpf, next.recipient().clone(), term, 7 * DAY).expect("listed");
    assert_eq!(recipient(&fixture, today().minus(HOUR)).expect("the old one"), first);
    assert_eq!(recipient(&fixture, today()).expect("the new one"), next.recipient().to_string());

    let stolen = Revocation { at: today().plus(9 * DAY), reason: RevocationReason::Compromised };
    fixture.tz.draft.revoke_sealing_key(&tpf, next.recipient(), stolen).expect("listed");
    assert_eq!(recipient(&fixture, today()).expect("the old one again"), first);
    assert_eq!(
        recipient(&fixture, today().plus(8 * DAY)),
        Err(NoSealingKey::NoneValid { agency: tpf.clone() })
    );
}

#[test]
fn nothing_is_sealed_without_a_valid_key_agency_and_list() {
    let mut fixture = Fixture::new();
    let trust = fixture.trust();
    let sealed = |trust: &TrustStore, code: &str, now| trust.sealing_recipient(&agency(code), now).is_ok();
    assert!(sealed(&trust, "tz.tpf", today()));
    assert!(!sealed(&trust, "tz.tpf", start().minus(HOUR)));
    assert!(!sealed(&trust, "tz.tpf", start().plus(91 * DAY)), "long overdue");
    assert!(!sealed(&trust, "tz.tisd", today()), "no key");
    assert!(!sealed(&trust, "tz.nobody", today()));
    assert!(!sealed(&trust, "zm.police", today()));
    assert!(!sealed(&fixture.empty_trust(), "tz.tpf", today()));
    fixture.tz.draft.end_agency(&agency("tz.tpf"), today()).expect("listed");
    assert!(!sealed(&fixture.trust(), "tz.tpf", today()));
    fixture.policy.list_grace = 1000 * DAY;
    assert!(!sealed(&fixture.trust(), "tz.tpf", year().not_after));
}

#[test]
fn no_bundle_format_or_version_below_the_minimum() {
    let mut fixture = Fixture::new();
    let (tpf, tisd) = (agency("tz.tpf"), agency("tz.tisd"));
    let mut future = new_agency("tz.tisd");
    future.accepts.bundle_formats = vec![0, 2, 9];
    future.accepts.schema_majors = vec![0, 2];
    fixture.tz.draft.change_agency(&tisd, future).expect("listed");
    let trust = fixture.trust();
    assert_eq!(trust.bundle_format_for(&tpf).expect("format 1"), 1);
    assert!(trust.accepts_major(&tpf, 1));
    assert!(trust.bundle_format_for(&tisd).is_err());
    assert!(
        !trust.accepts_major(&tisd, 1) && !trust.accepts_major(&tisd, 0) && trust.accepts_major(&tisd, 2)
    );
    fixture.policy.minimum_bundle_format = 2;
    assert!(fixture.trust().bundle_format_for(&tpf).is_err());
}

#[test]
fn ends_are_told_in_time() {
    let mut fixture = Fixture::new();
    let gone = Revocation { at: today(), reason: RevocationReason::Superseded };
    fixture.mz.draft.revoke_signing_key(&agency("mz.prm"), fixture.prm.key_id(), gone).expect("listed");
    let expiries = fixture.trust().expiries();
    let has = |what: Expiring| expiries.iter().any(|expiry| expiry.what == what);
    assert!(has(Expiring::List(country("mz"))) && has(Expiring::List(country("tz"))));
    assert!(has(Expiring::SigningKey(agency("mz.node"), *fixture.node.key_id())));
    assert!(
        !has(Expiring::SigningKey(agency("mz.prm"), *fixture.prm.key_id())),
        "revoked: nobody need renew it"
    );
}
