//! `users create` and `clients create`: add accounts.

use std::{fmt, path::PathBuf};

use clap::Args;
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    account::{Account, AccountKind},
    secret::SecretOut,
};
use crate::{
    app::App,
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
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    #[command(flatten)]
    out: SecretOut,
    #[command(flatten)]
    server: ServerArgs,
}

impl CreateUser {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let draft = json!({ "login": self.login, "name": self.name, "roles": self.roles });
        let created =
            NewAccount { kind: AccountKind::User, draft, account: "user", secret: "one_time_password" };
        created.run(app, Some(&self.out), &self.server).await
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
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<String>,
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
        let mut draft = json!({ "id": self.id, "name": self.name, "roles": self.roles });
        match (&self.jwks, &self.out) {
            (Some(path), _) => {
                let keys: Value = serde_json::from_slice(&files::read(path)?)
                    .map_err(|error| Failure::usage(format!("{} is not JSON: {error}", path.display())))?;
                draft["jwks"] = keys;
            }
            (None, Some(_)) => {}
            (None, None) => return Err(Failure::usage("give --secret-out for its secret, or --jwks")),
        }
        let created =
            NewAccount { kind: AccountKind::Client, draft, account: "client", secret: "client_secret" };
        created.run(app, self.out.as_ref(), &self.server).await
    }
}

/// The account to create, and the members of the answer that hold it and its secret.
struct NewAccount {
    kind: AccountKind,
    draft: Value,
    account: &'static str,
    secret: &'static str,
}

#[derive(Serialize)]
struct CreatedAccount {
    account: Account,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_file: Option<PathBuf>,
}

impl fmt::Display for CreatedAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.account)?;
        self.secret_file.as_ref().map_or(Ok(()), |file| write!(f, "\nits secret is in {}", file.display()))
    }
}

impl NewAccount {
    async fn run(self, app: &App, out: Option<&SecretOut>, server: &ServerArgs) -> Outcome {
        if let Some(out) = out {
            out.check()?;
        }
        let client = server.client(app, ApiServer::Identity).await?;
        let request = client.request(Method::POST, self.kind.path())?.json(&self.draft);
        let mut answer = client.send(request).await?;
        let secret_file = match out {
            Some(out) => out.keep(app, &mut answer, self.secret)?,
            None => None,
        };
        let account = answer.get_mut(self.account).map(Value::take).unwrap_or_default();
        app.out.show(&CreatedAccount { account: Account(account), secret_file })?;
        Ok(Exit::Ok)
    }
}
