//! `rovumactl login`, `logout` and `whoami`.

mod browser;
mod loopback;

use std::{path::PathBuf, time::Duration};

use clap::Args;
use rovuma_runtime::SecretFile;
use rovuma_tokens::{Pkce, unguessable};

use crate::{
    app::App,
    config::{IdentityConfig, OWN_CLIENT},
    exit::{Exit, Failure, Outcome},
    progress,
    session::{
        cache::{self, CachedToken},
        claims::{LoginSummary, TokenCaller},
        provider::OidcProvider,
        renewal::{machine_token, valid_token},
    },
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
    /// The client id at the provider [default: identity.client_id; else rovumactl for login, and the one that logged in
    /// last for the others]
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
        identity.log_in_name.clone_from(&app.log_in_name);
        identity.ca_file = self.ca_file.clone().or(identity.ca_file);
        identity.client_id = self.client_id.clone().or(identity.client_id);
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
    /// The port on 127.0.0.1 to which the browser comes back [default: any free one]. Over SSH:
    /// ssh -L 8400:127.0.0.1:8400 HOST, there rovumactl login --no-browser --port 8400, and the browser here
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    port: u16,
}

impl Login {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let mut identity = self.provider.identity(app)?;
        let from_config = self.provider.client_id.is_none() && identity.client_id.is_some();
        let client = identity.client_id.get_or_insert_with(|| OWN_CLIENT.to_owned()).clone();
        let token = match &identity.client_secret_file {
            Some(file) => machine_token(&identity, file, app.now()).await?,
            None => {
                let provider = OidcProvider::discover(&identity).await?;
                self.as_person(app, &identity, &provider).await?
            }
        };
        let _turn = cache::lock().await?;
        if let Some(replaced) = CachedToken::load(&identity) {
            let (old, new) = (TokenCaller::of(&replaced.access_token), TokenCaller::of(&token.access_token));
            if old.subject != new.subject {
                app.out.note(
                    "this replaces another person's log-in on this account; to keep both, give each a name: \
                     rovumactl --as NAME login",
                );
            }
        }
        token.store(&identity)?;
        if !from_config {
            // So that the commands that follow act as the machine that has just logged in.
            cache::set_last_client(&identity, Some(client.as_str()).filter(|id| *id != OWN_CLIENT))?;
        }
        app.out.show(&LoginSummary::of(&identity.issuer, &token))?;
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
        let loopback = Loopback::listen(self.port).await?;
        let url = provider.authorization_url(&[
            ("response_type", "code"),
            ("client_id", &identity.client_id()),
            ("redirect_uri", loopback.redirect_uri()),
            ("scope", &identity.scope),
            ("state", &state),
            ("code_challenge", &pkce.challenge),
            ("code_challenge_method", "S256"),
        ])?;
        app.out.note(format_args!(
            "Log in with a browser on this machine:\n\n  {url}\n\nWith one on another machine, log in there: it ends at a \
             page that it cannot open. Paste that page's address here.\n"
        ));
        if !self.no_browser {
            browser::open(url.as_str());
        }
        let redirect_uri = loopback.redirect_uri().to_owned();
        let answer = loopback.answer(app, &state, provider.issuer());
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
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let identity = self.provider.identity(app)?;
        let _turn = cache::lock().await?;
        let refresh_token = CachedToken::load(&identity).and_then(|cached| cached.refresh_token);
        if let Some(token) = refresh_token {
            let revoked = match OidcProvider::discover(&identity).await {
                Ok(provider) => provider.revoke(&identity, &token).await,
                Err(failure) => Err(failure),
            };
            if let Err(failure) = revoked {
                // The log-in is forgotten here all the same; there it ends by itself.
                app.out.note(format_args!("the provider was not told of the log-out: {}", failure.what));
            }
        }
        let was = CachedToken::forget(&identity);
        if cache::last_client(&identity) == Some(identity.client_id()) {
            cache::set_last_client(&identity, None)?;
        }
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
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let identity = self.provider.identity(app)?;
        if CachedToken::load(&identity).is_none() {
            return Err(Failure::new(Exit::NotLoggedIn, "not logged in").next("log in: rovumactl login"));
        }
        let token = valid_token(&identity, app.now()).await?;
        app.out.show(&LoginSummary::of(&identity.issuer, &token))?;
        Ok(Exit::Ok)
    }
}
