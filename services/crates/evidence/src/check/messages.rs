//! Checks the messages and receipts of a bundle against its entries.

use std::collections::BTreeSet;

use rovuma_envelope::{Jws, Unverified, digest};
use rovuma_schemas::{
    Digest, Header, MessageId, Timestamp,
    audit::{AuditAction, AuditEvent, AuditLeaf},
};
use serde::Deserialize;

use super::{CheckedEntry, CheckedEvidence, EvidenceFault};
use crate::{EvidenceContents, MessageFiles};

/// Checks that an entry names each message's digest, and that each receipt is for its message.
pub(super) fn check_messages(
    contents: &EvidenceContents,
    checked: &CheckedEvidence,
) -> Result<(), EvidenceFault> {
    for (id, files) in &contents.messages {
        let fault = |file: String, what: &str| EvidenceFault::Message {
            id: id.to_string(),
            file,
            what: what.to_owned(),
        };
        let named = stated_digests(&id.to_string(), checked);
        for (country, jws) in &files.signed {
            if !named.contains(&digest(jws.as_bytes())) {
                return Err(fault(format!("{country}.jws"), "no entry of the bundle names its SHA-256"));
            }
        }
        for (receipt, jws) in &files.receipts {
            let file = format!("receipts/{receipt}.jws");
            is_receipt_for(id, files, receipt, jws).map_err(|what| fault(file, &what))?;
        }
    }
    Ok(())
}

/// A receipt counts when it names the message by id and SHA-256, and its sender is a recipient of that message. Its
/// signature is checked with trust lists, by the caller.
fn is_receipt_for(id: &MessageId, files: &MessageFiles, name: &MessageId, jws: &str) -> Result<(), String> {
    let header = header_of(jws).ok_or("it cannot be read")?;
    if header.id != *name {
        return Err(format!("it is {}", header.id));
    }
    let body = receipt_entries(jws, &header.message_type).ok_or("it is no receipt")?;
    let digests = body.into_iter().filter(|(entry, _)| entry == id).map(|(_, digest)| digest);
    let about: Vec<&String> = digests
        .filter_map(|named| files.signed.values().find(|jws| digest(jws.as_bytes()) == named))
        .collect();
    if about.is_empty() {
        return Err("it is for another message".to_owned());
    }
    let is_recipient = |jws: &&String| {
        header_of(jws).is_some_and(|message| {
            message.recipients.iter().any(|recipient| recipient.agency == header.sender.agency)
        })
    };
    if about.iter().any(is_recipient) {
        Ok(())
    } else {
        Err("its sender is no recipient of the message".to_owned())
    }
}

fn header_of(jws: &str) -> Option<Header> {
    Unverified::new(Jws::from_compact(jws).ok()?).unverified_header().ok()
}

/// The messages that a receipt names, with their digests.
fn receipt_entries(jws: &str, message_type: &str) -> Option<Vec<(MessageId, Digest)>> {
    #[derive(Deserialize)]
    struct Payload {
        body: ReceiptBody,
    }
    #[derive(Deserialize)]
    struct ReceiptBody {
        entries: Vec<ReceiptEntry>,
    }
    #[derive(Deserialize)]
    struct ReceiptEntry {
        id: MessageId,
        digest: Digest,
    }
    let jws = Jws::from_compact(jws).ok().filter(|_| message_type.starts_with("receipt."))?;
    let payload: Payload = serde_json::from_slice(jws.unverified_payload()).ok()?;
    Some(payload.body.entries.into_iter().map(|named| (named.id, named.digest)).collect())
}

/// The digests that proven entries about a message state.
fn stated_digests(id: &str, checked: &CheckedEvidence) -> BTreeSet<Digest> {
    let proven = checked.entries_about(id).filter(|entry| entry.is_proven);
    proven.flat_map(|entry| digests_in(id, &entry.leaf, entry.event.as_ref())).collect()
}

impl CheckedEvidence {
    /// The entries about an object, by its id.
    fn entries_about(&self, id: &str) -> impl Iterator<Item = &CheckedEntry> {
        self.by_object.get(id).into_iter().flatten().filter_map(|index| self.entries.get(index))
    }

    /// When a message was sent or received: the time of the first proven entry that says so and states the digest of
    /// these bytes.
    pub fn moved_at(&self, id: &MessageId, jws: &str) -> Option<Timestamp> {
        let (id, wanted) = (id.to_string(), digest(jws.as_bytes()));
        let moved = self.entries_about(&id).filter(|entry| {
            let is_move =
                [AuditAction::MessageSend, AuditAction::MessageReceive].contains(&entry.leaf.action);
            is_move && entry.is_proven && digests_in(&id, &entry.leaf, entry.event.as_ref()).contains(&wanted)
        });
        moved.map(|entry| entry.leaf.time).min()
    }
}

/// The digests that an entry about a message states: in its leaf, or in its event when the message was signed for
/// several countries.
fn digests_in(id: &str, leaf: &AuditLeaf, event: Option<&AuditEvent>) -> BTreeSet<Digest> {
    if leaf.object.as_ref().is_none_or(|object| object.id != id) {
        return BTreeSet::new();
    }
    let details = event.into_iter().flat_map(|event| &event.details);
    let several = details.filter(|(name, _)| name.starts_with("digest."));
    let several = several.filter_map(|(_, digest)| digest.parse::<Digest>().ok());
    leaf.message.into_iter().chain(several).collect()
}

impl EvidenceContents {
    /// Whether an entry with a proof states the digest of these bytes for the message. The proof is not verified here:
    /// callers ask before they put a message into a bundle, and [`check`](crate::check()) refuses messages that no
    /// proven entry names.
    pub fn names(&self, id: &MessageId, jws: &str) -> bool {
        let (id, wanted) = (id.to_string(), digest(jws.as_bytes()));
        self.entries.values().filter(|entry| entry.proof.is_some()).any(|entry| {
            let event = entry.event.as_ref().and_then(|event| serde_json::from_str(&event.exact).ok());
            AuditLeaf::from_bytes(entry.leaf.as_bytes())
                .is_ok_and(|leaf| digests_in(&id, &leaf, event.as_ref()).contains(&wanted))
        })
    }
}
