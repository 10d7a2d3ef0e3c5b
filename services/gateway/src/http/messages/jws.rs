//! `GET /v1/messages/{id}/jws`: the exact signed bytes, for checking with stock tools.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use rovuma_api::{
    ApiState as _, Caller,
    answers::gateway::{MessageJws, Originals, ReceiptJws, VoidJws},
    openapi::NotFound,
    request::{Path, Query},
};
use rovuma_policy::{Context, act};
use rovuma_runtime::Problem;
use rovuma_schemas::{AgencyCode, MessageId, audit::AuditAction, permission::PermissionUse};
use rovuma_store::Conn;

use super::one::{self, MessageName, ReasonQuery};
use crate::http::{
    error::ApiError,
    openapi::{AmbiguousId, Refusals},
};
use crate::{
    audit,
    families::permission::leave::{self, Restricted},
    gateway::Gateway,
    messages::{
        handling,
        lookup::OwnMessage,
        receipts,
        received::{self, Kept},
        sent,
    },
};

/// Hands out the signed originals. They hold the whole content, so the right to read it is needed; it is
/// audited as an export.
///
/// What another agency sent under H2 or H3 is not exported without that agency's leave, whoever asks: 403 `handling_breach`.
#[utoipa::path(
    get, path = "/v1/messages/{id}/jws", operation_id = "export_message_jws", tag = "messages",
    params(("id" = String, Path, description = "The message."), ReasonQuery),
    responses(
        (status = 200, description = "The signed originals.", body = Originals),
        NotFound,
        AmbiguousId,
        (status = 410, description = "`erased`: at the end of its case's retention, with since when. The lists and the trace still \
            show it.", body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn jws(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(id): Path<MessageId>,
    Query(why): Query<ReasonQuery>,
) -> Result<Response, ApiError> {
    let reason = one::checked_reason(why.reason.as_deref())?;
    let context = Context::read(reason.is_some());
    let named = MessageName { id, sender: why.sender.as_ref() };
    let (found, permit) = one::permitted(&gateway, &caller, named, act::MessageRead, &context).await?;
    one::must_have_content(&gateway, &caller, &found, "jws").await?;
    let act = audit::by(permit.actor(), AuditAction::Export, gateway.base.now())
        .object("message", found.id())
        .detail("form", "jws");
    let act = match reason {
        Some(reason) => act.purpose(reason),
        None => act,
    };
    match originals(&gateway, found).await? {
        Ok(originals) => {
            gateway.record(act).await?;
            Ok(([(header::CACHE_CONTROL, "no-store")], Json(originals)).into_response())
        }
        Err(KeptBack { sender, code }) => {
            gateway.record(act.refused(HANDLING_BREACH).detail("handling", &code)).await?;
            Err(Problem::forbidden(HANDLING_BREACH)
                .detail(format!(
                    "{sender} sent this message under handling code {code}: its content does not leave your agency without leave of \
                     {sender}. The audit log proves by its SHA-256 that it was received all the same."
                ))
                .into())
        }
    }
}

/// The code of the refusal to export what its sender's handling code keeps here.
const HANDLING_BREACH: &str = "handling_breach";

/// A received message whose content its sender's handling code keeps here.
struct KeptBack {
    sender: AgencyCode,
    code: String,
}

/// Whether the sender has given leave to take the message out of the exchange.
async fn may_be_exported(
    gateway: &Gateway,
    conn: &mut Conn,
    received: &received::Received,
) -> Result<bool, ApiError> {
    let Some(case) = &received.place.case else { return Ok(false) };
    let restricted =
        Restricted { agency: &received.recipient, sender: &received.sender, id: received.id, case };
    Ok(leave::is_given(conn, restricted, PermissionUse::Export, gateway.base.now()).await?)
}

/// The signed originals: all of an own message, and of a received one what its sender lets go.
async fn originals(gateway: &Gateway, found: OwnMessage) -> Result<Result<Originals, KeptBack>, ApiError> {
    let mut conn = gateway.base.store.read().acquire().await?;
    match found {
        OwnMessage::Received(received) => {
            let messages = match received::kept(&mut conn, received.seq).await? {
                Kept::Whole(jws) => {
                    if let Some(code) = handling::kept_back_by(&jws)
                        && !may_be_exported(gateway, &mut conn, &received).await?
                    {
                        return Ok(Err(KeptBack { sender: received.sender, code }));
                    }
                    let country = received.recipient.country();
                    vec![MessageJws { country, digest: received.digest, jws: jws.to_compact() }]
                }
                Kept::Header(_) => Vec::new(),
            };
            let void = received::void(&mut conn, &received).await?;
            let (id, signer) = (received.id, received.sender);
            let void = void.map(|void| VoidJws {
                reason: void.reason.to_string(),
                received_at: void.received_at,
                digest: void.status,
                jws: void.jws,
            });
            Ok(Ok(Originals { id, signer, messages, receipts: Vec::new(), void }))
        }
        OwnMessage::Sent(sent) => {
            let signed = sent::signed(&mut conn, &sent.agency, &sent.id).await?;
            let receipts = receipts::signed(&mut conn, &sent.agency, &sent.id).await?;
            let original = |one: sent::SignedFor| MessageJws {
                country: one.country,
                digest: one.digest,
                jws: one.jws.to_compact(),
            };
            let receipt = |one: receipts::ReceiptJws| ReceiptJws {
                receipt: one.receipt,
                signer: one.signer,
                digest: one.digest,
                jws: one.jws,
            };
            let messages = signed.into_iter().map(original).collect();
            let receipts = receipts.into_iter().map(receipt).collect();
            Ok(Ok(Originals { id: sent.id, signer: sent.agency, messages, receipts, void: None }))
        }
    }
}
