//! Two countries that are the same in every run: agencies, keys, lists, and the time.

use std::{collections::BTreeMap, time::Duration};

use rovuma_envelope::{
    Pin, Signer as _, TrustListDraft, TrustPolicy, TrustStore,
    trust::{Accepts, KeyTerm, NewAgency},
};
use rovuma_schemas::{AgencyCode, CountryCode, Timestamp};

use crate::keys;

/// The time of every run.
pub const START: &str = "2026-11-23T18:00:00Z";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The agencies besides the nodes.
const AGENCIES: [&str; 4] = ["mz.prm", "mz.senami", "tz.tpf", "tz.tisd"];

/// The time of every run.
pub fn now() -> Timestamp {
    START.parse().expect("RFC 3339")
}

/// An agency by its code.
pub fn agency(code: &str) -> AgencyCode {
    code.parse().expect("an agency")
}

pub(crate) fn country(code: &str) -> CountryCode {
    code.parse().expect("a country")
}

/// The list of a country, not signed yet: every agency with one key of each kind.
pub(crate) fn list(code: &str) -> TrustListDraft {
    let authority = keys::signing(&format!("{code}.authority"));
    let since = now().minus(DAY * 400);
    let term = KeyTerm { not_before: since, not_after: since.plus(DAY * 800) };
    let mut list = TrustListDraft::create(country(code), *authority.public_key(), since);
    let node = format!("{code}.node");
    let own = AGENCIES.into_iter().filter(|agency| agency.starts_with(code));
    for name in own.clone() {
        list.add_agency(new_agency(name, since)).expect("a new agency");
    }
    for name in own.chain([node.as_str()]) {
        let code = agency(name);
        list.add_signing_key(&code, *keys::signing(name).public_key(), term).expect("a listed agency");
        list.add_sealing_key(&code, keys::sealing(name).recipient().clone(), term).expect("a listed agency");
    }
    list
}

fn new_agency(code: &str, since: Timestamp) -> NewAgency {
    NewAgency {
        code: agency(code),
        names: BTreeMap::from([("en".to_owned(), format!("Agency {code}"))]),
        parent: None,
        valid_from: since,
        valid_until: None,
        may_send: Vec::new(),
        accepts: Accepts::this_build(),
    }
}

/// A signed list, as the text of its file.
pub(crate) fn signed_list(code: &str) -> String {
    let authority = keys::signing(&format!("{code}.authority"));
    list(code).sign(&authority, now(), now().plus(DAY * 90)).expect("signed").to_json()
}

/// The pin of a country, as an installation has it.
pub(crate) fn pin(code: &str) -> Pin {
    Pin::new(country(code), *keys::signing(&format!("{code}.authority")).public_key())
}

/// Both authorities pinned, no list yet.
pub(crate) fn pinned() -> TrustStore {
    TrustStore::new(TrustPolicy::default(), [pin("mz"), pin("tz")]).expect("two countries")
}

/// Both lists in force.
pub(crate) fn trust() -> TrustStore {
    ["mz", "tz"].iter().fold(pinned(), |store, code| {
        store.with_list(signed_list(code).as_bytes(), now()).expect("the list holds").0
    })
}
