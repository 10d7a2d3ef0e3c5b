//! The PostgreSQL database of a store: one database of a server for one service, written by one transaction at a time.
//!
//! Every writing transaction first takes an advisory lock of the database. Transactions of several processes therefore
//! run one after another, as they do in a file: none sees another half done, none deadlocks with another, and numbers
//! that transactions give out become visible in the order of the numbers. See
//! `services/decisions/0010-one-transaction-at-a-time.md`.

use std::{
    fmt,
    net::IpAddr,
    str::FromStr,
    sync::Arc,
    time::{Duration, Instant},
};

use rovuma_schemas::StoreId;
use sqlx::{
    AssertSqlSafe, Row,
    postgres::{PgConnectOptions, PgListener, PgSslMode},
};
use tokio::sync::watch;
use tracing::{debug, warn};
use url::Url;

use crate::{
    Commits, Conn, Connections, OpenError, Readers, StoreConfig,
    config::without_secrets,
    sharing::{OPEN_PATIENCE, OPEN_POLL, Sharing},
};

/// Settings of a reading connection.
const READER: [&str; 1] = ["SET default_transaction_read_only = on"];

/// The first of the two numbers that name an advisory lock: it tells Rovuma's locks from others.
const LOCKS: i32 = 0x0052_6f76;

/// The lock of a writing transaction.
const WRITING: i32 = 1;

/// The lock of a process that has the store open; processes that share the store share the lock.
const OPENED: i32 = 2;

/// The lock of duty 0; the locks of other duties follow.
const DUTIES: i32 = 16;

/// The channel on which processes notify each other of commits.
const CHANNEL: &str = "rovuma_commit";

/// How long connecting may take: a server that runs answers in milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a background task tries again to connect.
const RETRY_EVERY: Duration = Duration::from_secs(2);

/// How often the connection that holds a duty is pinged: the server ends a duty with its connection.
const DUTY_CHECK_EVERY: Duration = Duration::from_secs(5);

/// Settings of a writing connection. The server ends a transaction that has been idle for a minute, because its writer's
/// machine may be gone; a writer waits 20 seconds for another and then fails rather than hang. A server that is set
/// to answer before a commit is on its disk is set not to.
const WRITER: &str = "SET idle_in_transaction_session_timeout = '60s'; SET lock_timeout = '20s'; \
     SELECT set_config('synchronous_commit', 'on', false) \
     WHERE current_setting('synchronous_commit') = 'off'";

/// A database of a PostgreSQL server.
#[derive(Clone)]
pub(crate) struct Server {
    /// The address, with the password if there is one.
    url: Url,
    sharing: Sharing,
    /// What this process sends with its notifications, to tell them from others'.
    own: StoreId,
}

impl Server {
    /// Whether an address is one of a server.
    pub(crate) fn is_address(url: &str) -> bool {
        url.starts_with("postgres:") || url.starts_with("postgresql:")
    }

    /// The server at a configured address. Does not connect yet.
    pub(crate) fn at(config: &StoreConfig, sharing: Sharing) -> Result<Self, OpenError> {
        let fault = || OpenError::Address { url: without_secrets(&config.url).to_owned() };
        let mut url = Url::parse(&config.url).map_err(|_| fault())?;
        // A password belongs into its file. Our messages leave out what stands before an `@` and behind a `?`, but the
        // driver logs parameters that it does not know.
        if url.query_pairs().any(|(name, _)| name.to_lowercase().contains("password")) {
            return Err(OpenError::PasswordInAddress { url: without_secrets(&config.url).to_owned() });
        }
        if let Some(file) = &config.password_file {
            let password =
                config.password().map_err(|source| OpenError::File { path: file.clone(), source })?;
            url.set_password(Some(&password)).map_err(|()| fault())?;
        }
        let options = PgConnectOptions::from_str(url.as_str()).map_err(|_| fault())?;
        if !is_private(&options) {
            return Err(OpenError::ClearText { url: without_secrets(&config.url).to_owned() });
        }
        if !url.query_pairs().any(|(name, _)| name == "application_name") {
            url.query_pairs_mut().append_pair("application_name", &process_name());
        }
        Ok(Self { url, sharing, own: StoreId::draw() })
    }

    pub(crate) fn is_exclusive(&self) -> bool {
        self.sharing == Sharing::Alone
    }

