//! Audit events as they travel from a service to its country's audit service.
//!
//! An event's identity is (source, epoch, sequence). Each carries the SHA-256 of the one before,
//! over that event's exact JSON bytes, so batches carry events as strings and nobody re-serialises.
//! Events hold identifiers and counts, never personal data.

mod leaf;

use std::collections::BTreeMap;

pub use leaf::{AuditLeaf, LEAF_MAX_BYTES, LEAF_VERSION, LeafFault};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::transport::audit::{
    AuditCheckpoint, AuditCosignature, WitnessAnswer, WitnessPost, WitnessWord,
};
use crate::{AgencyCode, Digest, Epoch, MessageId, StoreId, Timestamp, words::open_words};

/// The version of the event format that this build writes.
pub const AUDIT_VERSION: u16 = 1;

/// What the first event of an epoch carries in place of a predecessor's digest.
pub const FIRST_PREVIOUS: Digest = Digest::from_bytes([0; 32]);

open_words!(
    /// What was done.
    AuditAction {
        /// A draft was created.
        DraftCreate = "draft.create",
        /// A draft was changed.
        DraftChange = "draft.change",
        /// A draft was put up for release.
        DraftSubmit = "draft.submit",
        /// A draft was released.
        DraftRelease = "draft.release",
        /// A draft was returned to its author.
        DraftReturn = "draft.return",
        /// A draft was thrown away.
        DraftDiscard = "draft.discard",
        /// A message was numbered, signed and put into the outbox.
        MessageSend = "message.send",
        /// A message was verified and stored.
        MessageReceive = "message.receive",
        /// An officer opened a message.
        MessageRead = "message.read",
        /// A verified message was refused.
        MessageReject = "message.reject",
        /// A message is held until a trust list can verify it.
        MessageHold = "message.hold",
        /// What could not be verified was set aside.
        MessageQuarantine = "message.quarantine",
        /// A number was made void.
        MessageVoid = "message.void",
        /// A message went again because its recipient asked.
        MessageResend = "message.resend",
        /// A message went again under a new id, because the key that signed it was compromised.
        MessageReissue = "message.reissue",
        /// A receipt was accepted.
        ReceiptAccept = "receipt.accept",
        /// A receipt did not count: wrong signer, digest or message.
        ReceiptRefuse = "receipt.refuse",
        /// The inbox was searched.
        InboxSearch = "inbox.search",
        /// The sent messages were searched.
        SentSearch = "sent.search",
        /// Drafts were searched.
        DraftSearch = "draft.search",
        /// A draft was opened.
        DraftRead = "draft.read",
        /// Something was refused to somebody.
        AccessRefuse = "access.refuse",
        /// Somebody logged in.
        LoginSucceed = "login.succeed",
        /// A log-in failed.
        LoginFail = "login.fail",
        /// Somebody logged out.
        Logout = "logout",
        /// An access token was issued.
        TokenIssue = "token.issue",
        /// A user was created.
        UserCreate = "user.create",
        /// A user was changed.
        UserChange = "user.change",
        /// A role was given or taken.
        RoleChange = "role.change",
        /// A machine client was created.
        ClientCreate = "client.create",
        /// A machine client was changed.
        ClientChange = "client.change",
        /// A key was created.
        KeyCreate = "key.create",
        /// A key was replaced by a new one.
        KeyRotate = "key.rotate",
        /// A key was revoked.
        KeyRevoke = "key.revoke",
        /// A trust list was signed.
        TrustSign = "trust.sign",
        /// A trust list was loaded.
        TrustLoad = "trust.load",
        /// A trust list was refused.
        TrustRefuse = "trust.refuse",
        /// The audit log was searched.
        AuditSearch = "audit.search",
        /// An audit event, or the state of the audit sources, was read.
        AuditRead = "audit.read",
        /// Something is wrong with an audit source, or no longer is.
        AuditAlarm = "audit.alarm",
        /// A delivery to the audit service was nobody's batch.
        AuditQuarantine = "audit.quarantine",
        /// A tree of the audit log began, after the one that it names.
        LogBegin = "log.begin",
        /// Entries of a log whose retention had ended were taken out of it; their hashes stay.
        LogPrune = "log.prune",
        /// The broker's topology was applied.
        BrokerApply = "broker.apply",
        /// A service started.
        ServiceStart = "service.start",
        /// A service stopped in order.
        ServiceStop = "service.stop",
        /// A service's store was restored from an older copy, and has a new name since.
        StoreRestore = "store.restore",
        /// Data was exported.
        Export = "export",
        /// Data was printed.
        Print = "print",
        /// Data was erased at the end of its retention.
        Erase = "erase",
    }
);

/// The detail in which an event gives the reference of its message in the sender's own files.
pub const REFERENCE_DETAIL: &str = "reference";

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// It was done.
    Success,
    /// It was not allowed.
    Refused,
    /// It was allowed but did not work.
    Failed,
}

impl AuditOutcome {
    /// The word on the wire and in stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// What it was done to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditObject {
    /// The kind: `message`, `draft`, `user`, `key`, `trust_list`…
    pub kind: String,
    /// Its identifier.
    pub id: String,
}

impl AuditObject {
    /// The object `id` of a kind.
    pub fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self { kind: kind.into(), id: id.into() }
    }
}

/// The place of an event in its country's audit log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct AuditPosition {
    /// The service that wrote it, `mz.gateway`.
    #[schemars(length(min = 1, max = 64))]
    pub source: String,
    /// The epoch of that service's store.
    pub epoch: Epoch,
    /// The number within (source, epoch), from 1 and without gaps.
    #[schemars(range(min = 1))]
    pub sequence: u64,
}

/// One audit event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEvent {
    /// The version of this format, [`AUDIT_VERSION`].
    pub version: u16,
    /// The event's own id.
    pub id: MessageId,
    /// The service that writes it, `mz.gateway`.
    pub source: String,
    /// The epoch of that service's store.
    pub epoch: Epoch,
    /// The number within (source, epoch), from 1 and without gaps.
    pub sequence: u64,
    /// SHA-256 of the previous event's exact JSON bytes; [`FIRST_PREVIOUS`] for the first.
    pub previous: Digest,
    /// When it happened.
    pub time: Timestamp,
    /// Who did it: a pseudonymous subject, or a service's name.
    pub actor: String,
    /// The session in which it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The agency for which it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<AgencyCode>,
    /// What was done.
    pub action: AuditAction,
    /// To what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<AuditObject>,
    /// For what purpose: a purpose code or a stated reason's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// Why it was refused or failed, as a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Drawn at random, and in no leaf: whoever has leaf and digest of an event that was erased cannot try guesses of what
    /// it said. Absent in events of older services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blind: Option<StoreId>,
    /// Identifiers and counts that belong to it; no personal data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

/// Consecutive events of one source and epoch, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditBatch {
    /// The service that wrote them.
    pub source: String,
    /// Its epoch.
    pub epoch: Epoch,
    /// The first sequence number.
    pub first: u64,
    /// The last sequence number.
    pub last: u64,
    /// The exact JSON of each event.
    pub events: Vec<String>,
}

/// The audit service's word that everything of (source, epoch) up to `sequence` is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditAck {
    /// The service whose events they are.
    pub source: String,
    /// Its epoch.
    pub epoch: Epoch,
    /// The last event stored.
    pub sequence: u64,
    /// SHA-256 of that event's exact JSON bytes.
    pub digest: Digest,
    /// When it was stored.
    pub acknowledged_at: Timestamp,
}
