//! `GET /v1/screening/alerts`: what a watchlist compares with what is found at a border post. It shows what identifies persons and things,
//! and nothing that an alert tells in words.

mod view;

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use rovuma_api::{
    Access as _, ApiState as _, Caller,
    answers::gateway::ScreenedAlert,
    cursors::{Cursors, bad_cursor},
    page::{Page, Window},
    request::Query,
};
use rovuma_policy::act;
use rovuma_schemas::{MessageId, audit::AuditAction};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{error::ApiError, openapi::Refusals};
use crate::{
    audit,
    gateway::Gateway,
    screening::{self, Position},
};

/// The query of `GET /v1/screening/alerts`: filter and page.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ScreeningQuery {
    /// Only the alerts with this id, whatever their state: as a rule one, but two owners may use one id.
    #[param(value_type = Option<String>, format = "uuid")]
    case: Option<MessageId>,
    /// Rows wanted, 1 to 200; 50 when absent. A page may have fewer rows and a next page, where the alerts are large.
    #[serde(skip_serializing_if = "rovuma_api::page::left_out")]
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "rovuma_api::page::left_out")]
    cursor: Option<String>,
}

/// Lists the alerts that the agency issued or received and that are active or suspended now, the last opened first, each with what
/// identifies its subjects. The read is audited.
#[utoipa::path(
    get, path = "/v1/screening/alerts", operation_id = "list_screened_alerts", tag = "screening",
    params(ScreeningQuery),
    responses((status = 200, description = "A page of alerts.", body = Page<ScreenedAlert>), Refusals)
)]
pub(crate) async fn alerts(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(query): Query<ScreeningQuery>,
) -> Result<Response, ApiError> {
    let permit = gateway.permit_own(&caller, act::ScreeningRead).await?;
    let cursors = Cursors::<String>::of("screening", caller.agency().as_str(), &query);
    let Window { limit, after } = cursors.window(query.limit, query.cursor.as_deref())?;
    let after = after.map(|after| Position::read(&after).ok_or_else(bad_cursor)).transpose()?;
    let now = gateway.base.now();
    let mut conn = gateway.base.store.read().acquire().await?;
    let page = screening::page(&mut conn, &permit, query.case, &Window { limit, after }, now).await?;
    drop(conn);
    let next = page.next.map(|position| cursors.write(&position.write()));
    let items: Vec<ScreenedAlert> = page.cases.into_iter().map(view::alert).collect();
    let act = audit::by(caller.actor(), AuditAction::ScreeningRead, now);
    gateway.record(audit::search(act, &query, items.len())).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(Page { items, next })).into_response())
}
