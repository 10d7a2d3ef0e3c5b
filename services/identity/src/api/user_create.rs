//! `POST /v1/users`

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rovuma_api::{
    Access as _, Caller, act_by,
    answers::identity::{CreatedUser, User},
    request::Body,
};
use rovuma_policy::{Permit, act};
use rovuma_runtime::Problem;
use rovuma_schemas::audit::AuditAction;
use rovuma_store::FutureExt;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    document::{Faulty, Refusals, Taken},
    error::ApiError,
    input::{Faults, Holder, have},
};
use crate::{
    AccountId, Login,
    accounts::{self, Account, roles_to_column},
    app::App,
    fault::Fault,
    password::NewPassword,
};

/// A new user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserDraft {
    /// What the person will type to log in: 3 to 64 of `a-z`, `0-9`, `.`, `_`, `-`, `@`.
    login: String,
    /// The name to show.
    name: String,
    /// Roles in the agency; none is allowed.
    #[serde(default)]
    roles: Vec<String>,
}

/// Adds a user to the caller's agency.
#[utoipa::path(
    post, path = "/v1/users", tag = "users", operation_id = "create_user", request_body = UserDraft,
    responses(
        (status = 201, description = "The user was added.", body = CreatedUser),
        Taken, Faulty, Refusals
    )
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Body(draft): Body<UserDraft>,
) -> Result<Response, ApiError> {
    let permit = app.permit_own(&caller, act::UserCreate).await?;
    let password = NewPassword::draw().map_err(Fault::from)?;
    let one_time_password = password.expose().to_owned();
    let account = account(&app, &permit, &draft, password).await?;
    let user = User::from(&account);
    let location = format!("/v1/users/{}", account.id);
    insert(&app, &caller, account).await?;
    let headers = [(header::LOCATION, location), (header::CACHE_CONTROL, "no-store".to_owned())];
    Ok((StatusCode::CREATED, headers, Json(CreatedUser { user, one_time_password })).into_response())
}

async fn account(
    app: &App,
    permit: &Permit<act::UserCreate>,
    draft: &UserDraft,
    password: NewPassword,
) -> Result<Account, ApiError> {
    let mut faults = Faults::default();
    let login = faults.take("/login", "login", Login::parse(&draft.login));
    let name = faults.name(&draft.name);
    let roles = faults.roles(&draft.roles, Holder::Person);
    faults.none()?;
    let now = app.now();
    Ok(Account {
        id: AccountId::draw(now),
        agency: permit.resource().owner().clone(),
        login: have(login)?.as_str().to_owned(),
        name: have(name)?,
        roles,
        password: app.hashers.hash(password).await.map_err(Fault::from)?,
        must_change: true,
        disabled: None,
        created: now,
    })
}

async fn insert(app: &App, caller: &Caller, account: Account) -> Result<(), ApiError> {
    // Elsewhere in the log a person is a pseudonym: here an auditor of the agency finds whose it is. Administrators can
    // change the account, but not the log.
    let act = act_by(caller.actor(), AuditAction::UserCreate, account.created)
        .object("user", account.id)
        .detail("login", &account.login)
        .detail("name", &account.name)
        .detail("roles", roles_to_column(&account.roles));
    let trail = app.trail.clone();
    let write = app.write(move |tx| {
        async move {
            let made = accounts::insert(tx, &account).await?;
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
    Err(Problem::conflict("login_taken").detail("Somebody has this log-in name.").into())
}
