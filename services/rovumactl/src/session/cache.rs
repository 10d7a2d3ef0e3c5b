//! The access token of the last log-in, in a file that only its owner can read.

use std::{fs, os::unix::fs::DirBuilderExt as _, path::PathBuf, time::Duration};

use rovuma_envelope::digest;
use rovuma_schemas::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{
    config::{IdentityConfig, xdg},
    exit::{Failure, Outcome},
    files,
};

/// A token that expires within this counts as expired, because it could expire on the way to the server.
const MARGIN: Duration = Duration::from_secs(10);

/// An access token, and when it expires.
pub(crate) struct CachedToken {
    pub(crate) access_token: Zeroizing<String>,
    pub(crate) expires: Timestamp,
}

/// The content of the token file.
#[derive(Serialize, Deserialize)]
struct TokenFile {
    issuer: String,
    client_id: String,
    access_token: String,
    expires: Timestamp,
}

impl CachedToken {
    /// Loads the token of the last log-in at this provider, if it is still valid.
    pub(crate) fn load(identity: &IdentityConfig, now: Timestamp) -> Option<Self> {
        let text = files::read_secret_text(&path(identity)?).ok()?;
        let stored: TokenFile = serde_json::from_str(&text).ok()?;
        let ours = stored.issuer == identity.issuer && stored.client_id == identity.client_id;
        let access_token = Zeroizing::new(stored.access_token);
        (ours && stored.expires > now.plus(MARGIN)).then_some(Self { access_token, expires: stored.expires })
    }

    /// Stores the token for the commands that follow.
    pub(crate) fn store(&self, identity: &IdentityConfig) -> Outcome<()> {
        let path = path(identity).ok_or_else(|| {
            Failure::local("there is no folder for the token").next("set HOME or XDG_STATE_HOME")
        })?;
        if let Some(folder) = path.parent() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(|error| Failure::local(format!("cannot make {}: {error}", folder.display())))?;
        }
        let stored = TokenFile {
            issuer: identity.issuer.clone(),
            client_id: identity.client_id.clone(),
            access_token: self.access_token.to_string(),
            expires: self.expires,
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

/// The token file of an issuer and client: `$XDG_STATE_HOME/rovuma/token-<digest>.json`.
fn path(identity: &IdentityConfig) -> Option<PathBuf> {
    let name = digest(format!("{}\n{}", identity.issuer, identity.client_id).as_bytes());
    Some(xdg("XDG_STATE_HOME", ".local/state")?.join("rovuma").join(format!("token-{name}.json")))
}
