//! Notices that a store was restored from an older copy: it must not give out again the numbers that it gave out since
//! that copy was made.
//!
//! A file has a restore mark: a token in the file `<database>.restore-mark` beside it, which must be the one in the store's row. For
//! a database of a server, the row names the server's own history. See `services/decisions/0011-noticing-a-restore.md`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use rovuma_schemas::StoreId;
use sqlx::Row as _;
use tokio::sync::mpsc;
use tracing::warn;

use crate::{
    Conn, OpenError, WriteError,
    database::Database,
    identity::{self, StoreRow},
    jobs::{Job, submit},
    postgres::Server,
    sqlite::{LockedFile, OWNER_ONLY},
};

/// How often an open store gets a new token: a copy of the database that is older than this is noticed when it is put
/// back. Each renewal costs four `fsync`s and a commit.
pub(crate) const RENEW_EVERY: Duration = Duration::from_secs(60);

/// Written in place of an absent token.
const NONE: &str = "-";

/// Checks, when the store is opened, whether it was restored, and returns its row after that.
pub(crate) async fn check(conn: &mut Conn, database: &Database) -> Result<StoreRow, OpenError> {
    match database {
        Database::Sqlite(file) => RestoreMarkFile::beside(file.path()).check(conn).await?,
        Database::Postgres(server) => check_server(conn, server).await?,
    }
    identity::load(conn).await?.ok_or_else(|| sqlx::Error::RowNotFound.into())
}

/// The file beside a database, which holds its [`Tokens`].
#[derive(Clone, Debug)]
pub(crate) struct RestoreMarkFile(PathBuf);

/// The tokens that the row may have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// The row's token, unless the row has `next` already. Absent before the first row has one.
    pub(crate) current: Option<String>,
    /// The token that a renewal is going to write into the row.
    pub(crate) next: Option<String>,
}

impl Tokens {
    fn parse(text: &str) -> Self {
        let mut words = text.split_whitespace().map(|word| (word != NONE).then(|| word.to_owned()));
        Self { current: words.next().flatten(), next: words.next().flatten() }
    }

    fn to_text(&self) -> String {
        let word = |token: &Option<String>| token.clone().unwrap_or_else(|| NONE.to_owned());
        format!("{}\n{}\n", word(&self.current), word(&self.next))
    }
}

impl RestoreMarkFile {
    pub(crate) fn beside(database: &Path) -> Self {
        Self(database.with_added_extension("restore-mark"))
    }

    /// Compares the file with the row, gives a restored store a new identity, and renews the token. The order of the three
    /// writes matters: the new token is in the file, then in the row, then alone in the file. A process that is
    /// killed in between leaves a file and a row that match.
    async fn check(&self, conn: &mut Conn) -> Result<(), OpenError> {
        let fault = |source| OpenError::File { path: self.0.clone(), source };
        let tokens = self.read().map_err(fault)?;
        let row = identity::load(conn).await?;
        let next = token();
        let was_restored = row.as_ref().is_some_and(|row| !matches_file(row, tokens.as_ref()));
        let current = match &row {
            None => None,
            // A token that no row has: a process that is killed before it renames the store leaves a file that still
            // does not match the row.
            Some(_) if was_restored => Some(token()),
            Some(row) => row.restore_mark.clone(),
        };
        self.write(&Tokens { current, next: Some(next.clone()) }).map_err(fault)?;
        if row.is_none() {
            identity::create(conn, Some(&next)).await?;
        } else if was_restored {
            record_restore(conn, &next).await?;
        } else {
            identity::set_restore_mark(conn, &next).await?;
        }
        self.write(&Tokens { current: Some(next), next: None }).map_err(fault)
    }

