//! One message in its context: exchange, recipient, header, sender's rights, life time.

use rovuma_envelope::{Jws, Origin, Signer, Typ, Unverified, VerifyContext, VerifyFailure};
use rovuma_schemas::RejectionCode;
use serde_json::{Value, json};

use crate::fixture::{
    DAY, Fixture, HOUR, agency, at, country, key, message, new_agency, outcome, signed, today, verify, word,
    year,
};

#[test]
fn an_honest_message_is_verified_and_authorised() {
    let fixture = Fixture::new();
    let trust = fixture.trust();
    let jws = signed(&message(today()), &fixture.prm);
    let verified = verify(&trust, &jws, today().plus(HOUR)).expect("honest");
    assert_eq!(verified.payload(), jws.unverified_payload());
    assert_eq!(verified.digest(), jws.digest());
    assert_eq!(verified.recipient().number, Some(7));
    assert_eq!(verified.list_serial(), 1);
    let authorized = verified.authorize_sender(&trust).expect("may send alerts");
    assert_eq!(authorized.sender(), &agency("mz.prm"));
    assert_eq!(authorized.jws(), &jws);
}

#[test]
fn every_failure_to_verify_looks_alike_from_outside() {
    let fixture = Fixture::new();
    let trust = fixture.trust();
    let mut elsewhere = message(today());
    elsewhere["header"]["recipients"] = json!([{ "agency": "tz.tisd", "lane": "normal" }]);
    let mut stranger = message(today());
    stranger["header"]["sender"]["agency"] = json!("mz.nobody");
    let honest = signed(&message(today()), &fixture.prm);
    let broken = Jws::from_segments(honest.protected().to_vec(), b"{}".to_vec(), *honest.signature());
    let early = message(at("2025-12-31T00:00:00Z"));
    let refused = [
        signed(&elsewhere, &fixture.prm),
        signed(&stranger, &fixture.prm),
        signed(&early, &fixture.prm),
        broken,
        signed(&message(today()), &fixture.prm).clone_with_typ(&fixture),
    ];
    let failures: Vec<_> = refused.iter().map(|jws| verify(&trust, jws, today())).collect();
    let words: Vec<_> = failures.iter().map(word).collect();
    assert_eq!(
        words,
        ["not_a_recipient", "unknown_agency", "key_not_yet_valid", "bad_header", "bad_protected_header"]
    );
    for failure in failures {
        let failure = failure.expect_err("refused");
        assert_eq!(failure.public_code(), "unverifiable");
        assert!(matches!(failure, VerifyFailure::Refused { .. }));
    }
}

trait OtherTyp {
    fn clone_with_typ(&self, fixture: &Fixture) -> Jws;
}

impl OtherTyp for Jws {
    /// The same payload, signed by the same key, for another purpose.
    fn clone_with_typ(&self, fixture: &Fixture) -> Jws {
        Jws::sign(Typ::AUDIT, self.unverified_payload().to_vec(), &fixture.prm).expect("signs")
    }
}

#[test]
fn another_countrys_door_is_refused() {
    let fixture = Fixture::new();
    let trust = fixture.trust();
    let jws = signed(&message(today()), &fixture.prm);
    let opened_for = agency("tz.tpf");
    for origin in [Origin::Ingress(country("tz")), Origin::Ingress(country("zm")), Origin::Domestic] {
        let context = VerifyContext { now: today(), origin, opened_for: &opened_for };
        let result = trust.verify(Unverified::new(jws.clone()), &context);
        assert_eq!(word(&result), "wrong_origin", "{origin:?}");
    }
}

#[test]
fn a_domestic_message_stays_domestic() {
    let fixture = Fixture::new();
    let trust = fixture.trust();
    let mut text = message(today());
    text["header"]["recipients"] = json!([{ "agency": "mz.senami", "lane": "urgent" }]);
    let jws = signed(&text, &fixture.prm);
    let opened_for = agency("mz.senami");
    let through = |origin| {
        let context = VerifyContext { now: today(), origin, opened_for: &opened_for };
        word(&trust.verify(Unverified::new(jws.clone()), &context))
    };
    assert_eq!(through(Origin::Domestic), "verified");
    assert_eq!(through(Origin::Ingress(country("tz"))), "wrong_origin");
}

