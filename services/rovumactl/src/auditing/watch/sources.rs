//! Missing events of sources, as the audit service itself reports them.

use rovuma_api::answers::audit::{LogState, MissingEvents};

use super::{WatchAlarm, WatchFinding};
use crate::{
    client::{Client, ServerAnswer},
    exit::Outcome,
};

/// The alarm about missing events, if any are missing. Later events of their source wait for them.
pub(super) async fn gap(client: &Client) -> Outcome<Option<WatchAlarm>> {
    let state: ServerAnswer<LogState> = client.get("/v1/sources", &[]).await?;
    let missing = state.value.sources.iter().flat_map(|source| {
        let missing = source.epochs.iter().filter_map(|epoch| epoch.missing.as_ref());
        missing.map(|MissingEvents { first, last, since }| {
            format!("events {first} to {last} of {} have been missing since {since}", source.source)
        })
    });
    let missing: Vec<String> = missing.collect();
    Ok((!missing.is_empty()).then(|| (WatchFinding::Gap, missing.join("; "))))
}
