//! The tokens of the last log-in, in a file that only its owner can read.

use std::{
    fs::{self, File},
    os::unix::fs::DirBuilderExt as _,
    path::PathBuf,
    time::Duration,
};

use rovuma_envelope::digest;
use rovuma_schemas::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    config::{IdentityConfig, xdg},
    exit::{Failure, Outcome},
    files,
};

/// A token that expires within this counts as expired, because it could expire on the way to the server.
const MARGIN: Duration = Duration::from_secs(10);

/// An access token, when it expires, and what gives the next one.
pub(crate) struct CachedToken {
    pub(crate) access_token: Zeroizing<String>,
    pub(crate) expires: Timestamp,
    /// A person's refresh token, good once.
    pub(crate) refresh_token: Option<Zeroizing<String>>,
    /// The file with the secret that a machine logged in with.
    pub(crate) client_secret_file: Option<PathBuf>,
}

/// The content of the token file.
#[derive(Serialize, Deserialize)]
struct TokenFile {
    issuer: String,
    client_id: String,
    access_token: String,
    expires: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_secret_file: Option<PathBuf>,
}

impl CachedToken {
    /// Loads the tokens of the last log-in at this provider, valid or not.
    pub(crate) fn load(identity: &IdentityConfig) -> Option<Self> {
        let text = files::read_secret_text(&path(identity)?).ok()?;
        let stored: TokenFile = serde_json::from_str(&text).ok()?;
        let ours = stored.issuer == identity.issuer && stored.client_id == identity.client_id();
        ours.then(|| Self {
            access_token: Zeroizing::new(stored.access_token),
            expires: stored.expires,
            refresh_token: stored.refresh_token.map(Zeroizing::new),
            client_secret_file: stored.client_secret_file,
        })
    }

    /// Whether a server takes the access token now.
    pub(crate) fn is_valid(&self, now: Timestamp) -> bool {
        self.expires > now.plus(MARGIN)
    }

    /// Stores the tokens for the commands that follow.
    pub(crate) fn store(&self, identity: &IdentityConfig) -> Outcome<()> {
        let path = existing_folder()?.join(file_name(identity));
        let stored = TokenFile {
            issuer: identity.issuer.clone(),
            client_id: identity.client_id(),
            access_token: self.access_token.to_string(),
            expires: self.expires,
            refresh_token: self.refresh_token.as_ref().map(|token| token.to_string()),
            client_secret_file: self.client_secret_file.clone(),
        };
        let text = serde_json::to_string(&stored)
            .map(Zeroizing::new)
            .map_err(|error| Failure::local(error.to_string()))?;
        files::replace_secret(&path, &text)
    }

    /// Removes the token; `false` when there was none.
    pub(crate) fn forget(identity: &IdentityConfig) -> bool {
        path(identity).is_some_and(|path| fs::remove_file(path).is_ok())
    }
}

/// Waits until no other command is changing the tokens. The lock ends when the file is dropped.
pub(crate) async fn lock() -> Outcome<File> {
    let folder = existing_folder()?;
    let cannot =
        |error: &dyn std::fmt::Display| Failure::local(format!("cannot lock {}: {error}", folder.display()));
    let folder = folder.clone();
    let locking = move || File::open(folder).and_then(|file| file.lock().map(|()| file));
    let locked = tokio::task::spawn_blocking(locking).await.map_err(|error| cannot(&error))?;
    locked.map_err(|error| cannot(&error))
}

/// The client that last logged in at this issuer, if it is another than rovumactl itself: a machine.
pub(crate) fn last_client(identity: &IdentityConfig) -> Option<String> {
    fs::read_to_string(folder()?.join(client_file_name(identity))).ok().filter(|client| !client.is_empty())
}

/// Makes `client` the one whose log-in the commands that follow use; `None`: rovumactl itself.
pub(crate) fn set_last_client(identity: &IdentityConfig, client: Option<&str>) -> Outcome<()> {
    let path = existing_folder()?.join(client_file_name(identity));
    match client {
        Some(client) => files::replace_secret(&path, client),
        None => match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Failure::local(format!("cannot remove {}: {error}", path.display())))
            }
            _ => Ok(()),
        },
    }
}

/// `$XDG_STATE_HOME/rovuma`.
fn folder() -> Option<PathBuf> {
    Some(xdg("XDG_STATE_HOME", ".local/state")?.join("rovuma"))
}

fn existing_folder() -> Outcome<PathBuf> {
    let folder = folder().ok_or_else(|| {
        Failure::local("there is no folder for the token").next("set HOME or XDG_STATE_HOME")
    })?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|error| Failure::local(format!("cannot make {}: {error}", folder.display())))?;
    Ok(folder)
}

/// The token file of an issuer, a client and the name of a log-in.
fn path(identity: &IdentityConfig) -> Option<PathBuf> {
    Some(folder()?.join(file_name(identity)))
}

fn file_name(identity: &IdentityConfig) -> String {
    format!("token-{}.json", named(identity, &format!("{}\n{}", identity.issuer, identity.client_id())))
}

fn client_file_name(identity: &IdentityConfig) -> String {
    format!("client-{}", named(identity, &identity.issuer))
}

/// A digest of `what`, another one for each name of a log-in.
fn named(identity: &IdentityConfig, what: &str) -> Digest {
    match &identity.log_in_name {
        Some(name) => digest(format!("{what}\n{name}").as_bytes()),
        None => digest(what.as_bytes()),
    }
}
