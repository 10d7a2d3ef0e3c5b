//! Pruning: deletes the entries of an old log as the written policy says. Its hashes and heads stay, so that every proof made
//! before still holds, and whoever has a leaf can prove it again.

use std::sync::Arc;

use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::{Conn, Readers, RowExt};
use rovuma_tlog::{TILE_WIDTH, Tile, TileKind};
use rovuma_trail::AuditRecord;

use super::{Sequencer, Tree, to_db};
use crate::{error::DbError, own};

/// Maximum number of entries deleted in one write: other writes wait no longer than for a large batch.
const ENTRIES_AT_ONCE: u64 = 4096;

/// The trees that the policy allows to prune, and those whose pruning has begun. The present tree's year counts and not the
/// clock's: a clock that leaps prunes nothing.
pub(crate) async fn due_trees(pool: &Readers, keep_years: Option<u16>) -> Result<Vec<Tree>, DbError> {
    let mut trees = Tree::all(pool).await?;
    let present = i32::from(trees.last().map_or(i16::MIN, Tree::year));
    let is_old = |tree: &Tree| {
        let is_over = |kept| i32::from(tree.year()) + i32::from(kept) < present;
        // An abandoned tree stays: its published files and the store differ.
        tree.edge.size() > 0 && !tree.is_abandoned && keep_years.is_some_and(is_over)
    };
    // A pruning that was decided is completed, whatever the configuration says by now.
    trees.retain(|tree| match tree.pruned.below {
        0 => is_old(tree),
        below => tree.pruned.done < below,
    });
    Ok(trees)
}

/// Decides to prune all entries of a tree, and records the decision in the log. Deletes nothing yet.
pub(crate) async fn decide(
    tx: &mut Conn,
    sequencer: &Arc<Sequencer>,
    origin: &str,
    policy: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    let Some(tree) = Tree::find(tx, origin).await?.filter(|tree| tree.pruned.below == 0) else {
        return Ok(());
    };
    let size = tree.edge.size();
    // Until now the last, partial tile of leaf hashes was computed from the leaves: without them it must be stored.
    let last = Tile { kind: TileKind::Hashes { level: 0 }, index: size / u64::from(TILE_WIDTH), width: 0 };
    if let Some(width) = Tile::width_at(last.kind, last.index, size).filter(|width| *width < TILE_WIDTH) {
        tree.store_leaf_hashes(tx, last.index, width).await?;
    }
    sqlx::query("UPDATE tree SET prune_below = $1, pruned_at = $2, prune_policy = $3 WHERE origin = $4")
        .bind(to_db(size))
        .bind(now.as_micros())
        .bind(policy)
        .bind(origin)
        .execute(&mut *tx)
        .await?;
    let appender = sequencer.begin(tx, now).await?;
    let event = AuditRecord::new(now, &sequencer.own.source, AuditAction::LogPrune)
        .object("log", origin)
        .detail("minimum_index", size)
        .detail("policy", policy);
    own::record_alone(tx, appender, event).await
}

/// Deletes the next entries of a pruned tree with their payloads and search columns. `true`: there are more.
pub(crate) async fn delete_next(tx: &mut Conn, origin: &str) -> Result<bool, DbError> {
    let Some(tree) = Tree::find(tx, origin).await? else { return Ok(false) };
    let (from, below) = (tree.pruned.done, tree.pruned.below);
    let until = below.min(from + ENTRIES_AT_ONCE);
    let (first, end) = (to_db(tree.first_index + from), to_db(tree.first_index + until));
    // A trigger lets entries be deleted only below the tree's `pruned_below`.
    sqlx::query("UPDATE tree SET pruned_below = $1 WHERE origin = $2")
        .bind(to_db(until))
        .bind(origin)
        .execute(&mut *tx)
        .await?;
    let last = "SELECT lineage_id, MAX(sequence) AS last FROM entry
        WHERE entry_index >= $1 AND entry_index < $2 GROUP BY lineage_id";
    for row in sqlx::query(last).bind(first).bind(end).fetch_all(&mut *tx).await? {
        sqlx::query("UPDATE lineage SET pruned_through = $1 WHERE lineage_id = $2")
            .bind(to_db(row.count("last")?))
            .bind(to_db(row.count("lineage_id")?))
            .execute(&mut *tx)
            .await?;
    }
    let scopes =
        sqlx::query("SELECT DISTINCT scope_id FROM payload WHERE entry_index >= $1 AND entry_index < $2")
            .bind(first)
            .bind(end)
            .fetch_all(&mut *tx)
            .await?;
    for text in [
        "DELETE FROM payload WHERE entry_index >= $1 AND entry_index < $2",
        "DELETE FROM erasure WHERE entry_index >= $1 AND entry_index < $2",
        "DELETE FROM entry_search WHERE entry_index >= $1 AND entry_index < $2",
        "DELETE FROM entry WHERE entry_index >= $1 AND entry_index < $2",
    ] {
        sqlx::query(text).bind(first).bind(end).execute(&mut *tx).await?;
    }
    for scope in scopes {
        // A scope without payloads is of no more use.
        let unused = "DELETE FROM payload_scope WHERE scope_id = $1
            AND NOT EXISTS (SELECT 1 FROM payload WHERE payload.scope_id = payload_scope.scope_id)";
        sqlx::query(unused).bind(to_db(scope.count("scope_id")?)).execute(&mut *tx).await?;
    }
    if until == below {
        delete_evidence(tx, tree.next_index()).await?;
    }
    Ok(until < below)
}

/// Deletes the evidence of alarms older than the log after the pruned one: it holds whole batches, unsealed.
async fn delete_evidence(tx: &mut Conn, next_index: u64) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE alarm SET evidence = NULL
         WHERE last_seen_at < (SELECT MIN(begun_at) FROM tree WHERE first_index >= $1)",
    )
    .bind(to_db(next_index))
    .execute(tx)
    .await?;
    Ok(())
}
