//! A private PostgreSQL server with its own data, reached only by a socket in its own folder. The machine's own
//! server is not touched.
//!
//! It refuses to run as root, so root starts it as the user `postgres`, which Debian's package makes.

use std::{
    collections::hash_map::DefaultHasher,
    fs::{self, Permissions},
    hash::{Hash, Hasher},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::process::Process;

/// Time limit for the server to start.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// How often the server is asked whether it answers.
const POLL: Duration = Duration::from_millis(50);

/// The environment variable that names the database in which tests keep their stores.
pub const TEST_STORE: &str = "ROVUMA_TEST_STORE";

/// Its value for a private PostgreSQL server.
const POSTGRES: &str = "postgres";

/// The folder in which Debian keeps the programs of each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// A running server. Dropping it ends it and removes its data.
#[derive(Debug)]
pub struct PostgresServer {
    programs: PathBuf,
    folder: PathBuf,
    process: Option<Process>,
}

impl PostgresServer {
    /// Starts a server with an empty cluster in `folder`, which it makes.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start; the error has its output.
    pub fn start(folder: &Path) -> Result<Self> {
        let mut server = Self { programs: programs()?, folder: folder.to_owned(), process: None };
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        if is_root() {
            run(Command::new("chown").arg("postgres:postgres").arg(folder))?;
        }
        fs::set_permissions(folder, Permissions::from_mode(0o700))?;
        let mut init = server.command("initdb");
        // Anybody who may enter the folder may enter the database.
        init.args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        run(init.arg("-D").arg(server.data()))?;
        server.resume()?;
        Ok(server)
    }

    /// Starts the server again after [`Self::kill`].
    ///
    /// # Errors
    /// When it does not start; the error has its output.
    pub fn resume(&mut self) -> Result<()> {
        let log = self.log();
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).arg("-k").arg(&self.folder);
        // No network, and connections for many stores at once. Test data need not survive a power cut, so
        // nothing waits for the disk; a killed server loses nothing by that.
        command.args(["-c", "listen_addresses=", "-c", "max_connections=500", "-c", "fsync=off"]);
        self.process = Some(Process::start("postgres", &command, &log)?);
        let started = Instant::now();
        while self.query("postgres", "SELECT 1").is_err() {
            let ended = self.process.as_mut().and_then(Process::exited);
            if ended.is_some() || started.elapsed() > START_TIMEOUT {
                bail!("PostgreSQL does not answer: {}", fs::read_to_string(&log).unwrap_or_default());
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// Kills the server at once (SIGKILL).
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Creates an empty database, unless it exists.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn create_database(&self, name: &str) -> Result<()> {
        let found = self.query("postgres", &format!("SELECT 1 FROM pg_database WHERE datname = '{name}'"))?;
        if found.is_empty() {
            self.query("postgres", &format!("CREATE DATABASE \"{name}\""))?;
        }
        Ok(())
    }

    /// The address of a database, as a store's configuration takes it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user=postgres", self.folder.display())
    }

    /// The server's plain answer to a statement.
    ///
    /// # Errors
    /// When the server refuses the statement; the error has its output.
    pub fn query(&self, database: &str, statement: &str) -> Result<String> {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database]);
        run(psql.arg("-h").arg(&self.folder).args(["-c", statement]))
    }

    fn log(&self) -> PathBuf {
        self.folder.with_added_extension("log")
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A program of the server, run as its user. It ends when this process does, as all our processes; since a
    /// change of user makes the kernel forget that, it is set after the change.
    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        if !is_root() {
            return Command::new(program);
        }
        let mut command = Command::new("/usr/bin/setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=INT", "--"]);
        command.arg(program);
        command.current_dir("/");
        command
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.folder);
        let _ = fs::remove_file(self.log());
    }
}

/// The address of a test's store: a file in `folder`, or, when the environment has
/// `ROVUMA_TEST_STORE=postgres`, a database of a private server that all tests of a program share. The same
/// folder and name give the same store.
///
/// # Errors
/// When the server does not start, or the variable has another value.
pub fn test_store(folder: &Path, name: &str) -> Result<String> {
    match std::env::var(TEST_STORE).as_deref() {
        Err(_) | Ok("" | "sqlite") => Ok(format!("sqlite:{}", folder.join(format!("{name}.db")).display())),
        Ok(POSTGRES) => {
            let server = shared()?;
            let mut place = DefaultHasher::new();
            folder.hash(&mut place);
            let database = format!("{name}-{:016x}", place.finish());
            server.create_database(&database)?;
            Ok(server.url(&database))
        }
        Ok(other) => bail!("{TEST_STORE}={other}: expected sqlite or postgres"),
    }
}

/// Whether tests keep their stores on a PostgreSQL server.
pub fn tests_use_postgres() -> bool {
    std::env::var(TEST_STORE).is_ok_and(|word| word == POSTGRES)
}

/// The server of this test program. The kernel ends it when the program ends.
///
/// # Errors
/// When it does not start.
pub fn shared() -> Result<&'static PostgresServer> {
    static SERVER: OnceLock<Result<PostgresServer, String>> = OnceLock::new();
    let start = || PostgresServer::start(&fresh_folder()).map_err(|fault| format!("{fault:#}"));
    SERVER.get_or_init(start).as_ref().map_err(|fault| anyhow::anyhow!("{fault}"))
}

/// The name of a folder that does not exist yet, in a place that another user may reach.
pub fn fresh_folder() -> PathBuf {
    std::env::temp_dir().join(format!("rovuma-postgres-{}", uuid::Uuid::new_v4().simple()))
}

/// The folder of the newest installed version.
fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().filter_map(Result::ok);
    let programs =
        versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists());
    let number = |bin: &PathBuf| -> Option<u32> { bin.parent()?.file_name()?.to_str()?.parse().ok() };
    programs.max_by_key(number).context("PostgreSQL is not installed (Debian: apt-get install postgresql)")
}

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

fn run(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("starting {program}"))?;
    if !output.status.success() {
        bail!(
            "{program}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
