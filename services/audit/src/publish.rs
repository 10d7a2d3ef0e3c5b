//! Publishes the log: its checkpoints and its public files.
//!
//! The publisher stores a checkpoint before anybody sees it, and partners' audit services cosign it (`witness/`). When its
//! cosignatures meet the policy, the publisher updates the public files to it: tiles first, the checkpoint last (C2SP
//! tlog-tiles). The files are a projection of the store, and can be made again from it at any time.

mod checkpoints;
mod files;
mod prover;
mod pruner;
mod publisher;

pub(crate) use checkpoints::{Checkpoints, StoredCheckpoint};
pub(crate) use files::{LogFolder, PublishedFault, write_atomically};
pub(crate) use prover::Prover;
pub(crate) use pruner::{Pruner, pruned_note};
pub(crate) use publisher::{PublishFault, Publisher, unix_s};
