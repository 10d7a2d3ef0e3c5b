//! Making the log known: heads that are signed and cosigned, and the public files of the log.
//!
//! A head is written down before anybody hears of it, goes to the partners' audit services (`witness/`), and when the policy
//! is met, the files of the log are brought up to it: tiles first, the checkpoint last (C2SP tlog-tiles). The files are a
//! projection of the store, and can be made again from it at any time.

mod files;
mod heads;
mod prover;
mod pruner;
mod run;

pub(crate) use files::{LogFolder, PublishedFault, write_whole};
pub(crate) use heads::{Heads, MadeHead};
pub(crate) use prover::Prover;
pub(crate) use pruner::{Pruner, pruned_note};
pub(crate) use run::{PublishFault, Publisher, unix_s};
