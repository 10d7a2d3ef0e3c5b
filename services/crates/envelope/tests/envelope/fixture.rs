//! Two countries with their keys and lists, made as `rovumactl` makes them.

use std::{collections::BTreeMap, time::Duration};

use rovuma_envelope::{
    Jws, Origin, Pin, PublicKey, Rejection, SealingKey, Signer, SigningKey, TrustList, TrustListDraft,
    TrustPolicy, TrustStore, Typ, Unverified, Verified, VerifyContext, VerifyFailure,
    trust::{Accepts, KeyTerm, NewAgency},
};
use rovuma_schemas::{AgencyCode, CountryCode, MessageId, Timestamp};
use serde_json::{Value, json};

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("RFC 3339")
}

pub(crate) fn agency(code: &str) -> AgencyCode {
    code.parse().expect("an agency code")
}

pub(crate) fn country(code: &str) -> CountryCode {
    code.parse().expect("a country")
}

/// The day on which the lists were signed.
pub(crate) fn start() -> Timestamp {
    at("2026-01-01T00:00:00Z")
}

/// An ordinary day, well within all terms.
pub(crate) fn today() -> Timestamp {
    at("2026-02-01T12:00:00Z")
}

pub(crate) fn key() -> SigningKey {
    SigningKey::generate().expect("random numbers")
}

/// The term of keys that are not under test: 2026.
pub(crate) fn year() -> KeyTerm {
    KeyTerm { not_before: start(), not_after: at("2027-01-01T00:00:00Z") }
}

pub(crate) struct Country {
    pub(crate) code: CountryCode,
    pub(crate) authority: SigningKey,
    pub(crate) draft: TrustListDraft,
}

impl Country {
    pub(crate) fn new(code: &str) -> Self {
        let (code, authority) = (country(code), key());
        let draft = TrustListDraft::create(code, *authority.public_key(), start());
        Self { code, authority, draft }
    }

    pub(crate) fn pin(&self) -> Pin {
        Pin::new(self.code, *self.authority.public_key())
    }

    /// The present draft, signed, with the next list due in 30 days.
    pub(crate) fn signed(&self) -> String {
        self.signed_at(start())
    }

    pub(crate) fn signed_at(&self, issued: Timestamp) -> String {
        let signed = self.draft.clone().sign(&self.authority, issued, issued.plus(30 * DAY));
        signed.expect("signs").to_json()
    }

    /// Continues with the next serial.
    pub(crate) fn revise(&mut self) {
        self.draft = TrustListDraft::revise(&self.list());
    }

    pub(crate) fn list(&self) -> TrustList {
        let signed = self.draft.clone().sign(&self.authority, start(), start().plus(30 * DAY));
        signed.expect("signs").verify(&self.pin()).expect("holds")
    }

    pub(crate) fn add_agency(&mut self, code: &str) {
        self.draft.add_agency(new_agency(code)).expect("a new agency");
    }

    pub(crate) fn add_key(&mut self, code: &str, key: &PublicKey, term: KeyTerm) {
        self.draft.add_signing_key(&agency(code), *key, term).expect("an agency of the list");
    }
}

pub(crate) fn new_agency(code: &str) -> NewAgency {
    NewAgency {
        code: agency(code),
        names: BTreeMap::from([("en".to_owned(), code.to_owned())]),
        parent: None,
        valid_from: start(),
        valid_until: None,
        may_send: Vec::new(),
        accepts: Accepts::this_build(),
    }
}

/// Two countries: Mozambique sends, Tanzania receives.
pub(crate) struct Fixture {
    pub(crate) mz: Country,
    pub(crate) tz: Country,
    /// The key of `mz.prm`.
    pub(crate) prm: SigningKey,
    /// The key of `mz.node`.
    pub(crate) node: SigningKey,
    pub(crate) policy: TrustPolicy,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let (mut mz, mut tz) = (Country::new("mz"), Country::new("tz"));
        let (prm, node) = (key(), key());
        mz.add_agency("mz.prm");
        mz.add_agency("mz.senami");
        mz.add_key("mz.prm", prm.public_key(), year());
        mz.add_key("mz.node", node.public_key(), year());
        tz.add_agency("tz.tpf");
        tz.add_agency("tz.tisd");
        let tpf = SealingKey::generate();
        tz.draft.add_sealing_key(&agency("tz.tpf"), tpf.recipient().clone(), year()).expect("listed");
        Self { mz, tz, prm, node, policy: TrustPolicy::default() }
    }

    /// A store with both present lists.
    pub(crate) fn trust(&self) -> TrustStore {
        let store = self.empty_trust();
        let (store, _) = store.with_list(self.mz.signed().as_bytes(), start()).expect("mz's list holds");
        store.with_list(self.tz.signed().as_bytes(), start()).expect("tz's list holds").0
    }

    pub(crate) fn empty_trust(&self) -> TrustStore {
        TrustStore::new(self.policy.clone(), [self.mz.pin(), self.tz.pin()]).expect("two countries")
    }
}

/// An alert from `mz.prm` to `tz.tpf`, created at that instant.
pub(crate) fn message(created: Timestamp) -> Value {
    json!({
        "header": {
            "id": MessageId::draw(created),
            "type": "alert.issue",
            "version": "1.0",
            "status": "actual",
            "sender": { "agency": "mz.prm" },
            "recipients": [
                { "agency": "tz.tpf", "lane": "normal", "stream": "0123456789abcdef0123456789abcdef", "number": 7 },
                { "agency": "tz.tisd", "lane": "normal", "stream": "0123456789abcdef0123456789abcdef", "number": 3 },
            ],
            "created": created,
            "expires": created.plus(30 * DAY),
        },
        "terms": {},
        "body": { "note": "the envelope does not look in here" },
    })
}

pub(crate) fn signed(message: &Value, key: &SigningKey) -> Jws {
    Jws::sign(Typ::MESSAGE, message.to_string().into_bytes(), key).expect("signs")
}

/// Verifies as Tanzania's gateway does for `tz.tpf`.
pub(crate) fn verify(trust: &TrustStore, jws: &Jws, now: Timestamp) -> Result<Verified, VerifyFailure> {
    let context =
        VerifyContext { now, origin: Origin::Ingress(country("mz")), opened_for: &agency("tz.tpf") };
    trust.verify(Unverified::new(jws.clone()), &context)
}

/// The stable code of the failure, or `verified`.
pub(crate) fn outcome(trust: &TrustStore, jws: &Jws, now: Timestamp) -> &'static str {
    word(&verify(trust, jws, now))
}

pub(crate) fn word(result: &Result<Verified, VerifyFailure>) -> &'static str {
    match result {
        Ok(_) => "verified",
        Err(VerifyFailure::Held { reason, .. }) => reason.log_code(),
        Err(VerifyFailure::Refused { reason, .. }) => reason.log_code(),
        Err(VerifyFailure::Rejected(rejectable)) => match rejectable.rejection() {
            Rejection::Clock { .. } => "clock",
            Rejection::Unauthorised { .. } => "unauthorised",
            Rejection::Downgrade { .. } => "downgrade",
        },
    }
}
