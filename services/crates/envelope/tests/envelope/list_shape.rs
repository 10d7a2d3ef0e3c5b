//! The JSON shape of a trust list, written out: today's lists must stay readable for ever.

use rovuma_envelope::{
    PublicKey, SealingRecipient, TrustListDraft,
    trust::{ListContent, Revocation, RevocationReason},
};
use serde_json::json;

use crate::fixture::{DAY, agency, country, new_agency, start, today, year};

/// RFC 8037, appendix A.2.
const KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
const OTHER_KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"Jrv3M9qfRcQVdGVYp8dK8rmTqfbYgLdMxY4kBdl5Xms"}"#;
const RECIPIENT: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";

fn draft() -> TrustListDraft {
    let key = |jwk: &str| PublicKey::from_jwk(jwk.as_bytes()).expect("a key");
    let mut draft = TrustListDraft::create(country("mz"), key(KEY), start());
    let mut prm = new_agency("mz.prm");
    prm.parent = Some("Ministério do Interior".to_owned());
    prm.valid_until = Some(start().plus(1000 * DAY));
    draft.add_agency(prm).expect("new");
    draft.add_signing_key(&agency("mz.prm"), key(OTHER_KEY), year()).expect("listed");
    let recipient: SealingRecipient = RECIPIENT.parse().expect("a recipient");
    draft.add_sealing_key(&agency("mz.prm"), recipient, year()).expect("listed");
    let revocation = Revocation { at: today(), reason: RevocationReason::Compromised };
    draft.revoke_signing_key(&agency("mz.prm"), key(OTHER_KEY).key_id(), revocation).expect("listed");
    draft.name_next_authority(key(OTHER_KEY));
    draft
}

#[test]
fn a_list_has_the_shape_it_always_had() {
    let shape = json!({
        "format": 1,
        "country": "mz",
        "serial": 1,
        "issued": "2026-01-01T00:00:00Z",
        "next_update": "2026-01-01T00:00:00Z",
        "authority": { "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
        "next_authority": { "kty": "OKP", "crv": "Ed25519", "x": "Jrv3M9qfRcQVdGVYp8dK8rmTqfbYgLdMxY4kBdl5Xms" },
        "agencies": [
            {
                "code": "mz.node",
                "names": { "en": "Rovuma node mz", "pt": "Rovuma node mz", "sw": "Rovuma node mz" },
                "valid_from": "2026-01-01T00:00:00Z",
                "may_send": ["audit.*", "trust.*", "link.*"],
                "accepts": { "bundle_formats": [1], "schema_majors": [1] },
                "signing_keys": [],
                "sealing_keys": [],
            },
            {
                "code": "mz.prm",
                "names": { "en": "mz.prm" },
                "parent": "Ministério do Interior",
                "valid_from": "2026-01-01T00:00:00Z",
                "valid_until": "2028-09-27T00:00:00Z",
                "may_send": ["alert.*", "request.*", "hit.*", "info.*", "permission.*", "release.*", "purge.*", "receipt.*", "stream.*"],
                "accepts": { "bundle_formats": [1], "schema_majors": [1] },
                "signing_keys": [{
                    "kid": "O0ftoa2JJeVCfzLTrfWCHCpqiN2HN2xzXx-b0_5Ed8g",
                    "alg": "EdDSA",
                    "key": { "kty": "OKP", "crv": "Ed25519", "x": "Jrv3M9qfRcQVdGVYp8dK8rmTqfbYgLdMxY4kBdl5Xms" },
                    "not_before": "2026-01-01T00:00:00Z",
                    "not_after": "2027-01-01T00:00:00Z",
                    "revoked": { "at": "2026-02-01T12:00:00Z", "reason": "compromised" },
                }],
                "sealing_keys": [{
                    "recipient": RECIPIENT,
                    "not_before": "2026-01-01T00:00:00Z",
                    "not_after": "2027-01-01T00:00:00Z",
                }],
            },
        ],
    });
    assert_eq!(serde_json::to_value(draft().content()).expect("serialises"), shape);
    let read: ListContent = serde_json::from_value(shape).expect("reads");
    assert_eq!(read, *draft().content());
}
