//! `users create` and `clients create`: add accounts.

use std::{fmt, path::PathBuf};

use clap::Args;
use reqwest::Method;
use rovuma_api::answers::identity::{Client, CreatedClient, CreatedUser, User};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    account::{Account, account_text},
    roles::{RoleName, words},
    secret::SecretOut,
};
use crate::{
    app::App,
    client::ServerAnswer,
    exit::{Exit, Failure, Outcome},
    files,
    session::{ApiServer, ServerArgs},
};

/// Options of `users create`.
#[derive(Debug, Args)]
pub(crate) struct CreateUser {
    /// The name that the person types to log in
    login: String,
    /// The display name
    #[arg(long)]
    name: String,
    /// A role in the agency; may be given several times
    #[arg(long = "role", value_name = "ROLE", value_enum)]
    roles: Vec<RoleName>,
    #[command(flatten)]
    out: SecretOut,
    #[command(flatten)]
    server: ServerArgs,
}

impl CreateUser {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        self.out.check()?;
        let roles = words(&self.roles);
        let draft = json!({ "login": self.login, "name": self.name, "roles": roles });
        let client = self.server.client(app, ApiServer::Identity).await?;
        let request = client.request(Method::POST, User::PATH)?.json(&draft);
        let ServerAnswer { value: CreatedUser { user, one_time_password }, mut raw } =
            client.send(request).await?;
        let secret_file = self.out.keep(app, one_time_password)?;
        app.out.show(&CreatedAccount { value: user, account: raw["user"].take(), secret_file })?;
        Ok(Exit::Ok)
    }
}

/// Options of `clients create`.
#[derive(Debug, Args)]
pub(crate) struct CreateClient {
    /// The agency's code, a dot, and a name: mz.prm.cad
    id: String,
    /// The display name
    #[arg(long)]
    name: String,
    /// A role in the agency; may be given several times
    #[arg(long = "role", value_name = "ROLE", value_enum, required = true)]
    roles: Vec<RoleName>,
    /// A JWK Set of its public keys, instead of a secret
    #[arg(long, value_name = "FILE", conflicts_with = "secret_out")]
    jwks: Option<PathBuf>,
    #[command(flatten)]
    out: Option<SecretOut>,
    #[command(flatten)]
    server: ServerArgs,
}

impl CreateClient {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let mut draft = json!({ "id": self.id, "name": self.name, "roles": words(&self.roles) });
        match (&self.jwks, &self.out) {
            (Some(path), _) => {
                let keys: Value = serde_json::from_slice(&files::read(path)?)
                    .map_err(|error| Failure::usage(format!("{} is not JSON: {error}", path.display())))?;
                draft["jwks"] = keys;
            }
            (None, Some(_)) => {}
            (None, None) => return Err(Failure::usage("give --secret-out for its secret, or --jwks")),
        }
        if let Some(out) = &self.out {
            out.check()?;
        }
        let server = self.server.client(app, ApiServer::Identity).await?;
        let request = server.request(Method::POST, Client::PATH)?.json(&draft);
        let ServerAnswer { value: CreatedClient { client, client_secret }, mut raw } =
            server.send(request).await?;
        let secret_file = match (&self.out, client_secret) {
            (Some(out), Some(secret)) => out.keep(app, secret)?,
            _ => None,
        };
        app.out.show(&CreatedAccount { value: client, account: raw["client"].take(), secret_file })?;
        Ok(Exit::Ok)
    }
}

/// An account that was added.
#[derive(Serialize)]
struct CreatedAccount<T> {
    #[serde(skip)]
    value: T,
    /// The account as the identity service gave it.
    account: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_file: Option<PathBuf>,
}

impl<T: Account> fmt::Display for CreatedAccount<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        account_text(f, &self.value)?;
        self.secret_file.as_ref().map_or(Ok(()), |file| write!(f, "\nits secret is in {}", file.display()))
    }
}
