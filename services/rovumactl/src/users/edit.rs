//! Changes accounts: roles, disabled or not.

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use super::account::{Account, AccountKind};
use crate::{
    app::App,
    exit::{Exit, Outcome},
    session::{ApiServer, ServerArgs},
};

/// The account to change.
#[derive(Debug, Args)]
pub(crate) struct AccountArgs {
    /// The user's log-in name or id, or the client's id
    account: String,
    #[command(flatten)]
    server: ServerArgs,
}

impl AccountArgs {
    pub(crate) async fn set_disabled(self, app: &App, kind: AccountKind, disabled: bool) -> Outcome {
        self.change(app, kind, Method::PATCH, "", &json!({ "disabled": disabled })).await
    }

    async fn change(
        &self,
        app: &App,
        kind: AccountKind,
        method: Method,
        below: &str,
        body: &Value,
    ) -> Outcome {
        let client = self.server.client(app, ApiServer::Identity).await?;
        let path = format!("{}{below}", kind.path_of(&client, &self.account).await?);
        let answer = client.send(client.request(method, &path)?.json(body)).await?;
        app.out.show(&Account(answer))?;
        Ok(Exit::Ok)
    }
}

/// Options of `users roles` and `clients roles`.
#[derive(Debug, Args)]
pub(crate) struct Roles {
    #[command(flatten)]
    target: AccountArgs,
    /// A role that it gets; roles not given are taken away
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
}

impl Roles {
    pub(crate) async fn run(self, app: &App, kind: AccountKind) -> Outcome {
        let body = json!({ "roles": self.roles });
        let (method, below) = match kind {
            AccountKind::User => (Method::PUT, "/roles"),
            AccountKind::Client => (Method::PATCH, ""),
        };
        self.target.change(app, kind, method, below, &body).await
    }
}
