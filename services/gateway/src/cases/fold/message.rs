//! A message of a case as the fold reads it, and the limits of what the fold reads.

use std::collections::BTreeMap;

use rovuma_schemas::{AgencyCode, Digest, MessageId, Timestamp};

/// The largest turn that a case counts: an agency that writes every working day reaches it after a year and a half. Turns are
/// bounded one by one and not by how many messages came, so that both sides always count the same ones.
pub(crate) const TURN_MAX: u64 = 400;

/// The last turns below [`TURN_MAX`], which an own gateway keeps for absorbing messages: an alert can be withdrawn however much
/// was written about it.
pub(crate) const TURNS_RESERVED: u64 = 8;

/// Maximum different contents of one turn that count. A store that was restored uses a turn twice; nobody restores a store four
/// times between two messages.
pub(crate) const CONTENTS_PER_TURN_MAX: usize = 4;

/// Maximum messages of a case that count. A case has a few dozen; an alert to 32 agencies a few hundred. Messages that all
/// ignore each other cost time by their square: this many still fold in milliseconds. The owner's count first, then the
/// lowest turns, so that no flood pushes out a withdrawal.
pub(crate) const MESSAGES_MAX: usize = 1024;

/// Maximum parties of a case: the header's `seen` names at most 64 agencies (`schemas/src/header.rs`).
pub(crate) const PARTIES_MAX: usize = 64;

/// A verified message of a case, as plain values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CaseMessage<F> {
    /// The agency that signed it.
    pub(crate) sender: AgencyCode,
    /// Its own id.
    pub(crate) id: MessageId,
    /// The message of the same sender that it replaces.
    pub(crate) replaces: Option<MessageId>,
    /// The sender's count of its messages in the case, from 1.
    pub(crate) turn: u64,
    /// For each other party, the turn up to which the sender had every message.
    pub(crate) seen: BTreeMap<AgencyCode, u64>,
    /// When it was signed.
    pub(crate) created: Timestamp,
    /// When its content was first signed, of a message that was issued again.
    pub(crate) first_created: Option<Timestamp>,
    /// The digest of everything that a message keeps when it is issued again: type, terms, body, turn and `seen`. Neither the
    /// header's ids nor the times are part of it.
    pub(crate) content: Digest,
    /// The message that it answers.
    pub(crate) in_reply_to: Option<MessageId>,
    /// The name of its type, known here or not.
    pub(crate) message_type: String,
    /// When its recipient stored it, by the recipient's own clock: our own of a message received, the receipt's of one that we sent.
    /// Only the clocks of cases between two agencies depend on it.
    pub(crate) delivered: Option<Timestamp>,
    /// What it says, in the family's terms; absent when this version does not know the type.
    pub(crate) fact: Option<F>,
}

impl<F> CaseMessage<F> {
    /// The message, saying `fact`.
    pub(crate) fn saying<G>(&self, fact: Option<G>) -> CaseMessage<G> {
        CaseMessage {
            sender: self.sender.clone(),
            id: self.id,
            replaces: self.replaces,
            turn: self.turn,
            seen: self.seen.clone(),
            created: self.created,
            first_created: self.first_created,
            content: self.content,
            in_reply_to: self.in_reply_to,
            message_type: self.message_type.clone(),
            delivered: self.delivered,
            fact,
        }
    }

    /// When its content was first signed.
    pub(crate) fn signed(&self) -> Timestamp {
        self.first_created.unwrap_or(self.created)
    }
}
