//! `POST /v1/clients`

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rovuma_api::{
    Access as _, Caller, act_by,
    answers::identity::{Client, CreatedClient},
    request::Body,
};
use rovuma_envelope::digest;
use rovuma_policy::{Permit, act};
use rovuma_runtime::Problem;
use rovuma_schemas::audit::AuditAction;
use rovuma_store::FutureExt;
use rovuma_tokens::{JwkSet, KeySet, unguessable};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    document::{Faulty, Refusals, Taken},
    error::ApiError,
    input::{Faults, Holder, have},
};
use crate::{
    accounts::roles_to_column,
    app::App,
    fault::Fault,
    machines::{self, Machine, MachineId},
};

/// A new machine client.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientDraft {
    /// The agency's code, a dot, and 2 to 32 of `a-z`, `0-9`, `-`: `mz.prm.cad`.
    id: String,
    /// The name to show.
    name: String,
    /// Roles in the agency: `agency_system`, `watchlist_service`.
    roles: Vec<String>,
    /// A JWK Set of its public keys, if it authenticates with `private_key_jwt` (RFC 7523). Without it
    /// the client gets a secret.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    jwks: Option<serde_json::Value>,
}

/// Adds a machine client to the caller's agency.
#[utoipa::path(
    post, path = "/v1/clients", tag = "clients", operation_id = "create_client", request_body = ClientDraft,
    responses(
        (status = 201, description = "The machine client was added.", body = CreatedClient),
        Taken, Faulty, Refusals
    )
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(draft): Body<ClientDraft>,
) -> Result<Response, ApiError> {
    let permit = app.permit_own(&caller, act::ClientCreate).await?;
    let client_secret = if draft.jwks.is_none() { Some(unguessable().map_err(Fault::from)?) } else { None };
    let machine = machine(&app, &permit, &draft, client_secret.as_deref())?;
    let client = Client::from(&machine);
    let location = format!("/v1/clients/{}", machine.id);
    insert(&app, &caller, machine).await?;
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, "no-store".to_owned())];
    Ok((StatusCode::CREATED, headers, Json(CreatedClient { client, client_secret })).into_response())
}

fn machine(
    app: &App,
    permit: &Permit<act::ClientCreate>,
    draft: &ClientDraft,
    secret: Option<&str>,
) -> Result<Machine, ApiError> {
    let mut faults = Faults::default();
    let id: Option<MachineId> = faults.take("/id", "client_id", draft.id.parse());
    if id.as_ref().is_some_and(|id| id.agency() != permit.resource().owner()) {
        faults.add("/id", "other_agency", "The id must begin with your own agency's code.");
    }
    let name = faults.name(&draft.name);
    let roles = faults.roles(&draft.roles, Holder::Machine);
    let jwks = draft.jwks.as_ref().and_then(|jwks| faults.take("/jwks", "jwks", public_keys(jwks)));
    faults.none()?;
    Ok(Machine {
        id: have(id)?,
        name: have(name)?,
        roles,
        secret: secret.map(|secret| digest(secret.as_bytes())),
        jwks,
        disabled: None,
        created: app.now(),
    })
}

/// The keys as they are kept: those that can be used, and nothing but their public members.
fn public_keys(jwks: &serde_json::Value) -> Result<String, String> {
    let set = JwkSet::parse(jwks.to_string().as_bytes()).map_err(|fault| fault.to_string())?;
    let keys = KeySet::from_jwks(&set).map_err(|fault| fault.to_string())?;
    if keys.is_empty() {
        return Err("No usable key: each needs a kid and must be Ed25519, P-256 or RSA.".to_owned());
    }
    serde_json::to_string(&set).map_err(|fault| fault.to_string())
}

async fn insert(app: &App, caller: &Caller, machine: Machine) -> Result<(), ApiError> {
    let act = act_by(caller.actor(), AuditAction::ClientCreate, machine.created)
        .object("client", &machine.id)
        .detail("roles", roles_to_column(&machine.roles));
    let trail = app.trail.clone();
    let write = app.write(move |tx| {
        async move {
            let made = machines::insert(tx, &machine).await?;
            if made {
                trail.record(tx, &act).await?;
            }
            Ok(made)
        }
        .boxed()
    });
    if write.await? {
        return Ok(());
    }
    Err(Problem::conflict("client_taken").detail("There is a client of this id.").into())
}
