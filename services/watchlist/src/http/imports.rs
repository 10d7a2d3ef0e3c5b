//! `POST /v1/lists/{name}`: imports a list.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
};
use jiff::civil::Date;
use rovuma_api::{
    Access as _, Caller, act_by,
    answers::watchlist::{ImportReport, ListFile},
    request::{Path, Query},
};
use rovuma_policy::act;
use rovuma_runtime::Problem;
use rovuma_schemas::{MessageId, audit::AuditAction};
use rovuma_store::FutureExt;
use rovuma_trail::AuditRecord;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use utoipa::IntoParams;

use super::{error::ApiError, openapi::Refusals};
use crate::{
    error::DbError,
    imports::{self, Enforced, LISTS_MAX, Proposal, ReadFile, Upload},
    lists::ListSource,
    standings::{self, ImportedFile},
    watchlist::Watchlist,
};

/// The query of `POST /v1/lists/{name}`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ImportQuery {
    /// The form of the file.
    #[param(pattern = "^(un|ofac|csv)$")]
    source: String,
    /// Only read the file and say what it has.
    #[serde(default)]
    dry_run: bool,
    /// The day on which the file was published, `2026-11-30`.
    #[param(pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    dated: Option<String>,
    /// Of `ofac`: how many bytes at the beginning of the body are `alt.csv`. `sdn.csv` follows it at once.
    #[param(maximum = 12_582_912)]
    aliases_bytes: Option<u64>,
}

/// Imports a list: in the place of the one of this name, or as a new one.
///
/// The body is read as it arrives. The old list stays in force until the new one is whole; then all of it is in force at one instant. The file
/// that is in force already changes nothing. A list that loses more than 10 % of its records or a whole section, or is dated before the one in
/// force, waits 24 hours for a second person: `POST /v1/lists/{name}/approval`. An import takes the place of what waited.
#[utoipa::path(
    post, path = "/v1/lists/{name}", operation_id = "import_list", tag = "lists",
    params(("name" = String, Path, description = "The list: not `alerts`."), ImportQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file."),
    responses(
        (status = 200, description = "In force, unchanged, or only read.", body = ImportReport),
        (status = 409, description = "`needs_second_person`, with the figures; `lists_full`: there are 16 imported lists; `import_running`.",
            body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`: more than 256 MiB.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`: the body is not `application/octet-stream`, or has a `Content-Encoding`.",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`list_refused`: the file is cut, or not what its form should be. Nothing of it is used.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn import(
    State(watchlist): State<Arc<Watchlist>>,
    caller: Caller,
    Path(name): Path<String>,
    Query(query): Query<ImportQuery>,
    request: Request,
) -> Result<Json<ImportReport>, ApiError> {
    watchlist.permit_own(&caller, act::ListImport).await?;
    let (source, dated) = checked(&watchlist, &name, &query)?;
    if !is_octets(request.headers()) {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
            .detail("Send the file as Content-Type: application/octet-stream, without Content-Encoding.")
            .into());
    }
    let turn = turn(&watchlist)?;
    let before = imported_file(&watchlist, &name).await?;
    if before.is_none() && watchlist.lists.imported() >= LISTS_MAX {
        return Err(Problem::conflict("lists_full")
            .detail(format!(
                "There are {LISTS_MAX} imported lists. Take one out first: DELETE /v1/lists/<name>."
            ))
            .into());
    }
    let new = NewFile { caller: &caller, name: &name, source, dated, before };
    if query.dry_run {
        let read = read(&watchlist, &new, query.aliases_bytes, request.into_body(), None).await?;
        return Ok(Json(new.report("dry_run", &read)));
    }
    imports::sweep(&watchlist).await?;
    let import = MessageId::draw(watchlist.now());
    let read = read(&watchlist, &new, query.aliases_bytes, request.into_body(), Some(import)).await?;
    take(&watchlist, &new, import, read, turn).await.map(Json)
}

/// A file that is being imported.
struct NewFile<'a> {
    caller: &'a Caller,
    name: &'a str,
    source: ListSource,
    dated: Option<String>,
    /// The file in force.
    before: Option<ImportedFile>,
}

