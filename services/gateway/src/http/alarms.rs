//! `GET /v1/alarms`: the alarms that a person must look at.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, Caller,
    answers::gateway::{AlarmRow, Alarms},
    page::PAGE_MAX,
};
use rovuma_policy::act;
use rovuma_store::RowExt;
use sqlx::{Row, any::AnyRow};

use super::{error::ApiError, openapi::Refusals};
use crate::{error::DbError, gateway::Gateway};

/// Lists the agency's alarms. Who may see whether the exchange works (`streams.read`) may see them.
#[utoipa::path(
    get, path = "/v1/alarms", operation_id = "list_alarms", tag = "exchange",
    responses((status = 200, description = "The alarms.", body = Alarms), Refusals)
)]
pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<Json<Alarms>, ApiError> {
    let permit = gateway.permit_own(&caller, act::StreamsRead).await?;
    let rows = sqlx::query(
        "SELECT kind, subject, detail, times, first_at, last_at FROM alarm
         WHERE agency = $1 ORDER BY last_at DESC, kind, subject LIMIT $2",
    )
    .bind(permit.resource().owner().as_str())
    .bind(i64::from(PAGE_MAX))
    .fetch_all(gateway.base.store.read())
    .await?;
    Ok(Json(Alarms { items: rows.iter().map(read).collect::<Result<_, DbError>>()? }))
}

fn read(row: &AnyRow) -> Result<AlarmRow, DbError> {
    Ok(AlarmRow {
        kind: row.try_get("kind")?,
        subject: row.try_get("subject")?,
        detail: row.try_get("detail")?,
        times: row.count("times")?,
        first_at: row.instant("first_at")?,
        last_at: row.instant("last_at")?,
    })
}