/// A recipient cannot pass a message on to another agency as if it had been addressed to that one.
#[test]
fn a_bundle_opened_for_x_is_for_x_only() {
    let fixture = Fixture::new();
    let trust = fixture.trust();
    let jws = signed(&message(today()), &fixture.prm);
    for other in ["tz.dci", "tz.node", "mz.senami", "mz.prm"] {
        let opened_for = agency(other);
        let context =
            VerifyContext { now: today(), origin: Origin::Ingress(country("mz")), opened_for: &opened_for };
        assert_eq!(word(&trust.verify(Unverified::new(jws.clone()), &context)), "not_a_recipient", "{other}");
    }
}

#[test]
fn a_recipient_named_twice_is_none() {
    let fixture = Fixture::new();
    let mut text = message(today());
    text["header"]["recipients"][1]["agency"] = json!("tz.tpf");
    assert_eq!(outcome(&fixture.trust(), &signed(&text, &fixture.prm), today()), "not_a_recipient");
}

#[test]
fn another_agencys_key_does_not_speak_for_the_sender() {
    let mut fixture = Fixture::new();
    let senami = key();
    fixture.mz.add_key("mz.senami", senami.public_key(), year());
    let trust = fixture.trust();
    // Keys are looked up by (agency, key id): this key exists, but not as a key of mz.prm.
    assert_eq!(outcome(&trust, &signed(&message(today()), &senami), today()), "unknown_key");
    let mut own = message(today());
    own["header"]["sender"]["agency"] = json!("mz.senami");
    assert_eq!(outcome(&trust, &signed(&own, &senami), today()), "verified");
    assert_eq!(outcome(&trust, &signed(&own, &fixture.prm), today()), "unknown_key");
}

#[test]
fn an_agency_of_no_list_is_refused_not_held() {
    let fixture = Fixture::new();
    let trust = fixture.trust();
    for stranger in ["mz.nobody", "zm.police"] {
        let mut text = message(today());
        text["header"]["sender"]["agency"] = json!(stranger);
        let jws = signed(&text, &fixture.prm);
        let opened_for = agency("tz.tpf");
        let origin = Origin::Ingress(agency(stranger).country());
        let context = VerifyContext { now: today(), origin, opened_for: &opened_for };
        assert_eq!(word(&trust.verify(Unverified::new(jws), &context)), "unknown_agency", "{stranger}");
    }
}

#[test]
fn a_payload_without_a_readable_header_is_refused() {
    let fixture = Fixture::new();
    let trust = fixture.trust();
    let honest = message(today()).to_string();
    let twice = honest.replacen("\"terms\"", "\"header\":{},\"terms\"", 1);
    let sender_twice = honest.replacen("\"sender\"", "\"sender\":{\"agency\":\"mz.senami\"},\"sender\"", 1);
    let escaped = honest.replacen("\"terms\"", "\"head\\u0065r\":{},\"terms\"", 1);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for payload in
        ["", "null", "[]", "{}", "{\"header\":{}}", "\u{feff}{}", &twice, &sender_twice, &escaped, &deep]
    {
        let jws = Jws::sign(Typ::MESSAGE, payload.as_bytes().to_vec(), &fixture.prm).expect("signs");
        assert_eq!(outcome(&trust, &jws, today()), "bad_header", "{payload:.60}");
    }
}

#[test]
fn a_signed_message_from_the_future_is_answered_clock() {
    let fixture = Fixture::new();
    let trust = fixture.trust();
    let jws = signed(&message(today()), &fixture.prm);
    let tolerance = fixture.policy.clock_tolerance;
    assert_eq!(outcome(&trust, &jws, today().minus(tolerance)), "verified");
    let failure = verify(&trust, &jws, today().minus(tolerance + HOUR)).expect_err("an hour ahead");
    let VerifyFailure::Rejected(rejectable) = failure else { panic!("not answered: {failure}") };
    assert_eq!(rejectable.rejection().code(), RejectionCode::Clock);
    // Enough to answer the message and to use up its number.
    assert_eq!(rejectable.recipient().number, Some(7));
    assert_eq!(rejectable.digest(), jws.digest());
}

