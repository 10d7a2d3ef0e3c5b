//! `GET /v1/counts/{span}/{by}`: how much was done, over time.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{ApiState as _, Caller, answers::audit::Counts, openapi::NotFound, request::Path};
use rovuma_runtime::Problem;
use rovuma_schemas::audit::AuditAction;

use super::{
    error::ApiError,
    events::asked,
    openapi::Refusals,
    query::{self, WholeQuery},
    words,
};
use crate::{
    auditor::Auditor,
    log::{
        EventFilter,
        search::{self, CountBy, CountSpan},
    },
};

/// Numbers in one answer at most: a year of days by twenty-five things, and no more than somebody looks at.
const COUNTS_MAX: u32 = 10_000;

/// Counts entries over time: those that the filters let pass, in each hour or day of UTC, by what was done, by whom, for whom, to
/// what kind of thing, or how it ended. Asking is written to the log before it is answered.
#[utoipa::path(
    get, path = "/v1/counts/{span}/{by}", tag = "events",
    params(
        ("span" = inline(CountSpan), Path, description = "In which spans of time."),
        ("by" = inline(CountBy), Path, description = "By what."),
        EventFilter
    ),
    responses((status = 200, description = "The numbers.", body = Counts), NotFound, Refusals)
)]
pub(super) async fn count(
    State(auditor): State<Arc<Auditor>>,
    caller: Caller,
    path: Result<Path<(CountSpan, CountBy)>, Problem>,
    WholeQuery(filter): WholeQuery,
) -> Result<Json<Counts>, ApiError> {
    let Path(shape) = path.map_err(|fault| Problem::not_found().detail(fault.detail.unwrap_or_default()))?;
    let permit = query::permit_search(&auditor, &caller, filter.agency.as_ref()).await?;
    words::check(&auditor, &permit, &filter).await?;
    let pool = auditor.store.read();
    let end = search::length(pool).await?;
    let fetch = (end, COUNTS_MAX + 1);
    let items = search::counts(pool, &auditor.sequencer, &permit, &filter, shape, fetch).await?;
    if items.len() > COUNTS_MAX as usize {
        let detail =
            format!("More than {COUNTS_MAX} numbers: ask for a shorter time, or count by something else.");
        return Err(Problem::bad_request("range").detail(detail).into());
    }
    let found: u64 = items.iter().map(|counted| counted.count).sum();
    let event = asked(&auditor, AuditAction::AuditSearch, &permit, &filter, found);
    auditor.record(event.detail("view", "counts")).await?;
    Ok(Json(Counts { items, end }))
}
