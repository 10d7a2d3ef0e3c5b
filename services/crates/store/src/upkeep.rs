//! What an open store does by itself, as time passes: it renews its restore mark, and keeps fresh what SQLite's query planner
//! knows about the sizes of tables and indexes.
//!
//! Without that knowledge SQLite guesses, and with old knowledge it may read a table from end to end because the table was
//! small when it was counted. A PostgreSQL server counts by itself (autovacuum), so nothing is done there.

use std::{sync::Weak, time::Duration};

use sqlx::query;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep},
};
use tracing::warn;

use crate::{
    Conn, Readers,
    database::Database,
    jobs::{Job, submit},
    restore_mark::{self, RENEW_EVERY},
};

/// How often the tables are counted again. SQLite counts only those that have grown or shrunk much since the last time, and
/// reads a bounded part of each, which takes milliseconds.
const OPTIMIZE_EVERY: Duration = Duration::from_secs(60 * 60);

/// Counts every table that has changed much since it was last counted. 0x02 runs ANALYZE, 0x10000 looks at all tables rather
/// than those that this connection has queried: other connections read.
const OPTIMIZE: &str = "PRAGMA optimize = 0x10002";

/// Rows from which a table's count is kept. A new installation has tables of a row or two: told so, SQLite reads them from end to end,
/// and goes on doing it until they are counted again, an hour and many messages later. Without a count it takes a table for
/// large, which costs nothing where it is small.
const COUNTED_FROM_ROWS: i64 = 1_000;

/// Counts the tables of a file when it is opened.
pub(crate) async fn optimize(conn: &mut Conn, database: &Database) -> sqlx::Result<()> {
    match database {
        Database::Sqlite(_) => count(conn).await,
        Database::Postgres(_) => Ok(()),
    }
}

/// Counts the tables, and forgets the counts of small ones.
async fn count(conn: &mut Conn) -> sqlx::Result<()> {
    query(OPTIMIZE).execute(&mut *conn).await?;
    let counts = "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'";
    if query(counts).fetch_optional(&mut *conn).await?.is_none() {
        return Ok(());
    }
    let forget = query("DELETE FROM sqlite_stat1 WHERE CAST(stat AS INTEGER) < $1").bind(COUNTED_FROM_ROWS);
    forget.execute(&mut *conn).await?;
    // Reads the counts anew.
    query("ANALYZE sqlite_schema").execute(conn).await.map(drop)
}

/// Looks after an open store until the sender of `open` is dropped because the store was closed.
pub(crate) async fn run(
    database: Weak<Database>,
    jobs: mpsc::WeakSender<Box<dyn Job>>,
    readers: Readers,
    mut open: oneshot::Receiver<()>,
) {
    let mut optimized_at = Instant::now();
    loop {
        tokio::select! {
            _ = &mut open => return,
            () = sleep(RENEW_EVERY) => {}
        }
        // Kept until the file is written: this keeps the lock, so that no other process opens the store meanwhile.
        let (Some(database), Some(jobs)) = (database.upgrade(), jobs.upgrade()) else { return };
        // A server keeps its own history and its own counts.
        let Database::Sqlite(file) = &*database else { continue };
        restore_mark::renew(file, &jobs).await;
        if optimized_at.elapsed() >= OPTIMIZE_EVERY {
            optimized_at = Instant::now();
            optimize_open(&jobs, &readers).await;
        }
    }
}

/// Counts the tables of an open file. A connection reads the counts when it is made, so the reading ones are replaced.
pub(crate) async fn optimize_open(jobs: &mpsc::Sender<Box<dyn Job>>, readers: &Readers) {
    let counted = submit(jobs, |tx| Box::pin(count(tx))).await;
    match counted {
        Ok(()) => readers.replace_all(),
        Err(fault) => warn!(%fault, "the store's tables were not counted: queries may become slow"),
    }
}
