//! What the two countries' audit services say to each other: heads of their logs, and whether the other cosigns them.
//!
//! They travel as signed messages of `<cc>.node`, without a stream number and without a receipt: who waits for an answer
//! asks again. What they prove they prove by themselves, with the keys of the logs and of the witnesses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CountryCode, Digest, Line, Text, words::open_words};

/// `audit.checkpoint`: a new head of a log, and the proof that nothing of what the witness has cosigned was changed.
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
    /// The size of the head that was asked about.
    pub size: u64,
    /// What the witness did.
    pub answer: WitnessAnswer,
    /// The witness's signature line for the head, without its line end: C2SP tlog-cosignature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosignature: Option<Line>,
    /// The head that the witness has cosigned last, as the log signed it. It goes with every answer but `cosigned`, where the
    /// witness has one: to go on from, or to show that the log has two histories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Text>,
}

open_words!(
    /// What a witness did with a checkpoint.
    WitnessAnswer {
        /// It checked the checkpoint, wrote it down and cosigned it.
        Cosigned = "cosigned",
        /// The proof begins at another head than the one it has cosigned last: send one from there.
        ProofNeeded = "proof_needed",
        /// The head is not the one it has cosigned gone on: the log has two histories.
        Fork = "fork",
        /// The head has fewer leaves than one it has cosigned.
        Shrunken = "shrunken",
        /// No log that its policy names signed the checkpoint.
        UnknownLog = "unknown_log",
    }
);

/// What an audit service and the gateway that serves `<cc>.node` hand each other, within one country.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessPost {
    /// The country that it is for, or that it came from.
    pub partner: CountryCode,
    /// What it says.
    pub word: WitnessWord,
}

/// A body of one of the two messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WitnessWord {
    /// `audit.checkpoint`
    #[serde(rename = "audit.checkpoint")]
    Checkpoint(AuditCheckpoint),
    /// `audit.cosignature`
    #[serde(rename = "audit.cosignature")]
    Cosignature(AuditCosignature),
}
