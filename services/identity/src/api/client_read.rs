//! `GET /v1/clients/{id}`

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{Access as _, Caller, answers::identity::Client, openapi::NotFound};
use rovuma_policy::act;

use super::{client::Target, document::Refusals, error::ApiError};
use crate::app::App;

/// One machine client.
#[utoipa::path(
    get, path = "/v1/clients/{id}", tag = "clients", operation_id = "read_client",
    params(("id" = String, Path, description = "The client's id.")),
    responses((status = 200, description = "The machine client.", body = Client), NotFound, Refusals)
)]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    target: Target,
) -> Result<Json<Client>, ApiError> {
    // Who may see the list may see one of it.
    app.permit_to_see(&caller, act::ClientList, &target.resource).await?;
    Ok(Json(Client::from(&target.machine)))
}
