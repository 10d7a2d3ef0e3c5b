//! Target `trust_list`: the file of a list. The first byte chooses the form of the rest.

use std::{collections::HashSet, sync::LazyLock, time::Duration};

use rovuma_envelope::{
    SignedTrustList, Signer as _, SigningKey, TrustListDraft, TrustStore, Typ,
    trust::{GeneralJws, ListContent, OfferOutcome},
};
use rovuma_schemas::AgencyCode;

use crate::{
    fixture::{agency, country, list, now, pin, pinned, signed_list, trust},
    keys,
};

/// The rest is the file.
pub const RAW: u8 = 0;

/// The rest is the list that the authority signs, without a list before it.
pub const FIRST: u8 = 1;

/// The rest is the list that the authority signs, with a list before it.
pub const NEXT: u8 = 2;

/// The rest is the list that the pinned authority's successor signs.
pub const SUCCEEDED: u8 = 3;

static AUTHORITY: LazyLock<SigningKey> = LazyLock::new(|| keys::signing("mz.authority"));
static SUCCESSOR: LazyLock<SigningKey> = LazyLock::new(|| keys::signing("mz.authority.next"));
static AUTHORITIES: LazyLock<[SigningKey; 3]> =
    LazyLock::new(|| ["mz.authority", "mz.authority.next", "tz.authority"].map(keys::signing));
static PINNED: LazyLock<TrustStore> = LazyLock::new(pinned);
static HELD: LazyLock<TrustStore> = LazyLock::new(trust);
static SIGNED: LazyLock<HashSet<Vec<u8>>> =
    LazyLock::new(|| signed().iter().map(|json| payload_of(json.as_bytes())).collect());

/// All lists that were ever signed: the first one of each country, and one after a succession.
pub fn signed() -> Vec<String> {
    let succeeded = succession().sign(&*SUCCESSOR, now(), now().plus(MONTH)).expect("signed").to_json();
    vec![signed_list("mz"), signed_list("tz"), succeeded]
}

const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The list of `mz` after the authority handed over.
pub fn succession() -> TrustListDraft {
    let held = SignedTrustList::from_json(signed_list("mz").as_bytes()).expect("a list");
    let mut next = TrustListDraft::revise(&held.verify(&pin("mz")).expect("holds"));
    next.hand_over(&*AUTHORITY, &*SUCCESSOR, now()).expect("handed over");
    next
}

/// The content of the first list of `mz`, as it is signed.
pub fn first() -> ListContent {
    let signed = list("mz").sign(&*AUTHORITY, now(), now().plus(MONTH)).expect("signed");
    signed.unverified_content().clone()
}

fn payload_of(json: &[u8]) -> Vec<u8> {
    GeneralJws::from_json(json).expect("a JWS").unverified_payload().to_vec()
}

/// An accepted list keeps every rule, and a list that nobody signed is refused.
pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    let (held, key) = match mode % 4 {
        RAW => return raw(rest),
        FIRST => (&*PINNED, &*AUTHORITY),
        NEXT => (&*HELD, &*AUTHORITY),
        _ => (&*HELD, &*SUCCESSOR),
    };
    let signed = GeneralJws::sign(Typ::TRUST_LIST, rest, &[key]).expect("signed");
    let json = serde_json::to_vec(&signed).expect("JSON");
    offer(held, &json);
}

fn raw(json: &[u8]) {
    if let Ok(general) = GeneralJws::from_json(json) {
        let text = serde_json::to_vec(&general).expect("JSON");
        assert_eq!(GeneralJws::from_json(&text).expect("what is written reads back"), general);
    }
    if let Ok(list) = SignedTrustList::from_json(json) {
        let again =
            SignedTrustList::from_json(list.to_json().as_bytes()).expect("what is written reads back");
        assert_eq!(again.unverified_content(), list.unverified_content());
    }
    if offer(&PINNED, json) {
        assert!(SIGNED.contains(&payload_of(json)), "a list was taken that nobody signed");
    }
}

/// Offers a list to the store, and returns whether it was accepted.
fn offer(held: &TrustStore, json: &[u8]) -> bool {
    let Ok((store, offered)) = held.with_list(json, now()) else { return false };
    let OfferOutcome::Replaced { country: code, serial, previous } = offered else { return true };
    assert!(previous.is_none_or(|previous| previous < serial), "the serial went down");
    let list = store.list(code).expect("the list that was taken");
    check(&store, list.content());
    let again = store.with_list(json, now()).expect("the same list again").1;
    assert_eq!(again, OfferOutcome::Unchanged { country: code, serial });
    true
}

fn check(store: &TrustStore, content: &ListContent) {
    assert!(content.serial > 0 && content.next_update > content.issued);
    let codes: HashSet<&AgencyCode> = content.agencies.iter().map(|agency| &agency.code).collect();
    assert_eq!(codes.len(), content.agencies.len(), "an agency twice");
    assert!(codes.contains(&AgencyCode::node_of(content.country)), "no node");
    assert!(codes.iter().all(|code| code.country() == content.country), "a foreign agency");
    let mut kids = HashSet::new();
    for listed in &content.agencies {
        for key in &listed.signing_keys {
            assert!(kids.insert(key.kid) && key.kid == *key.key.key_id(), "a key that speaks for two");
            let _ = store.key_state(&listed.code, &key.kid, now());
        }
        let node_only = ["audit.event", "trust.list", "link.fault"];
        assert!(listed.code.is_node() || !node_only.iter().any(|word| store.may_send(&listed.code, word)));
        let _ = (store.sealing_recipient(&listed.code, now()), store.bundle_format_for(&listed.code));
    }
    assert_eq!(store.statuses(now()).len(), 2);
    let _ = store.expiries();
    let resumed = TrustListDraft::resume(content.clone());
    let authority = AUTHORITIES.iter().find(|key| *key.public_key() == content.authority);
    let key = authority.expect("nobody else signs lists");
    let signed = resumed.sign(key, content.issued, content.next_update).expect("can be signed again");
    assert_eq!(signed.unverified_content(), content, "written again it is another list");
    if content.country == country("mz") {
        // A list says nothing about other countries' agencies.
        let other = store.agency(&agency("tz.tpf")).is_some();
        assert_eq!(other, store.list(country("tz")).is_some());
    }
}
