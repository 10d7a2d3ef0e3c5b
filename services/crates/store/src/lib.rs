//! One database of one service: opened, migrated, read in parallel, written by one task that shares
//! commits between callers. A file, or a database of a PostgreSQL server that several processes share.
//!
//! Everything goes through sqlx's `Any` driver so that one query text serves SQLite and PostgreSQL: `$1`
//! placeholders, 16-byte ids and digests as blobs, instants as `BIGINT` microseconds, no booleans.
//!
//! A write is a *job*: an asynchronous function over the transaction's connection. Jobs that wait at the
//! same time run one after another in one transaction, each from its first statement on in a savepoint of its own, and
//! share its commit and its `fsync`; each caller is answered after the commit. A job that fails takes back only
//! its own work. Small rows that many jobs have can be [left for the end](DeferredWriter) of the transaction.
//!
//! Architecture invariant: a caller that was answered `Ok` has its write on disk, and a caller that goes
//! away while it waits changes nothing: its job still runs and commits whole.

mod commits;
mod config;
mod conn;
mod database;
mod duty;
mod error;
mod identity;
mod insert;
mod jobs;
mod late;
mod lists;
mod migrate;
mod postgres;
mod readers;
mod row;
mod sharing;
mod sqlite;
mod store;
#[cfg(test)]
mod tests;
mod witness;
mod writer;

pub use commits::Commits;
pub use config::StoreConfig;
pub use conn::Conn;
pub use duty::Duty;
pub use error::{OpenError, WriteError, is_transient};
pub use futures::{FutureExt, future::BoxFuture};
pub use identity::{Restored, identity_generation, renew_identity};
pub use insert::{Binding, Insert};
pub use late::{Bind, DeferredRows, DeferredWriter};
pub use lists::{padded_list, with_list, with_rows};
pub use migrate::{DialectError, Migrations, Step};
pub use readers::{Connections, Reader, Readers};
pub use row::RowExt;
pub use store::Store;
