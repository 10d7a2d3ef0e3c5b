//! One database of one service: opened, migrated, read in parallel, and written by one task that shares commits
//! between callers. The database is a file, or a database of a PostgreSQL server that several processes may share.
//!
//! Every query has the types of sqlx's `Any` driver, so that one text serves SQLite and PostgreSQL: `$1` placeholders,
//! 16-byte ids and digests as blobs, instants as `BIGINT` microseconds, no booleans. A server is asked through sqlx; a file is
//! read and written on the thread that asks (`services/decisions/0023-a-file-answers-at-once.md`).
//!
//! A write is a *job*: an asynchronous function over the transaction's connection. Jobs that wait at the same time run
//! one after another in one transaction, each from its first statement on in a savepoint of its own, and share its
//! commit and its `fsync`. Each caller gets its reply after the commit. A job that fails is rolled back alone. Small
//! rows that many jobs have can be [deferred](DeferredWriter) to the end of the transaction.
//!
//! Architecture invariant: when a caller gets `Ok`, its write is on disk. When a caller goes away while it waits, its job
//! still runs and commits whole.

mod aside;
mod commits;
mod config;
mod conn;
mod database;
mod deferred;
mod deferred_rows;
mod duty;
mod error;
mod identity;
mod insert;
mod jobs;
mod lists;
mod migrate;
mod postgres;
mod probe;
mod readers;
mod restore_mark;
mod rewrite;
mod row;
mod sharing;
mod sqlite;
mod statement;
mod store;
#[cfg(test)]
mod tests;
mod upkeep;
mod writer;

pub use aside::Aside;
pub use commits::Commits;
pub use config::StoreConfig;
pub use conn::Conn;
pub use deferred::DeferredWriter;
pub use deferred_rows::{BindRow, DeferredRows};
pub use duty::Duty;
pub use error::{OpenError, WriteError, is_transient};
pub use futures::{FutureExt, future::BoxFuture};
pub use identity::{Restored, identity_generation, renew_identity};
pub use insert::{Binding, Insert};
pub use lists::{padded_list, with_list, with_rows};
pub use migrate::{DialectError, Migrations, Step};
pub use probe::ProbeError;
pub use readers::{Connections, Reader, Readers};
pub use row::RowExt;
pub use store::Store;
