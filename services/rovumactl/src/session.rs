//! The identity towards the servers: an access token of a log-in, which is renewed, or from a file.

pub(crate) mod cache;
pub(crate) mod claims;
pub(crate) mod provider;
pub(crate) mod renewal;

use std::{path::PathBuf, sync::Arc};

use clap::Args;

use crate::{
    app::App,
    client::Client,
    config::{Endpoint, IdentityConfig},
    exit::{Exit, Failure, Outcome},
    files,
};
use renewal::Renewal;

/// The address of a server, and the access token to use there.
#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// The server's address [default: from the configuration]
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// The authorities that may have issued its certificate, PEM [default: from the configuration]
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// A file with an access token, instead of the one from rovumactl login
    #[arg(long, value_name = "FILE", env = "ROVUMACTL_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

/// The servers with an API.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ApiServer {
    Gateway,
    Identity,
    Audit,
    Watchlist,
}

impl ApiServer {
    const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "the gateway",
            Self::Identity => "the identity service",
            Self::Audit => "the audit service",
            Self::Watchlist => "the watchlist",
        }
    }

    const fn section(self) -> &'static str {
        match self {
            Self::Gateway => "[gateway] url",
            Self::Identity => "[identity] issuer",
            Self::Audit => "[audit_service] url",
            Self::Watchlist => "[watchlist] url",
        }
    }

    fn configured(self, app: &App) -> Option<Endpoint> {
        match self {
            Self::Gateway => app.config.gateway.clone(),
            Self::Identity => app.config.identity.as_ref().map(IdentityConfig::endpoint),
            Self::Audit => app.config.audit_service.clone(),
            Self::Watchlist => app.config.watchlist.clone(),
        }
    }
}

impl ServerArgs {
    /// The same caller at another server, whose address is `url` or configured.
    pub(crate) fn elsewhere(&self, url: Option<String>) -> Self {
        Self { server: url, ca_file: self.ca_file.clone(), token_file: self.token_file.clone() }
    }

    /// A client of `server` with an access token.
    pub(crate) async fn client(&self, app: &App, server: ApiServer) -> Outcome<Client> {
        self.with_identity(app, self.anonymous(app, server, Client::new)?).await
    }

    /// A client as [`Self::client`] gives it, for requests with long bodies: it waits until all of a body is sent, and answered.
    pub(crate) async fn uploading_client(&self, app: &App, server: ApiServer) -> Outcome<Client> {
        self.with_identity(app, self.anonymous(app, server, Client::for_uploads)?).await
    }

    fn anonymous(
        &self,
        app: &App,
        server: ApiServer,
        make: impl FnOnce(&Endpoint, &'static str) -> Outcome<Client>,
    ) -> Outcome<Client> {
        let configured = server.configured(app);
        let url = self.server.clone().or_else(|| configured.as_ref().map(|endpoint| endpoint.url.clone()));
        let url = url.ok_or_else(|| {
            Failure::usage(format!("the address of {} is not configured", server.name())).next(format!(
                "give --server, or {} in {}",
                server.section(),
                app.config_name
            ))
        })?;
        let ca_file = self.ca_file.clone().or_else(|| configured.and_then(|endpoint| endpoint.ca_file));
        make(&Endpoint { url, ca_file }, server.name())
    }

    async fn with_identity(&self, app: &App, client: Client) -> Outcome<Client> {
        if let Some(file) = &self.token_file {
            return Ok(client.with_token(files::read_password(file)?));
        }
        client.with_renewal(self.log_in(app).await?).await
    }

    /// The log-in with the configured provider.
    async fn log_in(&self, app: &App) -> Outcome<Arc<Renewal>> {
        let identity = app.config.identity.as_ref().ok_or_else(|| {
            Failure::new(Exit::NotLoggedIn, "there is no access token").next(format!(
                "give [identity] in {} and run rovumactl login, or give --token-file",
                app.config_name
            ))
        })?;
        Renewal::begin(app, identity).await
    }
}
