//! `/v1/cases`: what several signed messages add up to.

mod hold;
pub(super) mod view;

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    Access as _, ApiState as _, Caller,
    answers::gateway::{self as answers, CaseTimeline, CaseView},
    cursors::Cursors,
    openapi::NotFound,
    page::Page,
    request::{Path, Query},
};
use rovuma_policy::{Action, Context, Resource, act};
use rovuma_schemas::{
    AgencyCode, CaseId, Facet, MessageId, Status, Timestamp,
    audit::{AuditAction, AuditObject},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

pub(super) use self::hold::*;
use super::{
    error::ApiError,
    openapi::Refusals,
    words::{self, WordKind},
};
use crate::{
    audit,
    cases::{
        kept::CaseKey,
        list::{self, CaseFilter, CaseRow},
        open::{self, OpenedCase},
    },
    gateway::Gateway,
};

/// Who must act, as a filter.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BallFilter {
    /// Our agency.
    Ours,
    /// Another party.
    Theirs,
    /// Nobody must act.
    Nobody,
}

/// A state, as a filter.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StateFilter {
    /// Messages about it are here, and its content is not.
    NotArrived,
    /// Officers act on the alert.
    Active,
    /// Its emergency release was not confirmed in time.
    Suspended,
    /// Its end has passed.
    Expired,
    /// Its issuer took it back.
    Withdrawn,
    /// The agency asked works on it.
    Open,
    /// The requester is asked for more.
    Clarification,
    /// Answered completely.
    Answered,
    /// Refused.
    Refused,
    /// Cancelled before an answer.
    Cancelled,
    /// The requester has read the last answer and needs no more.
    Closed,
    /// A hit was reported.
    Notified,
    /// The owner of its alert needs more time.
    MoreTime,
    /// The owner of its alert confirmed the hit.
    Confirmed,
    /// The owner of its alert did not confirm the hit.
    NotConfirmed,
    /// Its reporter did what the alert asks for.
    Action,
    /// Its reporter did nothing.
    NoAction,
    /// Its reporter released the person or thing.
    Released,
    /// Its reporter could not do what the alert asks for.
    NotPossible,
    /// Its reporter took the hit back.
    Retracted,
    /// Information that was shared.
    Shared,
    /// Leave is asked for, or whether a hit is confirmed.
    Asked,
    /// Leave was given.
    Granted,
    /// Leave was not given.
    Denied,
    /// The last day of the leave has passed.
    Lapsed,
}

/// The query of `GET /v1/cases`: filters and page.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CaseQuery {
    /// Only this kind: `alert`, `request`, `hit`, `info` or `permission`.
    #[param(value_type = Option<String>)]
    kind: Option<Facet>,
    /// Only those in this state now.
    #[param(inline)]
    state: Option<StateFilter>,
    /// Only those in which this side must act now.
    #[param(inline)]
    ball: Option<BallFilter>,
    /// Only those with this facet: the category of an alert, the kind of a request.
    #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9_.-]{1,48}$")]
    category: Option<Facet>,
    /// `actual`, `exercise` or `test`.
    #[param(value_type = Option<String>)]
    status: Option<Status>,
    /// Only those in which somebody must act by this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    due: Option<Timestamp>,
    /// Only those to which this agency is a party.
    #[param(value_type = Option<String>)]
    partner: Option<AgencyCode>,
    /// Only those whose reference begins with this text, or the one with this short reference.
    #[param(min_length = 1, max_length = 200, pattern = "^[^\\u0000-\\u001f]{1,200}$")]
    reference: Option<String>,
    /// Only the requests of this group, which ask several agencies the same.
    #[param(value_type = Option<String>, format = "uuid")]
    group: Option<MessageId>,
    /// Rows wanted, 1 to 200; 50 when absent.
    #[serde(skip_serializing_if = "rovuma_api::page::left_out")]
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "rovuma_api::page::left_out")]
    cursor: Option<String>,
}

/// Lists the agency's cases, the last opened first, each with its state at this moment. The search is audited.
#[utoipa::path(
    get, path = "/v1/cases", operation_id = "list_cases", tag = "cases",
    params(CaseQuery),
    responses((status = 200, description = "A page of cases.", body = Page<answers::CaseRow>), Refusals)
)]
pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(query): Query<CaseQuery>,
) -> Result<Json<Page<answers::CaseRow>>, ApiError> {
    let permit = gateway.permit_own(&caller, act::CaseList).await?;
    let cursors = Cursors::of("cases", caller.agency().as_str(), &query);
    let window = cursors.window(query.limit, query.cursor.as_deref())?;
    let word = |value: serde_json::Value| value.as_str().map(str::to_owned);
    let filter = CaseFilter {
        kind: query.kind.map(|kind| kind.to_string()),
        state: query.state.and_then(|state| word(serde_json::json!(state))),
        ball: query.ball.and_then(|ball| word(serde_json::json!(ball))),
        facet: query.category.map(|facet| facet.to_string()),
        status: query.status.map(|status| status.as_str().to_owned()),
        due_until: query.due,
        partner: query.partner,
        reference: query.reference.filter(|text| !text.trim().is_empty()),
        group: query.group,
    };
    let now = gateway.base.now();
    let mut conn = gateway.base.store.read().acquire().await?;
    let rows = list::page(&mut conn, &permit, &filter, &window, now).await?;
    drop(conn);
    let is_nothing = rows.is_empty() && window.after.is_none();
    let rows = rows.into_iter().map(|(key, row)| (key, view::row(row))).collect();
    let page = cursors.page(&window, rows);
    // The reference may be a person's: the log has that there was one.
    let named = CaseFilter { reference: filter.reference.as_ref().map(|_| "given".to_owned()), ..filter };
    let act = audit::by(caller.actor(), AuditAction::CaseSearch, now);
    let words = [
        ("kind", WordKind::Family, named.kind.clone()),
        ("category", WordKind::Facet, named.facet.clone()),
        ("partner", WordKind::Agency, named.partner.as_ref().map(ToString::to_string)),
    ];
    if let Some(unknown) = is_nothing.then(|| words::refusal(&gateway, &words)).flatten() {
        gateway.record(audit::search(act, &named, 0).refused(unknown.code.clone())).await?;
        return Err(unknown.into());
    }
    gateway.record(audit::search(act, &named, page.items.len())).await?;
    Ok(Json(page))
}

