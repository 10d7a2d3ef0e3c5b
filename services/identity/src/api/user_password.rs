//! `POST /v1/users/{id}/password`

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use rovuma_api::{Access as _, Caller, act_by, answers::identity::OneTimePassword, openapi::NotFound};
use rovuma_policy::{Context, act};
use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::{Conn, FutureExt};

use super::{document::Refusals, error::ApiError, state::forbid_own, user::Target};
use crate::{
    Login,
    accounts::{self, Account},
    app::App,
    fault::Fault,
    password::NewPassword,
    sessions, throttle,
};

/// Gives a user a one-time password, and ends a lock-out and the user's log-ins. Nobody does so for their own account.
#[utoipa::path(
    post, path = "/v1/users/{id}/password", tag = "users", operation_id = "reset_user_password",
    params(("id" = String, Path, description = "The user's id.")),
    responses(
        (status = 200, description = "The password, shown this once.", body = OneTimePassword),
        NotFound, Refusals
    )
)]
pub(super) async fn reset(
    State(app): State<Arc<App>>,
    caller: Caller,
    target: Target,
) -> Result<Response, ApiError> {
    app.permit(&caller, act::UserChange, &target.resource, &Context::NONE).await?;
    forbid_own(&app, &caller, "user.reset_password", &target.resource).await?;
    let password = NewPassword::draw().map_err(Fault::from)?;
    let one_time_password = password.expose().to_owned();
    let hash = app.hashers.hash(password).await.map_err(Fault::from)?;
    let now = app.now();
    let act = act_by(caller.actor(), AuditAction::UserChange, now)
        .object("user", target.account.id)
        .detail("changed", "password");
    let trail = app.trail.clone();
    let account = target.account;
    let write = app.write(move |tx| {
        async move {
            set(tx, &account, &hash, now).await?;
            trail.record(tx, &act).await.map(|_| ())
        }
        .boxed()
    });
    write.await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(OneTimePassword { one_time_password })).into_response())
}

async fn set(tx: &mut Conn, account: &Account, hash: &str, now: Timestamp) -> sqlx::Result<()> {
    accounts::set_password(tx, account.id, hash, true, now).await?;
    sessions::end_all(tx, account.id, now).await?;
    match Login::parse(&account.login) {
        Ok(login) => throttle::forgive_attempt(tx, throttle::ThrottleKey::login(&login)).await,
        // Only names that are one were ever stored.
        Err(_) => Ok(()),
    }
}
