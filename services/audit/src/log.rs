//! The log: events in the order of appending, and each source's chain.

mod append;
mod edge;
mod erase;
pub(crate) mod erasure_list;
mod event;
mod filter;
mod lineage;
mod payload;
pub(crate) mod prune;
pub(crate) mod reconcile;
pub(crate) mod saved;
pub(crate) mod search;
pub(crate) mod sources;
mod tree;

pub(crate) use append::{Appender, Sequencer};
pub(crate) use edge::check as check_edge;
pub(crate) use erase::{Erased, ErasureOrder, count_erasable, erase};
pub(crate) use event::LogEvent;
pub(crate) use filter::{EventFilter, SortOrder};
pub(crate) use lineage::{ChainHead, Lineage, LineageStatus};
pub(crate) use payload::{ERASABLE, PayloadKey, REFERENCE};
#[cfg(test)]
pub(crate) use search::open_payload;
pub(crate) use tree::{PrunedTree, Tree, signed_head};

use rovuma_store::Migrations;

/// The log's tables.
pub(crate) const MIGRATIONS: Migrations = rovuma_store::migrations!(1001 "log");

/// A sequence or index as databases hold it. Every sequence is checked to fit when its event is parsed.
pub(crate) fn to_db(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
