//! `GET /v1/messages/{id}`: one message, its content, its receipts.

mod view;

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use rovuma_api::{
    ApiState as _, Caller,
    answers::gateway::MessageView,
    openapi::NotFound,
    request::{Path, Query},
};
use rovuma_policy::{Context, Permit, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{AgencyCode, MessageId, audit::AuditAction};
use rovuma_store::FutureExt;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::one::{self, MessageName};
use crate::http::{
    error::ApiError,
    openapi::{AmbiguousId, Refusals},
};
use crate::{
    audit,
    error::DbError,
    exchange::receipt::{self, ReadMessage},
    gateway::Gateway,
    messages::lookup::OwnMessage,
};

/// The query of `GET /v1/messages/{id}`.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MessageQuery {
    /// `metadata` leaves out the body and every free text; `content`, the default, shows the whole message.
    #[serde(default)]
    #[param(inline)]
    view: View,
    /// The reason for which an auditor reads content: a code or file reference of at most 64 letters, digits and `. _ - /`.
    /// The audit log records the reason, so it must name nobody.
    reason: Option<String>,
    /// The agency that sent it. Needed only where the caller's agency has two messages under this id.
    #[param(value_type = Option<String>)]
    sender: Option<AgencyCode>,
}

/// The part of a message that the caller reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum View {
    /// The whole message.
    #[default]
    Content,
    /// Header facts and codes.
    Metadata,
}

/// Reads a message of the agency: received or sent.
///
/// The read is on disk as an audit event before anything is handed out. When a person who may tell the sender
/// so opens a received message for the first time, the sender gets a read receipt.
#[utoipa::path(
    get, path = "/v1/messages/{id}", operation_id = "read_message", tag = "messages",
    params(("id" = String, Path, description = "The message."), MessageQuery),
    responses(
        (status = 200, description = "The message.", body = MessageView),
        NotFound,
        AmbiguousId,
        (status = 410, description = "`erased`: at the end of its case's retention, with since when. The lists and the trace still \
            show it.", body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn read(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<MessageId>,
    Query(query): Query<MessageQuery>,
) -> Result<Response, ApiError> {
    let named = MessageName { id, sender: query.sender.as_ref() };
    let view = match query.view {
        View::Content => content(&gateway, &caller, named, query.reason.as_deref()).await?,
        View::Metadata => metadata(&gateway, &caller, named).await?,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(view)).into_response())
}

async fn content(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    named: MessageName<'_>,
    reason: Option<&str>,
) -> Result<MessageView, ApiError> {
    let reason = one::checked_reason(reason)?;
    let context = Context::read(reason.is_some());
    let (found, permit) = one::permitted(gateway, caller, named, act::MessageRead, &context).await?;
    one::must_have_content(gateway, caller, &found, "content").await?;
    record_read(gateway, caller, &permit, &found, reason).await?;
    view::content(gateway, &permit, found).await
}

async fn metadata(
    gateway: &Gateway,
    caller: &Caller,
    named: MessageName<'_>,
) -> Result<MessageView, ApiError> {
    let (found, permit) =
        one::permitted(gateway, caller, named, act::MessageReadMetadata, &Context::NONE).await?;
    one::must_have_content(gateway, caller, &found, "metadata").await?;
    let act = audit::by(caller.actor(), AuditAction::MessageRead, gateway.base.now())
        .object("message", found.id())
        .detail("view", "metadata");
    gateway.record(act).await?;
    view::metadata(gateway, &permit, found).await
}

/// Writes that the content was read, and by whom it was read first, in one transaction.
async fn record_read(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    permit: &Permit<act::MessageRead>,
    found: &OwnMessage,
    reason: Option<&str>,
) -> Result<(), ApiError> {
    let now = gateway.base.now();
    let act = audit::by(permit.actor(), AuditAction::MessageRead, now)
        .object("message", found.id())
        .detail("view", "content");
    let act = match reason {
        Some(reason) => act.purpose(reason),
        None => act,
    };
    let marks = marks_read(gateway, caller, found);
    let (shared, found, reader) = (Arc::clone(gateway), found.clone(), caller.subject().to_owned());
    Ok(gateway
        .base
        .store
        .write(move |tx| {
            async move {
                shared.base.trail.record(tx, &act).await.map_err(DbError::from)?;
                if let OwnMessage::Received(received) = &found
                    && marks
                {
                    let opened = ReadMessage {
                        recipient: &received.recipient,
                        sender: &received.sender,
                        id: received.id,
                        reader: &reader,
                    };
                    receipt::mark_read(tx, &shared.exchange, &opened, now).await?;
                }
                Ok::<_, ApiError>(())
            }
            .boxed()
        })
        .await?)
}

/// Whether reading the message sends a read receipt: it does for a person who has that right. A machine marks the message as
/// read itself, once an officer has seen it there. A person without the right reads without a receipt and is not refused.
fn marks_read(gateway: &Gateway, caller: &Caller, found: &OwnMessage) -> bool {
    let asks = || {
        let (actor, resource) = (caller.actor(), found.resource());
        gateway.policy.decide(actor, act::MessageMarkRead, &resource, &Context::NONE).is_permit()
    };
    matches!(found, OwnMessage::Received(_)) && !caller.actor().is_machine() && asks()
}
