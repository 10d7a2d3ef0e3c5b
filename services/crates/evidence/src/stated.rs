//! The digests that the log's own entries state.

use std::collections::BTreeMap;

use rovuma_schemas::{
    CountryCode, Digest, MessageId, Timestamp,
    audit::{AuditAction, AuditEvent, AuditLeaf, AuditOutcome},
};

use crate::EvidenceContents;

/// The digests of messages that entries say were sent or received, and of receipts that they say were accepted. No other
/// action counts: a refusal names the digest of what was refused.
#[derive(Debug, Default)]
pub struct StatedDigests {
    messages: BTreeMap<MessageId, Vec<StatedMessage>>,
    receipts: BTreeMap<(MessageId, Digest), Timestamp>,
}

/// The statement that a message with this digest was sent or received.
#[derive(Debug)]
struct StatedMessage {
    digest: Digest,
    /// The country that it was signed for, where the entry says so.
    country: Option<CountryCode>,
    at: Timestamp,
}

impl StatedDigests {
    /// Adds what an entry states. The caller has checked that the leaf commits to the event.
    pub(crate) fn add(&mut self, leaf: &AuditLeaf, event: Option<&AuditEvent>) {
        let object = leaf.object.as_ref().filter(|object| object.kind == "message");
        let id = object.and_then(|object| object.id.parse::<MessageId>().ok());
        let Some(id) = id.filter(|_| leaf.outcome == AuditOutcome::Success) else { return };
        let at = leaf.time;
        match leaf.action {
            AuditAction::MessageSend | AuditAction::MessageReceive => {
                let stated = self.messages.entry(id).or_default();
                stated.extend(leaf.message.map(|digest| StatedMessage { digest, country: None, at }));
                // A message for several countries is signed once for each; its event names them all.
                let details = event.into_iter().flat_map(|event| &event.details);
                stated.extend(details.filter_map(|(name, digest)| {
                    let country = Some(name.strip_prefix("digest.")?.parse().ok()?);
                    Some(StatedMessage { digest: digest.parse().ok()?, country, at })
                }));
            }
            AuditAction::ReceiptAccept => {
                if let Some(receipt) = leaf.receipt {
                    let first = self.receipts.entry((id, receipt)).or_insert(at);
                    *first = at.min(*first);
                }
            }
            _ => {}
        }
    }

    /// When a message with this digest was first sent to, or received in, this country.
    pub fn message_at(&self, id: &MessageId, country: &CountryCode, digest: &Digest) -> Option<Timestamp> {
        let stated = self.messages.get(id)?.iter().filter(|stated| stated.digest == *digest);
        let stated = stated.filter(|stated| stated.country.as_ref().is_none_or(|stated| stated == country));
        stated.map(|stated| stated.at).min()
    }

    /// Whether a message with this digest was sent or received.
    pub fn names_message(&self, id: &MessageId, digest: &Digest) -> bool {
        self.messages.get(id).is_some_and(|stated| stated.iter().any(|stated| stated.digest == *digest))
    }

    /// When the receipt with this digest was first accepted for the message.
    pub fn receipt_at(&self, id: &MessageId, digest: &Digest) -> Option<Timestamp> {
        self.receipts.get(&(*id, *digest)).copied()
    }
}

impl EvidenceContents {
    /// The digests that entries with a proof state. Neither the proofs nor the leaves' commitments are verified here: callers
    /// ask before they put a message into a bundle, and [`check`](crate::check()) counts the statements of proven entries alone.
    pub fn unverified_stated(&self) -> StatedDigests {
        let mut stated = StatedDigests::default();
        for entry in self.entries.values().filter(|entry| entry.proof.is_some()) {
            if let Ok(leaf) = AuditLeaf::from_bytes(entry.leaf.as_bytes()) {
                let event = entry.event.as_ref().and_then(|event| serde_json::from_str(&event.exact).ok());
                stated.add(&leaf, event.as_ref());
            }
        }
        stated
    }
}
