//! Follows logs from one year to the next: the first leaf of a log has the SHA-256 of the last signed head of the log before it.

use rovuma_api::answers::audit::{LogOfYear, Logs};
use rovuma_envelope::digest;
use rovuma_schemas::audit::{AuditAction, AuditLeaf};
use rovuma_tlog::{
    CHECKPOINT_PATH, Checkpoint, Head, LoadedTiles, LogPolicy, Tile, TileKind, entries_of, leaf_hash,
    needed_for_inclusion,
};

use super::{
    WatchAlarm, WatchFinding,
    heads::{check_continues, fetch, unproved, verify_head},
};
use crate::{
    auditing::verify::origin_path,
    client::{Client, ServerAnswer},
    exit::{Exit, Failure, Outcome},
};

async fn logs(client: &Client) -> Outcome<Vec<LogOfYear>> {
    let logs: ServerAnswer<Logs> = client.get("/v1/logs", &[]).await?;
    Ok(logs.value.logs)
}

/// The service's last log that has a good head.
pub(super) async fn present(client: &Client, service: &str) -> Outcome<String> {
    let of_service = |log: &LogOfYear| log.origin.split_once('/').is_some_and(|(name, _)| name == service);
    let found = logs(client).await?.into_iter().rev().find(|log| of_service(log) && log.good.is_some());
    found.map(|log| log.origin).ok_or_else(|| {
        Failure::new(Exit::Refused, format!("the audit service has no cosigned log of {service:?}"))
            .next("give the log's name as in mz.audit/2026, or its service's as in mz.audit")
    })
}

/// The alarm about a log that does not follow the remembered head's log, through the logs of the years between.
pub(super) async fn follows(
    client: &Client,
    policy: &LogPolicy,
    former: &Checkpoint,
    checkpoint: &Checkpoint,
) -> Outcome<Option<WatchAlarm>> {
    let logs = logs(client).await?;
    let place = |origin: &str| logs.iter().position(|log| log.origin == origin);
    let places = place(&former.head().origin).zip(place(&checkpoint.head().origin));
    let Some((first, last)) = places.filter(|(first, last)| first < last) else {
        let detail = format!("{} does not follow {}", checkpoint.head().origin, former.head().origin);
        return Ok(Some((WatchFinding::Fork, detail)));
    };
    let mut remembered = Some(former.head().clone());
    for (before, after) in logs[first..=last].iter().zip(&logs[first + 1..=last]) {
        if before.good.as_ref().is_none_or(|good| good.size < before.size) {
            let detail = format!("the last head of {} is not cosigned yet", before.origin);
            return Ok(Some((WatchFinding::Stale, detail)));
        }
        let closed = match head_of(client, policy, &before.origin).await? {
            Ok(closed) => closed,
            Err(found) => return Ok(Some(found)),
        };
        if closed.head().size < before.size {
            // The published files lag behind the signed head by up to a second.
            let detail = format!("the last head of {} is not published yet", before.origin);
            return Ok(Some((WatchFinding::Stale, detail)));
        }
        if let Some(former) = remembered.take()
            && let Some(found) = check_continues(client, &former, closed.head()).await?
        {
            return Ok(Some(found));
        }
        let opened = match head_of(client, policy, &after.origin).await? {
            Ok(opened) => opened,
            Err(found) => return Ok(Some(found)),
        };
        if !begins_with(client, opened.head(), &closed).await? {
            let detail = format!("{} does not begin with the last head of {}", after.origin, before.origin);
            return Ok(Some((WatchFinding::Fork, detail)));
        }
    }
    Ok(None)
}

async fn head_of(
    client: &Client,
    policy: &LogPolicy,
    origin: &str,
) -> Outcome<Result<Checkpoint, WatchAlarm>> {
    let note = client.get_bytes(&format!("{}/{CHECKPOINT_PATH}", origin_path(origin)?)).await?;
    Ok(verify_head(&note, origin, policy).map(|(checkpoint, _)| checkpoint))
}

/// Whether the first leaf of a log has the SHA-256 of the last signed head of the log before it.
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
