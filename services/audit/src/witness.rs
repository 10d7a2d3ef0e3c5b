//! Witnessing across the border: this service cosigns the heads of partners' logs, and partners cosign this log's.
//!
//! A partner's audit service sends a signed message of its node, which the gateway that serves this node delivers
//! ([`consumer`]). A head of the partner is compared with the last one that this service cosigned ([`decision`], pure), stored,
//! and only then cosigned ([`respond`]). This service requests a cosignature for each of its own checkpoints until the partner
//! replies ([`request`]), and adds the cosignature to the checkpoint ([`reply`]). The partner gets heads, hashes and proofs,
//! never entries.

mod alarm;
mod consumer;
mod cosigned_files;
mod decision;
mod partners;
mod reply;
mod request;
mod respond;
mod status;
#[cfg(test)]
mod tests;

pub(crate) use alarm::{ConflictingHeads, LogAlarmKind, LogAlarms, log_alarms};
pub(crate) use consumer::{WitnessIntake, consumer_config};
pub(crate) use cosigned_files::CosignedFiles;
pub(crate) use partners::Partners;
pub(crate) use reply::ReplyHandler;
pub(crate) use request::{CosignRequester, PendingRequests};
pub(crate) use respond::Witness;
pub(crate) use status::WitnessStatus;
