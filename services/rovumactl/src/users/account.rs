//! Accounts of the identity service, and how to find one.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::{
    client::Client,
    exit::{Exit, Failure, Outcome},
    messages::lists::pages,
    output::safe,
};

/// Maximum accounts that are searched for a log-in name: more than the largest agency has.
const ACCOUNTS_MAX: u32 = 20_000;

/// The kind of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountKind {
    User,
    Client,
}

impl AccountKind {
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::User => "/v1/users",
            Self::Client => "/v1/clients",
        }
    }

    /// The path of an account. The name is escaped as one segment, whatever it contains.
    pub(super) async fn path_of(self, client: &Client, name: &str) -> Outcome<String> {
        let id = match self {
            Self::User if uuid::Uuid::try_parse(name).is_err() => self.find(client, name).await?,
            Self::User | Self::Client => name.to_owned(),
        };
        let segment: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
        if matches!(segment.as_str(), "" | "." | "..") {
            return Err(Failure::usage(format!("{name:?} is not an account")));
        }
        Ok(format!("{}/{segment}", self.path()))
    }

    /// Finds the id of the user with a log-in name.
    async fn find(self, client: &Client, login: &str) -> Outcome<String> {
        let all = pages(client, self.path(), Vec::new(), ACCOUNTS_MAX).await?;
        let found = all.iter().find(|account| account.get("login").is_some_and(|known| known == login));
        let id = found.and_then(|account| account.get("id")?.as_str()).map(ToOwned::to_owned);
        id.ok_or_else(|| {
            Failure::new(Exit::Refused, format!("your agency has no user {login:?}"))
                .next("rovumactl users list shows them")
        })
    }
}

/// An account, for display.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Account(pub(super) Value);

impl Account {
    /// One cell for each column of [`HEADING`].
    pub(super) fn cells(&self) -> Vec<String> {
        let text = |member: &str| self.0.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
        let roles = self.0.get("roles").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let roles: Vec<&str> = roles.iter().filter_map(Value::as_str).collect();
        let state = if text("disabled_at").is_empty() { "" } else { "disabled" };
        vec![text("id"), text("login"), text("name"), roles.join(", "), state.to_owned()]
    }
}

/// The headings of the columns of [`Account::cells`].
pub(super) const HEADING: [&str; 5] = ["ID", "LOG-IN", "NAME", "ROLES", ""];

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells: Vec<String> = self.cells().into_iter().filter(|cell| !cell.is_empty()).collect();
        write!(f, "{}", safe(&cells.join("  ")))
    }
}
