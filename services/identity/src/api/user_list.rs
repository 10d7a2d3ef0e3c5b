//! `GET /v1/users`

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
};
use rovuma_policy::act;
use rovuma_runtime::Problem;

use super::{
    access,
    document::Refusals,
    page::{Page, PageQuery, bad_cursor},
    user::User,
};
use crate::{accounts, app::App, caller::Caller, fault::Fault};

/// The users of the caller's agency, in the order in which they were made.
#[utoipa::path(
    get, path = "/v1/users", tag = "users", params(PageQuery),
    responses((status = 200, description = "A page of users.", body = Page<User>), Refusals)
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<User>>, Problem> {
    let permit = access::permit_own(&app, &caller, act::UserList).await?;
    let window = query.window()?;
    let after = window.after.as_ref().map(|text| text.parse().map_err(|_| bad_cursor())).transpose()?;
    let mut conn = app.store.read().acquire().await.map_err(Fault::from)?;
    let agency = permit.resource().owner();
    let rows = accounts::page(&mut conn, agency, after, window.fetch()).await.map_err(Fault::from)?;
    Ok(Json(window.page(rows, |account| account.id.to_string(), User::of)))
}
