//! Property tests: whatever is changed on the way is refused, and no input makes a reader panic.

use std::sync::LazyLock;

use proptest::prelude::*;
use rovuma_envelope::{
    BUNDLE_FORMAT, BUNDLE_PACKED_MAX, Bundle, Jws, SealingKey, SharedTrust, SignedTrustList, TrustStore,
    open, seal,
};
use serde_json::{Value, json};

use crate::{
    bundles::compressed,
    fixture::{Fixture, message, outcome, signed, start, today, verify},
};

/// One fixture for all cases: making keys is slow.
struct Prepared {
    fixture: Fixture,
    trust: TrustStore,
    honest: Jws,
    key: SealingKey,
}

static SCENE: LazyLock<Prepared> = LazyLock::new(|| {
    let fixture = Fixture::new();
    let trust = fixture.trust();
    let honest = signed(&message(today()), &fixture.prm);
    Prepared { fixture, trust, honest, key: SealingKey::generate() }
});

fn flip(bytes: &[u8], bit: prop::sample::Index) -> Vec<u8> {
    let mut flipped = bytes.to_vec();
    let bit = bit.index(bytes.len() * 8);
    flipped[bit / 8] ^= 1 << (bit % 8);
    flipped
}

fn is_verified(jws: &Jws) -> bool {
    verify(&SCENE.trust, jws, today()).is_ok()
}

proptest! {
    #[test]
    fn any_flipped_bit_of_a_jws_is_refused(bit: prop::sample::Index) {
        let honest = &SCENE.honest;
        let segments = [honest.protected(), honest.unverified_payload(), honest.signature().as_bytes()];
        let flipped = flip(&segments.concat(), bit);
        let (protected, rest) = flipped.split_at(honest.protected().len());
        let (payload, signature) = rest.split_last_chunk().expect("64 bytes");
        let signature = rovuma_envelope::Signature::from_bytes(*signature);
        let forged = Jws::from_segments(protected.to_vec(), payload.to_vec(), signature);
        prop_assert!(!is_verified(&forged));
        prop_assert_ne!(forged.digest(), honest.digest());
    }

    #[test]
    fn any_flipped_bit_of_the_compact_text_is_refused(bit: prop::sample::Index) {
        let flipped = flip(SCENE.honest.to_compact().as_bytes(), bit);
        let read = String::from_utf8(flipped).ok().and_then(|text| Jws::from_compact(&text).ok());
        prop_assert!(read.is_none_or(|jws| !is_verified(&jws)));
    }

    /// A flipped bit may leave another message whole, but never brings out a message that was not
    /// packed.
    #[test]
    fn any_flipped_bit_of_a_bundle_brings_out_nothing_new(bit: prop::sample::Index) {
        let honest = &SCENE.honest;
        let second = signed(&message(today()), &SCENE.fixture.prm);
        let bundle = Bundle::pack(&[honest.clone(), second.clone()]).expect("packs");
        for jws in Bundle::unpack(&flip(&bundle, bit), BUNDLE_FORMAT).into_iter().flatten().flatten() {
            prop_assert!(jws == *honest || jws == second || !is_verified(&jws));
        }
    }

    #[test]
    fn any_flipped_bit_of_sealed_bytes_is_refused(bit: prop::sample::Index) {
        let bundle = Bundle::pack(std::slice::from_ref(&SCENE.honest)).expect("packs");
        let sealed = seal(&bundle, SCENE.key.recipient()).expect("seals");
        prop_assert!(open(&flip(&sealed, bit), &[&SCENE.key], BUNDLE_PACKED_MAX).is_err());
    }

    #[test]
    fn any_flipped_bit_of_a_trust_list_is_refused(bit: prop::sample::Index) {
        let fixture = &SCENE.fixture;
        let list = fixture.mz.signed();
        let flipped = flip(list.as_bytes(), bit);
        let trust = SharedTrust::new(fixture.empty_trust());
        if trust.offer(&flipped, start()).is_ok() {
            // Only the white space between members is not signed.
            let reread = SignedTrustList::from_json(&flipped).expect("taken");
            prop_assert_eq!(reread.to_json(), list);
        }
    }

    #[test]
    fn a_compact_text_reads_back(protected: Vec<u8>, payload: Vec<u8>, signature in prop::array::uniform32(any::<[u8; 2]>())) {
        let signature: Vec<u8> = signature.concat();
        let signature = rovuma_envelope::Signature::from_bytes(signature.try_into().expect("64 bytes"));
        let jws = Jws::from_segments(protected, payload, signature);
        prop_assert_eq!(Jws::from_compact(&jws.to_compact()).expect("reads back"), jws);
    }

    #[test]
    fn noise_never_panics_a_reader(noise: Vec<u8>, text: String) {
        prop_assert!(open(&noise, &[&SCENE.key], 10_000).is_err());
        prop_assert!(Jws::from_compact(&text).is_err());
        prop_assert!(SignedTrustList::from_json(&noise).is_err());
        let _ = Bundle::unpack(&noise, 0);
        // Noise inside an honest frame gets past the frame checks.
        let _ = Bundle::unpack(&compressed(&noise), 0);
        let jws = Jws::from_segments(noise.clone(), noise, *SCENE.honest.signature());
        prop_assert!(!is_verified(&jws));
    }
}

proptest! {
    // The inputs are large, so there are fewer cases.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn what_is_sealed_and_bundled_comes_out(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..2000), 1..64),
    ) {
        let signature = *SCENE.honest.signature();
        let protected = SCENE.honest.protected();
        let message = |payload| Jws::from_segments(protected.to_vec(), payload, signature);
        let messages: Vec<Jws> = payloads.into_iter().map(message).collect();
        let sealed = seal(&Bundle::pack(&messages).expect("packs"), SCENE.key.recipient()).expect("seals");
        let opened = open(&sealed, &[&SCENE.key], BUNDLE_PACKED_MAX).expect("opens");
        let out: Result<Vec<Jws>, _> =
            Bundle::unpack(&opened, BUNDLE_FORMAT).expect("a bundle").into_iter().collect();
        prop_assert_eq!(out.expect("whole"), messages);
    }
}

/// Each fact of the header, changed after signing.
#[test]
fn any_changed_property_is_refused() {
    let honest = message(today());
    let changes: [(&str, Value); 9] = [
        ("/header/id", json!("01890a5d-ac96-774b-bcce-b302099a8057")),
        ("/header/type", json!("alert.update")),
        ("/header/version", json!("1.1")),
        ("/header/status", json!("exercise")),
        ("/header/sender/agency", json!("mz.senami")),
        ("/header/recipients/0/number", json!(8)),
        ("/header/recipients/0/lane", json!("urgent")),
        ("/header/created", json!(start())),
        ("/header/expires", json!("2036-01-01T00:00:00Z")),
    ];
    for (pointer, value) in changes {
        let mut changed = honest.clone();
        *changed.pointer_mut(pointer).expect("there") = value;
        let jws = signed(&honest, &SCENE.fixture.prm);
        let forged =
            Jws::from_segments(jws.protected().to_vec(), changed.to_string().into_bytes(), *jws.signature());
        let word = outcome(&SCENE.trust, &forged, today());
        assert!(["bad_signature", "unknown_key"].contains(&word), "{pointer}: {word}");
    }
}
