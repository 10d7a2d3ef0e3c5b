//! `/v1/drafts`: writing a draft, and the steps of its release. A draft with faults is kept together with them.

pub(super) mod duplicates;
mod release;
mod steps;
mod validate;
pub(super) mod view;

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rovuma_api::{
    Access as _, ApiState as _, Caller,
    answers::gateway::{self as answers, DraftDocument, DraftView},
    cursors::Cursors,
    entity_tag::{IfMatch, etag},
    idempotency::{self, Answer, IdempotencyKey},
    openapi::{IdempotencyHeader, IfMatchHeader, NotFound, Outdated, VersionNotNamed},
    page::Page,
    request::{JsonBody, Path, Query},
};
use rovuma_policy::{Act, Context, Permit, Resource, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{
    MessageId, MessageType,
    audit::{AuditAction, AuditObject},
};
use rovuma_store::FutureExt;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use self::view::ContentView;
pub(super) use self::{release::*, steps::*, validate::*};
use super::{
    error::{ApiError, erased, in_language},
    openapi::Refusals,
};
use crate::{
    audit,
    cases::follow,
    drafts::{
        SeenVersion,
        content::Content,
        draft::{self, Draft},
        list::{self, DraftFilter},
        state::DraftState,
    },
    gateway::Gateway,
    messages::sent,
};

/// Keeps a new draft, with its faults if it has any: it need not be complete before it is submitted or released.
#[utoipa::path(
    post, path = "/v1/drafts", operation_id = "create_draft", tag = "drafts",
    params(IdempotencyHeader),
    request_body(content = DraftDocument, content_type = "application/json", description = "A draft, complete or not."),
    responses(
        (status = 201, description = "Kept. `faults` says what keeps it from being released.", body = DraftView,
            headers(("ETag" = String, description = "Its version."), ("Location" = String))),
        (status = 409, description = "`too_many_drafts`: the author has 500 drafts that are neither released nor discarded.",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`draft_faulty`: not even an incomplete draft (no JSON object of a known `type`, or too \
            large); `idempotency_conflict`.", body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn create(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    key: IdempotencyKey,
    JsonBody(body): JsonBody,
) -> Result<Answer, ApiError> {
    let now = gateway.base.now();
    let content = posted(&gateway, &caller, &body)?;
    let resource = new_draft(&caller, &content);
    let permit = gateway.permit(&caller, act::DraftCreate, &resource, &Context::NONE).await?;
    let attempt = key.attempt(&caller, &body);
    if let Some(answer) = idempotency::answered(&gateway.base.store, attempt.as_ref(), now).await? {
        return Ok(answer);
    }
    gateway.drafts.check_open_drafts(&permit).await?;
    let found = duplicates::of_content(&gateway, &caller, &content, MessageId::draw(now)).await?;
    let content_view = ContentView::new(&content, Some(found), caller.locale())?;
    let shared = Arc::clone(&gateway);
    idempotency::once(&gateway.base.store, attempt, now, move |tx| {
        async move {
            let draft = shared.drafts.create(tx, &permit, content, now).await?;
            let (version, address) = (etag(draft.version), format!("/v1/drafts/{}", draft.id));
            let view = view::whole(draft, content_view);
            Ok(Answer::json(StatusCode::CREATED, &view)?.etag(version).location(address))
        }
        .boxed()
    })
    .await
}

/// Reads a draft with its content and its faults of this moment. The read is audited, and lets a second person release
/// the version that they have read.
#[utoipa::path(
    get, path = "/v1/drafts/{id}", operation_id = "read_draft", tag = "drafts",
    params(("id" = String, Path, description = "The draft.")),
    responses(
        (status = 200, description = "The draft.", body = DraftView,
            headers(("ETag" = String, description = "Its version."))),
        NotFound,
        (status = 410, description = "`erased`: it became a message whose content was erased at the end of its case's retention.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn read(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<MessageId>,
) -> Result<Response, ApiError> {
    let (draft, permit) = permitted(&gateway, &caller, &id, act::DraftRead).await?;
    must_have_content(&gateway, &draft).await?;
    let (now, shared) = (gateway.base.now(), Arc::clone(&gateway));
    let recorded = gateway.base.store.write(move |tx| {
        async move {
            shared.drafts.record_read(tx, &permit, &draft, now).await?;
            Ok::<_, ApiError>(draft)
        }
        .boxed()
    });
    let draft = recorded.await?;
    let version = etag(draft.version);
    let headers = [(header::ETAG, version), (header::CACHE_CONTROL, "no-store".to_owned())];
    Ok((headers, Json(whole(&gateway, &caller, draft).await?)).into_response())
}

/// Puts other content, complete or not, in the place of the draft's. Only its author may, and not while it is with a
/// supervisor.
#[utoipa::path(
    put, path = "/v1/drafts/{id}", operation_id = "change_draft", tag = "drafts",
    params(("id" = String, Path, description = "The draft."), IfMatchHeader),
    request_body(content = DraftDocument, content_type = "application/json", description = "A draft, complete or not."),
    responses(
        (status = 200, description = "Changed.", body = DraftView,
            headers(("ETag" = String, description = "Its new version."))),
        NotFound,
        (status = 409, description = "`not_allowed_in_state`; `other_type`: a draft keeps its type.",
            body = Problem, content_type = "application/problem+json"),
        Outdated,
        (status = 422, description = "`draft_faulty`: not even an incomplete draft.",
            body = Problem, content_type = "application/problem+json"),
        VersionNotNamed,
        Refusals
    )
)]
pub(crate) async fn change(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<MessageId>,
    if_match: IfMatch,
    JsonBody(body): JsonBody,
) -> Result<Answer, ApiError> {
    let (_, permit) = permitted(&gateway, &caller, &id, act::DraftChange).await?;
    let seen = SeenVersion(Some(if_match.required()?));
    let now = gateway.base.now();
    let content = posted(&gateway, &caller, &body)?;
    let found = duplicates::of_content(&gateway, &caller, &content, id).await?;
    let content_view = ContentView::new(&content, Some(found), caller.locale())?;
    let shared = Arc::clone(&gateway);
    idempotency::once(&gateway.base.store, None, now, move |tx| {
        async move {
            let draft = shared.drafts.change(tx, &permit, seen, content, now).await?;
            let version = etag(draft.version);
            Ok(Answer::json(StatusCode::OK, &view::whole(draft, content_view))?.etag(version))
        }
        .boxed()
    })
    .await
}

/// The query of `GET /v1/drafts`: filters and page.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DraftQuery {
    /// Only those in this state; without it, those neither released nor discarded.
    #[param(inline, value_type = Option<answers::DraftState>)]
    state: Option<DraftState>,
    /// Only those of this type.
    #[serde(rename = "type")]
    #[param(value_type = Option<String>)]
    message_type: Option<MessageType>,
    /// Only the caller's own.
    #[serde(default)]
    mine: bool,
    /// Rows wanted, 1 to 200; 50 when absent.
    #[serde(skip_serializing_if = "rovuma_api::page::left_out")]
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    #[serde(skip_serializing_if = "rovuma_api::page::left_out")]
    cursor: Option<String>,
}

