//! `GET /v1/alerts/{id}`: one draft with its content.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use rovuma_api::{Access as _, ApiState as _, Caller, entity_tag::etag};
use rovuma_policy::{Act, Context, Permit, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{
    MessageId,
    audit::{AuditAction, AuditObject},
};

use super::{error::ApiError, openapi::Refusals};
use crate::{
    alerts::draft::{self, Draft, DraftView},
    audit,
    gateway::Gateway,
};

/// Reads a draft with its content. The read is audited.
#[utoipa::path(
    get, path = "/v1/alerts/{id}", operation_id = "read_alert", tag = "alerts",
    params(("id" = String, Path, description = "The draft.")),
    responses(
        (status = 200, description = "The draft.", body = DraftView,
            headers(("ETag" = String, description = "Its version."))),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn read(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<MessageId>,
) -> Result<Response, ApiError> {
    let (draft, _permit) = permitted(&gateway, &caller, &id, act::AlertReadDraft).await?;
    let act = audit::by(caller.actor(), AuditAction::DraftRead, gateway.now())
        .object("draft", id)
        .detail("version", draft.version);
    gateway.record(act).await?;
    let version = etag(draft.version);
    let headers = [(header::ETAG, version), (header::CACHE_CONTROL, "no-store".to_owned())];
    Ok((headers, Json(DraftView::whole(draft)?)).into_response())
}

/// The draft, and the proof that the caller may do `act` to it.
///
/// # Errors
/// 404 when the caller's agency has no such draft, 403 as the policy says; both audited where it is a
/// refusal.
pub(super) async fn permitted<A: Act + Send>(
    gateway: &Gateway,
    caller: &Caller,
    id: &MessageId,
    act: A,
) -> Result<(Draft, Permit<A>), ApiError> {
    let draft = own(gateway, caller, id, act).await?;
    let permit = gateway.permit(caller, act, &draft.resource(), &Context::NONE).await?;
    Ok((draft, permit))
}

/// The draft, when it is the caller's agency's.
///
/// # Errors
/// 404 when it is not, audited when it is another agency's.
pub(super) async fn own<A: Act + Send>(
    gateway: &Gateway,
    caller: &Caller,
    id: &MessageId,
    act: A,
) -> Result<Draft, ApiError> {
    tracing::Span::current().record("message.id", tracing::field::display(id));
    let found = draft::load(gateway.store.read(), id).await?;
    let is_anothers = match found {
        Some(draft) if draft.agency == *caller.agency() => return Ok(draft),
        found => found.is_some(),
    };
    let object = AuditObject::new("draft", id.to_string());
    Err(gateway.missing(caller, act.action(), object, is_anothers).await)
}