impl NewFile<'_> {
    fn reasons(&self, file: &ListFile) -> Vec<String> {
        self.before.as_ref().map(|before| imports::reasons(&before.file, file)).unwrap_or_default()
    }

    fn records_before(&self) -> Option<u64> {
        self.before.as_ref().map(|before| before.file.records)
    }

    fn report(&self, result: &str, read: &ReadFile) -> ImportReport {
        let file = read.file(self.dated.clone());
        let is_same = self.before.as_ref().is_some_and(|before| before.digest == read.digest);
        ImportReport {
            name: self.name.to_owned(),
            source: self.source.as_str().to_owned(),
            result: result.to_owned(),
            records_before: self.records_before(),
            reasons: if is_same { Vec::new() } else { self.reasons(&file) },
            counts: read.counts(),
            skipped: read.skipped(),
            encoding: read.outcome.encoding.to_owned(),
            warnings: read.outcome.warnings.clone(),
            file,
        }
    }

    fn act(&self, watchlist: &Watchlist, step: &str, read: &ReadFile) -> AuditRecord {
        let file = read.file(self.dated.clone());
        let act = list_act(watchlist, self.caller, self.name, step);
        of_file(act.detail("source", self.source).detail("skipped", read.outcome.counts.skipped), &file)
    }
}

async fn read(
    watchlist: &Watchlist,
    new: &NewFile<'_>,
    aliases_bytes: Option<u64>,
    body: Body,
    into: Option<MessageId>,
) -> Result<ReadFile, ApiError> {
    let upload = Upload { list: new.name.to_owned(), source: new.source, aliases_bytes, body };
    Ok(imports::read(watchlist, upload, into).await?)
}

/// Decides what becomes of a file that was read to its end.
async fn take(
    watchlist: &Arc<Watchlist>,
    new: &NewFile<'_>,
    import: MessageId,
    read: ReadFile,
    turn: OwnedSemaphorePermit,
) -> Result<ImportReport, ApiError> {
    if let Some(before) = new.before.as_ref().filter(|before| before.digest == read.digest) {
        confirm(watchlist, new, before, &read).await?;
        imports::sweep(watchlist).await?;
        return Ok(new.report("unchanged", &read));
    }
    let file = read.file(new.dated.clone());
    let reasons = new.reasons(&file);
    if reasons.is_empty() {
        let (list, source) = (new.name.to_owned(), new.source.as_str().to_owned());
        let act = new.act(watchlist, "loaded", &read);
        let digest = read.digest;
        imports::change(watchlist, turn, Enforced { list, source, import, file, digest, act }).await?;
        return Ok(new.report("loaded", &read));
    }
    let figures = (new.records_before().unwrap_or_default(), new.source, file);
    let act = new.act(watchlist, "proposed", &read).detail("reasons", reasons.join(" "));
    let refusal = needs_second_person(figures.0, &figures.2, &reasons);
    let by = new.caller.subject();
    let proposal = Proposal::import((new.name, import), by, watchlist.now(), reasons, figures);
    propose(watchlist, proposal, act).await?;
    Err(refusal.into())
}

/// The file is the one in force: whoever publishes it still does. Only the age of the list changes, and its day if a later one is given.
async fn confirm(
    watchlist: &Watchlist,
    new: &NewFile<'_>,
    before: &ImportedFile,
    read: &ReadFile,
) -> Result<(), ApiError> {
    let Some(mut standing) = watchlist.lists.get(new.name) else { return Ok(()) };
    standing.heard_at = Some(watchlist.now());
    let dated = new.dated.clone().max(before.file.dated.clone());
    let file = ListFile { dated, ..before.file.clone() };
    let (trail, act) = (watchlist.trail.clone(), new.act(watchlist, "unchanged", read));
    let (list, stored) = (new.name.to_owned(), standing.clone());
    let write = watchlist.store.write(move |tx| {
        async move {
            standings::store(tx, &list, &stored).await?;
            standings::set_file(tx, &list, &file).await?;
            trail.record(tx, &act).await?;
            Ok::<_, DbError>(())
        }
        .boxed()
    });
    write.await?;
    watchlist.lists.update(new.name, |list| list.heard_at = standing.heard_at);
    Ok(())
}

