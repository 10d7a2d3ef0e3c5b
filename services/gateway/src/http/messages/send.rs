//! `POST /v1/messages`: a message drafted and released in one request.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use rovuma_api::{
    Access as _, Caller,
    answers::gateway::{DraftDocument, ReleasedView},
    idempotency::{self, Answer, IdempotencyKey},
    openapi::IdempotencyHeader,
    request::{JsonBody, Query},
};
use rovuma_policy::{Context, act};
use rovuma_runtime::Problem;
use rovuma_schemas::audit::AuditObject;
use rovuma_store::FutureExt;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    gateway::Gateway,
    http::{
        drafts::{duplicates, is_case_direct, new_draft, posted, released_view, view},
        error::{ApiError, in_language},
        openapi::Refusals,
    },
};

/// The query of `POST /v1/messages`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SendQuery {
    /// Why it is sent although something is live already about the same persons or things: a code or file reference of at most 64
    /// letters, digits and `. _ - /`. The audit log records the reason, so it must name nobody.
    #[param(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._/-]{1,64}$")]
    despite_duplicates: Option<String>,
}

/// Signs what is posted and puts it into the outbox, where the caller may release it alone. No draft is kept. Content that
/// needs a second person is refused with `second_person`: post it to `/v1/drafts` and submit it.
///
/// Where a case that officers act on, or an open draft of the agency, is about the same document, plate, number, or name and birth date,
/// it is refused with those; sending it all the same takes a reason.
#[utoipa::path(
    post, path = "/v1/messages", operation_id = "send_message", tag = "messages",
    params(IdempotencyHeader, SendQuery),
    request_body(content = DraftDocument, content_type = "application/json", description = "A complete draft."),
    responses(
        (status = 201, description = "Released.", body = ReleasedView, headers(("Location" = String))),
        (status = 403, description = "`may_not_send`: the trust list does not give the agency this right; \
            `second_person`; `handling_breach`: it would hand on without leave what another agency sent under H2 or H3; another \
            policy's code.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`duplicate_live`, with `duplicates`; `not_in_alert`, of a hit; what follows in a case: `case_unknown`, `other_status`, \
            `not_allowed_in_state`.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`draft_faulty` with the draft's faults; `idempotency_conflict`.",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`audit_overdue`, with since when; `signing_key`: not in force; \
            `signing_unavailable`, `storage_unavailable`.",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn send(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    key: IdempotencyKey,
    Query(query): Query<SendQuery>,
    JsonBody(body): JsonBody,
) -> Result<Answer, ApiError> {
    let now = gateway.base.now();
    let content = posted(&gateway, &caller, &body)?;
    let resource = new_draft(&caller, &content);
    let is_case_direct = is_case_direct(&gateway, &caller, &content).await?;
    let context = content.release_context(content.second_person().is_some(), is_case_direct);
    let permit = gateway.permit(&caller, act::DraftRelease, &resource, &context).await?;
    // The message is also written here: whom a local policy lets release but not write must not send at once.
    gateway.permit(&caller, act::DraftCreate, &resource, &Context::NONE).await?;
    let stated = duplicates::stated(query.despite_duplicates.as_deref(), None)?;
    let attempt = key.attempt(&caller, &body);
    if let Some(answer) = idempotency::answered(&gateway.base.store, attempt.as_ref(), now).await? {
        return Ok(answer);
    }
    let reviewed = gateway.drafts.review_at_once(&permit, &content, caller.locale(), now).await;
    // Only its case shows whether it is about a minor, or whether the message lowers a handling code.
    let by_case = reviewed.map_err(in_language(caller.locale()))?;
    let permit = if by_case.is_some() && content.second_person().is_none() {
        gateway.permit(&caller, act::DraftRelease, &resource, &Context::release(true)).await?
    } else {
        permit
    };
    let (shared, advice) = (Arc::clone(&gateway), view::advice(content.checked(), caller.locale()));
    let sender = caller.clone();
    let sent = idempotency::once(&gateway.base.store, attempt, now, move |tx| {
        async move {
            let sent = shared.drafts.send_at_once(tx, &permit, &content, stated, now).await;
            let (id, released) = sent.map_err(|refusal| duplicates::refused(&shared, &sender, refusal))?;
            let view = released_view(id, None, now, released, advice);
            Ok(Answer::json(StatusCode::CREATED, &view)?.location(format!("/v1/messages/{id}")))
        }
        .boxed()
    });
    match sent.await {
        Ok(answer) => Ok(answer),
        Err(fault) => {
            // Nothing was kept, so there is no draft to name.
            let object = AuditObject::new("draft", "new");
            Err(duplicates::record_refusal(&gateway, &caller, object, fault).await)
        }
    }
}
