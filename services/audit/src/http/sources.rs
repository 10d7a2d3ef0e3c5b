//! `GET /v1/sources`: whether the log is whole.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{Access as _, ApiState as _, Caller, act_by, answers::audit::LogState};
use rovuma_policy::{Context, Resource, act};
use rovuma_schemas::audit::AuditAction;

use super::{error::ApiError, openapi::Refusals};
use crate::{auditor::Auditor, log::sources};

/// How far each source has come, its epochs, what is missing, and alarms. Counts and digests only: every auditor of
/// the country may see it.
#[utoipa::path(
    get, path = "/v1/sources", tag = "sources",
    responses((status = 200, description = "The state of the log.", body = LogState), Refusals)
)]
pub(super) async fn list(
    State(auditor): State<Arc<Auditor>>,
    caller: Caller,
) -> Result<Json<LogState>, ApiError> {
    let log = Resource::audit_log(&auditor.node());
    auditor.permit(&caller, act::AuditReadSources, &log, &Context::NONE).await?;
    let pool = auditor.store.read();
    let state = LogState {
        end: crate::log::search::length(pool).await?,
        sources: sources::list(pool, &auditor.producers).await?,
        quarantine: sources::quarantine_counts(pool).await?,
    };
    let event =
        act_by(caller.actor(), AuditAction::AuditRead, auditor.now()).object("audit_sources", log.id());
    auditor.record(event).await?;
    Ok(Json(state))
}
