//! Tests of the fold, and what the tests of the families' rules share: messages in few words, and every conversation that two
//! or three sides can have.

pub(crate) mod conversation;
mod folding;

use std::{collections::BTreeMap, time::Duration};

use rovuma_schemas::{AgencyCode, Digest, MessageId, Timestamp};

use super::message::CaseMessage;

/// The agency with this code.
pub(crate) fn agency(code: &str) -> AgencyCode {
    code.parse().expect("an agency code")
}

/// A message id; ids sort by their numbers.
pub(crate) fn id(number: u64) -> MessageId {
    let mut bytes = [0_u8; 16];
    bytes[6] = 0x70;
    bytes[8..].copy_from_slice(&(number | 1 << 63).to_be_bytes());
    MessageId::from_slice(&bytes).expect("a UUIDv7")
}

/// The instant so many hours after the first of all tests.
pub(crate) fn hour(hours: u64) -> Timestamp {
    "2026-11-01T00:00:00Z".parse::<Timestamp>().expect("an instant").plus(Duration::from_secs(hours * 3_600))
}

/// The digest that begins with this number.
pub(crate) fn content(number: u64) -> Digest {
    let mut bytes = [0_u8; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    Digest::from_bytes(bytes)
}

/// A message signed 25 hours after the one before it. Its id and content differ from those of other senders and turns.
pub(crate) fn message<F>(sender: &str, turn: u64, seen: &[(&str, u64)], fact: F) -> CaseMessage<F> {
    let number = sender.bytes().fold(turn, |number, byte| number * 31 + u64::from(byte));
    CaseMessage {
        sender: agency(sender),
        id: id(number),
        replaces: None,
        turn,
        seen: seen.iter().map(|(other, turn)| (agency(other), *turn)).collect::<BTreeMap<_, _>>(),
        created: hour(turn * 25),
        first_created: None,
        content: content(number),
        in_reply_to: None,
        delivered: None,
        message_type: "test".to_owned(),
        fact: Some(fact),
    }
}

/// The same message issued again under the id `number`.
pub(crate) fn reissue<F: Clone>(message: &CaseMessage<F>, number: u64) -> CaseMessage<F> {
    CaseMessage {
        id: id(number),
        replaces: Some(message.id),
        created: message.created.plus(Duration::from_secs(9)),
        first_created: Some(message.signed()),
        ..message.clone()
    }
}