    /// Opens the connection that writes, and takes on it the lock of a process that has the store open: a process that
    /// wants the store for itself is then refused.
    pub(crate) async fn writer(&self) -> Result<Conn, OpenError> {
        let mut conn = self.connect().await?;
        sqlx::raw_sql(WRITER).execute(&mut conn).await?;
        let shared = if self.is_exclusive() { "" } else { "_shared" };
        let take = format!("SELECT pg_try_advisory_lock{shared}({LOCKS}, {OPENED}) AS taken");
        let started = Instant::now();
        loop {
            let row = sqlx::query(AssertSqlSafe(take.clone())).fetch_one(&mut conn).await?;
            if row.try_get("taken")? {
                return Ok(conn);
            }
            if started.elapsed() > OPEN_PATIENCE {
                return Err(OpenError::InUse { store: self.shown(), holder: holder(&mut conn).await });
            }
            tokio::time::sleep(OPEN_POLL).await;
        }
    }

    /// The pool of connections that read.
    pub(crate) fn readers(&self, count: u32) -> Result<Readers, OpenError> {
        let url = self.url.as_str().to_owned();
        let connections =
            Connections { url, settings: &READER, may_disconnect: true, stale_before: Arc::default() };
        Ok(Readers::new(connections, count, CONNECT_TIMEOUT)?)
    }

    /// The SQL that begins a transaction, once no other writes.
    pub(crate) fn begin(&self) -> String {
        format!("BEGIN; SELECT pg_advisory_xact_lock({LOCKS}, {WRITING})")
    }

    /// The SQL that notifies the other processes and commits.
    pub(crate) fn commit(&self) -> String {
        format!("SELECT pg_notify('{CHANNEL}', '{}'); COMMIT", self.own)
    }

    /// Counts the commits of other processes, until the last receiver is dropped. After a lost connection it counts one
    /// more, since notifications may have been missed.
    pub(crate) async fn listen(self, commits: std::sync::Arc<watch::Sender<Commits>>) {
        let ended = commits.clone();
        tokio::select! {
            () = ended.closed() => {}
            () = self.listen_on(&commits) => {}
        }
    }

    async fn listen_on(&self, commits: &watch::Sender<Commits>) {
        let own = self.own.to_string();
        loop {
            match self.listener().await {
                Ok(mut listener) => {
                    commits.send_modify(|count| count.others += 1);
                    while let Ok(Some(notification)) = listener.try_recv().await {
                        if notification.payload() != own {
                            commits.send_modify(|count| count.others += 1);
                        }
                    }
                    debug!("the connection that listens for commits was lost");
                }
                Err(fault) => debug!(%fault, "no connection to listen for commits on"),
            }
            tokio::time::sleep(RETRY_EVERY).await;
        }
    }

    async fn listener(&self) -> Result<PgListener, sqlx::Error> {
        let mut listener = PgListener::connect(self.url.as_str()).await?;
        listener.listen(CHANNEL).await?;
        Ok(listener)
    }

    /// Waits for a duty and returns the connection that holds it.
    pub(crate) async fn take_duty(&self, number: i32) -> Conn {
        let take = format!("SELECT pg_try_advisory_lock({LOCKS}, {}) AS taken", DUTIES + number);
        let mut warned = false;
        loop {
            let attempt = async {
                let mut conn = self.connect().await.map_err(|fault| fault.to_string())?;
                let row = sqlx::query(AssertSqlSafe(take.clone())).fetch_one(&mut conn).await;
                let taken = row.and_then(|row| row.try_get::<bool, _>("taken"));
                Ok::<_, String>(taken.map_err(|fault| fault.to_string())?.then_some(conn))
            };
            match attempt.await {
                Ok(Some(conn)) => return conn,
                Ok(None) => {}
                Err(fault) if !warned => {
                    warn!(%fault, "no duty can be taken: the database does not answer");
                    warned = true;
                }
                Err(_) => {}
            }
            tokio::time::sleep(RETRY_EVERY).await;
        }
    }

    /// Returns once the connection that holds a duty is lost.
    pub(crate) async fn until_lost(conn: &mut Conn) {
        loop {
            tokio::time::sleep(DUTY_CHECK_EVERY).await;
            let answer = tokio::time::timeout(CONNECT_TIMEOUT, conn.ping()).await;
            if !matches!(answer, Ok(Ok(()))) {
                return;
            }
        }
    }

    async fn connect(&self) -> Result<Conn, sqlx::Error> {
        match tokio::time::timeout(CONNECT_TIMEOUT, Conn::connect(self.url.as_str())).await {
            Ok(connected) => connected,
            Err(_) => Err(sqlx::Error::PoolTimedOut),
        }
    }

