//! Whether the store is the one that was last left: one restored from an older copy is not, and must not give
//! out the numbers again that it gave out since that copy.
//!
//! A file has a witness beside it, `<database>.witness`, and a row in it; a database of a server has the server's
//! own history. See `services/decisions/0011-noticing-a-restore.md`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::Duration,
};

use rovuma_schemas::StoreId;
use sqlx::Row as _;
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

use crate::{
    Conn, OpenError, WriteError,
    database::Database,
    identity::{self, Known},
    jobs::{Job, submit},
    postgres::Server,
    sqlite::OWNER_ONLY,
};

/// How often a store that is open gets a new witness: a copy of the database that is older than this is noticed
/// when it is put back. Each costs three `fsync`s and a commit.
const RENEW_EVERY: Duration = Duration::from_secs(60);

/// The word for a token that is not there.
const NONE: &str = "-";

/// Settles at opening whether the store was restored, and gives what its row says then.
pub(crate) async fn settle(conn: &mut Conn, database: &Database) -> Result<Known, OpenError> {
    match database {
        Database::Sqlite(file) => WitnessFile::beside(file.path()).settle(conn).await?,
        Database::Postgres(server) => check_server(conn, server).await?,
    }
    identity::load(conn).await?.ok_or_else(|| sqlx::Error::RowNotFound.into())
}

/// The file beside a database: the token that is in the row, and the one that may be there already.
#[derive(Clone, Debug)]
pub(crate) struct WitnessFile(PathBuf);

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// In the row, unless `next` is. Absent before the first row has one.
    pub(crate) current: Option<String>,
    /// Going to be in the row.
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

impl WitnessFile {
    pub(crate) fn beside(database: &Path) -> Self {
        Self(database.with_added_extension("witness"))
    }

