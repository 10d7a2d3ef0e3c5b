//! From the log of one year to that of the next: the first leaf of a log has the SHA-256 of what was signed last of the log
//! before it.

use rovuma_envelope::digest;
use rovuma_schemas::audit::{AuditAction, AuditLeaf};
use rovuma_tlog::{
    CHECKPOINT_PATH, Checkpoint, Head, LoadedTiles, LogPolicy, Tile, TileKind, entries_of, leaf_hash,
    needed_for_inclusion,
};
use serde::Deserialize;

use super::{
    Finding, Found,
    heads::{fetch, gone_on, signed, unproved},
};
use crate::{
    auditing::verify::origin_path,
    client::Client,
    exit::{Exit, Failure, Outcome},
};

#[derive(Deserialize)]
struct Logs {
    logs: Vec<Log>,
}

#[derive(Deserialize)]
struct Log {
    origin: String,
    size: u64,
    good: Option<Good>,
}

#[derive(Deserialize)]
struct Good {
    size: u64,
}

async fn logs(client: &Client) -> Outcome<Vec<Log>> {
    let logs = client.get("/v1/logs", &[]).await?;
    let logs: Logs = serde_json::from_value(logs).map_err(|fault| client.nonsense(&fault))?;
    Ok(logs.logs)
}

/// The last log of a service that has a good head.
pub(super) async fn present(client: &Client, service: &str) -> Outcome<String> {
    let of_service = |log: &Log| log.origin.split_once('/').is_some_and(|(name, _)| name == service);
    let found = logs(client).await?.into_iter().rev().find(|log| of_service(log) && log.good.is_some());
    found.map(|log| log.origin).ok_or_else(|| {
        Failure::new(Exit::Refused, format!("the audit service has no cosigned log of {service:?}"))
            .next("give the log's name as in mz.audit/2026, or its service's as in mz.audit")
    })
}

/// What is wrong with a log as the one that follows the remembered head's, through the years between them.
pub(super) async fn follows(
    client: &Client,
    policy: &LogPolicy,
    former: &Checkpoint,
    checkpoint: &Checkpoint,
) -> Outcome<Option<Found>> {
    let logs = logs(client).await?;
    let place = |origin: &str| logs.iter().position(|log| log.origin == origin);
    let places = place(&former.head().origin).zip(place(&checkpoint.head().origin));
    let Some((first, last)) = places.filter(|(first, last)| first < last) else {
        let detail = format!("{} does not follow {}", checkpoint.head().origin, former.head().origin);
        return Ok(Some((Finding::Fork, detail)));
    };
    let mut remembered = Some(former.head().clone());
    for (before, after) in logs[first..=last].iter().zip(&logs[first + 1..=last]) {
        if before.good.as_ref().is_none_or(|good| good.size < before.size) {
            let detail = format!("the last head of {} is not cosigned yet", before.origin);
            return Ok(Some((Finding::Stale, detail)));
        }
        let closed = match head_of(client, policy, &before.origin).await? {
            Ok(closed) => closed,
            Err(found) => return Ok(Some(found)),
        };
        if closed.head().size < before.size {
            // Its files follow what is signed by a second.
            let detail = format!("the last head of {} is not published yet", before.origin);
            return Ok(Some((Finding::Stale, detail)));
        }
        if let Some(former) = remembered.take()
            && let Some(found) = gone_on(client, &former, closed.head()).await?
        {
            return Ok(Some(found));
        }
        let opened = match head_of(client, policy, &after.origin).await? {
            Ok(opened) => opened,
            Err(found) => return Ok(Some(found)),
        };
        if !begins_with(client, opened.head(), &closed).await? {
            let detail = format!("{} does not begin with the last head of {}", after.origin, before.origin);
            return Ok(Some((Finding::Fork, detail)));
        }
    }
    Ok(None)
}

async fn head_of(client: &Client, policy: &LogPolicy, origin: &str) -> Outcome<Result<Checkpoint, Found>> {
    let note = client.get_bytes(&format!("{}/{CHECKPOINT_PATH}", origin_path(origin)?)).await?;
    Ok(signed(&note, origin, policy).map(|(checkpoint, _)| checkpoint))
}

/// Whether the first leaf of a log names what was signed of the log before it.
async fn begins_with(client: &Client, opened: &Head, closed: &Checkpoint) -> Outcome<bool> {
    let Some(width) = Tile::width_at(TileKind::Entries, 0, opened.size) else { return Ok(false) };
    let (_, bundle) =
        fetch(client, &opened.origin, Tile { kind: TileKind::Entries, index: 0, width }).await?;
    let entries = entries_of(&bundle).map_err(|fault| client.nonsense(&fault))?;
    let Some(first) = entries.first() else { return Ok(false) };
    let mut tiles = LoadedTiles::of(opened.size);
    for tile in needed_for_inclusion(opened.size, 0).map_err(unproved)? {
        let (tile, bytes) = fetch(client, &opened.origin, tile).await?;
        tiles.add(tile, bytes);
    }
    let proof = tiles.inclusion(0).map_err(unproved)?;
    if opened.includes(0, leaf_hash(first), &proof).is_err() {
        return Ok(false);
    }
    let leaf = AuditLeaf::from_bytes(first).map_err(|fault| client.nonsense(&fault))?;
    Ok(leaf.action == AuditAction::LogBegin && leaf.message == Some(digest(closed.signed_text())))
}
