//! `GET /v1/messages/{id}/trace`: the way of a message, hop by hop.

use std::sync::Arc;

use axum::{Json, extract::State};
use rovuma_api::{
    ApiState as _, Caller,
    answers::gateway::{Hop, Trace},
    openapi::NotFound,
    request::{Path, Query},
};
use rovuma_policy::{Context, act};
use rovuma_schemas::{MessageId, audit::AuditAction};

use super::one::{self, MessageName, SenderQuery};
use crate::http::{
    copies,
    error::ApiError,
    openapi::{AmbiguousId, Refusals},
};
use crate::{
    audit,
    drafts::draft,
    gateway::Gateway,
    messages::{
        lookup::OwnMessage,
        receipts,
        sent::Sent,
        trace::{self, Drafted},
    },
};

/// Follows a message. The question is audited as a read of its header facts.
#[utoipa::path(
    get, path = "/v1/messages/{id}/trace", operation_id = "trace_message", tag = "messages",
    params(("id" = String, Path, description = "The message."), SenderQuery),
    responses(
        (status = 200, description = "Its way so far.", body = Trace),
        NotFound,
        AmbiguousId,
        Refusals
    )
)]
pub(crate) async fn trace(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<MessageId>,
    Query(whose): Query<SenderQuery>,
) -> Result<Json<Trace>, ApiError> {
    let named = MessageName { id, sender: whose.sender.as_ref() };
    let (found, _permit) =
        one::permitted(&gateway, &caller, named, act::MessageTrace, &Context::NONE).await?;
    let act = audit::by(caller.actor(), AuditAction::MessageRead, gateway.base.now())
        .object("message", found.id())
        .detail("view", "trace");
    gateway.record(act).await?;
    match found {
        OwnMessage::Sent(sent) => of_sent(&gateway, &sent).await.map(Json),
        OwnMessage::Received(received) => Ok(Json(Trace {
            id: received.id,
            direction: "received".to_owned(),
            replaces: received.replaces,
            replaced_by: received.replaced_by,
            hops: trace::of_received(&received, gateway.base.trail.source()).into_iter().map(hop).collect(),
            copies: Vec::new(),
        })),
    }
}

async fn of_sent(gateway: &Gateway, sent: &Sent) -> Result<Trace, ApiError> {
    let draft = draft::load(gateway.base.store.read(), &sent.id).await?;
    let drafted = draft.map(|draft| Drafted {
        author: draft.author,
        created_at: draft.created_at,
        submitted_at: draft.submitted_at,
    });
    let copies = gateway.exchange.outbox.copies_of(sent.id).await?;
    let mut conn = gateway.base.store.read().acquire().await?;
    let receipts = receipts::of_message(&mut conn, &sent.agency, &sent.id).await?;
    Ok(Trace {
        id: sent.id,
        direction: "sent".to_owned(),
        replaces: sent.replaces,
        replaced_by: sent.replaced_by,
        hops: trace::of_sent(sent, drafted.as_ref(), &copies, &receipts).into_iter().map(hop).collect(),
        copies: copies.into_iter().map(copies::view).collect(),
    })
}

fn hop(hop: trace::Hop) -> Hop {
    Hop {
        hop: hop.hop.to_owned(),
        at: hop.at,
        clock: hop.clock.as_str().to_owned(),
        agency: hop.agency,
        by: hop.by,
        told_at: hop.told_at,
        post: hop.post,
        code: hop.code,
        audit: hop.audit,
    }
}
