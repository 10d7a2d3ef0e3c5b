//! `PUT /v1/users/{id}/roles`

use std::{collections::BTreeSet, sync::Arc};

use axum::{Json, extract::State};
use rovuma_api::{Access as _, Caller, act_by, answers::identity::User, openapi::NotFound, request::Body};
use rovuma_policy::{Context, Role, act};
use rovuma_schemas::audit::AuditAction;
use rovuma_store::{Conn, FutureExt};
use rovuma_trail::{AuditRecord, Trail};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    document::{Faulty, Refusals},
    error::ApiError,
    input::{Faults, Holder},
    user::Target,
};
use crate::{
    AccountId,
    accounts::{self, Account, roles_to_column},
    app::App,
    sessions,
};

/// The roles that a user shall have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Roles {
    /// All of them; those not named are taken away.
    roles: Vec<String>,
}

/// Gives and takes roles, and ends the user's log-ins. Nobody changes their own. Other services take tokens that
/// are out, with the old roles, until they expire, at most ten minutes later.
#[utoipa::path(
    put, path = "/v1/users/{id}/roles", tag = "users", operation_id = "set_user_roles", request_body = Roles,
    params(("id" = String, Path, description = "The user's id.")),
    responses((status = 200, description = "The user as it is now.", body = User), NotFound, Faulty, Refusals)
)]
pub(super) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller,
    target: Target,
    Body(wanted): Body<Roles>,
) -> Result<Json<User>, ApiError> {
    app.permit(&caller, act::RoleChange, &target.resource, &Context::NONE).await?;
    let mut faults = Faults::default();
    let roles = faults.roles(&wanted.roles, Holder::Person);
    faults.none()?;
    let id = target.account.id;
    let act = act_by(caller.actor(), AuditAction::RoleChange, app.now()).object("user", id);
    let trail = app.trail.clone();
    let account = app.write(move |tx| async move { give(tx, &trail, id, roles, act).await }.boxed()).await?;
    account
        .map(|account| Json(User::from(&account)))
        .ok_or_else(|| app.no_such("account", target.resource.id()).into())
}

async fn give(
    tx: &mut Conn,
    trail: &Trail,
    id: AccountId,
    roles: BTreeSet<Role>,
    act: AuditRecord,
) -> sqlx::Result<Option<Account>> {
    let Some(mut account) = accounts::by_id(tx, id).await? else { return Ok(None) };
    if account.roles != roles {
        let given = roles_to_column(&roles.difference(&account.roles).copied().collect());
        let taken = roles_to_column(&account.roles.difference(&roles).copied().collect());
        account.roles = roles;
        accounts::update(tx, &account).await?;
        sessions::end_all(tx, account.id, act.time).await?;
        trail.record(tx, &act.detail("given", given).detail("taken", taken)).await?;
    }
    Ok(Some(account))
}