    /// The database as messages name it: host and database, without user and password.
    fn shown(&self) -> String {
        format!("{}{}", self.url.host_str().unwrap_or("local"), self.url.path())
    }
}

impl fmt::Debug for Server {
    /// Leaves out the address, which holds the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("database", &self.shown()).finish_non_exhaustive()
    }
}

/// Whether nobody on the way can read or change what passes between the service and its database: over a network only
/// TLS with a checked server certificate will do. The driver's own reading of the address decides, with aliases,
/// repeated parameters and environment variables.
fn is_private(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_local = options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || address.is_ok_and(|ip| ip.is_loopback());
    is_local || matches!(options.get_ssl_mode(), PgSslMode::VerifyFull)
}

/// The process that has the store open, as the server names it.
async fn holder(conn: &mut Conn) -> String {
    let text = format!(
        "SELECT a.application_name || ' (server process ' || a.pid || ')' AS holder
         FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
         WHERE l.locktype = 'advisory' AND l.classid = {LOCKS} AND l.objid = {OPENED} AND l.granted
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
         ORDER BY a.backend_start LIMIT 1"
    );
    let row = sqlx::query(AssertSqlSafe(text)).fetch_optional(conn).await;
    let holder = row.ok().flatten().and_then(|row| row.try_get::<String, _>("holder").ok());
    holder.unwrap_or_else(|| "another process".to_owned())
}

/// The application name of this process's connections: the program and the process id.
fn process_name() -> String {
    let program = std::env::current_exe().ok();
    let name = program.as_deref().and_then(|path| path.file_name()).map(|name| name.to_string_lossy());
    format!("{} {}", name.as_deref().unwrap_or("rovuma"), std::process::id())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_a_private_way_to_the_database_is_taken() {
        let taken = |url: &str| Server::at(&StoreConfig::at(url), Sharing::Alone);
        for url in [
            "postgres://gateway@localhost/gateway",
            "postgres://gateway@127.0.0.1:5433/gateway",
            "postgres://gateway@[::1]/gateway",
            "postgres:///gateway?host=/run/postgresql",
            "postgres://gateway@db.example/gateway?sslmode=verify-full",
        ] {
            assert!(taken(url).is_ok(), "{url}");
        }
        for url in [
            "postgres://gateway@db.example/gateway",
            "postgres://gateway@10.0.0.7/gateway",
            "postgres://gateway@db.example/gateway?sslmode=require",
            "postgres://gateway@db.example/gateway?sslmode=verify-ca",
            "postgres://gateway@localhost/gateway?host=db.example",
            "postgres://gateway@localhost/gateway?hostaddr=10.0.0.7",
            "postgres://gateway@db.example/gateway?sslmode=verify-full&ssl-mode=disable",
            "postgres://gateway@db.example/gateway?sslmode=verify-full&sslmode=prefer",
        ] {
            let refused = taken(url).expect_err(url);
            assert!(matches!(refused, OpenError::ClearText { .. }), "{url}: {refused}");
        }
    }

    #[test]
    fn no_password_shows() {
        let opened = |url: &str| Server::at(&StoreConfig::at(url), Sharing::Alone);
        for url in [
            "postgres://u:secret@db.example/x",
            "postgres://u@db.example/x?password=secret",
            "postgres://u@localhost/x?Password=secret",
            "postgres://u:secret@[nonsense/x",
            "postgres://u:secret?more@db.example/x",
            "postgres://db.example/x?password=more@secret",
        ] {
            let refused = opened(url).expect_err(url);
            assert!(!format!("{refused} {refused:?}").contains("secret"), "{refused:?}");
            assert!(!format!("{:?}", StoreConfig::at(url)).contains("secret"), "{url}");
        }
        let taken = opened("postgres://u:secret@localhost/x").expect("stays on this machine");
        assert!(!format!("{taken:?}").contains("secret"), "{taken:?}");
    }

    #[test]
    fn a_password_file_is_read_unless_everybody_can() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("password");
        std::fs::write(&file, "secret\n").expect("written");
        let mut config = StoreConfig::at("postgres://u@localhost/x");
        config.password_file = Some(file.clone());
        for (mode, taken) in [(0o600, true), (0o640, true), (0o644, false), (0o602, false)] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("set");
            match Server::at(&config, Sharing::Alone) {
                Ok(server) => assert!(taken && server.url.password() == Some("secret"), "{mode:o}"),
                Err(refused) => assert!(!taken && refused.to_string().contains("chmod 600"), "{refused}"),
            }
        }
    }
}