    /// In this order, so that whoever is killed in between has not restored anything: the file knows the new
    /// token, the row has it, the file knows no other.
    async fn settle(&self, conn: &mut Conn) -> Result<(), OpenError> {
        let fault = |source| OpenError::File { path: self.0.clone(), source };
        let left = self.read().map_err(fault)?;
        let known = identity::load(conn).await?;
        let next = token();
        let was_restored = known.as_ref().is_some_and(|known| !fits(known, left.as_ref()));
        let current = match &known {
            None => None,
            // What no row has: while this file says so, the row is that of a restored store.
            Some(_) if was_restored => Some(token()),
            Some(known) => known.witness.clone(),
        };
        self.write(&Tokens { current, next: Some(next.clone()) }).map_err(fault)?;
        if known.is_none() {
            identity::draw(conn, Some(&next)).await?;
        } else if was_restored {
            restored(conn, &next).await?;
        } else {
            identity::set_witness(conn, &next).await?;
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

    /// Gives an open store a new witness. One that was not done to its end before is done to its end.
    pub(crate) async fn renew(&self, jobs: &mpsc::Sender<Box<dyn Job>>) -> Result<(), RenewError> {
        let left = self.clone().read_aside().await?.unwrap_or_default();
        let next = left.next.unwrap_or_else(token);
        self.clone().write_aside(Tokens { current: left.current, next: Some(next.clone()) }).await?;
        let row = next.clone();
        submit(jobs, move |tx| Box::pin(async move { identity::set_witness(tx, &row).await })).await?;
        self.clone().write_aside(Tokens { current: Some(next), next: None }).await?;
        Ok(())
    }

    async fn read_aside(self) -> Result<Option<Tokens>, RenewError> {
        Ok(tokio::task::spawn_blocking(move || self.read()).await??)
    }

    async fn write_aside(self, tokens: Tokens) -> Result<(), RenewError> {
        Ok(tokio::task::spawn_blocking(move || self.write(&tokens)).await??)
    }
}

/// Why an open store got no new witness.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RenewError {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] WriteError<sqlx::Error>),
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
}

/// Whether a row belongs to a file. A row without a witness is one of a build that gave none, or of one that
/// was killed while it gave the first; unless the file says that there was one.
fn fits(known: &Known, left: Option<&Tokens>) -> bool {
    match (&known.witness, left) {
        (None, None) => true,
        (None, Some(left)) => left.current.is_none(),
        (Some(_), None) => false,
        (witness, Some(left)) => *witness == left.current || *witness == left.next,
    }
}

/// Gives a store a new witness again and again, until it is closed: when `open` ends.
pub(crate) async fn renew_regularly(
    database: Weak<Database>,
    jobs: mpsc::WeakSender<Box<dyn Job>>,
    mut open: oneshot::Receiver<()>,
) {
    loop {
        tokio::select! {
            _ = &mut open => return,
            () = tokio::time::sleep(RENEW_EVERY) => {}
        }
        // Held while the file is written: until then nobody else may open the store.
        let (Some(database), Some(jobs)) = (database.upgrade(), jobs.upgrade()) else { return };
        if let Err(fault) = renew_once(&database, &jobs).await {
            warn!(%fault, "the store's witness was not renewed: an older copy put back is noticed later");
        }
    }
}

async fn renew_once(database: &Arc<Database>, jobs: &mpsc::Sender<Box<dyn Job>>) -> Result<(), RenewError> {
    match &**database {
        Database::Sqlite(file) => WitnessFile::beside(file.path()).renew(jobs).await,
        Database::Postgres(_) => Ok(()),
    }
}

/// Compares the row with the server's own history and renames a store that is not where it was. Every process does
/// so before it first writes over a connection, and one of them finds it.
pub(crate) async fn check_server(conn: &mut Conn, server: &Server) -> Result<(), OpenError> {
    let seen = match server_witness(conn).await {
        Ok(seen) => Some(seen),
        Err(fault) => {
            warn!(%fault, "cannot tell whether this store was restored: grant EXECUTE on pg_control_system()");
            None
        }
    };
    sqlx::raw_sql(sqlx::AssertSqlSafe(server.begin())).execute(&mut *conn).await?;
    let settled = settle_server(conn, seen.as_deref()).await;
    let end = if settled.is_ok() { server.commit() } else { "ROLLBACK".to_owned() };
    sqlx::raw_sql(sqlx::AssertSqlSafe(end)).execute(conn).await?;
    settled
}

async fn settle_server(conn: &mut Conn, seen: Option<&str>) -> Result<(), OpenError> {
    let Some(known) = identity::load(conn).await? else {
        return Ok(identity::draw(conn, seen).await?);
    };
    match (seen, known.witness.as_deref()) {
        (Some(seen), Some(noted)) if seen != noted => Ok(restored(conn, seen).await?),
        (Some(seen), None) => Ok(identity::set_witness(conn, seen).await?),
        _ => Ok(()),
    }
}

/// Which server, which of its histories, which database and table. Recovery to a point in time begins a new
/// history; what a dump is loaded into is another server, database or table. The timeline is that of the present
/// log file: the control file may name the one before until the first checkpoint.
async fn server_witness(conn: &mut Conn) -> sqlx::Result<String> {
    let text = "SELECT (SELECT system_identifier FROM pg_control_system()) || '/' ||
                       substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || '/' ||
                       (SELECT oid FROM pg_database WHERE datname = current_database()) || '/' ||
                       'store'::regclass::oid AS witness";
    sqlx::query(text).fetch_one(conn).await?.try_get("witness")
}

async fn restored(conn: &mut Conn, witness: &str) -> sqlx::Result<()> {
    // One statement, so that no store has its new witness and its old name.
    sqlx::query(
        "UPDATE store SET restored_from = COALESCE(restored_from, identity), identity = $1, witness = $2",
    )
    .bind(StoreId::draw().as_bytes().as_slice())
    .bind(witness)
    .execute(conn)
    .await?;
    warn!("this store was restored from an older copy, or moved without its witness: it has a new name");
    Ok(())
}

fn token() -> String {
    StoreId::draw().to_string()
}
