//! The `[store]` section of a service's configuration.

use std::{fmt, io, os::unix::fs::PermissionsExt as _, path::PathBuf};

use serde::Deserialize;

/// The database in which a service keeps its state.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreConfig {
    /// `sqlite:/var/lib/rovuma/gateway.db`: a file, created when it is not there, in a directory that is. Or
    /// `postgres://gateway@db.example/gateway?sslmode=verify-full&sslrootcert=/etc/rovuma/db-ca.pem`: a database of a
    /// PostgreSQL server, one for each service, in the form of libpq's connection URIs. Over a network only with
    /// `sslmode=verify-full`; `postgres:///gateway?host=/run/postgresql` is a socket on this machine.
    pub url: String,
    /// The file that holds the password for the server, on one line.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// The number of reading connections.
    #[serde(default = "default_readers")]
    pub readers: u32,
}

/// Enough for the parallel requests of a national node; each costs a thread and its page cache.
const fn default_readers() -> u32 {
    4
}

/// The permission bits of users who are neither the owner nor in the group.
const EVERYBODY: u32 = 0o007;

impl StoreConfig {
    /// The store at `url`, with the default number of readers.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), password_file: None, readers: default_readers() }
    }

    /// Whether the store is a file of this machine rather than a database of a server.
    pub fn is_file(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    /// The password in [`Self::password_file`]; empty without one.
    pub(crate) fn password(&self) -> io::Result<String> {
        let Some(file) = &self.password_file else { return Ok(String::new()) };
        if std::fs::metadata(file)?.permissions().mode() & EVERYBODY != 0 {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "everybody can read this password: run `chmod 600` on it and renew the password",
            ));
        }
        Ok(std::fs::read_to_string(file)?.trim_end_matches(['\r', '\n']).to_owned())
    }
}

impl fmt::Debug for StoreConfig {
    /// Leaves out every part of the address that may be a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreConfig")
            .field("url", &without_secrets(&self.url))
            .field("password_file", &self.password_file)
            .field("readers", &self.readers)
            .finish()
    }
}

/// An address without the parts before an `@` and behind a `?`, which may hold a password. When an `@` stands behind a `?`,
/// only the kind of database is left.
pub(crate) fn without_secrets(url: &str) -> &str {
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    match place.rsplit_once('@') {
        Some((_, place)) => place,
        None if parameters.contains('@') => url.split_once(':').map_or("", |(kind, _)| kind),
        None => place,
    }
}
