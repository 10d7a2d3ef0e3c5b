//! Events that have not come: what the audit service itself says of its sources.

use serde::Deserialize;

use super::{Finding, Found};
use crate::{client::Client, exit::Outcome};

#[derive(Deserialize)]
struct Sources {
    sources: Vec<Source>,
}

#[derive(Deserialize)]
struct Source {
    source: String,
    epochs: Vec<Epoch>,
}

#[derive(Deserialize)]
struct Epoch {
    missing: Option<Missing>,
}

#[derive(Deserialize)]
struct Missing {
    first: u64,
    last: u64,
    since: String,
}

/// Events that are missing, if any are. Later events of their source wait until they have come.
pub(super) async fn gap(client: &Client) -> Outcome<Option<Found>> {
    let sources = client.get("/v1/sources", &[]).await?;
    let sources: Sources = serde_json::from_value(sources).map_err(|fault| client.nonsense(&fault))?;
    let missing = sources.sources.iter().flat_map(|source| {
        let missing = source.epochs.iter().filter_map(|epoch| epoch.missing.as_ref());
        missing.map(|Missing { first, last, since }| {
            format!("events {first} to {last} of {} have not come, since {since}", source.source)
        })
    });
    let missing: Vec<String> = missing.collect();
    Ok((!missing.is_empty()).then(|| (Finding::Gap, missing.join("; "))))
}
