//! Missing events of sources, as the audit service itself reports them.

use serde::Deserialize;

use super::{WatchAlarm, WatchFinding};
use crate::{client::Client, exit::Outcome};

#[derive(Deserialize)]
struct SourceList {
    sources: Vec<SourceStatus>,
}

#[derive(Deserialize)]
struct SourceStatus {
    source: String,
    epochs: Vec<EpochStatus>,
}

#[derive(Deserialize)]
struct EpochStatus {
    missing: Option<MissingEvents>,
}

#[derive(Deserialize)]
struct MissingEvents {
    first: u64,
    last: u64,
    since: String,
}

/// The alarm about missing events, if any are missing. Later events of their source wait for them.
pub(super) async fn gap(client: &Client) -> Outcome<Option<WatchAlarm>> {
    let sources = client.get("/v1/sources", &[]).await?;
    let sources: SourceList = serde_json::from_value(sources).map_err(|fault| client.nonsense(&fault))?;
    let missing = sources.sources.iter().flat_map(|source| {
        let missing = source.epochs.iter().filter_map(|epoch| epoch.missing.as_ref());
        missing.map(|MissingEvents { first, last, since }| {
            format!("events {first} to {last} of {} have been missing since {since}", source.source)
        })
    });
    let missing: Vec<String> = missing.collect();
    Ok((!missing.is_empty()).then(|| (WatchFinding::Gap, missing.join("; "))))
}
