//! `GET /v1/reconciliation`: what was sent beside what was received.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{ApiState as _, Caller, act_by, answers::audit::Reconciliation, request::Query};
use rovuma_runtime::Problem;
use rovuma_schemas::{AgencyCode, Timestamp, audit::AuditAction};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{error::ApiError, openapi::Refusals, query};
use crate::{
    auditor::Auditor,
    log::reconcile::{self, MESSAGES_MAX},
};

/// Which messages.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Range {
    /// Messages sent, or answered by a receipt, from this instant on.
    #[param(value_type = String, format = DateTime)]
    from: Timestamp,
    /// And before this one; all since then when absent.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Whose; an agency's auditor may name only the own.
    #[param(value_type = Option<String>, example = "mz.prm")]
    agency: Option<AgencyCode>,
}

/// Lays what was sent beside what the recipients' signed receipts say of it. Each receipt names the place in the other
/// country's audit log (source, epoch, sequence), of which that country can be asked for the proof. What does not go together is
/// listed. Asking is written to the log before it is answered.
#[utoipa::path(
    get, path = "/v1/reconciliation", tag = "events",
    params(Range),
    responses((status = 200, description = "What goes together and what does not.", body = Reconciliation), Refusals)
)]
pub(super) async fn reconcile(
    State(auditor): State<Arc<Auditor>>,
    caller: Caller,
    Query(range): Query<Range>,
) -> Result<Json<Reconciliation>, ApiError> {
    let permit = query::permit_search(&auditor, &caller, range.agency.as_ref()).await?;
    let (from, to, now) = (range.from, range.to, auditor.now());
    let pool = auditor.store.read();
    let found = reconcile::reconcile(pool, &auditor.sequencer, &permit, (from, to), now).await?;
    let found = found.ok_or_else(|| {
        Problem::bad_request("range").detail(format!(
            "More than {MESSAGES_MAX} messages were sent or answered then: ask for a shorter time."
        ))
    })?;
    let mut event = act_by(permit.actor(), AuditAction::AuditSearch, auditor.now())
        .object("audit_log", permit.resource().id())
        .detail("view", "reconciliation")
        .detail("filter.from", from)
        .detail("found", found.differences.len());
    if let Some(to) = to {
        event = event.detail("filter.to", to);
    }
    auditor.record(event).await?;
    Ok(Json(found))
}
