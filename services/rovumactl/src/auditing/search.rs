//! `audit search`.

use std::fmt;

use clap::Args;
use rovuma_schemas::{AgencyCode, MessageId, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::{
    app::App,
    exit::{Exit, Outcome},
    messages::lists::pages,
    moments,
    output::table,
    session::{Server, ServerArgs},
};

/// Options of `audit search`.
#[derive(Debug, Args)]
pub(crate) struct Search {
    /// From this instant on
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    from: Option<Timestamp>,
    /// Before this instant
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    to: Option<Timestamp>,
    /// Who did it: a subject, or a service
    #[arg(long, allow_hyphen_values = true)]
    actor: Option<String>,
    /// For which agency
    #[arg(long)]
    agency: Option<AgencyCode>,
    /// What was done: alert.release
    #[arg(long)]
    action: Option<String>,
    /// The kind of what it was done to: message, draft, user
    #[arg(long)]
    object_kind: Option<String>,
    /// The identifier of what it was done to
    // Of a key it is base64url, which may begin with a hyphen.
    #[arg(long, allow_hyphen_values = true)]
    object: Option<String>,
    /// The message that it is about
    #[arg(long)]
    message: Option<MessageId>,
    /// success, refused or failed
    #[arg(long)]
    outcome: Option<String>,
    /// The service that wrote it: mz.gateway.police
    #[arg(long)]
    source: Option<String>,
    /// The first appended first
    #[arg(long)]
    oldest_first: bool,
    /// How many at most
    #[arg(long, default_value_t = 50)]
    limit: u32,
    #[command(flatten)]
    server: ServerArgs,
}

impl Search {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let filters = [
            ("from", self.from.map(|from| from.to_string())),
            ("to", self.to.map(|to| to.to_string())),
            ("actor", self.actor),
            ("agency", self.agency.map(|agency| agency.to_string())),
            ("action", self.action),
            ("object_kind", self.object_kind),
            ("object", self.object),
            ("message", self.message.map(|message| message.to_string())),
            ("outcome", self.outcome),
            ("source", self.source),
            ("order", self.oldest_first.then(|| "oldest".to_owned())),
        ];
        let query = filters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let client = self.server.client(app, Server::Audit).await?;
        let items = pages(&client, "/v1/events", query, self.limit).await?;
        app.out.show(&Found { items })?;
        Ok(Exit::Ok)
    }
}

/// The answer.
#[derive(Serialize)]
struct Found {
    items: Vec<Value>,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |entry: &Value| {
            let text =
                |path: &str| entry.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
            let object = format!("{} {}", text("/event/object/kind"), text("/event/object/id"));
            let reason = format!("{} {}", text("/event/outcome"), text("/event/reason"));
            vec![
                text("/event/time"),
                text("/event/action"),
                text("/event/actor"),
                text("/event/agency"),
                object.trim().to_owned(),
                reason.trim().to_owned(),
                text("/event/source"),
            ]
        };
        let rows: Vec<Vec<String>> = self.items.iter().map(row).collect();
        table(f, &["TIME", "ACTION", "ACTOR", "AGENCY", "OBJECT", "OUTCOME", "SOURCE"], &rows)
    }
}
