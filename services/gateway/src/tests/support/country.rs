//! A country: an authority, a trust list in a file, two agencies with keys in files.

use std::{
    collections::BTreeMap,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use rovuma_envelope::{
    Jws, SealingKey, Signer, SigningKey, TrustListDraft, Typ,
    trust::{Accepts, KeyTerm, NewAgency},
};
use rovuma_schemas::{
    AgencyCode, Body, CaseSoFar, Header, Locale, Message, MessageId, Recipient, Sender, StreamId, Timestamp,
    ValidDraft, ValidationContext, Version, request::AnswerLimits,
};
use serde_json::Value;

use super::agency;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// One country's keys and its list.
pub(in crate::tests) struct Country {
    pub(in crate::tests) list: TrustListDraft,
    authority: SigningKey,
    file: PathBuf,
    keys: BTreeMap<AgencyCode, SigningKey>,
    stream: StreamId,
}

impl Country {
    /// Writes a country's files into `dir`.
    pub(super) fn create(dir: &Path, code: &str, start: Timestamp) -> Self {
        let authority = SigningKey::generate().expect("a key");
        write(&dir.join(format!("{code}.authority.jwk")), &authority.public_key().to_jwk());
        let since = start.minus(DAY * 400);
        let list = TrustListDraft::create(code.parse().expect("a country"), *authority.public_key(), since);
        let file = dir.join(format!("{code}.trust.json"));
        let mut country = Self { list, authority, file, keys: BTreeMap::new(), stream: StreamId::draw() };
        let names: &[&str] = if code == "mz" { &["prm", "senami"] } else { &["tpf", "tisd"] };
        for name in names {
            country.add(dir, &agency(&format!("{code}.{name}")), since);
        }
        country.publish(start);
        country
    }

    fn add(&mut self, dir: &Path, code: &AgencyCode, since: Timestamp) {
        let pem = SigningKey::generate_pem().expect("a key");
        let (signing, sealing) = (SigningKey::from_pkcs8_pem(&pem).expect("a key"), SealingKey::generate());
        write(&dir.join(format!("{code}.pem")), &pem);
        write(&dir.join(format!("{code}.age")), &sealing.to_text());
        let term = KeyTerm { not_before: since, not_after: since.plus(DAY * 800) };
        let new = NewAgency {
            code: code.clone(),
            names: BTreeMap::from([("en".to_owned(), format!("Agency {code}"))]),
            parent: None,
            valid_from: since,
            valid_until: None,
            may_send: Vec::new(),
            accepts: Accepts::this_build(),
        };
        self.list.add_agency(new).expect("added");
        self.list.add_signing_key(code, *signing.public_key(), term).expect("added");
        self.list.add_sealing_key(code, sealing.recipient().clone(), term).expect("added");
        self.keys.insert(code.clone(), signing);
    }

    /// Signs the list as it is and puts it into its file.
    pub(in crate::tests) fn publish(&mut self, now: Timestamp) {
        let signed = self.list.clone().sign(&self.authority, now, now.plus(DAY * 90)).expect("signed");
        write(&self.file, &signed.to_json());
    }

    /// The list with the next serial, to be changed and published.
    pub(in crate::tests) fn revise(&mut self) {
        let mut content = self.list.content().clone();
        content.serial += 1;
        self.list = TrustListDraft::resume(content);
    }

    /// A further signing key in the list and in the agency's file, which it signs with from now on.
    pub(in crate::tests) fn renew_key(&mut self, code: &AgencyCode, now: Timestamp) {
        self.renew_key_from(code, now.minus(DAY));
    }

    /// The same, valid from this instant.
    pub(in crate::tests) fn renew_key_from(&mut self, code: &AgencyCode, not_before: Timestamp) {
        let pem = SigningKey::generate_pem().expect("a key");
        let signing = SigningKey::from_pkcs8_pem(&pem).expect("a key");
        write(&self.file.with_file_name(format!("{code}.pem")), &pem);
        let term = KeyTerm { not_before, not_after: not_before.plus(DAY * 800) };
        self.list.add_signing_key(code, *signing.public_key(), term).expect("added");
        self.keys.insert(code.clone(), signing);
    }

    /// The stream in which this country's alerts are numbered.
    pub(in crate::tests) fn stream(&self) -> StreamId {
        self.stream
    }

    /// The file of the list.
    pub(in crate::tests) fn file(&self) -> &Path {
        &self.file
    }

    /// An alert of one of this country's agencies to one of the other's, signed.
    pub(in crate::tests) fn alert(
        &self,
        route: (&str, &str, u64),
        draft: &Value,
        now: Timestamp,
    ) -> (MessageId, Jws) {
        let id = MessageId::draw(now);
        (id, self.alert_under(id, route, draft, now))
    }

    /// The same, under an id that the sender did not draw.
    pub(in crate::tests) fn alert_under(
        &self,
        id: MessageId,
        route: (&str, &str, u64),
        draft: &Value,
        now: Timestamp,
    ) -> Jws {
        self.alert_replacing(None, id, route, draft, now)
    }

    /// The same, replacing another message.
    pub(in crate::tests) fn alert_replacing(
        &self,
        replaces: Option<MessageId>,
        id: MessageId,
        route: (&str, &str, u64),
        draft: &Value,
        now: Timestamp,
    ) -> Jws {
        self.alert_with(id, route, draft, now, |header| header.replaces = replaces)
    }

    /// The same, with a header that `change` has changed.
    pub(in crate::tests) fn alert_with(
        &self,
        id: MessageId,
        route: (&str, &str, u64),
        draft: &Value,
        now: Timestamp,
        change: impl FnOnce(&mut Header),
    ) -> Jws {
        self.message_with(id, route, draft, now, &CaseSoFar::default(), change)
    }

    /// A message of any officers' type, after these versions in its case, with a header that `change` has changed.
    pub(in crate::tests) fn message_with(
        &self,
        id: MessageId,
        (from, to, number): (&str, &str, u64),
        draft: &Value,
        now: Timestamp,
        earlier: &CaseSoFar,
        change: impl FnOnce(&mut Header),
    ) -> Jws {
        let (from, to) = (agency(from), agency(to));
        let mut draft = draft.clone();
        // What follows in a case names no recipients.
        if draft.get("case").is_none() {
            draft["recipients"] = serde_json::json!([to]);
        }
        let context = ValidationContext::shipped(now, &from);
        let valid = ValidDraft::parse(draft.to_string().as_bytes(), &context, Locale::En).expect("valid");
        let mut header = Header {
            id,
            message_type: valid.message_type().to_string(),
            version: Version::CURRENT,
            status: valid.status(),
            sender: Sender { agency: from.clone(), unit: None, officer: None },
            recipients: vec![Recipient {
                agency: to,
                lane: valid.lane(),
                stream: Some(self.stream),
                number: Some(number),
            }],
            created: now,
            expires: valid.transport_expiry(now),
            reference: None,
            in_reply_to: None,
            replaces: None,
            first_created: None,
            case: None,
            turn: None,
            seen: BTreeMap::new(),
        };
        change(&mut header);
        let limits = AnswerLimits::default();
        self.sign(&from, &valid.into_message(header, earlier, &limits))
    }

    /// A transport message of one of this country's agencies: a receipt.
    pub(in crate::tests) fn transport(&self, from: &str, to: &str, body: Body, now: Timestamp) -> Jws {
        self.transport_under(MessageId::draw(now), (from, to), body, now)
    }

    /// The same under this id.
    pub(in crate::tests) fn transport_under(
        &self,
        id: MessageId,
        (from, to): (&str, &str),
        body: Body,
        now: Timestamp,
    ) -> Jws {
        let from = agency(from);
        let header = Header {
            id,
            message_type: body.message_type().to_string(),
            version: Version::CURRENT,
            status: rovuma_schemas::Status::Actual,
            sender: Sender { agency: from.clone(), unit: None, officer: None },
            recipients: vec![Recipient {
                agency: agency(to),
                lane: rovuma_schemas::Lane::Urgent,
                stream: None,
                number: None,
            }],
            created: now,
            expires: None,
            reference: None,
            in_reply_to: None,
            replaces: None,
            first_created: None,
            case: None,
            turn: None,
            seen: BTreeMap::new(),
        };
        self.sign(&from, &Message::transport(header, body))
    }

    fn sign(&self, from: &AgencyCode, message: &Message) -> Jws {
        self.sign_bytes(from, message.to_payload())
    }

    /// Any bytes, signed as a message of one of this country's agencies.
    pub(in crate::tests) fn sign_bytes(&self, from: &AgencyCode, payload: Vec<u8>) -> Jws {
        Jws::sign(Typ::MESSAGE, payload, &self.keys[from]).expect("signed")
    }
}

fn write(path: &Path, text: &str) {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path).expect("opens");
    file.write_all(text.as_bytes()).expect("written");
}
