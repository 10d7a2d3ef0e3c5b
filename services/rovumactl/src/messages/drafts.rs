//! `rovumactl draft`: what waits for a release.

use std::fmt;

use clap::{Args, Subcommand};
use rovuma_schemas::MessageId;
use serde::Serialize;
use serde_json::{Value, json};

use super::{post, text};
use crate::{
    app::App,
    exit::{Exit, Failure, Outcome},
    output::{safe, table},
    session::{Server, ServerArgs},
};

/// Drafts of the agency.
#[derive(Debug, Subcommand)]
pub(crate) enum Drafts {
    /// List the drafts that are neither released nor thrown away
    List {
        /// Only in this state: draft, pending_release, returned
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Show a draft with its content and its version
    Show(One),
    /// Hand a draft to a supervisor
    Submit(One),
    /// Release a draft that you have read
    Release {
        #[command(flatten)]
        one: One,
        /// The version that you have read, as draft show says it
        #[arg(long)]
        version: i64,
    },
    /// Hand a submitted draft back to its author
    Return {
        #[command(flatten)]
        one: One,
        /// What the author has to put right
        #[arg(long)]
        reason: String,
        /// The version that you have read
        #[arg(long)]
        version: Option<i64>,
    },
}

/// One draft.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// The draft
    id: MessageId,
    #[command(flatten)]
    server: ServerArgs,
}

/// A draft as the gateway gives it.
#[derive(Serialize)]
#[serde(transparent)]
struct Draft(Value);

/// A page of them.
#[derive(Serialize)]
#[serde(transparent)]
struct Page(Value);

impl Drafts {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::List { state, server } => {
                let client = server.client(app, Server::Gateway).await?;
                let query: Vec<(&str, String)> = state.into_iter().map(|state| ("state", state)).collect();
                app.out.show(&Page(client.get("/v1/drafts", &query).await?))?;
            }
            Self::Show(one) => {
                let client = one.server.client(app, Server::Gateway).await?;
                app.out.show(&Draft(client.get(&format!("/v1/drafts/{}", one.id), &[]).await?))?;
            }
            Self::Submit(one) => one.act(app, "submit", None, None).await?,
            Self::Release { one, version } => one.act(app, "release", None, Some(version)).await?,
            Self::Return { one, reason, version } => {
                let body = json!({ "reason": reason });
                one.act(app, "return", Some(&body), version).await?;
            }
        }
        Ok(Exit::Ok)
    }
}

impl One {
    async fn act(&self, app: &App, verb: &str, body: Option<&Value>, version: Option<i64>) -> Outcome<()> {
        let client = self.server.client(app, Server::Gateway).await?;
        let body =
            body.map(serde_json::to_vec).transpose().map_err(|error| Failure::local(error.to_string()))?;
        let path = format!("/v1/drafts/{}/{verb}", self.id);
        let mut answer = post(&client, &path, body.as_deref(), version).await?;
        // Whoever acts on a draft has read it; the content is not said again.
        if let Some(members) = answer.as_object_mut() {
            members.remove("content");
        }
        app.out.show(&Draft(answer))
    }
}

impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let draft = &self.0;
        let version = draft.get("version").map_or(String::new(), ToString::to_string);
        let state = draft.get("state").and_then(Value::as_str).unwrap_or("released");
        writeln!(f, "{} {} version {version}", safe(text(draft, "id")), safe(state))?;
        for member in ["category", "status", "author", "second_person", "return_reason"] {
            let said = text(draft, member);
            if !said.is_empty() {
                writeln!(f, "  {member} {}", safe(said))?;
            }
        }
        draft.get("content").map_or(Ok(()), |content| write!(f, "{}", safe(&format!("{content:#}"))))
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = self.0.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let row = |draft: &Value| {
            ["id", "state", "category", "status", "changed_at"]
                .map(|member| text(draft, member).to_owned())
                .to_vec()
        };
        let rows: Vec<Vec<String>> = items.iter().map(row).collect();
        table(f, &["ID", "STATE", "CATEGORY", "STATUS", "CHANGED"], &rows)
    }
}
