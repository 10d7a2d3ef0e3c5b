//! Checks the messages and receipts of a bundle against its entries.

use rovuma_envelope::{Jws, Unverified, digest};
use rovuma_schemas::{CountryCode, Digest, Header, MessageId, Timestamp};
use serde::Deserialize;

use super::{CheckedEvidence, EvidenceFault};
use crate::{EvidenceContents, MessageFiles, StatedDigests};

/// Checks that proven entries say that each message was sent or received, and that each receipt is for its message and was
/// accepted; and the same of messages that are withheld.
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
        for (country, jws) in &files.signed {
            if checked.message_at(id, country, jws).is_none() {
                let what = "no entry of the bundle says that a message with its SHA-256 was sent or received";
                return Err(fault(format!("{country}.jws"), what));
            }
        }
        for (name, jws) in &files.receipts {
            let file = format!("receipts/{name}.jws");
            if *name != digest(jws.as_bytes()) {
                return Err(fault(file, "its name is not its SHA-256"));
            }
            files
                .check_receipt(id, jws, &checked.stated)
                .map_err(|refused| fault(file, &refused.to_string()))?;
        }
    }
    check_withheld(contents, checked)
}

/// Checks that a proven entry names each message that is withheld, that its handling code withholds it, and that it is not in the bundle
/// all the same.
fn check_withheld(contents: &EvidenceContents, checked: &CheckedEvidence) -> Result<(), EvidenceFault> {
    for left in &contents.manifest.left_out {
        let Some(withheld) = &left.withheld else { continue };
        let fault = |what: &str| {
            Err(EvidenceFault::Message {
                id: left.id.to_string(),
                file: "withheld".to_owned(),
                what: what.to_owned(),
            })
        };
        if left.receipt.is_some() || !withheld.handling.needs_leave_to_share() {
            return fault("no handling code withholds it");
        }
        if contents.messages.contains_key(&left.id) {
            return fault("it is in the bundle");
        }
        if !checked.stated.names_message(&left.id, &withheld.digest) {
            return fault("no entry of the bundle says that a message with its SHA-256 was sent or received");
        }
    }
    Ok(())
}

/// Why a receipt is no receipt for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptFault {
    /// It is no JWS with a header.
    #[error("it cannot be read")]
    Unreadable,
    /// It is a message of another type.
    #[error("it is no receipt")]
    NotAReceipt,
    /// It does not name the message, or names other bytes under the message's id.
    #[error("it is for another message")]
    OtherMessage,
    /// Its sender is no recipient of the message.
    #[error("its sender is no recipient of the message")]
    NotARecipient,
    /// No entry says that a receipt with its digest was accepted.
    #[error("no entry of the bundle says that a receipt with its SHA-256 was accepted")]
    NotNamed,
}

impl ReceiptFault {
    /// The code of the fault in manifests.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::NotAReceipt => "not_a_receipt",
            Self::OtherMessage => "other_message",
            Self::NotARecipient => "not_a_recipient",
            Self::NotNamed => "not_named",
        }
    }
}

impl MessageFiles {
    /// Checks that a receipt is for this message: it names the message by id and SHA-256, and its sender is a recipient of that
    /// message, and an entry says that it was accepted. Its signature is checked with trust lists, by the caller.
    ///
    /// # Errors
    /// [`ReceiptFault`].
    pub fn check_receipt(
        &self,
        id: &MessageId,
        jws: &str,
        stated: &StatedDigests,
    ) -> Result<(), ReceiptFault> {
        let header = header_of(jws).ok_or(ReceiptFault::Unreadable)?;
        let entries = receipt_entries(jws, &header.message_type).ok_or(ReceiptFault::NotAReceipt)?;
        let named = |jws: &&String| entries.contains(&(*id, digest(jws.as_bytes())));
        let about: Vec<&String> = self.signed.values().filter(named).collect();
        if about.is_empty() {
            return Err(ReceiptFault::OtherMessage);
        }
        let is_recipient = |jws: &&String| {
            header_of(jws).is_some_and(|message| {
                message.recipients.iter().any(|recipient| recipient.agency == header.sender.agency)
            })
        };
        if !about.iter().any(is_recipient) {
            return Err(ReceiptFault::NotARecipient);
        }
        let accepted = stated.receipt_at(id, &digest(jws.as_bytes()));
        accepted.map(|_| ()).ok_or(ReceiptFault::NotNamed)
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

impl CheckedEvidence {
    /// When a message was sent or received: the time of the first proven entry that says so and states the digest of
    /// these bytes.
    pub fn message_at(&self, id: &MessageId, country: &CountryCode, jws: &str) -> Option<Timestamp> {
        self.stated.message_at(id, country, &digest(jws.as_bytes()))
    }

    /// When a receipt for the message was accepted: the time of the first proven entry that says so and states the digest of
    /// these bytes.
    pub fn receipt_at(&self, id: &MessageId, jws: &str) -> Option<Timestamp> {
        self.stated.receipt_at(id, &digest(jws.as_bytes()))
    }
}
