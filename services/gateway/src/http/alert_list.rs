//! `GET /v1/alerts`: the agency's drafts.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
};
use rovuma_api::{Access as _, ApiState as _, Caller, cursors::Cursors, page::Page};
use rovuma_policy::act;
use rovuma_schemas::audit::AuditAction;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::{error::ApiError, openapi::Refusals};
use crate::{
    alerts::{draft::DraftView, list, state::DraftState},
    audit,
    gateway::Gateway,
};

/// Which drafts, and which page of them.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only those in this state; without it, those neither released nor discarded.
    #[param(inline)]
    state: Option<DraftState>,
    /// Only the caller's own.
    #[serde(default)]
    mine: bool,
    /// Rows wanted, 1 to 200; 50 when absent.
    #[serde(skip_serializing)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[serde(skip_serializing)]
    cursor: Option<String>,
}

/// Lists drafts without their content, the newest first. The search is audited. A machine client sees its
/// own only.
#[utoipa::path(
    get, path = "/v1/alerts", operation_id = "list_alerts", tag = "alerts",
    params(Filter),
    responses((status = 200, description = "A page of drafts.", body = Page<DraftView>), Refusals)
)]
pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(filter): Query<Filter>,
) -> Result<Json<Page<DraftView>>, ApiError> {
    let permit = gateway.permit_own(&caller, act::AlertListDrafts).await?;
    let cursors = Cursors::of("drafts", caller.agency().as_str(), &filter);
    let window = cursors.window(filter.limit, filter.cursor.as_deref())?;
    let own_only = filter.mine || caller.actor().is_machine();
    let wanted = list::Wanted { state: filter.state, author: own_only.then(|| caller.subject().to_owned()) };
    let mut conn = gateway.store.read().acquire().await?;
    let rows = list::page(&mut conn, &permit, &wanted, &window).await?;
    drop(conn);
    let rows = rows.into_iter().map(|(key, draft)| (key, DraftView::row(draft))).collect();
    let page = cursors.page(&window, rows);
    let act = audit::by(caller.actor(), AuditAction::DraftSearch, gateway.now())
        .detail("hits", page.items.len())
        .detail("filter.state", filter.state.map_or("open", DraftState::as_str));
    gateway.record(act).await?;
    Ok(Json(page))
}
