//! New passwords and secrets: the identity service draws them, this tool writes them to a file.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use clap::Args;
use reqwest::Method;
use serde::Serialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::account::AccountKind;
use crate::{
    app::App,
    exit::{Exit, Failure, Outcome},
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

    /// Takes the secret out of an answer and writes it to its destination; returns the file, if any, for display.
    pub(super) fn keep(&self, app: &App, answer: &mut Value, member: &str) -> Outcome<Option<PathBuf>> {
        let Some(Value::String(secret)) = answer.as_object_mut().and_then(|members| members.remove(member))
        else {
            return Ok(None);
        };
        let secret = Zeroizing::new(secret);
        if self.is_stdout() {
            let line = Zeroizing::new(format!("{}\n", secret.as_str()));
            return app.out.write(line.as_bytes()).map(|()| None);
        }
        files::create_secret(&self.secret_out, &format!("{}\n", secret.as_str()))
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
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_file: Option<PathBuf>,
}

impl fmt::Display for RenewedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has a new secret", safe(&self.account))?;
        self.secret_file.as_ref().map_or(Ok(()), |file| write!(f, ", in {}", file.display()))
    }
}

impl Renew {
    pub(crate) async fn run(self, app: &App, kind: AccountKind) -> Outcome {
        self.out.check()?;
        let client = self.server.client(app, ApiServer::Identity).await?;
        let (verb, member) = match kind {
            AccountKind::User => ("password", "one_time_password"),
            AccountKind::Client => ("secret", "client_secret"),
        };
        let path = format!("{}/{verb}", kind.path_of(&client, &self.account).await?);
        let mut answer = client.send(client.request(Method::POST, &path)?).await?;
        let to_stdout = self.out.is_stdout();
        let secret_file = self.out.keep(app, &mut answer, member)?;
        if secret_file.is_none() && !to_stdout {
            return Err(Failure::unreachable("the identity service gave no secret"));
        }
        if !to_stdout {
            app.out.show(&RenewedSecret { account: self.account, secret_file })?;
        }
        Ok(Exit::Ok)
    }
}
