//! Changes accounts: roles, disabled or not.

use clap::Args;
use reqwest::Method;
use rovuma_api::answers::identity::{Client, User};
use serde_json::{Value, json};

use super::{
    account::{Account, account_text},
    roles::{RoleName, words},
};
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
    pub(crate) async fn set_disabled<T: Account>(self, app: &App, disabled: bool) -> Outcome {
        if disabled {
            // RFC 9068: other services ask nobody about a token.
            app.out.note("no new token is given; one that was given is taken until it expires, for at most ten minutes");
        }
        self.change::<T>(app, Method::PATCH, "", &json!({ "disabled": disabled })).await
    }

    async fn change<T: Account>(&self, app: &App, method: Method, below: &str, body: &Value) -> Outcome {
        let client = self.server.client(app, ApiServer::Identity).await?;
        let path = format!("{}{below}", T::path_of(&client, &self.account).await?);
        let changed = client.send::<T>(client.request(method, &path)?.json(body)).await?;
        app.out.answer(&changed, account_text)?;
        Ok(Exit::Ok)
    }
}

/// Options of `users roles` and `clients roles`.
#[derive(Debug, Args)]
pub(crate) struct Roles {
    #[command(flatten)]
    target: AccountArgs,
    /// A role that it gets; roles not given are taken away
    #[arg(long = "role", value_name = "ROLE", value_enum, required_unless_present = "none")]
    roles: Vec<RoleName>,
    /// Take every role away
    #[arg(long, conflicts_with = "roles")]
    none: bool,
}

impl Roles {
    pub(crate) async fn of_user(self, app: &App) -> Outcome {
        let body = json!({ "roles": words(&self.roles) });
        self.target.change::<User>(app, Method::PUT, "/roles", &body).await
    }

    pub(crate) async fn of_client(self, app: &App) -> Outcome {
        let body = json!({ "roles": words(&self.roles) });
        self.target.change::<Client>(app, Method::PATCH, "", &body).await
    }
}
