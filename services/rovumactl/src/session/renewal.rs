//! The access token of a log-in, renewed when it expires, so that a command may run longer than one token lives.

use std::sync::Arc;

use rovuma_runtime::{SecretFile, SharedClock};
use rovuma_schemas::Timestamp;
use rovuma_store::{BoxFuture, FutureExt as _};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{
    cache::{self, CachedToken},
    claims::TokenCaller,
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

    /// An access token that is valid now, of the caller who began.
    ///
    /// Boxed, because a client that renews its token asks the provider with a client.
    pub(crate) fn token(&self) -> BoxFuture<'_, Outcome<Zeroizing<String>>> {
        async move {
            let mut current = self.current.lock().await;
            let now = self.clock.now();
            if !current.is_valid(now) {
                let next = valid_token(&self.identity, now).await?;
                let caller = |token: &CachedToken| TokenCaller::of(&token.access_token).subject;
                if caller(&next) != caller(&current) {
                    return Err(Failure::new(
                        Exit::NotLoggedIn,
                        "somebody else has logged in on this account since",
                    )
                    .next("log in as whom the command was begun, and run it again"));
                }
                *current = next;
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
    let _turn = cache::lock().await?;
    let cached = match CachedToken::load(identity) {
        Some(cached) if cached.is_valid(now) => return Ok(cached),
        cached => cached,
    };
    let secret_file = cached.as_ref().and_then(|cached| cached.client_secret_file.clone());
    let secret_file = identity.client_secret_file.clone().or(secret_file.map(SecretFile::new));
    let token = match (cached, secret_file) {
        (Some(cached @ CachedToken { refresh_token: Some(_), .. }), _) => {
            renew(identity, cached, now).await?
        }
        (_, Some(file)) => machine_token(identity, &file, now).await?,
        (_, None) => return Err(log_in_again("not logged in, or the log-in has expired")),
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

/// The token that follows an expired one. Its refresh token is taken out of the file before it is sent: were the answer lost,
/// the next command would send it again, and the provider would take that for a theft.
async fn renew(identity: &IdentityConfig, mut expired: CachedToken, now: Timestamp) -> Outcome<CachedToken> {
    let provider = OidcProvider::discover(identity).await?;
    let Some(refresh_token) = expired.refresh_token.take() else {
        return Err(log_in_again("the log-in has expired"));
    };
    expired.store(identity)?;
    let fault = match provider.refresh(identity, &refresh_token, now).await {
        Ok(token) => return Ok(token),
        Err(fault) => fault,
    };
    if !fault.is_answered {
        let what = format!("the log-in was not renewed, and cannot be any more: {}", fault.failure.what);
        return Err(log_in_again(what));
    }
    if fault.code.as_deref() == Some("invalid_grant") {
        CachedToken::forget(identity);
        let why = "the log-in has ended: too long unused, over, or ended by a log-out or an administrator";
        return Err(log_in_again(why));
    }
    expired.refresh_token = Some(refresh_token);
    expired.store(identity)?;
    Err(fault.failure)
}

fn log_in_again(what: impl Into<String>) -> Failure {
    Failure::new(Exit::NotLoggedIn, what).next("log in: rovumactl login")
}