fn needs_second_person(before: u64, file: &ListFile, reasons: &[String]) -> Problem {
    let sections: Vec<_> = file.sections.iter().map(|(name, count)| format!("{name} {count}")).collect();
    Problem::conflict("needs_second_person").detail(format!(
        "The file has {} records ({}), the list in force has {before}: {}. It waits for 24 hours. A second person approves it: POST \
         /v1/lists/<name>/approval. Until then the list in force stays.",
        file.records,
        sections.join(", "),
        reasons.join(", ")
    ))
}

pub(super) async fn propose(
    watchlist: &Watchlist,
    proposal: Proposal,
    act: AuditRecord,
) -> Result<(), ApiError> {
    let trail = watchlist.trail.clone();
    let write = watchlist.store.write(move |tx| {
        async move {
            imports::put_proposal(tx, &proposal).await?;
            trail.record(tx, &act).await?;
            Ok::<_, DbError>(())
        }
        .boxed()
    });
    Ok(write.await?)
}

/// The turn to change lists: one import runs at a time.
pub(super) fn turn(watchlist: &Watchlist) -> Result<OwnedSemaphorePermit, Box<Problem>> {
    Arc::clone(&watchlist.importing).try_acquire_owned().map_err(|_| {
        let problem = Problem::conflict("import_running");
        Box::new(problem.detail("Another list is being imported. Try again when it has ended."))
    })
}

pub(super) async fn imported_file(
    watchlist: &Watchlist,
    name: &str,
) -> Result<Option<ImportedFile>, ApiError> {
    let mut conn = watchlist.store.read().acquire().await?;
    Ok(standings::file(&mut conn, name).await?)
}

pub(super) fn list_act(watchlist: &Watchlist, caller: &Caller, name: &str, step: &str) -> AuditRecord {
    act_by(caller.actor(), AuditAction::ListImport, watchlist.now()).object("list", name).detail("step", step)
}

pub(super) fn of_file(act: AuditRecord, file: &ListFile) -> AuditRecord {
    let act = act.detail("records", file.records).detail("digest", &file.digest);
    match &file.dated {
        Some(dated) => act.detail("dated", dated),
        None => act,
    }
}

/// The parts of the request that have a form, checked.
fn checked(
    watchlist: &Watchlist,
    name: &str,
    query: &ImportQuery,
) -> Result<(ListSource, Option<String>), Box<Problem>> {
    let bad_query = |sentence: &str| Box::new(Problem::bad_request("query").detail(sentence));
    if !imports::is_list_name(name) {
        let sentence = "The name of a list has 2 to 32 of a-z, 0-9, _ and -, and is not alerts.";
        return Err(Box::new(Problem::bad_request("path").detail(sentence)));
    }
    let Ok(source) = query.source.parse::<ListSource>() else {
        return Err(bad_query("source is un, ofac or csv."));
    };
    if query.aliases_bytes.is_some() && source != ListSource::Ofac {
        return Err(bad_query("Only the source ofac has a file of aliases."));
    }
    let Some(dated) = &query.dated else { return Ok((source, None)) };
    let today = watchlist.now().to_string();
    let is_day = dated.len() == "2026-11-30".len() && dated.parse::<Date>().is_ok();
    if !is_day || today.get(..dated.len()).is_none_or(|today| dated.as_str() > today) {
        return Err(bad_query("dated is a day up to today, such as 2026-11-30."));
    }
    Ok((source, Some(dated.clone())))
}

fn is_octets(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?").trim());
    let is_encoded =
        text(header::CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"));
    let kind = text(header::CONTENT_TYPE).unwrap_or_default();
    kind.eq_ignore_ascii_case("application/octet-stream") && !is_encoded
}
