//! `PATCH /v1/clients/{id}`

use std::{collections::BTreeSet, sync::Arc};

use axum::{Json, extract::State};
use rovuma_api::{Access as _, Caller, act_by, answers::identity::Client, openapi::NotFound, request::Body};
use rovuma_policy::{Context, Role, act};
use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::{Conn, FutureExt};
use rovuma_trail::{AuditRecord, Trail};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    client::Target,
    document::{Faulty, Refusals},
    error::ApiError,
    input::{Faults, Holder},
};
use crate::{
    app::App,
    machines::{self, Machine, MachineId},
};

/// What is to change; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientChange {
    /// Another name to show.
    #[serde(default)]
    name: Option<String>,
    /// All roles it shall have.
    #[serde(default)]
    roles: Option<Vec<String>>,
    /// `true`: it gets no tokens any more. `false`: it does again.
    #[serde(default)]
    disabled: Option<bool>,
}

/// Renames, disables or enables a machine client, or gives it other roles.
#[utoipa::path(
    patch, path = "/v1/clients/{id}", tag = "clients", operation_id = "change_client", request_body = ClientChange,
    params(("id" = String, Path, description = "The client's id.")),
    responses(
        (status = 200, description = "The machine client as it is now.", body = Client),
        NotFound, Faulty, Refusals
    )
)]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    target: Target,
    Body(change): Body<ClientChange>,
) -> Result<Json<Client>, ApiError> {
    app.permit(&caller, act::ClientChange, &target.resource, &Context::NONE).await?;
    let mut faults = Faults::default();
    let name = change.name.as_deref().and_then(|name| faults.name(name));
    let roles = change.roles.as_deref().map(|words| faults.roles(words, Holder::Machine));
    faults.none()?;
    let id = target.machine.id;
    let act = act_by(caller.actor(), AuditAction::ClientChange, app.now()).object("client", &id);
    let edit = Edit { id, name, roles, disabled: change.disabled, act, now: app.now() };
    let trail = app.trail.clone();
    let machine = app.write(move |tx| async move { edit.write(tx, &trail).await }.boxed()).await?;
    machine
        .map(|machine| Json(Client::from(&machine)))
        .ok_or_else(|| app.no_such("account", target.resource.id()).into())
}

struct Edit {
    id: MachineId,
    name: Option<String>,
    roles: Option<BTreeSet<Role>>,
    disabled: Option<bool>,
    act: AuditRecord,
    now: Timestamp,
}

impl Edit {
    async fn write(self, tx: &mut Conn, trail: &Trail) -> sqlx::Result<Option<Machine>> {
        let Some(mut machine) = machines::by_id(tx, self.id.as_str()).await? else { return Ok(None) };
        let mut changed = Vec::new();
        if let Some(name) = self.name.filter(|name| *name != machine.name) {
            machine.name = name;
            changed.push("name");
        }
        if let Some(roles) = self.roles.filter(|roles| *roles != machine.roles) {
            machine.roles = roles;
            changed.push("roles");
        }
        if let Some(disabled) = self.disabled.filter(|disabled| *disabled != machine.disabled.is_some()) {
            machine.disabled = disabled.then_some(self.now);
            changed.push(if disabled { "disabled" } else { "enabled" });
        }
        if !changed.is_empty() {
            machines::update(tx, &machine).await?;
            trail.record(tx, &self.act.detail("changed", changed.join(" "))).await?;
        }
        Ok(Some(machine))
    }
}
