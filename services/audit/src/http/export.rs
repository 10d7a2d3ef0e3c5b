//! `GET /v1/export`: everything that a search finds, as a file.

mod csv_rows;

use std::{pin::Pin, sync::Arc};

use async_stream::try_stream;
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures::Stream;
use rovuma_api::{ApiState as _, Caller, answers::audit::LogEntry};
use rovuma_policy::{Permit, act};
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
    error::DbError,
    log::{
        EventFilter,
        search::{self, EntryRange},
    },
};
use csv_rows::CsvRows;

/// Entries of one export at most: what a spreadsheet still opens.
pub(super) const EXPORT_MAX: u64 = 100_000;

/// Entries read from the store at once.
const READ_AT_ONCE: u32 = 200;

const CSV: &str = "text/csv; charset=utf-8; header=present";

/// What goes out piece by piece.
pub(super) type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, DbError>> + Send>>;

/// Hands out everything that the filters let pass, as JSON or, with `Accept: text/csv`, as a table (RFC 4180) in which texts
/// that a spreadsheet would take for a formula begin with an apostrophe. That it was exported, by whom and how much, is written to
/// the log before the first byte. What breaks off on the way is no whole file: JSON does not close, and a table has fewer rows than
/// the header `Rovuma-Count` says.
#[utoipa::path(
    get, path = "/v1/export", tag = "events",
    params(EventFilter),
    responses(
        (status = 200, description = "`items` as `/v1/events` has them, with `count` and `end`; or a table.",
            content((Object = "application/json"), (String = "text/csv"))),
        (status = 400, description = "`range`: more than 100,000 entries. Ask for a shorter time.", body = Problem,
            content_type = "application/problem+json"),
        Refusals
    )
)]
pub(super) async fn export(
    State(auditor): State<Arc<Auditor>>,
    caller: Caller,
    headers: HeaderMap,
    WholeQuery(filter): WholeQuery,
) -> Result<Response, ApiError> {
    let permit = query::permit_search(&auditor, &caller, filter.agency.as_ref()).await?;
    words::check(&auditor, &permit, &filter).await?;
    let end = search::length(auditor.store.read()).await?;
    let found = counted(&auditor, &permit, &filter, end).await?;
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let is_csv = accept.starts_with("text/csv");
    let event = asked(&auditor, AuditAction::Export, &permit, &filter, found).detail("end", end);
    auditor.record(event.detail("form", if is_csv { "csv" } else { "json" })).await?;
    let entries = entries(auditor, permit, filter, (end, found));
    let (kind, pieces) =
        if is_csv { (CSV, as_csv(entries)) } else { ("application/json", as_json(entries, found, end)) };
    let headers = [
        (header::CONTENT_TYPE.as_str(), kind.to_owned()),
        (header::CACHE_CONTROL.as_str(), "no-store".to_owned()),
        ("rovuma-count", found.to_string()),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// How many entries will be handed out.
///
/// # Errors
/// 400 when they are too many.
pub(super) async fn counted(
    auditor: &Auditor,
    permit: &Permit<act::AuditSearch>,
    filter: &EventFilter,
    end: u64,
) -> Result<u64, ApiError> {
    let found = search::count(auditor.store.read(), &auditor.sequencer, permit, filter, end).await?;
    if found > EXPORT_MAX {
        let detail =
            format!("{found} entries: at most {EXPORT_MAX} are exported at once. Ask for a shorter time.");
        return Err(Problem::bad_request("range").detail(detail).into());
    }
    Ok(found)
}

/// The entries below `end` that the filter lets pass, some at a time.
pub(super) fn entries(
    auditor: Arc<Auditor>,
    permit: Permit<act::AuditSearch>,
    filter: EventFilter,
    (end, count): (u64, u64),
) -> impl Stream<Item = Result<Vec<LogEntry>, DbError>> + Send {
    try_stream! {
        let (mut after, mut given) = (None, 0);
        loop {
            let window = EntryRange { after, end, fetch: READ_AT_ONCE };
            let pool = auditor.store.read();
            let entries = search::entries(pool, &auditor.sequencer, &permit, &filter, &window).await?;
            let Some(last) = entries.last() else { break };
            after = Some(last.index);
            given += entries.len() as u64;
            yield entries;
        }
        // What was counted and is gone meanwhile was pruned: the answer breaks off, and is asked for again.
        if given != count {
            Err(DbError::damaged("search", format!("{given} entries of {count} were left")))?;
        }
    }
}

fn as_json(
    entries: impl Stream<Item = Result<Vec<LogEntry>, DbError>> + Send + 'static,
    count: u64,
    end: u64,
) -> Pieces {
    Box::pin(try_stream! {
        yield Bytes::from(format!("{{\"count\":{count},\"end\":{end},\"items\":["));
        let mut is_first = true;
        for await entries in entries {
            let mut piece = Vec::new();
            for entry in entries? {
                piece.extend_from_slice(if is_first { b"\n" } else { b",\n" });
                is_first = false;
                serde_json::to_writer(&mut piece, &entry).map_err(|fault| DbError::damaged("entry", fault))?;
            }
            yield Bytes::from(piece);
        }
        yield Bytes::from("\n]}\n");
    })
}

fn as_csv(entries: impl Stream<Item = Result<Vec<LogEntry>, DbError>> + Send + 'static) -> Pieces {
    Box::pin(try_stream! {
        yield Bytes::from(CsvRows::heading()?);
        for await entries in entries {
            let mut rows = CsvRows::default();
            for entry in entries? {
                rows.add(&entry)?;
            }
            yield Bytes::from(rows.into_bytes()?);
        }
    })
}
