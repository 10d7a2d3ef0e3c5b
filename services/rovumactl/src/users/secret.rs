//! New passwords and secrets: the identity service draws them, this tool writes them to a file.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use clap::Args;
use reqwest::Method;
use serde::Serialize;
use zeroize::Zeroizing;

use super::account::Account;
use crate::{
    app::App,
    exit::{Exit, Outcome},
    files,
    output::safe,
    session::{ApiServer, ServerArgs},
};

/// The destination of a new secret.
#[derive(Debug, Args)]
pub(super) struct SecretOut {
    /// The file for the new password or secret, which is shown to nobody; - writes it to standard output
    #[arg(long, value_name = "FILE")]
    secret_out: PathBuf,
}

impl SecretOut {
    /// Refuses an unusable destination before the request is sent: a secret that cannot be written would be lost.
    pub(super) fn check(&self) -> Outcome<()> {
        if self.is_stdout() { Ok(()) } else { files::must_be_new(&self.secret_out) }
    }

    fn is_stdout(&self) -> bool {
        self.secret_out == Path::new("-")
    }

    /// Writes a secret to its destination; returns the file, if any, for display.
    pub(super) fn keep(&self, app: &App, secret: String) -> Outcome<Option<PathBuf>> {
        let line = Zeroizing::new(Zeroizing::new(secret).to_string() + "\n");
        if self.is_stdout() {
            return app.out.write(line.as_bytes()).map(|()| None);
        }
        files::create_secret(&self.secret_out, &line)
            .map_err(|failure| failure.next("the new secret is lost: ask for another one"))?;
        Ok(Some(self.secret_out.clone()))
    }
}

/// Options of `users reset-password` and `clients secret`.
#[derive(Debug, Args)]
pub(crate) struct Renew {
    /// The user's log-in name or id, or the client's id
    account: String,
    #[command(flatten)]
    out: SecretOut,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Serialize)]
struct RenewedSecret {
    account: String,
    secret_file: PathBuf,
}

impl fmt::Display for RenewedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has a new secret, in {}", safe(&self.account), self.secret_file.display())
    }
}

impl Renew {
    pub(crate) async fn run<T: Account>(self, app: &App) -> Outcome {
        self.out.check()?;
        let client = self.server.client(app, ApiServer::Identity).await?;
        let path = format!("{}/{}", T::path_of(&client, &self.account).await?, T::RENEW);
        let renewed = client.send::<T::NewSecret>(client.request(Method::POST, &path)?).await?;
        // Standard output holds the secret alone when it is asked for there.
        if let Some(file) = self.out.keep(app, T::secret(renewed.value))? {
            app.out.show(&RenewedSecret { account: self.account, secret_file: file })?;
        }
        Ok(Exit::Ok)
    }
}
