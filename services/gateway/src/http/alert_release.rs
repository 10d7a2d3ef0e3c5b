//! `POST /v1/alerts/{id}/release`: a draft becomes a message.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
};
use rovuma_api::{
    Access as _, Caller,
    entity_tag::{IfMatch, etag},
    idempotency::{self, Answer, IdempotencyKey},
    openapi::{IdempotencyHeader, IfMatchHeader},
};
use rovuma_policy::{Context, Permit, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{AgencyCode, Lane, MessageId, MessageType, StreamId, Timestamp};
use rovuma_store::FutureExt;
use serde::Serialize;
use utoipa::ToSchema;

use super::{alert_read, error::ApiError, openapi::Refusals};
use crate::{
    alerts::{
        content::Content,
        draft::Draft,
        fitness,
        release::{self, Reviewed},
    },
    exchange::send::Released,
    gateway::Gateway,
    overdue,
};

/// What a release did: the message is signed and in the outbox. Nothing has left the country yet.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Released)]
pub(crate) struct ReleasedView {
    /// The message: the draft's id.
    #[schema(value_type = String, format = "uuid")]
    id: MessageId,
    /// When it was released.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// The draft's version after the release.
    version: i64,
    /// One copy per recipient, each with its place in the stream to that recipient.
    copies: Vec<Placed>,
}

/// A copy's place.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Placed {
    /// The recipient.
    #[schema(value_type = String)]
    recipient: AgencyCode,
    /// The lane.
    #[schema(value_type = String)]
    lane: Lane,
    /// The stream.
    #[schema(value_type = String)]
    stream: StreamId,
    /// The number in it.
    number: u64,
}

/// Signs a draft and puts it into the outbox.
///
/// Its author may where one person may send it, else a supervisor who is not its author and to whom it was
/// submitted. It is checked again against this moment. A second person names the version read (`If-Match`).
#[utoipa::path(
    post, path = "/v1/alerts/{id}/release", operation_id = "release_alert", tag = "alerts",
    params(("id" = String, Path, description = "The draft."), IdempotencyHeader, IfMatchHeader),
    responses(
        (status = 200, description = "Released.", body = ReleasedView),
        (status = 403, description = "`may_not_send`: the trust list does not give the agency this right; a \
            policy's code.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`not_allowed_in_state`: not submitted, or released already.",
            body = Problem, content_type = "application/problem+json"),
        (status = 412, description = "`version`: it has changed since it was read.",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`draft_faulty`: no longer valid; `idempotency_conflict`.",
            body = Problem, content_type = "application/problem+json"),
        (status = 428, description = "`if_match_required`",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`audit_overdue`, with since when; `signing_key`: not in force; \
            `signing_unavailable`, `storage_unavailable`.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn release(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<MessageId>,
    key: IdempotencyKey,
    seen: IfMatch,
    body: Bytes,
) -> Result<Answer, ApiError> {
    let draft = alert_read::own(&gateway, &caller, &id, act::AlertRelease).await?;
    let permit = permit(&gateway, &caller, &draft, draft.second_person.is_some()).await?;
    let now = gateway.now();
    let attempt = key.attempt(&caller, &body);
    if let Some(answer) = idempotency::answered(&gateway.store, attempt.as_ref(), now).await? {
        return Ok(answer);
    }
    release::allowed(&draft, caller.subject())?;
    if draft.author != caller.subject() {
        seen.required()?;
    }
    seen.check("The draft", draft.version)?;
    overdue::check(&gateway, now).await?;
    fitness::check(&gateway, caller.agency(), MessageType::AlertIssue, now)?;
    let content = Content::check(&gateway, caller.agency(), &draft.content, caller.locale(), now)?;
    // What the rules say may have changed with the time, never in favour of one person alone.
    let permit = match (content.second_person(), &draft.second_person) {
        (Some(_), None) => self::permit(&gateway, &caller, &draft, true).await?,
        _ => permit,
    };
    let reviewed = Reviewed { draft, content };
    let shared = Arc::clone(&gateway);
    idempotency::once(&gateway.store, attempt, now, move |tx| {
        async move { answer(release::release(tx, &shared, &permit, reviewed, now).await?, now) }.boxed()
    })
    .await
}

async fn permit(
    gateway: &Gateway,
    caller: &Caller,
    draft: &Draft,
    second_person: bool,
) -> Result<Permit<act::AlertRelease>, ApiError> {
    let context = Context::release(second_person);
    gateway.permit(caller, act::AlertRelease, &draft.resource(), &context).await
}

fn answer((draft, released): (Draft, Released), now: Timestamp) -> Result<Answer, ApiError> {
    let copy = |(recipient, lane, place): (AgencyCode, Lane, rovuma_outbox::StreamPosition)| Placed {
        recipient,
        lane,
        stream: place.stream,
        number: place.number,
    };
    let view = ReleasedView {
        id: draft.id,
        created: now,
        version: draft.version,
        copies: released.places.into_iter().map(copy).collect(),
    };
    Ok(Answer::json(StatusCode::OK, &view)?.etag(etag(draft.version)))
}
