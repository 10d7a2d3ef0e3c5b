//! Accounts of the identity service, and how to find one.

use std::fmt;

use rovuma_api::answers::identity::{Client as MachineClient, ClientSecret, OneTimePassword, User};
use serde::de::DeserializeOwned;

use crate::{
    client::Client,
    exit::{Exit, Failure, Outcome},
    messages::lists::pages,
    output::safe,
};

/// Maximum accounts that are searched for a log-in name: more than the largest agency has.
const ACCOUNTS_MAX: u32 = 20_000;

/// An account: a person's or a machine's.
pub(crate) trait Account: DeserializeOwned {
    /// The address of the accounts.
    const PATH: &'static str;
    /// The last part of the address that renews an account's password or secret.
    const RENEW: &'static str;
    /// The answer with the new password or secret.
    type NewSecret: DeserializeOwned;

    /// The new password or secret in an answer.
    fn secret(answer: Self::NewSecret) -> String;

    /// The id of the account that the user names.
    async fn id_of(client: &Client, name: &str) -> Outcome<String>;

    /// One cell for each column of [`HEADING`].
    fn cells(&self) -> Vec<String>;

    /// The path of the account that the user names. The name is escaped as one segment, whatever it contains.
    async fn path_of(client: &Client, name: &str) -> Outcome<String> {
        let id = Self::id_of(client, name).await?;
        let segment: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
        if matches!(segment.as_str(), "" | "." | "..") {
            return Err(Failure::usage(format!("{name:?} is not an account")));
        }
        Ok(format!("{}/{segment}", Self::PATH))
    }
}

impl Account for User {
    const PATH: &'static str = "/v1/users";
    const RENEW: &'static str = "password";
    type NewSecret = OneTimePassword;

    fn secret(answer: OneTimePassword) -> String {
        answer.one_time_password
    }

    /// A user is named by id or by log-in name.
    async fn id_of(client: &Client, name: &str) -> Outcome<String> {
        if uuid::Uuid::try_parse(name).is_ok() {
            return Ok(name.to_owned());
        }
        let all = pages::<Self>(client, Self::PATH, Vec::new(), ACCOUNTS_MAX).await?;
        let found = all.value.items.into_iter().find(|account| account.login == name);
        found.map(|account| account.id).ok_or_else(|| {
            Failure::new(Exit::Refused, format!("your agency has no user {name:?}"))
                .next("rovumactl users list shows them")
        })
    }

    fn cells(&self) -> Vec<String> {
        cells([&self.id, &self.login, &self.name], &self.roles, self.disabled_at.is_some())
    }
}

impl Account for MachineClient {
    const PATH: &'static str = "/v1/clients";
    const RENEW: &'static str = "secret";
    type NewSecret = ClientSecret;

    fn secret(answer: ClientSecret) -> String {
        answer.client_secret
    }

    async fn id_of(_: &Client, name: &str) -> Outcome<String> {
        Ok(name.to_owned())
    }

    fn cells(&self) -> Vec<String> {
        cells([&self.id, "", &self.name], &self.roles, self.disabled_at.is_some())
    }
}

/// The headings of the columns of [`Account::cells`].
pub(super) const HEADING: [&str; 5] = ["ID", "LOG-IN", "NAME", "ROLES", ""];

fn cells(names: [&str; 3], roles: &[String], is_disabled: bool) -> Vec<String> {
    let mut cells: Vec<String> = names.map(ToOwned::to_owned).to_vec();
    cells.push(roles.join(", "));
    cells.push(if is_disabled { "disabled" } else { "" }.to_owned());
    cells
}

/// An account in one line.
pub(super) fn account_text(f: &mut fmt::Formatter<'_>, account: &impl Account) -> fmt::Result {
    let cells: Vec<String> = account.cells().into_iter().filter(|cell| !cell.is_empty()).collect();
    write!(f, "{}", safe(&cells.join("  ")))
}
