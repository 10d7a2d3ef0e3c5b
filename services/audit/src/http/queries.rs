//! `/v1/queries`: searches that auditors keep under a name.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use rovuma_api::{
    ApiState as _, Caller, act_by,
    answers::audit::{SavedSearch, SavedSearches},
    entity_tag::{self, OnlyIfNew},
    openapi::{IfNoneMatchHeader, NotFound},
    request::{JsonBody, Path},
};
use rovuma_policy::{Permit, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::FutureExt;
use rovuma_trail::AuditRecord;

use super::{error::ApiError, openapi::Refusals, query};
use crate::{
    auditor::Auditor,
    error::DbError,
    log::{
        EventFilter,
        saved::{self, SavedQuery},
    },
    own,
};

/// Searches that one auditor keeps at most: more are no list that somebody finds anything in.
const QUERIES_MAX: u64 = 100;

/// A name at most, in characters.
const NAME_MAX: usize = 64;

/// The searches that the caller keeps.
#[utoipa::path(
    get, path = "/v1/queries", tag = "events",
    responses((status = 200, description = "The searches.", body = SavedSearches), Refusals)
)]
pub(super) async fn list_queries(
    State(auditor): State<Arc<Auditor>>,
    caller: Caller,
) -> Result<Json<SavedSearches>, ApiError> {
    let permit = query::permit_search(&auditor, &caller, None).await?;
    let key = &auditor.sequencer.payload_key;
    let kept = saved::list(auditor.store.read(), key, permit.actor().subject()).await?;
    auditor.record(about_saved(&permit, auditor.now(), "list").detail("found", kept.len())).await?;
    let view = |query: SavedQuery| SavedSearch {
        name: query.name,
        filter: query.filter.to_pairs().into_iter().map(|(name, value)| (name, value.into())).collect(),
        saved_at: query.saved_at,
    };
    Ok(Json(SavedSearches { items: kept.into_iter().map(view).collect() }))
}

/// Keeps a search under a name, in the place of one with the same name unless `If-None-Match: *` forbids that. Nobody else sees it; that it was saved is written to
/// the log.
#[utoipa::path(
    put, path = "/v1/queries/{name}", tag = "events",
    params(("name" = String, Path, description = "One line of 1 to 64 characters."), IfNoneMatchHeader),
    request_body(content = Object, content_type = "application/json", description = "Filters and order as `/v1/events` takes them."),
    responses(
        (status = 204, description = "Saved."),
        (status = 409, description = "`too_many`: 100 are kept already.", body = Problem,
            content_type = "application/problem+json"),
        (status = 412, description = "`already_there`: with `If-None-Match: *`, one of this name is kept already.", body = Problem,
            content_type = "application/problem+json"),
        Refusals
    )
)]
pub(super) async fn save_query(
    State(auditor): State<Arc<Auditor>>,
    caller: Caller,
    Path(name): Path<String>,
    OnlyIfNew(is_new): OnlyIfNew,
    JsonBody(filter): JsonBody,
) -> Result<StatusCode, ApiError> {
    let permit = query::permit_search(&auditor, &caller, None).await?;
    let bad = |what: String| Problem::bad_request("body").detail(what);
    let filter: EventFilter = serde_json::from_slice(&filter)
        .map_err(|fault| bad(format!("The body is not as documented: {fault}.")))?;
    if filter.limit.is_some() || filter.cursor.is_some() {
        return Err(bad("limit and cursor belong to pages, not to a search.".to_owned()).into());
    }
    if !(1..=NAME_MAX).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(Problem::bad_request("name").detail("A name is one line of 1 to 64 characters.").into());
    }
    let event = about_saved(&permit, auditor.now(), "saved");
    let owner = permit.actor().subject().to_owned();
    let (sequencer, now) = (Arc::clone(&auditor.sequencer), auditor.now());
    let write = auditor.store.write(move |tx| {
        async move {
            if is_new && saved::exists(tx, &sequencer.payload_key, &owner, &name).await? {
                return Err(entity_tag::already_there(&format!("A search {name:?}")).into());
            }
            let query = SavedQuery { name, filter, saved_at: now };
            saved::save(tx, &sequencer.payload_key, &owner, &query).await?;
            if saved::count(tx, &owner).await? > QUERIES_MAX {
                let detail = format!("{QUERIES_MAX} searches are kept already: forget one first.");
                return Err(ApiError::from(Problem::new(StatusCode::CONFLICT, "too_many").detail(detail)));
            }
            let appender = sequencer.begin(tx, now).await?;
            Ok(own::record_alone(tx, appender, event).await?)
        }
        .boxed()
    });
    write.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets a search.
#[utoipa::path(
    delete, path = "/v1/queries/{name}", tag = "events",
    params(("name" = String, Path, description = "Its name.")),
    responses(
        (status = 204, description = "Forgotten."),
        NotFound,
        Refusals
    )
)]
pub(super) async fn forget_query(
    State(auditor): State<Arc<Auditor>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, ApiError> {
    let permit = query::permit_search(&auditor, &caller, None).await?;
    let owner = permit.actor().subject().to_owned();
    let missing = Problem::no_such(format_args!("saved search {name:?}"), "GET /v1/queries lists your own.");
    let (event, sequencer, now) =
        (about_saved(&permit, auditor.now(), "forgotten"), Arc::clone(&auditor.sequencer), auditor.now());
    let write = auditor.store.write(move |tx| {
        async move {
            let found = saved::delete(tx, &sequencer.payload_key, &owner, &name).await?;
            if found {
                let appender = sequencer.begin(tx, now).await?;
                own::record_alone(tx, appender, event).await?;
            }
            Ok::<_, DbError>(found)
        }
        .boxed()
    });
    if write.await? { Ok(StatusCode::NO_CONTENT) } else { Err(missing.into()) }
}

/// What was done with a search that is kept: what it searches for is the auditor's own affair until it is asked.
fn about_saved(permit: &Permit<act::AuditSearch>, now: Timestamp, what: &str) -> AuditRecord {
    act_by(permit.actor(), AuditAction::AuditRead, now)
        .object("saved_queries", permit.actor().subject())
        .detail("view", what)
}
