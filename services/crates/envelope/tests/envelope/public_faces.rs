//! What the types show: no secret, no payload, and no way around verification.

use rovuma_envelope::{Jws, SealingKey, Signer, SigningKey, Typ, Unverified};

use crate::fixture::{Fixture, message, signed, today, verify};

#[test]
fn debug_shows_no_secret() {
    let pem = SigningKey::generate_pem().expect("random numbers");
    let signing = SigningKey::from_pkcs8_pem(&pem).expect("reads");
    assert_eq!(format!("{signing:?}"), format!("SigningKey({})", signing.key_id()));
    let sealing = SealingKey::generate();
    assert_eq!(format!("{sealing:?}"), format!("SealingKey({})", sealing.recipient()));
}

#[test]
fn faults_of_key_files_do_not_repeat_them() {
    let text = SealingKey::generate().to_text();
    // `B` is not a letter of Bech32.
    let text = format!("{}B", &text[..text.trim_end().len() - 1]);
    let fault = SealingKey::from_text(&text).expect_err("altered");
    let secret = text.lines().last().expect("a key");
    assert!(!format!("{fault} {fault:?}").contains(&secret[20..30]));

    let pem = SigningKey::generate_pem().expect("random numbers").replacen('M', "!", 1);
    let fault = SigningKey::from_pkcs8_pem(&pem).expect_err("altered");
    let secret = pem.lines().nth(1).expect("a key");
    assert!(!format!("{fault} {fault:?}").contains(&secret[20..30]));
}

#[test]
fn neither_debug_nor_faults_show_a_payload() {
    let fixture = Fixture::new();
    let mut text = message(today());
    text["body"]["note"] = "SECRET".into();
    text["header"]["status"] = "SECRET".into();
    let jws = Jws::sign(Typ::MESSAGE, text.to_string().into_bytes(), &fixture.prm).expect("signs");
    let failure = verify(&fixture.trust(), &jws, today()).expect_err("an unknown status");
    let shown = format!("{failure} {failure:?} {:?} {:?}", jws, Unverified::new(jws.clone()));
    assert!(!shown.contains("SECRET"), "{shown}");
    let verified =
        verify(&fixture.trust(), &signed(&message(today()), &fixture.prm), today()).expect("honest");
    assert!(!format!("{verified:?}").contains("does not look in here"));
}
