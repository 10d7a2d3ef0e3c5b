//! What an auditor asks the log for.

use clap::Args;
use reqwest::Method;
use rovuma_schemas::{AgencyCode, MessageId, Timestamp};
use serde_json::Value;

use crate::{
    client::Client,
    exit::{Failure, Outcome},
    moments,
};

/// Filters of the audit log.
#[derive(Debug, Args)]
pub(super) struct FilterArgs {
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
    /// The case that it belongs to, by the reference that the sender gave
    #[arg(long, allow_hyphen_values = true)]
    case: Option<String>,
    /// success, refused or failed
    #[arg(long)]
    outcome: Option<String>,
    /// The service that wrote it: mz.gateway.police
    #[arg(long)]
    source: Option<String>,
    /// The first appended first
    #[arg(long)]
    oldest_first: bool,
    /// A search that was kept with rovumactl audit save; what is given here goes before it
    #[arg(long, value_name = "NAME")]
    saved: Option<String>,
}

/// Filters by name, as the API takes them.
pub(super) type Query = Vec<(String, String)>;

/// The same, for a client.
pub(super) fn by_name(query: &Query) -> Vec<(&str, String)> {
    query.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
}

impl FilterArgs {
    /// What is given here.
    pub(super) fn given(&self) -> Query {
        let text = |value: &Option<String>| value.clone();
        let filters = [
            ("from", self.from.map(|from| from.to_string())),
            ("to", self.to.map(|to| to.to_string())),
            ("actor", text(&self.actor)),
            ("agency", self.agency.as_ref().map(ToString::to_string)),
            ("action", text(&self.action)),
            ("object_kind", text(&self.object_kind)),
            ("object", text(&self.object)),
            ("message", self.message.map(|message| message.to_string())),
            ("case", text(&self.case)),
            ("outcome", text(&self.outcome)),
            ("source", text(&self.source)),
            ("order", self.oldest_first.then(|| "oldest".to_owned())),
        ];
        filters.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    /// What is given here, and what a kept search has beyond it.
    pub(super) async fn query(&self, client: &Client) -> Outcome<Query> {
        let mut query = self.given();
        let Some(name) = &self.saved else { return Ok(query) };
        for (filter, value) in kept(client, name).await? {
            if !query.iter().any(|(given, _)| *given == filter) {
                query.push((filter, value));
            }
        }
        Ok(query)
    }

    /// The message that is asked for.
    pub(super) fn message(&self) -> Option<MessageId> {
        self.message
    }
}

/// The filters of a search that the caller keeps.
async fn kept(client: &Client, name: &str) -> Outcome<Query> {
    let queries = client.send(client.request(Method::GET, "/v1/queries")?).await?;
    let items = queries.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let found = items.iter().find(|item| item.get("name").and_then(Value::as_str) == Some(name));
    let filter = found.and_then(|item| item.get("filter")).and_then(Value::as_object).ok_or_else(|| {
        Failure::usage(format!("no search {name:?} is kept"))
            .next("rovumactl audit saved lists those that are")
    })?;
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    Ok(filter.iter().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect())
}
