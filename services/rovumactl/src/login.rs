//! `rovumactl login`, `logout` and `whoami`.

mod browser;
mod loopback;

use std::{path::PathBuf, time::Duration};

use clap::Args;
use rovuma_runtime::SecretFile;
use rovuma_tokens::{Pkce, unguessable};

use crate::{
    app::App,
    config::IdentityConfig,
    exit::{Exit, Failure, Outcome},
    progress,
    session::{cache::CachedToken, claims::LoginSummary, provider::OidcProvider},
};
use loopback::Loopback;

/// Time limit for a person to log in.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// The identity provider, and how this tool identifies itself there.
#[derive(Debug, Args)]
pub(crate) struct ProviderArgs {
    /// The OpenID Connect issuer [default: identity.issuer of the configuration]
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// The authorities that may have issued its certificate, PEM [default: identity.ca_file]
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// This tool's client id at the provider [default: identity.client_id, or rovumactl]
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// A machine's secret: logs the machine in, and no person
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
}

impl ProviderArgs {
    fn identity(&self, app: &App) -> Outcome<IdentityConfig> {
        let configured = app.config.identity.clone();
        let mut identity = match (&self.issuer, configured) {
            (Some(issuer), configured) => {
                IdentityConfig { issuer: issuer.clone(), ..configured.unwrap_or_default() }
            }
            (None, Some(configured)) => configured,
            (None, None) => {
                return Err(Failure::usage("the identity provider is not configured")
                    .next(format!("give --issuer, or [identity] issuer in {}", app.config_name)));
            }
        };
        identity.ca_file = self.ca_file.clone().or(identity.ca_file);
        identity.client_id = self.client_id.clone().unwrap_or(identity.client_id);
        let secret = self.client_secret_file.clone().map(SecretFile::new);
        identity.client_secret_file = secret.or(identity.client_secret_file);
        Ok(identity)
    }
}

/// Options of `login`.
#[derive(Debug, Args)]
pub(crate) struct Login {
    #[command(flatten)]
    provider: ProviderArgs,
    /// Only print the address, open no browser
    #[arg(long)]
    no_browser: bool,
}

impl Login {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let identity = self.provider.identity(app)?;
        let secret = identity.client_secret_file.as_ref().map(SecretFile::read_line).transpose();
        let secret = secret.map_err(|error| Failure::usage(error.to_string()))?;
        let provider = OidcProvider::discover(&identity).await?;
        let token = match &secret {
            Some(secret) => provider.as_machine(&identity, secret, app.now()).await?,
            None => self.as_person(app, &identity, &provider).await?,
        };
        token.store(&identity)?;
        app.out.show(&LoginSummary::of(&identity.issuer, &token.access_token, token.expires))?;
        Ok(Exit::Ok)
    }

    /// Authorization code with PKCE through a loopback redirect (RFC 8252 §7.3, RFC 7636).
    async fn as_person(
        &self,
        app: &App,
        identity: &IdentityConfig,
        provider: &OidcProvider,
    ) -> Outcome<CachedToken> {
        let random = |error: rovuma_tokens::KeyFault| Failure::local(error.to_string());
        let (pkce, state) = (Pkce::draw().map_err(random)?, unguessable().map_err(random)?);
        let loopback = Loopback::listen().await?;
        let url = provider.authorization_url(&[
            ("response_type", "code"),
            ("client_id", &identity.client_id),
            ("redirect_uri", loopback.redirect_uri()),
            ("scope", &identity.scope),
            ("state", &state),
            ("code_challenge", &pkce.challenge),
            ("code_challenge_method", "S256"),
        ])?;
        app.out.note(format_args!("Log in with a browser on this machine:\n\n  {url}\n"));
        if !self.no_browser {
            browser::open(url.as_str());
        }
        let redirect_uri = loopback.redirect_uri().to_owned();
        let answer = loopback.answer(&state, provider.issuer());
        let code = progress::waiting("waiting for the browser", tokio::time::timeout(PATIENCE, answer))
            .await
            .map_err(|_| Failure::unreachable("nobody logged in within 5 minutes").next("try again"))??;
        provider.redeem(identity, &code, &redirect_uri, &pkce.verifier, app.now()).await
    }
}

/// Options of `logout`.
#[derive(Debug, Args)]
pub(crate) struct Logout {
    #[command(flatten)]
    provider: ProviderArgs,
}

impl Logout {
    pub(crate) fn run(self, app: &App) -> Outcome {
        let identity = self.provider.identity(app)?;
        let was = CachedToken::forget(&identity);
        app.out.note(if was { "logged out: the token is removed" } else { "was not logged in" });
        Ok(Exit::Ok)
    }
}

/// Options of `whoami`.
#[derive(Debug, Args)]
pub(crate) struct Whoami {
    #[command(flatten)]
    provider: ProviderArgs,
}

impl Whoami {
    pub(crate) fn run(self, app: &App) -> Outcome {
        let identity = self.provider.identity(app)?;
        let cached = CachedToken::load(&identity, app.now()).ok_or_else(|| {
            Failure::new(Exit::NotLoggedIn, "not logged in").next("log in: rovumactl login")
        })?;
        app.out.show(&LoginSummary::of(&identity.issuer, &cached.access_token, cached.expires))?;
        Ok(Exit::Ok)
    }
}
