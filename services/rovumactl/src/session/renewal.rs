//! The access token of a log-in, renewed when it expires, so that a command may run longer than one token lives.

use std::sync::Arc;

use rovuma_runtime::{SecretFile, SharedClock};
use rovuma_schemas::Timestamp;
use rovuma_store::{BoxFuture, FutureExt as _};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{
    cache::{self, CachedToken},
    provider::OidcProvider,
};
use crate::{
    app::App,
    config::IdentityConfig,
    exit::{Exit, Failure, Outcome},
};

/// A log-in that is renewed by itself.
pub(crate) struct Renewal {
    identity: IdentityConfig,
    clock: SharedClock,
    current: Mutex<CachedToken>,
}

impl Renewal {
    /// The log-in at this provider, with a token that is valid now.
    pub(crate) async fn begin(app: &App, identity: &IdentityConfig) -> Outcome<Arc<Self>> {
        let current = Mutex::new(valid_token(identity, app.now()).await?);
        Ok(Arc::new(Self { identity: identity.clone(), clock: app.clock.clone(), current }))
    }

    /// An access token that is valid now.
    ///
    /// Boxed, because a client that renews its token asks the provider with a client.
    pub(crate) fn token(&self) -> BoxFuture<'_, Outcome<Zeroizing<String>>> {
        async move {
            let mut current = self.current.lock().await;
            let now = self.clock.now();
            if !current.is_valid(now) {
                *current = valid_token(&self.identity, now).await?;
            }
            Ok(current.access_token.clone())
        }
        .boxed()
    }
}

/// The stored token if it is still valid, else the next one: by a refresh token, or by a machine's secret.
pub(crate) async fn valid_token(identity: &IdentityConfig, now: Timestamp) -> Outcome<CachedToken> {
    if let Some(cached) = CachedToken::load(identity).filter(|cached| cached.is_valid(now)) {
        return Ok(cached);
    }
    // A refresh token is good once, and its second use ends the log-in: commands that run at the same time take
    // turns, and the later ones find the token that the first one got.
    let _turn = tokio::task::spawn_blocking(cache::lock)
        .await
        .map_err(|error| Failure::local(format!("cannot wait for the token file: {error}")))??;
    let cached = CachedToken::load(identity);
    let (refresh_token, secret_file) = match cached {
        Some(cached) if cached.is_valid(now) => return Ok(cached),
        Some(cached) => (cached.refresh_token, cached.client_secret_file),
        None => (None, None),
    };
    let secret_file = identity.client_secret_file.clone().or(secret_file.map(SecretFile::new));
    let token = match (refresh_token, secret_file) {
        (Some(refresh_token), _) => renew(identity, &refresh_token, now).await?,
        (None, Some(file)) => machine_token(identity, &file, now).await?,
        (None, None) => return Err(log_in_again("not logged in, or the log-in has expired")),
    };
    token.store(identity)?;
    Ok(token)
}

/// A token for the machine whose secret is in this file. The file's path is remembered for the next token.
pub(crate) async fn machine_token(
    identity: &IdentityConfig,
    secret_file: &SecretFile,
    now: Timestamp,
) -> Outcome<CachedToken> {
    let secret = secret_file.read_line().map_err(|error| Failure::usage(error.to_string()))?;
    let mut token = OidcProvider::discover(identity).await?.as_machine(identity, &secret, now).await?;
    token.client_secret_file = std::path::absolute(secret_file.path()).ok();
    Ok(token)
}

async fn renew(identity: &IdentityConfig, refresh_token: &str, now: Timestamp) -> Outcome<CachedToken> {
    let renewed = OidcProvider::discover(identity).await?.refresh(identity, refresh_token, now).await;
    renewed.map_err(|failure| {
        if failure.exit != Exit::Refused {
            return failure;
        }
        CachedToken::forget(identity);
        log_in_again("the log-in has ended: too long unused, over, or ended by a log-out or an administrator")
    })
}

fn log_in_again(what: &str) -> Failure {
    Failure::new(Exit::NotLoggedIn, what).next("log in: rovumactl login")
}