/// Lists drafts without their content, the newest first. The search is audited. A machine client sees its own only.
#[utoipa::path(
    get, path = "/v1/drafts", operation_id = "list_drafts", tag = "drafts",
    params(DraftQuery),
    responses((status = 200, description = "A page of drafts.", body = Page<DraftView>), Refusals)
)]
pub(crate) async fn list(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Query(query): Query<DraftQuery>,
) -> Result<Json<Page<DraftView>>, ApiError> {
    let permit = gateway.permit_own(&caller, act::DraftList).await?;
    let cursors = Cursors::of("drafts", caller.agency().as_str(), &query);
    let window = cursors.window(query.limit, query.cursor.as_deref())?;
    let own_only = query.mine || caller.actor().is_machine();
    let filter = DraftFilter {
        state: query.state,
        message_type: query.message_type,
        author: own_only.then(|| caller.subject().to_owned()),
    };
    let mut conn = gateway.base.store.read().acquire().await?;
    let rows = list::page(&mut conn, &permit, &filter, &window).await?;
    drop(conn);
    let rows = rows.into_iter().map(|(key, draft)| (key, view::row(draft))).collect();
    let page = cursors.page(&window, rows);
    let mut record = audit::by(caller.actor(), AuditAction::DraftSearch, gateway.base.now())
        .detail("hits", page.items.len())
        .detail("filter.state", query.state.map_or("open", DraftState::as_str));
    if let Some(message_type) = query.message_type {
        record = record.detail("filter.type", message_type);
    }
    gateway.record(record).await?;
    Ok(Json(page))
}

