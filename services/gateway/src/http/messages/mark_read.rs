//! `POST /v1/messages/{id}/read`: an agency's own system says that an officer has seen a message there.

use std::sync::Arc;

use axum::{body::Bytes, extract::State, http::StatusCode};
use rovuma_api::{
    Caller,
    answers::gateway::MarkedRead,
    idempotency::{self, Answer, IdempotencyKey},
    openapi::{IdempotencyHeader, NotFound},
    request::{Path, Query},
};
use rovuma_policy::{Context, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{MessageId, Timestamp, audit::AuditAction};
use rovuma_store::{Conn, FutureExt, RowExt};

use super::one::{self, MessageName, SenderQuery};
use crate::http::{error::ApiError, openapi::Refusals};
use crate::{
    audit,
    error::DbError,
    exchange::receipt::{self, ReadMessage},
    gateway::Gateway,
    messages::{lookup::OwnMessage, received::Received},
};

/// Marks a received message as read, once, and tells its sender so with a signed receipt.
#[utoipa::path(
    post, path = "/v1/messages/{id}/read", operation_id = "mark_message_read", tag = "messages",
    params(("id" = String, Path, description = "The message."), SenderQuery, IdempotencyHeader),
    responses(
        (status = 200, description = "It is marked as read.", body = MarkedRead),
        NotFound,
        (status = 409, description = "`not_received`: the agency sent it itself; \
            `ambiguous_id`: messages of several agencies have this id, and no `sender` was named.",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_conflict`",
            body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn mark_read(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<MessageId>,
    Query(whose): Query<SenderQuery>,
    key: IdempotencyKey,
    body: Bytes,
) -> Result<Answer, ApiError> {
    let named = MessageName { id, sender: whose.sender.as_ref() };
    let (found, _permit) =
        one::permitted(&gateway, &caller, named, act::MessageMarkRead, &Context::NONE).await?;
    let OwnMessage::Received(received) = found else {
        let problem = Problem::conflict("not_received");
        return Err(problem.detail("Only a received message can be marked as read.").into());
    };
    let now = gateway.base.now();
    let attempt = key.attempt(&caller, &body);
    let shared = Arc::clone(&gateway);
    idempotency::once(&gateway.base.store, attempt, now, move |tx| {
        async move { Answer::json(StatusCode::OK, &mark(tx, &shared, &caller, &received, now).await?) }
            .boxed()
    })
    .await
}

async fn mark(
    tx: &mut Conn,
    gateway: &Gateway,
    caller: &Caller,
    received: &Received,
    now: Timestamp,
) -> Result<MarkedRead, ApiError> {
    let opened = ReadMessage {
        recipient: &received.recipient,
        sender: &received.sender,
        id: received.id,
        reader: caller.subject(),
    };
    receipt::mark_read(tx, &gateway.exchange, &opened, now).await?;
    let act = audit::by(caller.actor(), AuditAction::MessageRead, now)
        .object("message", received.id)
        .detail("view", "marked");
    gateway.base.trail.record(tx, &act).await.map_err(DbError::from)?;
    let row =
        sqlx::query("SELECT read_at FROM received WHERE seq = $1").bind(received.seq).fetch_one(tx).await?;
    Ok(MarkedRead { id: received.id, read_at: row.opt_instant("read_at")? })
}
