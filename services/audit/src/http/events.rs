//! `GET /v1/events`: searching the log.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_policy::{Permit, act};
use rovuma_runtime::Problem;
use rovuma_schemas::audit::AuditAction;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    access,
    caller::Caller,
    cursor::{Cursor, Search},
    error::ApiError,
    openapi::Refusals,
    query::SearchQuery,
};
use crate::{
    auditor::Auditor,
    log::{
        CASE, Filter, Order,
        search::{self, Entry, Window},
    },
    own::OwnEvent,
};

/// A page of the log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page {
    /// The entries, in the order asked for.
    items: Vec<Entry>,
    /// How many entries the log had when the search began; later ones are not in its pages.
    end: u64,
    /// Where to go on: the `cursor` of the next request. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Searches the log. The search itself, with its filters and the number of entries found, is written to the log
/// before it is answered.
#[utoipa::path(
    get, path = "/v1/events", tag = "events",
    params(Filter),
    responses((status = 200, description = "A page of entries.", body = Page), Refusals)
)]
pub(super) async fn search(
    State(auditor): State<Arc<Auditor>>,
    caller: Caller,
    query: SearchQuery,
) -> Result<Json<Page>, ApiError> {
    let filter = &query.filter;
    let permit = access::permit_search(&auditor, &caller, filter.agency.as_ref()).await?;
    let page = page(&auditor, &permit, &query).await?;
    auditor.record(asked(&auditor, AuditAction::AuditSearch, &permit, filter, page.items.len())).await?;
    Ok(Json(page))
}

async fn page(
    auditor: &Auditor,
    permit: &Permit<act::AuditSearch>,
    SearchQuery { filter, limit }: &SearchQuery,
) -> Result<Page, ApiError> {
    let search = described(permit, filter);
    let cursor = match &filter.cursor {
        Some(text) => Some(search.read(text).ok_or_else(bad_cursor)?),
        None => None,
    };
    let pool = auditor.store.read();
    let end = match cursor {
        Some(cursor) => cursor.end,
        None => search::length(pool).await?,
    };
    let window = Window { after: cursor.map(|cursor| cursor.after), end, fetch: *limit + 1 };
    let mut items = search::entries(pool, &auditor.sequencer, permit, filter, &window).await?;
    let wanted = usize::try_from(*limit).unwrap_or(usize::MAX);
    let more = items.len() > wanted;
    items.truncate(wanted);
    let last = items.last().filter(|_| more).map(|entry| entry.index);
    Ok(Page { next: last.map(|after| search.write(Cursor { after, end })), items, end })
}

fn bad_cursor() -> Problem {
    Problem::bad_request("cursor").detail("This cursor does not belong to this search: begin it again.")
}

/// The search that a cursor belongs to: whose log, which filters, which order.
fn described(permit: &Permit<act::AuditSearch>, filter: &Filter) -> Search {
    let filters = filter.described();
    Search::described(&format!("{}\n{filters:?}", permit.resource().owner()))
}

/// Who asked for what of whose log, and how much was found.
pub(super) fn asked(
    auditor: &Auditor,
    action: AuditAction,
    permit: &Permit<act::AuditSearch>,
    filter: &Filter,
    found: impl ToString,
) -> OwnEvent {
    let mut event = OwnEvent::by(permit.actor(), action)
        .object("audit_log", permit.resource().id())
        .detail("found", found);
    for (name, mut value) in filter.described() {
        if name == CASE {
            // The reference may name somebody, and is erased with the case: this event is not.
            value = auditor.sequencer.payload_key.case_name(&value);
        }
        if name != "order" || filter.order != Order::default() {
            event = event.detail(&format!("filter.{name}"), value);
        }
    }
    if filter.cursor.is_some() { event.detail("page", "next") } else { event }
}