/// The content that a request posts, checked. It may have faults.
pub(super) fn posted(
    gateway: &Gateway,
    caller: &Caller,
    unverified_body: &[u8],
) -> Result<Content, ApiError> {
    let checked = gateway.drafts.check(caller.agency(), unverified_body, gateway.base.now());
    checked.map_err(in_language(caller.locale()))
}

/// Whether the draft follows in a request that a database answers. Only of a machine does anything depend on it.
pub(in crate::http) async fn is_case_direct(
    gateway: &Gateway,
    caller: &Caller,
    content: &Content,
) -> Result<bool, ApiError> {
    let case = content.checked().case().filter(|_| caller.actor().is_machine());
    let Some(case) = case else { return Ok(false) };
    let mut conn = gateway.base.store.read().acquire().await?;
    Ok(follow::is_direct(&mut conn, caller.agency(), &case).await?)
}

/// The draft that the caller would be the author of.
pub(super) fn new_draft(caller: &Caller, content: &Content) -> Resource {
    Resource::new_draft(caller.agency(), caller.subject(), content.checked().message_type())
}

/// The draft with its content and the content's faults and duplicates at this moment. A discarded draft has no content, and a released
/// one no duplicates: it is a message.
async fn whole(gateway: &Gateway, caller: &Caller, draft: Draft) -> Result<DraftView, ApiError> {
    if draft.state == DraftState::Discarded {
        return Ok(view::row(draft));
    }
    let content = posted(gateway, caller, &draft.content)?;
    let found = match draft.state {
        DraftState::Released => None,
        _ => Some(duplicates::of_content(gateway, caller, &content, draft.id).await?),
    };
    Ok(view::whole(draft, ContentView::new(&content, found, caller.locale())?))
}

/// Refuses a draft that became a message whose content is erased: 410.
async fn must_have_content(gateway: &Gateway, draft: &Draft) -> Result<(), ApiError> {
    if draft.state != DraftState::Released || !draft.content.is_empty() {
        return Ok(());
    }
    let mut conn = gateway.base.store.read().acquire().await?;
    let sent = sent::load(&mut conn, &draft.agency, &draft.id).await?;
    match sent.and_then(|sent| sent.erased_at) {
        Some(at) => Err(erased("The content of the draft", at).into()),
        None => Ok(()),
    }
}

/// The draft, and the proof that the caller may do `act` to it: 404 when the caller's agency has no such draft, 403 as the
/// policy says; both audited where it is a refusal.
async fn permitted<A: Act + Send>(
    gateway: &Gateway,
    caller: &Caller,
    id: &MessageId,
    act: A,
) -> Result<(Draft, Permit<A>), ApiError> {
    let draft = own(gateway, caller, id, act).await?;
    let permit = gateway.permit(caller, act, &draft.resource(), &Context::NONE).await?;
    Ok((draft, permit))
}

/// The draft, when it is the caller's agency's: 404 when it is not, audited. Another agency's draft is not loaded, so that it
/// takes no longer to be refused than one that does not exist.
async fn own<A: Act + Send>(
    gateway: &Gateway,
    caller: &Caller,
    id: &MessageId,
    act: A,
) -> Result<Draft, ApiError> {
    tracing::Span::current().record("message.id", tracing::field::display(id));
    let owner = draft::owner(gateway.base.store.read(), id).await?;
    if owner.as_ref() == Some(caller.agency())
        && let Some(draft) = draft::load(gateway.base.store.read(), id).await?
    {
        return Ok(draft);
    }
    let object = AuditObject::new("draft", id.to_string());
    Err(gateway.missing(caller, act.action(), object, owner.is_some()).await)
}
