//! Drafts of messages that follow in a case, for the tests of their bodies.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::Value;

use crate::{
    AgencyCode, CaseId, CaseSoFar, CheckedDraft, CodeLists, Family, Fault, FaultCode, Header, Lane, Locale,
    Message, MessageId, Recipient, Sender, Status, StoreId, Timestamp, ValidDraft, ValidationContext,
    Version, request::AnswerLimits,
};

/// The instant at which drafts are checked here.
pub(crate) fn now() -> Timestamp {
    at("2026-11-23T12:00:00Z")
}

/// The instant of this text.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// The valid example of this name.
pub(crate) fn example(name: &str) -> Value {
    let folder = [env!("CARGO_MANIFEST_DIR"), "examples", "valid"].iter().collect::<PathBuf>();
    let text = fs::read_to_string(folder.join(format!("{name}.json"))).expect("the example");
    serde_json::from_str(&text).expect("JSON")
}

/// The draft with this value at `pointer`, whose object it has.
pub(crate) fn with(mut draft: Value, pointer: &str, value: impl Into<Value>) -> Value {
    let (object, member) = pointer.rsplit_once('/').expect("a pointer");
    draft.pointer_mut(object).expect("the object")[member] = value.into();
    draft
}

/// The draft without the member at `pointer`.
pub(crate) fn without(mut draft: Value, pointer: &str) -> Value {
    let (object, member) = pointer.rsplit_once('/').expect("a pointer");
    let object = draft.pointer_mut(object).and_then(Value::as_object_mut).expect("the object");
    object.remove(member).expect("the member");
    draft
}

/// The draft, checked.
pub(crate) fn checked(draft: &Value) -> CheckedDraft {
    let sender = "mz.prm".parse().expect("an agency");
    let context = ValidationContext::shipped(now(), &sender);
    CheckedDraft::read(draft.to_string().as_bytes(), &context).expect("a draft")
}

/// The draft, which has no fault.
pub(crate) fn valid(draft: &Value) -> ValidDraft {
    checked(draft).into_valid(Locale::En).unwrap_or_else(|faults| panic!("{faults:#?}"))
}

/// The faults of a draft, whatever its case has come to.
pub(crate) fn faults(draft: &Value) -> Vec<(String, FaultCode)> {
    places(checked(draft).faults(Locale::En))
}

/// The faults that a draft has because of the versions before it only.
pub(crate) fn faults_against(draft: &Value, earlier: &CaseSoFar) -> Vec<(String, FaultCode)> {
    places(valid(draft).faults_against(earlier, Locale::En))
}

fn places(faults: Vec<Fault>) -> Vec<(String, FaultCode)> {
    faults.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
}

/// A list of faults as [`faults`] gives it.
pub(crate) fn just(pointer: &str, code: FaultCode) -> Vec<(String, FaultCode)> {
    vec![(pointer.to_owned(), code)]
}

/// The message that a draft without faults becomes, as the other side reads it.
pub(crate) fn released(draft: &Value, case: &CaseSoFar, answer_limits: &AnswerLimits) -> Message {
    let mut draft = valid(draft);
    if draft.recipients().is_empty() {
        draft = draft.addressed_to(vec!["tz.tpf".parse().expect("an agency")]);
    }
    let (id, sender) = (MessageId::draw(now()), "mz.prm".parse::<AgencyCode>().expect("an agency"));
    let recipient = Recipient {
        agency: draft.recipients()[0].clone(),
        lane: Lane::Normal,
        stream: Some(StoreId::draw()),
        number: Some(1),
    };
    let own = |family: Family| CaseId { kind: family.as_str().to_owned(), owner: sender.clone(), id };
    let header = Header {
        id,
        message_type: draft.message_type().to_string(),
        version: Version::CURRENT,
        status: Status::Exercise,
        recipients: vec![recipient],
        created: now(),
        expires: None,
        reference: None,
        in_reply_to: None,
        replaces: None,
        first_created: None,
        case: draft.case().cloned().or_else(|| draft.message_type().class().family().map(own)),
        turn: Some(if draft.case().is_some() { 2 } else { 1 }),
        seen: BTreeMap::new(),
        sender: Sender { agency: sender, unit: None, officer: None },
    };
    let payload = draft.into_message(header, case, answer_limits).to_payload();
    Message::parse(&payload).expect("the other side reads it")
}

/// The one line that lists show of a draft.
pub(crate) fn summary(draft: &Value, locale: Locale) -> String {
    valid(draft).summary(CodeLists::shipped(), locale)
}
