//! `rovumactl draft`: drafts that are not released yet.

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
    session::{ApiServer, ServerArgs},
};

/// The commands on drafts of the agency.
#[derive(Debug, Subcommand)]
pub(crate) enum DraftCommand {
    /// List the drafts that are neither released nor discarded
    List {
        /// Only in this state: draft, pending_release, returned
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Show a draft with its content and its version
    Show(DraftArgs),
    /// Submit a draft to a supervisor
    Submit(DraftArgs),
    /// Release a draft that you have read
    Release {
        #[command(flatten)]
        one: DraftArgs,
        /// The version that you have read, as draft show prints it
        #[arg(long)]
        version: i64,
    },
    /// Return a submitted draft to its author
    Return {
        #[command(flatten)]
        one: DraftArgs,
        /// What the author must correct
        #[arg(long)]
        reason: String,
        /// The version that you have read
        #[arg(long)]
        version: Option<i64>,
    },
}

/// The draft to act on.
#[derive(Debug, Args)]
pub(crate) struct DraftArgs {
    /// The draft
    id: MessageId,
    #[command(flatten)]
    server: ServerArgs,
}

/// A draft as the gateway returns it.
#[derive(Serialize)]
#[serde(transparent)]
struct DraftDetails(Value);

/// A page of drafts.
#[derive(Serialize)]
#[serde(transparent)]
struct DraftPage(Value);

impl DraftCommand {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::List { state, server } => {
                let client = server.client(app, ApiServer::Gateway).await?;
                let query: Vec<(&str, String)> = state.into_iter().map(|state| ("state", state)).collect();
                app.out.show(&DraftPage(client.get("/v1/drafts", &query).await?))?;
            }
            Self::Show(one) => {
                let client = one.server.client(app, ApiServer::Gateway).await?;
                app.out.show(&DraftDetails(client.get(&format!("/v1/drafts/{}", one.id), &[]).await?))?;
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

impl DraftArgs {
    async fn act(&self, app: &App, verb: &str, body: Option<&Value>, version: Option<i64>) -> Outcome<()> {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let body =
            body.map(serde_json::to_vec).transpose().map_err(|error| Failure::local(error.to_string()))?;
        let path = format!("/v1/drafts/{}/{verb}", self.id);
        let mut answer = post(&client, &path, body.as_deref(), version).await?;
        // Whoever acts on a draft has read it, so its content is not printed again.
        if let Some(members) = answer.as_object_mut() {
            members.remove("content");
        }
        app.out.show(&DraftDetails(answer))
    }
}

impl fmt::Display for DraftDetails {
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

impl fmt::Display for DraftPage {
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
