//! `POST /v1/clients/{id}/secret`

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use rovuma_api::{Access as _, Caller, act_by, answers::identity::ClientSecret, openapi::NotFound};
use rovuma_envelope::digest;
use rovuma_policy::{Context, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{Digest, audit::AuditAction};
use rovuma_store::{Conn, FutureExt};
use rovuma_tokens::unguessable;
use rovuma_trail::{AuditRecord, Trail};

use super::{client::Target, document::Refusals, error::ApiError, state::forbid_own};
use crate::{
    app::App,
    fault::Fault,
    machines::{self, MachineId},
};

/// Gives a machine client another secret; the old one ends at once. A client that proves itself by its keys gets none:
/// a secret is the weaker proof, and nobody would notice that there are two.
#[utoipa::path(
    post, path = "/v1/clients/{id}/secret", tag = "clients", operation_id = "renew_client_secret",
    params(("id" = String, Path, description = "The client's id.")),
    responses(
        (status = 200, description = "The secret, shown this once.", body = ClientSecret),
        (status = 409, description = "`client_has_keys`: it proves itself by its keys.", body = Problem,
            content_type = "application/problem+json"),
        NotFound, Refusals
    )
)]
pub(super) async fn renew(
    State(app): State<Arc<App>>,
    caller: Caller,
    target: Target,
) -> Result<Response, ApiError> {
    app.permit(&caller, act::ClientChange, &target.resource, &Context::NONE).await?;
    forbid_own(&app, &caller, "client.renew_secret", &target.resource).await?;
    if target.machine.jwks.is_some() {
        let sentence = "This client proves itself by its keys. For a secret make another client.";
        return Err(Problem::conflict("client_has_keys").detail(sentence).into());
    }
    let client_secret = unguessable().map_err(Fault::from)?;
    let kept = digest(client_secret.as_bytes());
    let id = target.machine.id;
    let act = act_by(caller.actor(), AuditAction::ClientChange, app.now())
        .object("client", &id)
        .detail("changed", "secret");
    let trail = app.trail.clone();
    app.write(move |tx| async move { set(tx, &trail, &id, kept, &act).await }.boxed()).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(ClientSecret { client_secret })).into_response())
}

async fn set(
    tx: &mut Conn,
    trail: &Trail,
    id: &MachineId,
    secret: Digest,
    act: &AuditRecord,
) -> sqlx::Result<()> {
    // Machine clients are never removed: what was found a moment ago is there.
    if let Some(mut machine) = machines::by_id(tx, id.as_str()).await? {
        machine.secret = Some(secret);
        machines::update(tx, &machine).await?;
        trail.record(tx, act).await?;
    }
    Ok(())
}
