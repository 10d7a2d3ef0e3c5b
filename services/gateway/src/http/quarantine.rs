//! `GET /v1/quarantine`: deliveries that could not be verified.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, Caller,
    answers::gateway::QuarantineRow,
    cursors::Cursors,
    page::{Page, PageQuery},
    request::Query,
};
use rovuma_policy::act;
use rovuma_store::RowExt;
use sqlx::{Row, any::AnyRow};

use super::{error::ApiError, openapi::Refusals};
use crate::{error::DbError, gateway::Gateway};

/// Lists quarantined deliveries, the latest first. Those that no agency's key opened belong to the
/// installation, `<cc>.node`.
#[utoipa::path(
    get, path = "/v1/quarantine", operation_id = "list_quarantine", tag = "exchange",
    params(PageQuery),
    responses((status = 200, description = "A page of deliveries.", body = Page<QuarantineRow>), Refusals)
)]
pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<QuarantineRow>>, ApiError> {
    let permit = gateway.permit_own(&caller, act::QuarantineRead).await?;
    let owner = permit.resource().owner();
    let cursors = Cursors::of("quarantine", owner.as_str(), &());
    let window = cursors.window(query.limit, query.cursor.as_deref())?;
    let rows = sqlx::query(
        "SELECT seq, digest, reason, queue, exchange, routing_key, size_bytes, times, first_at, last_at,
                CASE WHEN body IS NULL THEN 0 ELSE 1 END AS kept
         FROM quarantine
         WHERE (agency = $1 OR ($2 = 1 AND agency IS NULL)) AND seq < $3 ORDER BY seq DESC LIMIT $4",
    )
    .bind(owner.as_str())
    .bind(i64::from(owner.is_node()))
    .bind(window.after.map_or(i64::MAX, i64::from_be_bytes))
    .bind(window.fetch())
    .fetch_all(gateway.base.store.read())
    .await?;
    let rows = rows.iter().map(read).collect::<Result<_, DbError>>()?;
    Ok(Json(cursors.page(&window, rows)))
}

fn read(row: &AnyRow) -> Result<([u8; 8], QuarantineRow), DbError> {
    let quarantined = QuarantineRow {
        digest: row.digest("digest")?,
        reason: row.try_get("reason")?,
        queue: row.try_get("queue")?,
        exchange: row.try_get("exchange")?,
        unverified_routing_key: row.try_get("routing_key")?,
        size_bytes: row.count("size_bytes")?,
        kept: row.count("kept")? == 1,
        times: row.count("times")?,
        first_at: row.instant("first_at")?,
        last_at: row.instant("last_at")?,
    };
    Ok((row.try_get::<i64, _>("seq")?.to_be_bytes(), quarantined))
}
