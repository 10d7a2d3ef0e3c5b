//! `GET /v1/logs` and the files of a log: heads, tiles, entries.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use rovuma_api::{
    Access as _, ApiState as _, Caller, act_by,
    answers::audit::{HeadState, LogOfYear, Logs, PrunedState},
    openapi::NotFound,
    request::Path,
};
use rovuma_policy::{Context, Resource, act};
use rovuma_runtime::Problem;
use rovuma_schemas::audit::AuditAction;
use rovuma_tlog::{CHECKPOINT_PATH, PRUNED_PATH, Tile, TileKind};

use super::{error::ApiError, openapi::Refusals};
use crate::{
    auditor::Auditor,
    error::DbError,
    log::{PrunedTree, Tree},
    publish::{Checkpoints, StoredCheckpoint},
    witness::log_alarms,
};

/// The logs with their heads, who cosigned them, and alarms. Sizes, hashes and signatures only: every auditor of the
/// country may see it.
#[utoipa::path(
    get, path = "/v1/logs", tag = "logs",
    responses((status = 200, description = "The logs.", body = Logs), Refusals)
)]
pub(super) async fn list_logs(
    State(auditor): State<Arc<Auditor>>,
    caller: Caller,
) -> Result<Json<Logs>, ApiError> {
    let log = Resource::audit_log(&auditor.node());
    auditor.permit(&caller, act::AuditReadSources, &log, &Context::NONE).await?;
    let mut logs = Vec::new();
    for tree in Tree::all(auditor.store.read()).await? {
        logs.push(log_of_year(&auditor, tree).await?);
    }
    let answer = Logs {
        logs,
        unwitnessed_since: auditor.sequencer.witness_status.unwitnessed_since(),
        alarms: log_alarms(auditor.store.read()).await?,
    };
    let event = act_by(caller.actor(), AuditAction::AuditRead, auditor.now()).object("logs", log.id());
    auditor.record(event).await?;
    Ok(Json(answer))
}

async fn log_of_year(auditor: &Auditor, tree: Tree) -> Result<LogOfYear, DbError> {
    let heads = Checkpoints::of(&auditor.store).list(&tree.origin).await?;
    let good = heads.iter().find(|head| head.settled_at.is_some()).map(head_state);
    let waiting = heads.first().filter(|head| head.settled_at.is_none()).map(head_state);
    let size = tree.edge.size();
    let PrunedTree { below: minimum_index, by, .. } = tree.pruned;
    let pruned = by.map(|(at, policy)| PrunedState { minimum_index, at, policy });
    Ok(LogOfYear { origin: tree.origin, first_index: tree.first_index, size, pruned, good, waiting })
}

fn head_state(head: &StoredCheckpoint) -> HeadState {
    HeadState {
        size: head.size,
        made_at: head.made_at,
        settled_at: head.settled_at,
        checkpoint: String::from_utf8_lossy(&head.note).into_owned(),
    }
}

/// The head of a log as it is published, a signed note (C2SP tlog-checkpoint). The log's other files stand beside it, as C2SP
/// tlog-tiles has them: `tile/0/000.p/64`, `tile/entries/000`. Entries say who did what in the whole country: only the national
/// auditor reads the files.
#[utoipa::path(
    get, path = "/v1/logs/{service}/{year}/checkpoint", tag = "logs",
    params(
        ("service" = String, Path, description = "The log's service.", example = "mz.audit"),
        ("year" = String, Path, description = "Its year, with a number after a restore.", example = "2026")
    ),
    responses(
        (status = 200, description = "The signed note.", body = String, content_type = "text/plain"),
        NotFound,
        Refusals
    )
)]
pub(super) async fn checkpoint(
    State(auditor): State<Arc<Auditor>>,
    caller: Caller,
    Path((service, year)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    note(&auditor, &caller, format!("{service}/{year}"), CHECKPOINT_PATH).await
}

/// What a log says of entries that it has taken out by the written policy: a signed note beside its checkpoint.
#[utoipa::path(
    get, path = "/v1/logs/{service}/{year}/pruned", tag = "logs",
    params(
        ("service" = String, Path, description = "The log's service.", example = "mz.audit"),
        ("year" = String, Path, description = "Its year, with a number after a restore.", example = "2016")
    ),
    responses(
        (status = 200, description = "The signed note.", body = String, content_type = "text/plain"),
        (status = 404, description = "`not_found`: nothing was taken out.", body = Problem,
            content_type = "application/problem+json"),
        Refusals
    )
)]
pub(super) async fn pruned(
    State(auditor): State<Arc<Auditor>>,
    caller: Caller,
    Path((service, year)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    note(&auditor, &caller, format!("{service}/{year}"), PRUNED_PATH).await
}

/// A tile, or a bundle of entries.
pub(super) async fn tile(
    State(auditor): State<Arc<Auditor>>,
    caller: Caller,
    Path((service, year, path)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    // Only what a log has: nothing of the path comes to the file system as it was given.
    let origin = format!("{service}/{year}");
    let tile = Tile::from_path(&format!("tile/{path}"));
    let tile = tile.ok_or_else(|| no_such(&origin, &format!("tile/{path}")))?;
    let bytes = file(&auditor, &caller, &origin, &tile.to_string()).await?;
    if tile.kind == TileKind::Entries {
        // Hashes say nothing of anybody; entries say who did what.
        let event = act_by(caller.actor(), AuditAction::AuditRead, auditor.now()).object("log", origin);
        auditor.record(event.detail("view", "entries").detail("tile", tile)).await?;
    }
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

/// A signed note beside a log's tiles.
async fn note(auditor: &Auditor, caller: &Caller, origin: String, path: &str) -> Result<Response, ApiError> {
    let bytes = file(auditor, caller, &origin, path).await?;
    let event = act_by(caller.actor(), AuditAction::AuditRead, auditor.now()).object("log", origin);
    auditor.record(event.detail("view", path)).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], bytes).into_response())
}

async fn file(auditor: &Auditor, caller: &Caller, origin: &str, path: &str) -> Result<Vec<u8>, ApiError> {
    let log = Resource::audit_log(&auditor.node());
    auditor.permit(caller, act::AuditSearch, &log, &Context::NONE).await?;
    let trees = Tree::all(auditor.store.read()).await?;
    let known = trees.iter().any(|tree| tree.origin == origin);
    let bytes = if known { auditor.folder.read(origin, path).await } else { None };
    Ok(bytes.ok_or_else(|| no_such(origin, path))?)
}

fn no_such(origin: &str, path: &str) -> Problem {
    Problem::no_such(format_args!("{path} of a log {origin}"), "GET /v1/logs lists the logs and their heads.")
}
