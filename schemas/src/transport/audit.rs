//! The messages between two countries' audit services: a new head of one's log, and whether the other cosigns it.
//!
//! They travel as signed messages of `<cc>.node`, without a stream number and without a receipt: an audit service that
//! gets no answer asks again. Their content is proved by the keys of the logs and of the witnesses, whoever carried it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CountryCode, Digest, Line, Text, words::open_words};

/// `audit.checkpoint`: a new head of a log, and the proof that it contains the head that the witness has cosigned last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditCheckpoint {
    /// The head, signed by its log: a C2SP tlog-checkpoint.
    pub checkpoint: Text,
    /// The size of the head that the witness has cosigned last, as far as the log knows; 0 when none.
    pub older: u64,
    /// The consistency proof between that head and this one (RFC 6962, section 2.1.2): SHA-256 hashes.
    #[schemars(length(max = 63))]
    pub proof: Vec<Digest>,
}

/// `audit.cosignature`: a witness's answer to an `audit.checkpoint`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditCosignature {
    /// The log's origin, as its checkpoint names it.
    pub origin: Line,
    /// The size of the head in the `audit.checkpoint` that this answers.
    pub size: u64,
    /// Whether the witness cosigned the head, or why not.
    pub answer: WitnessAnswer,
    /// The witness's signature line for the head, without its line end: C2SP tlog-cosignature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosignature: Option<Line>,
    /// The head that the witness has cosigned last, as the log signed it. Every answer but `cosigned` carries it, if the
    /// witness has one: the log continues from it, or it shows that the log has two histories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Text>,
}

open_words!(
    /// What a witness did with a checkpoint.
    WitnessAnswer {
        /// The witness checked the checkpoint, stored it and cosigned it.
        Cosigned = "cosigned",
        /// The proof begins at another head than the one that the witness has cosigned last: send one from there.
        ProofNeeded = "proof_needed",
        /// The head does not continue the head that the witness has cosigned: the log has two histories.
        Fork = "fork",
        /// The head has fewer leaves than one that the witness has cosigned.
        Shrunken = "shrunken",
        /// No log that the witness's policy names signed the checkpoint.
        UnknownLog = "unknown_log",
    }
);

/// A message of one country's audit service to another's, between that audit service and the gateway that serves
/// `<cc>.node`: within one country, and unsigned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayedWitnessMessage {
    /// The country that the message is for, or that it came from.
    pub partner: CountryCode,
    /// The message.
    pub message: WitnessMessage,
}

/// The body of one of the two messages that audit services exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WitnessMessage {
    /// `audit.checkpoint`
    #[serde(rename = "audit.checkpoint")]
    Checkpoint(AuditCheckpoint),
    /// `audit.cosignature`
    #[serde(rename = "audit.cosignature")]
    Cosignature(AuditCosignature),
}
