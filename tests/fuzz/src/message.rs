//! Target `message`: a payload that a partner's agency signed. The target parses it, and verifies and parses it as a
//! gateway does, with the key of the agency that it names as its sender.

use std::{collections::BTreeMap, fs, path::Path, sync::LazyLock};

use rovuma_envelope::{Jws, Origin, SigningKey, TrustStore, Typ, Unverified, VerifyContext, VerifyFailure};
use rovuma_schemas::{AgencyCode, Header, Message, ParseFault, limits};
use serde_json::{Value, json};

use crate::{
    fixture::{agency, now, trust},
    keys, place,
};

static TRUST: LazyLock<TrustStore> = LazyLock::new(trust);
static KEYS: LazyLock<BTreeMap<AgencyCode, SigningKey>> = LazyLock::new(|| {
    let agencies = ["mz.prm", "mz.senami", "mz.node", "tz.tpf", "tz.tisd", "tz.node"];
    agencies.into_iter().map(|name| (agency(name), keys::signing(name))).collect()
});

/// The example messages, with the run's time instead of their own day.
pub fn examples() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/examples/valid");
    let mut found: Vec<_> = fs::read_dir(folder)
        .expect("the examples")
        .map(|entry| entry.expect("an entry").path())
        .filter_map(|path| {
            let name = path.file_stem()?.to_str()?.strip_prefix("message-")?.to_owned();
            let mut message: Value = serde_json::from_slice(&fs::read(&path).ok()?).expect("JSON");
            message["header"]["created"] = json!(now());
            if message["header"]["expires"].is_string() {
                message["header"]["expires"] = json!("2026-12-23T18:00:00Z");
            }
            Some((name, serde_json::to_vec(&message).expect("JSON")))
        })
        .collect();
    found.sort();
    found
}

/// The example messages that `mz.prm` sends.
pub(crate) fn of_prm() -> Vec<Vec<u8>> {
    let from = |message: &Vec<u8>| Header::from_payload(message).expect("a header").sender.agency;
    examples()
        .into_iter()
        .map(|(_, message)| message)
        .filter(|message| from(message) == agency("mz.prm"))
        .collect()
}

/// A message is read or refused with its faults; written again, it reads back the same; verified, it equals the
/// parsed one.
pub fn run(data: &[u8]) {
    let header = Header::from_payload(data);
    let message = Message::parse(data);
    match &message {
        Ok(message) => {
            assert!(data.len() <= limits::MESSAGE_MAX_BYTES);
            assert_eq!(header.as_ref().expect("a whole message has a header"), &message.header);
            let written = message.to_payload();
            assert_eq!(&Message::parse(&written).expect("what is written reads back"), message);
        }
        Err(ParseFault::NotJson(faults) | ParseFault::Schema(faults)) => place::check(data, faults),
        Err(ParseFault::TooLarge { size_bytes }) => assert_eq!(*size_bytes, data.len()),
        Err(ParseFault::UnknownType { .. } | ParseFault::UnsupportedVersion { .. }) => {
            assert!(header.is_ok(), "a type or version was told of a header that is none");
        }
    }
    verify(data, header.ok().as_ref());
}

fn verify(payload: &[u8], header: Option<&Header>) {
    let sender = header.map_or(agency("mz.prm"), |header| header.sender.agency.clone());
    let key = KEYS.get(&sender).unwrap_or(&KEYS[&agency("mz.prm")]);
    let jws = Jws::sign(Typ::MESSAGE, payload.to_vec(), key).expect("signed");
    let unverified = Unverified::new(jws.clone());
    let said = unverified.unverified_header();
    if let Some(header) = header {
        assert_eq!(said.as_ref().expect("both readings find the header"), header);
    }
    let Ok(said) = said else { return };
    let opened_for = said.recipients.first().map_or(agency("tz.tpf"), |first| first.agency.clone());
    let origin = if sender.country() == opened_for.country() {
        Origin::Domestic
    } else {
        Origin::Ingress(sender.country())
    };
    let context = VerifyContext { now: now(), origin, opened_for: &opened_for };
    match TRUST.verify(unverified, &context) {
        Ok(verified) => {
            assert_eq!(verified.header(), &said);
            assert_eq!((verified.digest(), verified.payload()), (jws.digest(), payload));
            assert_eq!(verified.sender(), &sender);
            if let Ok(authorized) = verified.authorize_sender(&TRUST) {
                assert!(TRUST.may_send(authorized.sender(), &said.message_type));
            }
        }
        Err(VerifyFailure::Rejected(rejectable)) => assert_eq!(rejectable.header(), &said),
        Err(VerifyFailure::Refused { unverified, .. } | VerifyFailure::Held { unverified, .. }) => {
            assert!(*unverified.unverified_jws() == jws, "another message is kept than the one that came");
        }
    }
}
