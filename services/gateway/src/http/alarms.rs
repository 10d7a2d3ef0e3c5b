//! `GET /v1/alarms`: what needs a person's eye.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{Access as _, Caller, page::PAGE_MAX};
use rovuma_policy::act;
use rovuma_schemas::Timestamp;
use rovuma_store::RowExt;
use serde::Serialize;
use sqlx::{Row, any::AnyRow};
use utoipa::ToSchema;

use super::{error::ApiError, openapi::Refusals};
use crate::{error::DbError, gateway::Gateway};

/// The agency's alarms.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Alarms {
    /// The last to sound first, at most 200.
    items: Vec<AlarmRow>,
}

/// One alarm: the same kind about the same subject is counted, not repeated.
#[derive(Debug, Serialize, ToSchema)]
struct AlarmRow {
    /// `conflict`, `number_reused`, `false_receipt`, `clock`, `quarantined`, `compromised_key`, `rejected`,
    /// `audit_overdue`.
    kind: String,
    /// What it is about: an id, a stream, a key.
    subject: String,
    /// More about it.
    detail: String,
    /// How often it sounded.
    times: u64,
    /// When it first sounded.
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    /// When it last sounded.
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
}

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
