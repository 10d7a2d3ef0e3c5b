//! `GET /v1/names`

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, Caller,
    answers::identity::{Names, PersonName},
    request::Query,
};
use rovuma_policy::act;
use rovuma_runtime::Problem;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{document::Refusals, error::ApiError};
use crate::{AccountId, accounts, app::App};

/// Maximum ids of one request: no draft or message names as many people.
const IDS_MAX: usize = 20;

/// The query of `GET /v1/names`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct NameQuery {
    /// The people's ids, 1 to 20, separated by commas.
    ids: String,
}

/// The names of people of the caller's agency, for whoever meets their ids in drafts and messages. An id that belongs to nobody
/// there is left out.
#[utoipa::path(
    get, path = "/v1/names", tag = "users", operation_id = "list_names", params(NameQuery),
    responses((status = 200, description = "The names.", body = Names), Refusals)
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(query): Query<NameQuery>,
) -> Result<Json<Names>, ApiError> {
    let permit = app.permit_own(&caller, act::NameRead).await?;
    let ids: Result<Vec<AccountId>, _> = query.ids.split(',').take(IDS_MAX + 1).map(str::parse).collect();
    let ids = ids.ok().filter(|ids| ids.len() <= IDS_MAX).ok_or_else(|| {
        Problem::bad_request("query").detail(format!("ids takes 1 to {IDS_MAX} ids, separated by commas."))
    })?;
    let mut conn = app.store.read().acquire().await?;
    let mut items = Vec::with_capacity(ids.len());
    for id in ids {
        let account = accounts::by_id(&mut conn, id).await?;
        let account = account.filter(|account| account.agency == *permit.resource().owner());
        items.extend(account.map(|account| PersonName { id: account.id.to_string(), name: account.name }));
    }
    Ok(Json(Names { items }))
}