/// Nobody can make a gateway answer what its sender did not sign, whatever time it names.
#[test]
fn a_forged_message_from_the_future_is_not_answered() {
    let fixture = Fixture::new();
    let honest = signed(&message(today().plus(9 * DAY)), &fixture.prm);
    let mut signature = *honest.signature().as_bytes();
    signature[0] ^= 1;
    let forged = Jws::from_segments(
        honest.protected().to_vec(),
        honest.unverified_payload().to_vec(),
        rovuma_envelope::Signature::from_bytes(signature),
    );
    assert_eq!(outcome(&fixture.trust(), &forged, today()), "bad_signature");
}

#[test]
fn an_expired_message_is_verified_and_says_so() {
    let fixture = Fixture::new();
    let trust = fixture.trust();
    let jws = signed(&message(today()), &fixture.prm);
    let end = today().plus(30 * DAY);
    let verified = verify(&trust, &jws, end).expect("still verified");
    assert!(!verified.is_expired(end.minus(HOUR)));
    assert!(verified.is_expired(end));
    let mut lasting = message(today());
    lasting["header"].as_object_mut().expect("an object").remove("expires");
    let verified = verify(&trust, &signed(&lasting, &fixture.prm), end).expect("verified");
    assert!(!verified.is_expired(end.plus(3650 * DAY)));
}

#[test]
fn an_older_major_version_than_configured_is_rejected() {
    let mut fixture = Fixture::new();
    fixture.policy.minimum_schema_major = 2;
    let trust = fixture.trust();
    let with_version = |version: &str| {
        let mut text = message(today());
        text["header"]["version"] = json!(version);
        outcome(&trust, &signed(&text, &fixture.prm), today())
    };
    assert_eq!(with_version("1.9"), "downgrade");
    assert_eq!(with_version("0.1"), "downgrade");
    assert_eq!(with_version("2.0"), "verified");
}

/// Whether a message of that type from that sender, which has every key it needs, is authorized.
fn authorised(fixture: &Fixture, sender: &str, message_type: &str) -> bool {
    let trust = fixture.trust();
    let mut text: Value = message(today());
    text["header"]["sender"]["agency"] = json!(sender);
    text["header"]["type"] = json!(message_type);
    let signer = if sender == "mz.node" { &fixture.node } else { &fixture.prm };
    let verified = verify(&trust, &signed(&text, signer), today()).expect("verified");
    match verified.authorize_sender(&trust) {
        Ok(_) => true,
        Err(rejectable) => {
            assert_eq!(rejectable.rejection().code(), RejectionCode::Unauthorised);
            false
        }
    }
}

#[test]
fn a_sender_sends_what_the_list_says() {
    let fixture = Fixture::new();
    for message_type in ["alert.issue", "receipt.delivered", "stream.status", "alert.some_new_kind"] {
        assert!(authorised(&fixture, "mz.prm", message_type), "{message_type} was refused");
    }
    for message_type in
        ["requests.submit", "watch.notify", "alerts.issue", "alert", "alert.", "", "ALERT.ISSUE"]
    {
        assert!(!authorised(&fixture, "mz.prm", message_type), "{message_type} was taken");
    }
}

#[test]
fn only_a_node_sends_audit_trust_and_link() {
    let fixture = Fixture::new();
    for message_type in ["link.fault", "audit.checkpoint", "trust.list"] {
        assert!(!authorised(&fixture, "mz.prm", message_type), "{message_type} was taken");
        assert!(authorised(&fixture, "mz.node", message_type), "{message_type} was refused");
    }
    assert!(!authorised(&fixture, "mz.node", "alert.issue"));
    assert!(!authorised(&fixture, "mz.node", "receipt.delivered"));
}

#[test]
fn a_right_taken_away_counts_from_the_next_list_on() {
    let mut fixture = Fixture::new();
    assert!(authorised(&fixture, "mz.prm", "alert.issue"));
    fixture.mz.revise();
    let mut less = new_agency("mz.prm");
    less.may_send = vec!["receipt.*".parse().expect("a rule")];
    fixture.mz.draft.change_agency(&agency("mz.prm"), less).expect("listed");
    assert!(!authorised(&fixture, "mz.prm", "alert.issue"));
    assert!(authorised(&fixture, "mz.prm", "receipt.read"));
}