/// The query of one case.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AtQuery {
    /// The case as the agency could see it at this instant, from the messages that had arrived; now when absent.
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// Shows a case: its state, whose turn it is, what is missing, what may be sent next. It has no narrative. The read is audited.
#[utoipa::path(
    get, path = "/v1/cases/{kind}/{owner}/{id}", operation_id = "read_case", tag = "cases",
    params(
        ("kind" = String, Path, description = "`alert`, `request`, `hit`, `info` or `permission`."),
        ("owner" = String, Path, description = "The agency that opened it."),
        ("id" = String, Path, description = "The message that opened it, by any id under which it came."),
        AtQuery
    ),
    responses((status = 200, description = "The case.", body = CaseView), NotFound, Refusals)
)]
pub(crate) async fn read(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(name): Path<(String, AgencyCode, MessageId)>,
    Query(query): Query<AtQuery>,
) -> Result<Json<CaseView>, ApiError> {
    let (case, at) = opened(&gateway, &caller, name, query.at, "state").await?;
    Ok(Json(view::case(case, caller.agency(), at)))
}

/// Lists the messages of a case in the order that both sides give them, each with what it did to the state and what is known of its
/// way. The read is audited.
#[utoipa::path(
    get, path = "/v1/cases/{kind}/{owner}/{id}/timeline", operation_id = "read_case_timeline", tag = "cases",
    params(
        ("kind" = String, Path, description = "`alert`, `request`, `hit`, `info` or `permission`."),
        ("owner" = String, Path, description = "The agency that opened it."),
        ("id" = String, Path, description = "The message that opened it, by any id under which it came."),
        AtQuery
    ),
    responses((status = 200, description = "Its messages.", body = CaseTimeline), NotFound, Refusals)
)]
pub(crate) async fn timeline(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(name): Path<(String, AgencyCode, MessageId)>,
    Query(query): Query<AtQuery>,
) -> Result<Json<CaseTimeline>, ApiError> {
    let (case, _) = opened(&gateway, &caller, name, query.at, "timeline").await?;
    Ok(Json(CaseTimeline { steps: case.steps.into_iter().map(view::step).collect() }))
}

/// The case, when it is the caller's agency's and the policy lets the caller read it: else 404 or 403, audited.
async fn opened(
    gateway: &Gateway,
    caller: &Caller,
    name: (String, AgencyCode, MessageId),
    at: Option<Timestamp>,
    view: &'static str,
) -> Result<(OpenedCase, Timestamp), ApiError> {
    let now = gateway.base.now();
    let (key, row) = lookup(gateway, caller, name, Action::CaseRead).await?;
    let object = AuditObject::new("case", row.case.to_string());
    let resource = Resource::case(&row.case.to_string(), caller.agency());
    let permit = gateway.permit(caller, act::CaseRead, &resource, &Context::NONE).await?;
    let mut conn = gateway.base.store.read().acquire().await?;
    let at = at.filter(|at| *at < now);
    let found = open::open(&mut conn, &permit, (key, row), at.unwrap_or(now), at.is_some()).await?;
    drop(conn);
    let Some(found) = found else {
        return Err(gateway.missing(caller, Action::CaseRead, object, false).await);
    };
    let act = audit::by(caller.actor(), AuditAction::CaseRead, now)
        .object("case", found.row.case.clone())
        .detail("view", view);
    gateway.record(act).await?;
    Ok((found, at.unwrap_or(now)))
}

/// The case of the caller's agency with this name; else 404, audited as a refusal of `action`.
async fn lookup(
    gateway: &Gateway,
    caller: &Caller,
    (kind, owner, id): (String, AgencyCode, MessageId),
    action: Action,
) -> Result<(CaseKey, CaseRow), ApiError> {
    let case = CaseId { kind, owner, id };
    let mut conn = gateway.base.store.read().acquire().await?;
    let found = open::find(&mut conn, caller.agency(), &case, gateway.base.now()).await?;
    // Asked either way, so that it takes no longer to be refused what another agency has.
    let is_known = open::is_known(&mut conn, &case).await?;
    drop(conn);
    match found {
        Some(found) => Ok(found),
        None => {
            let object = AuditObject::new("case", case.to_string());
            Err(gateway.missing(caller, action, object, is_known).await)
        }
    }
}
