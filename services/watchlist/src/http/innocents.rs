//! `/v1/innocents`: travellers who are known not to be the listed person.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, ApiState as _, Caller, act_by,
    answers::watchlist::InnocentRow,
    cursors::Cursors,
    openapi::NotFound,
    page::{Page, PageQuery},
    request::{Path, Query},
};
use rovuma_policy::{Action, Resource, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{
    MessageId,
    audit::{AuditAction, AuditObject},
};
use rovuma_store::FutureExt;

use super::{error::ApiError, openapi::Refusals};
use crate::{error::DbError, innocents, watchlist::Watchlist};

/// Lists them, the newest first, without their documents.
#[utoipa::path(
    get, path = "/v1/innocents", operation_id = "list_innocents", tag = "candidates",
    params(PageQuery),
    responses((status = 200, description = "A page.", body = Page<InnocentRow>), Refusals)
)]
pub(crate) async fn list(
    State(watchlist): State<Arc<Watchlist>>,
    caller: Caller,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<InnocentRow>>, ApiError> {
    watchlist.permit_own(&caller, act::CandidateRead).await?;
    let cursors = Cursors::<[u8; 16]>::of("innocents", caller.agency().as_str(), &());
    let window = cursors.window(query.limit, query.cursor.as_deref())?;
    let before = match window.after {
        Some(key) => Some(MessageId::from_slice(&key).map_err(|_| rovuma_api::cursors::bad_cursor())?),
        None => None,
    };
    let mut conn = watchlist.store.read().acquire().await?;
    let rows = innocents::page(&mut conn, caller.agency(), before, window.fetch()).await?;
    drop(conn);
    let page = cursors.page(&window, rows.into_iter().map(|row| (*row.id.as_bytes(), row)).collect());
    let act = act_by(caller.actor(), AuditAction::CandidateSearch, watchlist.now())
        .detail("filter.state", "innocent")
        .detail("found", page.items.len());
    watchlist.record(act).await?;
    Ok(Json(page))
}

/// Approves what another person said of a candidate: the traveller is no longer stopped for it.
#[utoipa::path(
    post, path = "/v1/innocents/{id}/approval", operation_id = "approve_innocent", tag = "candidates",
    params(("id" = String, Path, description = "The candidate.")),
    responses(
        (status = 204, description = "Approved."),
        (status = 409, description = "`decided_already`: it is approved.", body = Problem, content_type = "application/problem+json"),
        NotFound,
        Refusals
    )
)]
pub(crate) async fn approve(
    State(watchlist): State<Arc<Watchlist>>,
    caller: Caller,
    Path(id): Path<MessageId>,
) -> Result<axum::http::StatusCode, ApiError> {
    let mut conn = watchlist.store.read().acquire().await?;
    let found = innocents::one(&mut conn, id).await?;
    drop(conn);
    let Some((agency, proposed_by)) = found else {
        let object = AuditObject::new("hit", id.to_string());
        return Err(watchlist.missing(&caller, Action::CandidateDecide, object, false).await);
    };
    let resource = Resource::agency(&agency);
    watchlist.permit_to_see(&caller, act::CandidateDecide, &resource).await?;
    if proposed_by == caller.subject() {
        let sentence = "Another person approves what you propose.";
        return watchlist.refuse(&caller, "candidate.decide", &resource, "second_person", sentence).await;
    }
    let now = watchlist.now();
    let act = act_by(caller.actor(), AuditAction::CandidateDecide, now)
        .object("hit", id)
        .detail("state", "innocent")
        .detail("step", "approved");
    let (trail, by) = (watchlist.trail.clone(), caller.subject().to_owned());
    let write = watchlist.store.write(move |tx| {
        async move {
            let is_approved = innocents::approve(tx, id, &by, now).await?;
            if is_approved {
                trail.record(tx, &act).await?;
            }
            Ok::<_, DbError>(is_approved)
        }
        .boxed()
    });
    if write.await? {
        Ok(axum::http::StatusCode::NO_CONTENT)
    } else {
        Err(Problem::conflict("decided_already").detail("Somebody approved it already.").into())
    }
}
