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
use crate::{entries::ALERTS, imports, standings, watchlist::Watchlist};

/// Lists every list, with its age and state, the file of an imported one, and what waits for a second person. Of the alerts, `entries` is how
/// many all agencies of the installation have together.
#[utoipa::path(
    get, path = "/v1/lists", operation_id = "list_lists", tag = "lists",
    responses((status = 200, description = "The lists.", body = Lists), Refusals)
)]
pub(crate) async fn list(
    State(watchlist): State<Arc<Watchlist>>,
    caller: Caller,
) -> Result<Json<Lists>, ApiError> {
    watchlist.permit_own(&caller, act::WatchlistRead).await?;
    Ok(Json(all(&watchlist).await?))
}

/// Every list.
pub(super) async fn all(watchlist: &Watchlist) -> Result<Lists, ApiError> {
    let now = watchlist.now();
    let mut items = Vec::new();
    let mut conn = watchlist.store.read().acquire().await?;
    for (id, standing) in watchlist.lists.all() {
        let counted =
            if standing.source == ALERTS { Some(ALERTS.to_owned()) } else { watchlist.lists.key(&id) };
        let row = sqlx::query("SELECT count(*) AS entries FROM entry WHERE list = $1")
            .bind(counted.unwrap_or_default())
            .fetch_one(&mut *conn)
            .await?;
        let entries: i64 = row.try_get("entries")?;
        items.push(ListRow {
            list: standings::used(&id, &standing, now, watchlist.stale_after),
            source: standing.source,
            entries: entries.unsigned_abs(),
            loaded_at: standing.loaded_at,
            file: standings::file(&mut conn, &id).await?.map(|imported| imported.file),
            proposal: imports::find_proposal(&mut conn, &id, now).await?.map(|proposal| proposal.shown()),
        });
    }
    Ok(Lists { items })
}
