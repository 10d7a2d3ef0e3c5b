//! `GET /v1/events/{source}/{epoch}/{sequence}`: one event, by its identity.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, ApiState as _, Caller, act_by,
    answers::audit::{ExactEntry, LogEntry},
    openapi::NotFound,
    request::Path,
};
use rovuma_policy::{Context, Resource, act};
use rovuma_schemas::{AgencyCode, Epoch, audit::AuditAction};

use super::{error::ApiError, openapi::Refusals};
use crate::{auditor::Auditor, log::search};

/// Reads one event with its exact bytes. Reading is written to the log before it is answered. An event of another
/// agency is answered as if it did not exist.
#[utoipa::path(
    get, path = "/v1/events/{source}/{epoch}/{sequence}", tag = "events",
    params(
        ("source" = String, Path, description = "The service that wrote it.", example = "mz.gateway.police"),
        ("epoch" = String, Path, description = "The epoch of its store, 32 hexadecimal digits."),
        ("sequence" = u64, Path, description = "Its number, from 1.")
    ),
    responses(
        (status = 200, description = "The event.", body = ExactEntry),
        NotFound,
        Refusals
    )
)]
pub(super) async fn read(
    State(auditor): State<Arc<Auditor>>,
    caller: Caller,
    Path((source, epoch, sequence)): Path<(String, Epoch, u64)>,
) -> Result<Json<ExactEntry>, ApiError> {
    let (entry, id) = permitted(&auditor, &caller, &source, epoch, sequence).await?;
    let event = act_by(caller.actor(), AuditAction::AuditRead, auditor.now()).object("audit_event", id);
    auditor.record(event).await?;
    let exact = entry.event.as_ref().map(|event| event.get().to_owned());
    Ok(Json(ExactEntry { entry, exact }))
}

/// The event with this identity and its name, if the caller may read it. One of another agency is answered as if it did not
/// exist.
pub(super) async fn permitted(
    auditor: &Auditor,
    caller: &Caller,
    source: &str,
    epoch: Epoch,
    sequence: u64,
) -> Result<(LogEntry, String), ApiError> {
    let found = search::find_event(auditor.store.read(), &auditor.sequencer, source, epoch, sequence).await?;
    let id = format!("{source}/{epoch}/{sequence}");
    let owner = found.as_ref().map_or(caller.actor().agency().clone(), |(_, agency)| owner(auditor, agency));
    let resource = Resource::audit_event(&id, &owner);
    auditor.permit(caller, act::AuditReadEvent, &resource, &Context::NONE).await?;
    let (entry, _) = found.ok_or_else(|| auditor.no_such("audit_event", &id))?;
    Ok((entry, id))
}

/// Whose event it is: what names no agency, or one of another country, is the installation's.
fn owner(auditor: &Auditor, agency: &Option<AgencyCode>) -> AgencyCode {
    match agency {
        Some(agency) if agency.country() == auditor.country => agency.clone(),
        _ => auditor.node(),
    }
}
