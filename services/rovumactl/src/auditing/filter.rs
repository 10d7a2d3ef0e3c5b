//! Filters of the audit log, from the command line and from saved searches.

use clap::Args;
use rovuma_api::answers::audit::{SavedSearch, SavedSearches};
use rovuma_schemas::{AgencyCode, MessageId, Timestamp};
use serde_json::Value;

use crate::{
    client::{Client, ServerAnswer},
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
    /// What was done: draft.release, message.send
    #[arg(long)]
    action: Option<String>,
    /// The kind of the object that it was done to: message, draft, user
    #[arg(long)]
    object_kind: Option<String>,
    /// The identifier of the object that it was done to
    // The id of a key is base64url, which may begin with a hyphen.
    #[arg(long, allow_hyphen_values = true)]
    object: Option<String>,
    /// The message that it is about
    #[arg(long)]
    message: Option<MessageId>,
    /// The reference that the sender gave its message
    #[arg(long, allow_hyphen_values = true)]
    reference: Option<String>,
    /// success, refused or failed
    #[arg(long)]
    outcome: Option<String>,
    /// The service that wrote it: mz.gateway.police
    #[arg(long)]
    source: Option<String>,
    /// Oldest entries first
    #[arg(long)]
    oldest_first: bool,
    /// A search saved with rovumactl audit save; options given here take precedence
    #[arg(long, value_name = "NAME")]
    saved: Option<String>,
}

/// Filters as pairs of name and value, as the API takes them.
pub(super) type FilterPairs = Vec<(String, String)>;

/// The pairs with borrowed names, as [`Client`] takes them.
pub(super) fn by_name(query: &FilterPairs) -> Vec<(&str, String)> {
    query.iter().map(|(name, value)| (name.as_str(), value.clone())).collect()
}

impl FilterArgs {
    /// The filters of the options.
    pub(super) fn given(&self) -> FilterPairs {
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
            ("reference", text(&self.reference)),
            ("outcome", text(&self.outcome)),
            ("source", text(&self.source)),
            ("order", self.oldest_first.then(|| "oldest".to_owned())),
        ];
        filters.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }

    /// The filters of the options, and those of the saved search that the options do not set.
    pub(super) async fn query(&self, client: &Client) -> Outcome<FilterPairs> {
        let mut query = self.given();
        let Some(name) = &self.saved else { return Ok(query) };
        for (filter, value) in saved_filter(client, name).await? {
            if !query.iter().any(|(given, _)| *given == filter) {
                query.push((filter, value));
            }
        }
        Ok(query)
    }

    /// The message that the filter names.
    pub(super) fn message(&self) -> Option<MessageId> {
        self.message
    }
}

/// The filter of a saved search of the caller.
async fn saved_filter(client: &Client, name: &str) -> Outcome<FilterPairs> {
    let saved: ServerAnswer<SavedSearches> = client.get("/v1/queries", &[]).await?;
    let found = saved.value.items.into_iter().find(|search| search.name == name);
    let SavedSearch { filter, .. } = found.ok_or_else(|| {
        Failure::usage(format!("there is no saved search {name:?}")).next("rovumactl audit saved lists them")
    })?;
    let text = |value: Value| value.as_str().map(ToOwned::to_owned);
    Ok(filter.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect())
}
