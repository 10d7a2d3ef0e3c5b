//! Rewrites a database so that its files hold nothing but what is stored.
//!
//! SQLite overwrites deleted content with zeros (`secure_delete`), but for the copies that it leaves behind when it moves rows
//! between pages: measured with SQLite 3.40, in one store of twelve. Only a new file has none. A PostgreSQL server leaves every former version of a
//! row in its table until something else needs the room, and then leaves the bytes that it did not need.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Row, query, raw_sql};

use crate::Conn;

/// How often the write-ahead log is tried to be emptied. A reader that began before keeps it from that, for
/// milliseconds; no write is done meanwhile, for two seconds at most.
const TRUNCATE_TRIES: u32 = 20;

const TRUNCATE_PAUSE: Duration = Duration::from_millis(100);

/// Rewrites the database. No transaction is open on `conn`.
pub(crate) async fn run(conn: &mut Conn, tables: &[&'static str]) -> sqlx::Result<()> {
    if !conn.is_file() {
        for table in tables {
            // A constant of the caller's build: no value comes into it.
            raw_sql(AssertSqlSafe(format!("VACUUM (FULL) {table}"))).execute(&mut *conn).await?;
        }
        return Ok(());
    }
    // The copy may be larger than the memory that a service gets, so it is made in a file, which has no name.
    raw_sql("PRAGMA temp_store = FILE").execute(&mut *conn).await?;
    let rewritten = raw_sql("VACUUM").execute(&mut *conn).await;
    raw_sql("PRAGMA temp_store = MEMORY").execute(&mut *conn).await?;
    rewritten?;
    truncate_log(conn).await
}

/// Empties the write-ahead log, which holds the pages of before. Each try answers at once: SQLite would else wait for the reader with
/// every try, and nobody writes meanwhile.
async fn truncate_log(conn: &mut Conn) -> sqlx::Result<()> {
    let timeout_ms: i64 = query("PRAGMA busy_timeout").fetch_one(&mut *conn).await?.try_get(0)?;
    raw_sql("PRAGMA busy_timeout = 0").execute(&mut *conn).await?;
    let emptied = try_to_truncate(conn).await;
    // A number of SQLite's own.
    raw_sql(AssertSqlSafe(format!("PRAGMA busy_timeout = {timeout_ms}"))).execute(&mut *conn).await?;
    emptied
}

async fn try_to_truncate(conn: &mut Conn) -> sqlx::Result<()> {
    for _ in 0..TRUNCATE_TRIES {
        let row = query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *conn).await?;
        if row.try_get::<i64, _>(0)? == 0 {
            return Ok(());
        }
        tokio::time::sleep(TRUNCATE_PAUSE).await;
    }
    Err(sqlx::Error::Protocol("readers keep the write-ahead log from being emptied".into()))
}
