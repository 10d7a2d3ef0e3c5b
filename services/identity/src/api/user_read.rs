//! `GET /v1/users/{id}`

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{Access as _, Caller, answers::identity::User, openapi::NotFound};
use rovuma_policy::act;

use super::{document::Refusals, error::ApiError, user::Target};
use crate::app::App;

/// One user.
#[utoipa::path(
    get, path = "/v1/users/{id}", tag = "users", operation_id = "read_user",
    params(("id" = String, Path, description = "The user's id.")),
    responses((status = 200, description = "The user.", body = User), NotFound, Refusals)
)]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    target: Target,
) -> Result<Json<User>, ApiError> {
    // Who may see the list may see one of it.
    app.permit_to_see(&caller, act::UserList, &target.resource).await?;
    Ok(Json(User::from(&target.account)))
}
