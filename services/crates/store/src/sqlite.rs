//! The SQLite database of a store: its file, the lock beside it, and the settings of its connections.

mod connection;
mod error;
mod migrate;

use std::{
    fs::{File, Metadata, OpenOptions, TryLockError},
    io::Write,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub(crate) use connection::FileConnection;

use crate::{Conn, Connections, OpenError, Readers, config::without_secrets};

/// A database file that only this process writes, for as long as the value lives. The operating system keeps the lock,
/// and releases it when the process ends, however that happens.
#[derive(Debug)]
pub(crate) struct LockedFile {
    path: PathBuf,
    /// The file system and the number of the file that was opened.
    inode: (u64, u64),
    _lock: File,
}

/// Only the owner reads and writes: a store holds personal data.
pub(crate) const OWNER_ONLY: u32 = 0o600;

/// Settings of the writing connection. `FULL` makes a commit wait for the disk; the size limit shrinks a write-ahead log
/// that one large transaction made grow. What is deleted is overwritten with zeros: a store holds personal data.
const WRITER: [&str; 6] = [
    FOREIGN_KEYS,
    "PRAGMA secure_delete = ON",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA journal_size_limit = 16777216",
];

/// Settings of a reading connection. Its page cache is 512 KiB instead of SQLite's 2 MiB: the operating system caches the
/// same pages.
const READER: [&str; 2] = ["PRAGMA query_only = ON", "PRAGMA cache_size = -512"];

/// SQLite checks foreign keys only when told to.
const FOREIGN_KEYS: &str = "PRAGMA foreign_keys = ON";

/// How long a statement waits while another connection has the file locked: nobody else writes it, but a copy may be being
/// made.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The statements that a connection keeps prepared: a service has some two hundred texts.
const STATEMENTS_PREPARED: usize = 256;

/// A statement that takes longer than this is logged: it holds up every task of its thread.
const SLOW_STATEMENT: Duration = Duration::from_secs(1);

/// How long a query waits for a free connection before it fails.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

impl LockedFile {
    /// Locks the file at `url`, creating it when it is not there.
    pub(crate) fn take(url: &str) -> Result<Self, OpenError> {
        let path = path_of(url)?;
        let lock_path = path.with_added_extension("lock");
        let mut lock = open_private(&lock_path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(path, &lock_path)),
            Err(TryLockError::Error(source)) => return Err(OpenError::File { path: lock_path, source }),
        }
        let note = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
        note.map_err(|source| OpenError::File { path: lock_path, source })?;
        // SQLite gives the files of its write-ahead log the permissions of the database.
        let file = open_private(&path)?;
        let inode = file.metadata().map(|data| inode(&data));
        let inode = inode.map_err(|source| OpenError::File { path: path.clone(), source })?;
        Ok(Self { path, inode, _lock: lock })
    }

    /// Refuses an address that is none, or whose folder is not there.
    pub(crate) fn check(url: &str) -> Result<(), OpenError> {
        let path = path_of(url)?;
        let folder = path.parent().unwrap_or(&path);
        match std::fs::metadata(folder) {
            Ok(_) => Ok(()),
            Err(source) => Err(OpenError::File { path, source }),
        }
    }

    /// Opens the connection that writes.
    pub(crate) async fn writer(&self) -> Result<Conn, OpenError> {
        let mut conn = Conn::connect(&self.address()).await?;
        for pragma in WRITER {
            sqlx::query(pragma).execute(&mut conn).await?;
        }
        Ok(conn)
    }

    /// The pool of connections that read.
    pub(crate) fn readers(&self, count: u32) -> Result<Readers, OpenError> {
        // A local file cannot be disconnected.
        let connections = Connections {
            url: self.address(),
            settings: &READER,
            may_disconnect: false,
            stale_before: Arc::default(),
        };
        Ok(Readers::new(connections, count, ACQUIRE_TIMEOUT)?)
    }

    /// Whether the file is still in its place. An open file can be written when it has been removed, to no avail.
    pub(crate) fn is_in_place(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|data| inode(&data) == self.inode)
    }

    /// The database file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn address(&self) -> String {
        format!("sqlite:{}", self.path.display())
    }
}

/// The path in `sqlite:PATH` or `sqlite://PATH`, made absolute. Parameters after the path are refused, and so is a
/// database in memory, which is no store.
pub(crate) fn path_of(url: &str) -> Result<PathBuf, OpenError> {
    let path = url.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest));
    path.filter(|path| !path.is_empty() && !path.contains([':', '?', '#']))
        .and_then(|path| std::path::absolute(path).ok())
        .ok_or_else(|| OpenError::Address { url: without_secrets(url).to_owned() })
}

fn inode(data: &Metadata) -> (u64, u64) {
    (data.dev(), data.ino())
}

fn open_private(path: &Path) -> Result<File, OpenError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(OWNER_ONLY);
    options.open(path).map_err(|source| OpenError::File { path: path.to_owned(), source })
}

fn in_use(path: PathBuf, lock_path: &Path) -> OpenError {
    let note = std::fs::read_to_string(lock_path).unwrap_or_default();
    let holder = if note.trim().is_empty() { "(unknown)" } else { note.trim() }.to_owned();
    OpenError::InUse { store: path.display().to_string(), holder: format!("process {holder}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_are_stores() {
        for url in ["", "sqlite:", "sqlite::memory:", "sqlite:a.db?mode=memory", "postgres://x@y/z", "/a.db"]
        {
            assert!(path_of(url).is_err(), "{url:?} was taken");
        }
        assert_eq!(path_of("sqlite:/var/x.db").ok(), Some(PathBuf::from("/var/x.db")));
        assert_eq!(path_of("sqlite:///var/x.db").ok(), Some(PathBuf::from("/var/x.db")));
    }

    #[test]
    fn an_address_in_a_message_has_no_password() {
        assert_eq!(without_secrets("postgres://u:secret@db/x"), "db/x");
    }
}
