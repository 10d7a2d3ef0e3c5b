//! `GET /v1/clients`

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, Caller,
    answers::identity::Client,
    cursors::Cursors,
    page::{Page, PageQuery},
    request::Query,
};
use rovuma_policy::act;

use super::{document::Refusals, error::ApiError};
use crate::{app::App, fault::Fault, machines};

/// The machine clients of the caller's agency, by id.
#[utoipa::path(
    get, path = "/v1/clients", tag = "clients", operation_id = "list_clients", params(PageQuery),
    responses((status = 200, description = "A page of machine clients.", body = Page<Client>), Refusals)
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Client>>, ApiError> {
    let permit = app.permit_own(&caller, act::ClientList).await?;
    let cursors = Cursors::<String>::of("clients", caller.agency().as_str(), &());
    let window = cursors.window(query.limit, query.cursor.as_deref())?;
    let mut conn = app.store.read().acquire().await?;
    let agency = permit.resource().owner();
    let rows = machines::page(&mut conn, agency, window.after.as_deref(), window.fetch()).await;
    let rows = rows.map_err(Fault::from)?;
    let rows = rows.iter().map(|machine| (machine.id.to_string(), Client::from(machine))).collect();
    Ok(Json(cursors.page(&window, rows)))
}
