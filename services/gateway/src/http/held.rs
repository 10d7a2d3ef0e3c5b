//! `GET /v1/held`: messages that wait for a trust list.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, Caller,
    answers::gateway::HeldRow,
    cursors::Cursors,
    page::{Page, PageQuery},
    request::Query,
};
use rovuma_policy::act;
use rovuma_store::RowExt;
use sqlx::{Row, any::AnyRow};

use super::{error::ApiError, openapi::Refusals};
use crate::{error::DbError, gateway::Gateway};

/// Lists held messages, the latest first. They are tried again on each new trust list.
#[utoipa::path(
    get, path = "/v1/held", operation_id = "list_held", tag = "exchange",
    params(PageQuery),
    responses((status = 200, description = "A page of held messages.", body = Page<HeldRow>), Refusals)
)]
pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<HeldRow>>, ApiError> {
    let permit = gateway.permit_own(&caller, act::HeldRead).await?;
    let cursors = Cursors::of("held", caller.agency().as_str(), &());
    let window = cursors.window(query.limit, query.cursor.as_deref())?;
    let rows = sqlx::query(
        "SELECT seq, digest, unverified_sender, lane, reason, held_at, tried_at FROM held
         WHERE recipient = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3",
    )
    .bind(permit.resource().owner().as_str())
    .bind(window.after.map_or(i64::MAX, i64::from_be_bytes))
    .bind(window.fetch())
    .fetch_all(gateway.base.store.read())
    .await?;
    let rows = rows.iter().map(read).collect::<Result<_, DbError>>()?;
    Ok(Json(cursors.page(&window, rows)))
}

fn read(row: &AnyRow) -> Result<([u8; 8], HeldRow), DbError> {
    let held = HeldRow {
        digest: row.digest("digest")?,
        unverified_sender: row.try_get("unverified_sender")?,
        lane: row.parsed("lane")?,
        reason: row.try_get("reason")?,
        held_at: row.instant("held_at")?,
        tried_at: row.instant("tried_at")?,
    };
    Ok((row.try_get::<i64, _>("seq")?.to_be_bytes(), held))
}
