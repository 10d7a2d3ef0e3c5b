//! The log: events in the order of appending, and each source's chain.

mod append;
mod edge;
mod erase;
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
pub(crate) use erase::{Erased, Order as ErasureOrder, erase};
pub(crate) use event::LogEvent;
pub(crate) use filter::{Filter, Order};
pub(crate) use lineage::{Found, Head, Lineage};
pub(crate) use payload::{CASE, ERASABLE, PayloadKey};
#[cfg(test)]
pub(crate) use search::payload;
pub(crate) use tree::{PrunedTree, Tree, signed_head};

use rovuma_store::Migrations;

/// The log's tables.
pub(crate) const MIGRATIONS: Migrations = rovuma_store::migrations!(1001 "log");

/// A sequence number or index as databases keep it. Numbers are checked to fit when they are read.
pub(crate) fn to_db(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
