//! `GET /v1/users`

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, Caller,
    answers::identity::User,
    cursors::{Cursors, bad_cursor},
    page::{Page, PageQuery},
    request::Query,
};
use rovuma_policy::act;

use super::{document::Refusals, error::ApiError};
use crate::{accounts, app::App};

/// The users of the caller's agency, in the order in which they were made.
#[utoipa::path(
    get, path = "/v1/users", tag = "users", operation_id = "list_users", params(PageQuery),
    responses((status = 200, description = "A page of users.", body = Page<User>), Refusals)
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<User>>, ApiError> {
    let permit = app.permit_own(&caller, act::UserList).await?;
    let cursors = Cursors::<String>::of("users", caller.agency().as_str(), &());
    let window = cursors.window(query.limit, query.cursor.as_deref())?;
    let after = window.after.as_ref().map(|text| text.parse().map_err(|_| bad_cursor())).transpose()?;
    let mut conn = app.store.read().acquire().await?;
    let agency = permit.resource().owner();
    let rows = accounts::page(&mut conn, agency, after, window.fetch()).await?;
    let rows = rows.iter().map(|account| (account.id.to_string(), User::from(account))).collect();
    Ok(Json(cursors.page(&window, rows)))
}
