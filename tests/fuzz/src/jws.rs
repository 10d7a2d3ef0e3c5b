//! Target `jws`: a compact JWS by anybody, verified for every purpose, and as a message against the trust lists.

use std::{collections::HashSet, sync::LazyLock};

use rovuma_envelope::{
    Jws, Origin, PublicKey, Signer as _, TrustStore, Typ, Unverified, VerifyContext, digest,
};

use crate::{
    fixture::{agency, country, now, trust},
    keys,
};

/// Every purpose for which something is signed.
const PURPOSES: [Typ; 5] = [Typ::MESSAGE, Typ::TRUST_LIST, Typ::SUCCESSION, Typ::AUDIT, Typ::AUDIT_ACK];

static KEY: LazyLock<PublicKey> = LazyLock::new(|| *keys::signing("mz.prm").public_key());
static TRUST: LazyLock<TrustStore> = LazyLock::new(trust);
static SIGNED: LazyLock<HashSet<String>> = LazyLock::new(|| signed().into_iter().collect());

/// All messages that `mz.prm` ever signed: the seeds. Nothing else verifies.
pub fn signed() -> Vec<String> {
    let key = keys::signing("mz.prm");
    let sign = |typ, payload: &[u8]| Jws::sign(typ, payload.to_vec(), &key).expect("signed").to_compact();
    let messages = crate::message::of_prm().into_iter().map(|message| sign(Typ::MESSAGE, &message));
    let small = PURPOSES.into_iter().flat_map(|typ| [&b""[..], b"{}"].map(|payload| sign(typ, payload)));
    messages.chain(small).collect()
}

/// A text has one reading, and only signed bytes verify, byte for byte.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(jws) = Jws::from_compact(text) else { return };
    assert_eq!(jws.to_compact(), text, "two texts are one JWS");
    assert_eq!(jws.digest(), digest(data));
    let again =
        Jws::from_segments(jws.protected().to_vec(), jws.unverified_payload().to_vec(), *jws.signature());
    assert!(again == jws);
    for typ in PURPOSES {
        if jws.verify_with(&KEY, typ).is_ok() {
            assert!(SIGNED.contains(text), "verifies as {typ} and was never signed");
        }
    }
    let unverified = Unverified::new(jws);
    let _ = unverified.unverified_header();
    let origin = Origin::Ingress(country("mz"));
    for opened_for in ["tz.tpf", "tz.tisd"] {
        let context = VerifyContext { now: now(), origin, opened_for: &agency(opened_for) };
        if let Ok(verified) = TRUST.verify(unverified.clone(), &context) {
            assert!(SIGNED.contains(text), "a message verifies and was never signed");
            assert_eq!(verified.recipient().agency, agency(opened_for));
        }
    }
}
