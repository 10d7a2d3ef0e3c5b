//! `PATCH /v1/users/{id}`

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{Access as _, Caller, act_by, answers::identity::User, openapi::NotFound, request::Body};
use rovuma_policy::{Context, act};
use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::{Conn, FutureExt};
use rovuma_trail::{AuditRecord, Trail};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    document::{Faulty, Refusals},
    error::ApiError,
    input::Faults,
    state::forbid_own,
    user::Target,
};
use crate::{
    AccountId,
    accounts::{self, Account},
    app::App,
    sessions,
};

/// What is to change; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserChange {
    /// Another name to show.
    #[serde(default)]
    name: Option<String>,
    /// `true`: the person may no longer log in, and no token is given any more. `false`: may again.
    #[serde(default)]
    disabled: Option<bool>,
}

/// Renames, disables or enables a user. Disabling ends the user's log-ins. Nobody disables their own account.
#[utoipa::path(
    patch, path = "/v1/users/{id}", tag = "users", operation_id = "change_user", request_body = UserChange,
    params(("id" = String, Path, description = "The user's id.")),
    responses((status = 200, description = "The user as it is now.", body = User), NotFound, Faulty, Refusals)
)]
pub(super) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    target: Target,
    Body(change): Body<UserChange>,
) -> Result<Json<User>, ApiError> {
    app.permit(&caller, act::UserChange, &target.resource, &Context::NONE).await?;
    if change.disabled == Some(true) {
        forbid_own(&app, &caller, "user.disable", &target.resource).await?;
    }
    let mut faults = Faults::default();
    let name = change.name.as_deref().and_then(|name| faults.name(name));
    faults.none()?;
    let act = act_by(caller.actor(), AuditAction::UserChange, app.now()).object("user", target.account.id);
    let edit = Edit { id: target.account.id, name, disabled: change.disabled, act, now: app.now() };
    let trail = app.trail.clone();
    let account = app.write(move |tx| async move { edit.write(tx, &trail).await }.boxed()).await?;
    account
        .map(|account| Json(User::from(&account)))
        .ok_or_else(|| app.no_such("account", target.resource.id()).into())
}

struct Edit {
    id: AccountId,
    name: Option<String>,
    disabled: Option<bool>,
    act: AuditRecord,
    now: Timestamp,
}

impl Edit {
    async fn write(self, tx: &mut Conn, trail: &Trail) -> sqlx::Result<Option<Account>> {
        let Some(mut account) = accounts::by_id(tx, self.id).await? else { return Ok(None) };
        let (mut changed, mut act) = (Vec::new(), self.act);
        if let Some(name) = self.name.filter(|name| *name != account.name) {
            act = act
                .detail("login", &account.login)
                .detail("name", &name)
                .detail("name_before", &account.name);
            account.name = name;
            changed.push("name");
        }
        if let Some(disabled) = self.disabled.filter(|disabled| *disabled != account.disabled.is_some()) {
            account.disabled = disabled.then_some(self.now);
            changed.push(if disabled { "disabled" } else { "enabled" });
        }
        if !changed.is_empty() {
            accounts::update(tx, &account).await?;
            if account.disabled.is_some() {
                sessions::end_all(tx, account.id, self.now).await?;
            }
            trail.record(tx, &act.detail("changed", changed.join(" "))).await?;
        }
        Ok(Some(account))
    }
}
