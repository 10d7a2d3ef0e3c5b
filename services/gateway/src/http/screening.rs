//! What a watchlist reads and says. `GET /v1/screening/alerts` is what it compares with what is found at a border post: it shows what
//! identifies persons and things, and nothing that an alert tells in words; `GET /v1/screening/hits` is what others found of the agency's own.
//! `POST /v1/screening/listed` is its word to the issuers.

mod view;

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rovuma_api::{
    Access as _, ApiState as _, Caller,
    answers::gateway::{HitOnAlert, SaidOfListed, ScreenedAlert},
    cursors::{Cursors, bad_cursor},
    idempotency::{self, Answer, IdempotencyKey},
    openapi::IdempotencyHeader,
    page::{Page, Window},
    request::{JsonBody, Query},
};
use rovuma_policy::act;
use rovuma_runtime::Problem;
use rovuma_schemas::{
    AgencyCode, CodeLists, MessageId, Timestamp, audit::AuditAction, subjects::CrossingCode,
};
use rovuma_store::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{error::ApiError, openapi::Refusals};
use crate::{
    audit,
    error::DbError,
    gateway::Gateway,
    screening::{
        self, Position, hits,
        report::{self, ReportedAlert},
    },
};

/// Maximum alerts and posts of one report: what one receipt has room for, and more posts than the border has.
const REPORTED_MAX: usize = 64;

/// The query of `GET /v1/screening/alerts` and of `GET /v1/screening/hits`: filter and page.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ScreeningQuery {
    /// Only those with this id, whatever their state and age: as a rule one, but two owners may use one id.
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
    let cursors = query.cursors("screening", &caller);
    let (window, now) = (query.window(&cursors)?, gateway.base.now());
    let mut conn = gateway.base.store.read().acquire().await?;
    let page = screening::page(&mut conn, &permit, query.case, &window, now).await?;
    drop(conn);
    let items = page.cases.into_iter().map(view::alert).collect();
    shown(&gateway, &caller, ("alerts", &query), items, page.next.map(|next| cursors.write(&next.write())))
        .await
}

/// Lists the hits that were reported on the agency's own alerts within the last six hours, the last one first. The read is audited.
#[utoipa::path(
    get, path = "/v1/screening/hits", operation_id = "list_hits_on_alerts", tag = "screening",
    params(ScreeningQuery),
    responses((status = 200, description = "A page of hits.", body = Page<HitOnAlert>), Refusals)
)]
pub(crate) async fn hits_on_alerts(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(query): Query<ScreeningQuery>,
) -> Result<Response, ApiError> {
    let permit = gateway.permit_own(&caller, act::ScreeningRead).await?;
    let cursors = query.cursors("hits", &caller);
    let (window, now) = (query.window(&cursors)?, gateway.base.now());
    let mut conn = gateway.base.store.read().acquire().await?;
    let page = hits::page(&mut conn, &permit, query.case, &window, now).await?;
    drop(conn);
    let items = page.hits.into_iter().filter_map(view::hit).collect();
    shown(&gateway, &caller, ("hits", &query), items, page.next.map(|next| cursors.write(&next.write())))
        .await
}

impl ScreeningQuery {
    fn cursors(&self, list: &str, caller: &Caller) -> Cursors<String> {
        Cursors::of(list, caller.agency().as_str(), self)
    }

    fn window(&self, cursors: &Cursors<String>) -> Result<Window<Position>, ApiError> {
        let Window { limit, after } = cursors.window(self.limit, self.cursor.as_deref())?;
        let after = after.map(|after| Position::read(&after).ok_or_else(bad_cursor)).transpose()?;
        Ok(Window { limit, after })
    }
}

/// A page as it is answered, once it is in the audit log that it was read.
async fn shown<T: Serialize>(
    gateway: &Gateway,
    caller: &Caller,
    (list, query): (&str, &ScreeningQuery),
    items: Vec<T>,
    next: Option<String>,
) -> Result<Response, ApiError> {
    let act = audit::by(caller.actor(), AuditAction::ScreeningRead, gateway.base.now()).detail("list", list);
    gateway.record(audit::search(act, query, items.len())).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(Page { items, next })).into_response())
}

/// What a watchlist acts on at its border posts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListedReport {
    /// The posts that it serves, codes of `crossings`.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 64)]
    posts: Vec<CrossingCode>,
    /// The alerts.
    #[schema(min_items = 1, max_items = 64)]
    alerts: Vec<ListedAlert>,
}

/// An alert on which posts act.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListedAlert {
    /// The agency that issued it.
    #[schema(value_type = String)]
    owner: AgencyCode,
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: MessageId,
    /// The version that is screened for; absent of one that was withdrawn and is screened for no longer.
    #[serde(default)]
    #[schema(minimum = 1)]
    version: Option<u32>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
}

/// Says to the issuers of alerts that border posts screen for their alerts, or no longer: as signed receipts (`receipt.listed`) for the
/// messages that brought the version in force, or took the alert back. Each post says so once of each message. The report is audited.
#[utoipa::path(
    post, path = "/v1/screening/listed", operation_id = "report_listed_alerts", tag = "screening",
    params(IdempotencyHeader),
    request_body = ListedReport,
    responses(
        (status = 200, description = "Signed, and in the outbox.", body = SaidOfListed),
        (status = 422, description = "`body_faulty`: no post or no alert, more than 64, or a post that is no code of `crossings`; `idempotency_conflict`.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn listed(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    key: IdempotencyKey,
    JsonBody(body): JsonBody,
) -> Result<Answer, ApiError> {
    let permit = gateway.permit_own(&caller, act::ScreeningReport).await?;
    let report: ListedReport = serde_json::from_slice(&body).map_err(|fault| {
        Problem::unprocessable("body_faulty", []).detail(format!("Posts and alerts are expected: {fault}"))
    })?;
    let counts = [report.posts.len(), report.alerts.len()];
    if counts.iter().any(|count| !(1..=REPORTED_MAX).contains(count)) {
        let detail = "A report has 1 to 64 posts and 1 to 64 alerts.";
        return Err(Problem::unprocessable("body_faulty", []).detail(detail).into());
    }
    // A post that is invented would take the place of one that is real.
    let known = CodeLists::shipped().get("crossings");
    if let Some(post) =
        report.posts.iter().find(|post| known.is_none_or(|known| known.find(post.as_str()).is_none()))
    {
        let detail = format!("{post} is no code of the list crossings.");
        return Err(Problem::unprocessable("body_faulty", []).detail(detail).into());
    }
    let reported = |alert: ListedAlert| {
        let ListedAlert { owner, id, version, since } = alert;
        ReportedAlert { owner, id, version, since }
    };
    let posts: BTreeSet<CrossingCode> = report.posts.into_iter().collect();
    let alerts: Vec<_> = report.alerts.into_iter().map(reported).collect();
    let (now, shared) = (gateway.base.now(), Arc::clone(&gateway));
    let attempt = key.attempt(&caller, &body);
    idempotency::once(&gateway.base.store, attempt, now, move |tx| {
        async move {
            let said = report::report(tx, &shared.exchange, &permit, (&posts, &alerts), now).await?;
            let record = audit::by(caller.actor(), AuditAction::ScreeningReport, now)
                .detail("alerts", alerts.len())
                .detail("posts", posts.len())
                .detail("said", said.said);
            shared.base.trail.record(tx, &record).await.map_err(DbError::from)?;
            let report::SaidOfAlerts { said, taken } = said;
            Answer::json(StatusCode::OK, &SaidOfListed { said, taken })
        }
        .boxed()
    })
    .await
}