    pub(crate) fn read(&self) -> io::Result<Option<Tokens>> {
        match fs::read_to_string(&self.0) {
            Ok(text) => Ok(Some(Tokens::parse(&text))),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Replaces the file, whole or not at all, and returns once that is on disk.
    pub(crate) fn write(&self, tokens: &Tokens) -> io::Result<()> {
        rovuma_files::replace(&self.0, tokens.to_text().as_bytes(), OWNER_ONLY)
    }

    /// Gives an open store a new token. A renewal that was broken off is finished with the token it had drawn.
    pub(crate) async fn renew(&self, jobs: &mpsc::Sender<Box<dyn Job>>) -> Result<(), RenewError> {
        let tokens = self.clone().read_in_background().await?.unwrap_or_default();
        let next = tokens.next.unwrap_or_else(token);
        self.clone()
            .write_in_background(Tokens { current: tokens.current, next: Some(next.clone()) })
            .await?;
        let row = next.clone();
        submit(jobs, move |tx| Box::pin(async move { identity::set_restore_mark(tx, &row).await })).await?;
        self.clone().write_in_background(Tokens { current: Some(next), next: None }).await?;
        Ok(())
    }

    async fn read_in_background(self) -> Result<Option<Tokens>, RenewError> {
        Ok(tokio::task::spawn_blocking(move || self.read()).await??)
    }

    async fn write_in_background(self, tokens: Tokens) -> Result<(), RenewError> {
        Ok(tokio::task::spawn_blocking(move || self.write(&tokens)).await??)
    }
}

/// An open store could not be given a new token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RenewError {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] WriteError<sqlx::Error>),
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
}

/// Whether a row belongs to a file. A row without a token was left by a build that wrote none, or by a process that was
/// killed while it wrote the first; not so when the file says that the row had one.
fn matches_file(row: &StoreRow, file: Option<&Tokens>) -> bool {
    match (&row.restore_mark, file) {
        (None, None) => true,
        (None, Some(tokens)) => tokens.current.is_none(),
        (Some(_), None) => false,
        (restore_mark, Some(tokens)) => *restore_mark == tokens.current || *restore_mark == tokens.next,
    }
}

/// Gives an open file a new token, as happens every [`RENEW_EVERY`].
pub(crate) async fn renew(file: &LockedFile, jobs: &mpsc::Sender<Box<dyn Job>>) {
    if let Err(fault) = RestoreMarkFile::beside(file.path()).renew(jobs).await {
        warn!(%fault, "the store's restore mark was not renewed: an older copy put back may not be noticed");
    }
}

/// Compares the row with the server's own history, and gives a store that was restored or moved a new identity. Every
/// process does so before it first writes over a connection; the first one renews the identity.
pub(crate) async fn check_server(conn: &mut Conn, server: &Server) -> Result<(), OpenError> {
    let history = match server_history(conn).await {
        Ok(history) => Some(history),
        Err(fault) => {
            warn!(%fault, "cannot tell whether this store was restored: grant EXECUTE on pg_control_system()");
            None
        }
    };
    sqlx::raw_sql(sqlx::AssertSqlSafe(server.begin())).execute(&mut *conn).await?;
    let checked = compare_with_server(conn, history.as_deref()).await;
    let end = if checked.is_ok() { server.commit() } else { "ROLLBACK".to_owned() };
    sqlx::raw_sql(sqlx::AssertSqlSafe(end)).execute(conn).await?;
    checked
}

async fn compare_with_server(conn: &mut Conn, history: Option<&str>) -> Result<(), OpenError> {
    let Some(row) = identity::load(conn).await? else {
        return Ok(identity::create(conn, history).await?);
    };
    match (history, row.restore_mark.as_deref()) {
        (Some(history), Some(noted)) if history != noted => Ok(record_restore(conn, history).await?),
        (Some(history), None) => Ok(identity::set_restore_mark(conn, history).await?),
        _ => Ok(()),
    }
}

/// The server, its timeline, the database and the table, as one text. Recovery to a point in time begins a new timeline;
/// loading a dump makes another table, database or server. The timeline is read from the name of the present log file,
/// because the control file may name the former one until the first checkpoint.
async fn server_history(conn: &mut Conn) -> sqlx::Result<String> {
    let text = "SELECT (SELECT system_identifier FROM pg_control_system()) || '/' ||
                       substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || '/' ||
                       (SELECT oid FROM pg_database WHERE datname = current_database()) || '/' ||
                       'store'::regclass::oid AS restore_mark";
    sqlx::query(text).fetch_one(conn).await?.try_get("restore_mark")
}

/// Gives a restored store its new identity and restore mark, and notes the old identity.
async fn record_restore(conn: &mut Conn, restore_mark: &str) -> sqlx::Result<()> {
    // One statement, so that no store has its new restore mark and its old identity.
    sqlx::query(
        "UPDATE store SET restored_from = COALESCE(restored_from, identity), identity = $1, restore_mark = $2",
    )
    .bind(StoreId::draw().as_bytes().as_slice())
    .bind(restore_mark)
    .execute(conn)
    .await?;
    warn!(
        "this store was restored from an older copy, or moved without its restore mark: it has a new identity"
    );
    Ok(())
}

fn token() -> String {
    StoreId::draw().to_string()
}
