//! `rovumactl send`: posts a draft, and releases it if asked.

use std::{fmt, path::PathBuf, time::Duration};

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::{
    follow::{self, ReceiptGoal},
    id_of, post, text,
};
use crate::{
    app::App,
    exit::{Exit, Outcome},
    files, moments,
    output::safe,
    session::{ApiServer, ServerArgs},
};

/// Options of `send`.
#[derive(Debug, Args)]
pub(crate) struct Send {
    /// An alert's draft, JSON; - for standard input
    file: PathBuf,
    /// Release it at once, where one person may; without it the draft is kept
    #[arg(long)]
    release: bool,
    /// Only check it; nothing is kept
    #[arg(long, conflicts_with = "release")]
    validate: bool,
    /// Wait for the receipts
    #[arg(long, requires = "release")]
    follow: bool,
    /// How long to wait for them
    #[arg(long, value_name = "SPAN", value_parser = moments::span, default_value = "10m", requires = "follow")]
    timeout: Duration,
    #[command(flatten)]
    server: ServerArgs,
}

/// The result of `send`.
#[derive(Serialize)]
struct SendResult {
    id: String,
    state: String,
    /// Why a second person must release it.
    #[serde(skip_serializing_if = "Option::is_none")]
    second_person: Option<String>,
    /// The copies and their stream numbers, from the gateway's answer to the release.
    #[serde(skip_serializing_if = "Option::is_none")]
    released: Option<Value>,
}

impl Send {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let draft = files::read(&self.file)?;
        let client = self.server.client(app, ApiServer::Gateway).await?;
        if self.validate {
            let answer = post(&client, "/v1/drafts/validate", Some(&draft), None).await?;
            app.out.show(&ValidationResult(answer))?;
            return Ok(Exit::Ok);
        }
        let created = post(&client, "/v1/drafts", Some(&draft), None).await?;
        let id = id_of(&created)?;
        let mut sent = SendResult {
            id: id.to_string(),
            state: text(&created, "state").to_owned(),
            second_person: created.get("second_person").and_then(Value::as_str).map(ToOwned::to_owned),
            released: None,
        };
        if self.release {
            let path = format!("/v1/drafts/{id}/release");
            let released = post(&client, &path, None, None).await.map_err(|failure| {
                let next =
                    format!("the draft {id} is kept; hand it to a supervisor: rovumactl draft submit {id}");
                if failure.exit == Exit::Refused { failure.next(next) } else { failure }
            })?;
            sent.state = "released".to_owned();
            sent.released = Some(released);
        }
        if !self.follow {
            app.out.show(&sent)?;
            return Ok(Exit::Ok);
        }
        let trace = follow::wait_for_receipts(&client, &id, ReceiptGoal::Delivered, self.timeout).await?;
        trace.show(app)
    }
}

/// The result of a validation.
#[derive(Serialize)]
#[serde(transparent)]
struct ValidationResult(Value);

impl fmt::Display for ValidationResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "no faults: {}", safe(text(&self.0, "summary")))?;
        let reasons =
            self.0.get("second_person").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let reasons: Vec<&str> = reasons.iter().filter_map(Value::as_str).collect();
        if reasons.is_empty() {
            write!(f, "one person may release it")
        } else {
            write!(f, "a second person must release it: {}", safe(&reasons.join(", ")))
        }
    }
}

impl fmt::Display for SendResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, safe(&self.state))?;
        if let Some(reason) = &self.second_person {
            write!(f, "\na second person must release it: {}", safe(reason))?;
        }
        let copies = self.released.as_ref().and_then(|released| released.get("copies")?.as_array());
        for copy in copies.into_iter().flatten() {
            write!(f, "\n  to {} in lane {}", safe(text(copy, "recipient")), safe(text(copy, "lane")))?;
        }
        Ok(())
    }
}
