//! `GET /v1/lists`: what is screened against, and how old it is.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, Caller,
    answers::watchlist::{ListRow, Lists},
};
use rovuma_policy::act;
use sqlx::Row;

use super::{error::ApiError, openapi::Refusals};
use crate::{entries::ALERTS, standings, watchlist::Watchlist};

/// Lists every list, with its age and state. Of the alerts, `entries` is how many all agencies of the installation have together.
#[utoipa::path(
    get, path = "/v1/lists", operation_id = "list_lists", tag = "lists",
    responses((status = 200, description = "The lists.", body = Lists), Refusals)
)]
pub(crate) async fn list(
    State(watchlist): State<Arc<Watchlist>>,
    caller: Caller,
) -> Result<Json<Lists>, ApiError> {
    watchlist.permit_own(&caller, act::WatchlistRead).await?;
    let now = watchlist.now();
    let mut items = Vec::new();
    let mut conn = watchlist.store.read().acquire().await?;
    for (id, standing) in watchlist.lists.all() {
        let counted = if standing.source == ALERTS { ALERTS } else { id.as_str() };
        let row = sqlx::query("SELECT count(*) AS entries FROM entry WHERE list = $1")
            .bind(counted)
            .fetch_one(&mut *conn)
            .await?;
        let entries: i64 = row.try_get("entries")?;
        items.push(ListRow {
            list: standings::used(&id, &standing, now, watchlist.stale_after),
            source: standing.source,
            entries: entries.unsigned_abs(),
            loaded_at: standing.loaded_at,
        });
    }
    Ok(Json(Lists { items }))
}
