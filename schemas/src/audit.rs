//! Audit events, as a service sends them to its country's audit service.
//!
//! An event's identity is (source, epoch, sequence). Each event has the SHA-256 of the previous event's exact JSON bytes, so
//! batches carry events as strings and nobody serialises them again. Events hold identifiers and counts, never personal data.

mod leaf;

use std::collections::BTreeMap;

pub use leaf::{AuditLeaf, LEAF_MAX_BYTES, LEAF_VERSION, LeafFault};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::transport::audit::{
    AuditCheckpoint, AuditCosignature, RelayedWitnessMessage, WitnessAnswer, WitnessMessage,
};
use crate::{
    AgencyCode, Digest, Epoch, MessageId, StoreId, Timestamp, limits::NUMBER_MAX, words::open_words,
};

/// The version of the event format that this build writes.
pub const AUDIT_VERSION: u16 = 1;

/// The value of `previous` in the first event of an epoch.
pub const FIRST_PREVIOUS: Digest = Digest::from_bytes([0; 32]);

open_words!(
    /// The act that an audit event records.
    AuditAction {
        /// A draft was created.
        DraftCreate = "draft.create",
        /// A draft was changed.
        DraftChange = "draft.change",
        /// A draft was submitted for release.
        DraftSubmit = "draft.submit",
        /// A draft was released.
        DraftRelease = "draft.release",
        /// A draft was returned to its author.
        DraftReturn = "draft.return",
        /// A draft was discarded.
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
        /// A delivery that could not be verified was quarantined.
        MessageQuarantine = "message.quarantine",
        /// A number was made void.
        MessageVoid = "message.void",
        /// A message was sent again because its recipient requested it.
        MessageResend = "message.resend",
        /// A partner made numbers of a stream to us void.
        StreamVoid = "stream.void",
        /// A message was reissued under a new id, because the key that signed it was compromised.
        MessageReissue = "message.reissue",
        /// A receipt was accepted.
        ReceiptAccept = "receipt.accept",
        /// A receipt did not count: wrong signer, digest or message.
        ReceiptRefuse = "receipt.refuse",
        /// Somebody acknowledged an alarm of a gateway.
        AlarmAcknowledge = "alarm.acknowledge",
        /// The inbox was searched.
        InboxSearch = "inbox.search",
        /// The sent messages were searched.
        SentSearch = "sent.search",
        /// Cases were searched.
        CaseSearch = "case.search",
        /// A case was looked at: its state or its time line.
        CaseRead = "case.read",
        /// A watchlist read what alerts in force are about.
        ScreeningRead = "screening.read",
        /// A watchlist said at which border posts alerts are screened for, or no longer.
        ScreeningReport = "screening.report",
        /// Figures about requests were read.
        FiguresRead = "figures.read",
        /// Somebody looked something up in the watchlist, outside a crossing.
        ScreenLookup = "screen.lookup",
        /// Something that is listed was found at a border post.
        HitFind = "hit.find",
        /// The watchlist had a hit reported without a person, or its gateway refused that.
        HitForward = "hit.forward",
        /// What was found was listed.
        CandidateSearch = "candidate.search",
        /// A person decided whether something that was found is the same.
        CandidateDecide = "candidate.decide",
        /// A change of a screening rule was proposed or approved.
        RuleChange = "rule.change",
        /// A list was imported into the watchlist or taken out, or that was proposed; or the file was the one in force.
        ListImport = "list.import",
        /// The data of a case are held back from erasure.
        CaseHold = "case.hold",
        /// The data of a case are no longer held back from erasure.
        CaseFree = "case.free",
        /// Drafts were searched.
        DraftSearch = "draft.search",
        /// A draft was opened.
        DraftRead = "draft.read",
        /// A request was refused.
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
        /// A role was granted or revoked.
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
        /// An alarm about an audit source began or ended.
        AuditAlarm = "audit.alarm",
        /// A delivery to the audit service was not a batch of a known source.
        AuditQuarantine = "audit.quarantine",
        /// A new tree of the audit log began, continuing the one that the event names.
        LogBegin = "log.begin",
        /// Entries of a log were deleted at the end of their retention; their hashes stay.
        LogPrune = "log.prune",
        /// The broker's topology was applied.
        BrokerApply = "broker.apply",
        /// A service started.
        ServiceStart = "service.start",
        /// A service was told to stop.
        ServiceStop = "service.stop",
        /// A service's store was restored from an older copy, and has a new identity.
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

/// The outcome of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// The act was done.
    Success,
    /// The act was not allowed.
    Refused,
    /// The act was allowed but failed.
    Failed,
}

impl AuditOutcome {
    /// The name on the wire and in stores.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// The object of an act.
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

/// The identity of an event in its country's audit log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct AuditPosition {
    /// The service that wrote it, `mz.gateway`.
    #[schemars(length(min = 1, max = 64))]
    pub source: String,
    /// The epoch of that service's store.
    pub epoch: Epoch,
    /// The number within (source, epoch), from 1 and without gaps.
    #[schemars(range(min = 1, max = NUMBER_MAX))]
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
    /// The actor: a pseudonymous subject, or a service's name.
    pub actor: String,
    /// The actor's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The agency for which the actor acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<AgencyCode>,
    /// The act.
    pub action: AuditAction,
    /// The object of the act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<AuditObject>,
    /// The purpose: a purpose code, or the code of a stated reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The outcome.
    pub outcome: AuditOutcome,
    /// The code of the reason why the act was refused or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A random value that is in no leaf: nobody who has the leaf and the digest of an erased event can guess its content and
    /// check the guess. Absent in events of older services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blind: Option<StoreId>,
    /// Identifiers and counts. No personal data but one: `user.create` and a change of name say the `login` and the
    /// `name` of the account whose id is a pseudonym everywhere else. They are sealed with the event, shown to auditors of the
    /// account's agency and of the node, and erased with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

/// Consecutive events of one source and epoch, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditBatch {
    /// The service that wrote the events.
    pub source: String,
    /// The epoch of that service's store.
    pub epoch: Epoch,
    /// The first sequence number.
    pub first: u64,
    /// The last sequence number.
    pub last: u64,
    /// The exact JSON of each event.
    pub events: Vec<String>,
}

/// The audit service's acknowledgement that it has stored every event of (source, epoch) up to `sequence`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditAck {
    /// The service that wrote the events.
    pub source: String,
    /// The epoch of that service's store.
    pub epoch: Epoch,
    /// The last event stored.
    pub sequence: u64,
    /// SHA-256 of that event's exact JSON bytes.
    pub digest: Digest,
    /// When it was stored.
    pub acknowledged_at: Timestamp,
}
