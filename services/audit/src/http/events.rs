//! `GET /v1/events`: searching the log.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    ApiState as _, Caller, act_by,
    answers::audit::EntryPage,
    cursors::Cursors,
    page::{PageQuery, Window},
};
use rovuma_policy::{Permit, act};
use rovuma_runtime::Problem;
use rovuma_schemas::audit::AuditAction;
use rovuma_trail::AuditRecord;

use super::{
    error::ApiError,
    openapi::Refusals,
    query::{self, SearchQuery},
    words,
};
use crate::{
    auditor::Auditor,
    log::{
        EventFilter, REFERENCE, SortOrder,
        search::{self, EntryRange},
    },
};

/// Searches the log. The search itself, with its filters and the number of entries found, is written to the log
/// before it is answered.
#[utoipa::path(
    get, path = "/v1/events", tag = "events",
    params(EventFilter, PageQuery),
    responses((status = 200, description = "A page of entries.", body = EntryPage), Refusals)
)]
pub(super) async fn search(
    State(auditor): State<Arc<Auditor>>,
    caller: Caller,
    query: SearchQuery,
) -> Result<Json<EntryPage>, ApiError> {
    let filter = &query.filter;
    let permit = query::permit_search(&auditor, &caller, filter.agency.as_ref()).await?;
    words::check(&auditor, &permit, filter).await?;
    let page = page(&auditor, &permit, &query).await?;
    auditor.record(asked(&auditor, AuditAction::AuditSearch, &permit, filter, page.items.len())).await?;
    Ok(Json(page))
}

async fn page(
    auditor: &Auditor,
    permit: &Permit<act::AuditSearch>,
    SearchQuery { filter, limit }: &SearchQuery,
) -> Result<EntryPage, ApiError> {
    let cursors = cursors(permit, filter);
    let cursor = match &filter.cursor {
        Some(text) => Some(cursors.read(text).and_then(Cursor::of_key).ok_or_else(bad_cursor)?),
        None => None,
    };
    let pool = auditor.store.read();
    let end = match cursor {
        Some(cursor) => cursor.end,
        None => search::length(pool).await?,
    };
    let shown = Window { limit: *limit, after: cursor.map(|cursor| cursor.after) };
    let window = EntryRange { after: shown.after, end, fetch: limit + 1 };
    let mut items = search::entries(pool, &auditor.sequencer, permit, filter, &window).await?;
    let more = shown.cut(&mut items);
    search::add_erasures(pool, &auditor.sequencer, permit, &mut items).await?;
    let last = items.last().filter(|_| more).map(|entry| entry.index);
    Ok(EntryPage { next: last.map(|after| cursors.write(&Cursor { after, end }.key())), items, end })
}

fn bad_cursor() -> Problem {
    Problem::bad_request("cursor").detail("This cursor does not belong to this search: begin it again.")
}

/// The cursors of a search: whose log, which filters, which order.
fn cursors(permit: &Permit<act::AuditSearch>, filter: &EventFilter) -> Cursors<[u8; 16]> {
    Cursors::of("events", permit.resource().owner().as_str(), &filter.to_pairs())
}

/// Where a search stands. It names the end of the log as it was when the search began, so that its pages are those
/// of that moment however the log grows meanwhile (every page that is asked for makes it grow).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    /// The last entry given.
    after: u64,
    /// How long the log was when the search began.
    end: u64,
}

impl Cursor {
    fn key(self) -> [u8; 16] {
        (u128::from(self.after) << 64 | u128::from(self.end)).to_be_bytes()
    }

    /// `None` for places that no log has.
    fn of_key(key: [u8; 16]) -> Option<Self> {
        let (after, end) = key.split_first_chunk()?;
        let cursor =
            Self { after: u64::from_be_bytes(*after), end: u64::from_be_bytes(end.try_into().ok()?) };
        i64::try_from(cursor.after.max(cursor.end)).is_ok().then_some(cursor)
    }
}

/// Who asked for what of whose log, and how much was found.
pub(super) fn asked(
    auditor: &Auditor,
    action: AuditAction,
    permit: &Permit<act::AuditSearch>,
    filter: &EventFilter,
    found: impl ToString,
) -> AuditRecord {
    let mut event = act_by(permit.actor(), action, auditor.now())
        .object("audit_log", permit.resource().id())
        .detail("found", found);
    for (name, mut value) in filter.to_pairs() {
        if name == REFERENCE {
            // The reference may name somebody, and is erased where an order says so: this event is not.
            value = auditor.sequencer.payload_key.reference_name(&value);
        }
        if name != "order" || filter.order != SortOrder::default() {
            event = event.detail(format!("filter.{name}"), value);
        }
    }
    if filter.cursor.is_some() { event.detail("page", "next") } else { event }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_names_places_in_a_log() {
        let cursor = Cursor { after: 41, end: 99 };
        assert_eq!(Cursor::of_key(cursor.key()), Some(cursor));
        assert_eq!(Cursor::of_key(Cursor { after: u64::MAX, end: 1 }.key()), None);
        assert_eq!(Cursor::of_key(Cursor { after: 1, end: u64::MAX }.key()), None);
    }
}
