//! Waits until nothing is on its way any more.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use serde_json::Value;

use super::play::Callers;

/// The agencies of the play.
pub(super) const AGENCIES: [&str; 4] = ["mz.prm", "mz.senami", "tz.tpf", "tz.tisd"];

/// Nothing new for this long: what is missing then does not come.
const PATIENCE: Duration = Duration::from_secs(150);

/// At rest twice, so long apart: a gap shows only some time after it began.
const TWICE: Duration = Duration::from_secs(2);

/// Waits until every outbox is settled and every stream that its sender still writes has arrived without a gap. Returns the gaps in
/// streams that nobody writes any more: those of a store from before it was restored.
///
/// # Errors
/// When that does not come; the error says what is missing.
pub(super) async fn until_at_rest(callers: &Callers) -> Result<usize> {
    let (mut open, mut since) = (BTreeSet::new(), Instant::now());
    let mut rested = false;
    loop {
        let (now_open, former) = unsettled(callers).await?;
        match (now_open.is_empty(), rested) {
            (true, true) => return Ok(former),
            (is_rest, _) => rested = is_rest,
        }
        if now_open != open {
            (open, since) = (now_open, Instant::now());
        }
        if since.elapsed() > PATIENCE && !open.is_empty() {
            bail!("not at rest: {}", open.into_iter().collect::<Vec<_>>().join("; "));
        }
        tokio::time::sleep(if rested { TWICE } else { Duration::from_millis(300) }).await;
    }
}

/// What is on its way, in words, and how many gaps former streams have.
async fn unsettled(callers: &Callers) -> Result<(BTreeSet<String>, usize)> {
    let mut open = BTreeSet::new();
    let mut written: BTreeSet<(String, String, String, String, u64)> = BTreeSet::new();
    let mut incoming = Vec::new();
    for agency in AGENCIES {
        for state in ["waiting", "queued"] {
            let page =
                callers.get(agency, &format!("/v1/sent?state={state}&limit=200")).await?.unwrap_or_default();
            let count = page["items"].as_array().map_or(0, Vec::len);
            if count > 0 {
                open.insert(format!("{count} messages of {agency} are {state}"));
            }
        }
        let streams = callers.get(agency, "/v1/streams").await?.unwrap_or_default();
        for stream in streams["outgoing"].as_array().into_iter().flatten() {
            let last = stream["last"].as_u64().unwrap_or_default();
            written.insert((
                agency.to_owned(),
                text(&stream["recipient"]),
                text(&stream["lane"]),
                text(&stream["stream"]),
                last,
            ));
        }
        for stream in streams["incoming"].as_array().into_iter().flatten() {
            incoming.push((agency, stream.clone()));
        }
    }
    let mut former = 0;
    for (agency, stream) in &incoming {
        let sender = text(&stream["sender"]);
        let is_written = written.iter().any(|(from, to, lane, id, _)| {
            *from == sender
                && to == agency
                && *lane == text(&stream["lane"])
                && *id == text(&stream["stream"])
        });
        // The nodes' streams are not part of the play.
        if !stream["gap"].is_null() && AGENCIES.contains(&sender.as_str()) {
            if is_written {
                open.insert(format!("{agency} lacks {} of {sender}", stream["gap"]["missing"]));
            } else {
                former += 1;
            }
        }
    }
    for (from, to, lane, id, last) in &written {
        if !AGENCIES.contains(&to.as_str()) || *last == 0 {
            continue;
        }
        let arrived = incoming.iter().find(|(agency, stream)| {
            agency == to
                && text(&stream["sender"]) == *from
                && text(&stream["lane"]) == *lane
                && text(&stream["stream"]) == *id
        });
        let arrived = arrived.and_then(|(_, stream)| stream["last"].as_u64()).unwrap_or_default();
        if arrived < *last {
            open.insert(format!("{to} has {arrived} of {last} numbers of {from} in the lane {lane}"));
        }
    }
    Ok((open, former))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
