//! `POST /v1/erasures`: erasing what events say beyond their leaves.

use std::sync::Arc;

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
};
use rovuma_api::{Access as _, Caller, act_by, answers::audit::ErasureResult};
use rovuma_policy::{Context, Resource, act};
use rovuma_runtime::Problem;
use rovuma_schemas::audit::AuditAction;
use rovuma_store::FutureExt;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{error::ApiError, openapi::Refusals};
use crate::{
    auditor::Auditor,
    error::DbError,
    log::{ERASABLE, ErasedCounts, ErasureOrder, REFERENCE, erase},
    own,
};

/// A legal basis at most, in characters: a reference, not an argument.
const LEGAL_BASIS_MAX: usize = 200;

/// What is to be erased, and why.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// What the events are about: `message/0199c5a1-…`, `reference/…`, `user/…`, `person/…`, `actor/…`.
    #[schema(example = "message/0199c5a1-7b3e-7001-8a10-000000000001")]
    scope: String,
    /// The legal basis, as the order names it. It is written to the log.
    #[schema(min_length = 1, max_length = 200, example = "Lei n.º 3/2017, art. 63")]
    legal_basis: String,
}

/// Erases what the caller's agency's events about something say beyond their leaves; the protection officer of `<cc>.node`
/// erases those of the whole country. The leaves stay, and every proof of them still holds. That it was erased, and on which
/// legal basis, is itself in the log.
#[utoipa::path(
    post, path = "/v1/erasures", tag = "events",
    request_body = Order,
    responses(
        (status = 200, description = "Erased.", body = ErasureResult),
        (status = 404, description = "`not_found`: no event is about that.", body = Problem,
            content_type = "application/problem+json"),
        Refusals
    )
)]
pub(super) async fn order(
    State(auditor): State<Arc<Auditor>>,
    caller: Caller,
    order: Result<Json<Order>, JsonRejection>,
) -> Result<Json<ErasureResult>, ApiError> {
    let log = Resource::audit_log(caller.actor().agency());
    let permit = auditor.permit(&caller, act::AuditErase, &log, &Context::NONE).await?;
    let Json(order) = order.map_err(|fault| Problem::bad_request("body").detail(fault.body_text()))?;
    let (kind, mut id) = checked(&order)?;
    if kind == REFERENCE {
        // The reference may name somebody, and the order is never erased.
        id = auditor.sequencer.payload_key.reference_name(&id);
    }
    let event = act_by(permit.actor(), AuditAction::Erase, auditor.now())
        .object(&kind, id)
        .detail("legal_basis", &order.legal_basis);
    let owner = permit.resource().owner().clone();
    let is_node = owner.is_node();
    let (sequencer, now) = (Arc::clone(&auditor.sequencer), auditor.now());
    let write = auditor.store.write(move |tx| {
        async move {
            let appender = sequencer.begin(tx, now).await?;
            let erasure = ErasureOrder {
                agency: (!owner.is_node()).then_some(&owner),
                legal_basis: &order.legal_basis,
                entry_index: appender.next_index(),
                at: now,
            };
            let erased = erase(tx, &order.scope, &sequencer.payload_key, &erasure).await?;
            // That others have dealt with somebody is not for this one to know.
            let Some(erased) = erased.filter(|erased| erased.entries > 0) else {
                // A year may have begun with it.
                appender.finish(tx).await?;
                return Ok(None);
            };
            let event = event.detail("entries", erased.entries);
            // How much others have of somebody is not for this agency's auditor to know either.
            let event = if is_node { event.detail("remaining", erased.remaining) } else { event };
            own::record_alone(tx, appender, event).await?;
            Ok::<_, DbError>(Some(erased))
        }
        .boxed()
    });
    let ErasedCounts { entries, remaining } = write.await?.ok_or_else(Problem::not_found)?;
    auditor.truncate_write_ahead_log().await;
    Ok(Json(ErasureResult { entries, remaining: is_node.then_some(remaining) }))
}

/// The kind and id that a scope names, if the order is sound.
fn checked(order: &Order) -> Result<(String, String), ApiError> {
    let bad = |what: &str| ApiError::from(Problem::bad_request("body").detail(what));
    let length = order.legal_basis.chars().count();
    if !(1..=LEGAL_BASIS_MAX).contains(&length) || order.legal_basis.chars().any(char::is_control) {
        return Err(bad("legal_basis must be one line of 1 to 200 characters."));
    }
    match order.scope.split_once('/') {
        Some((kind, id)) if ERASABLE.contains(&kind) && !id.is_empty() => {
            Ok((kind.to_owned(), id.to_owned()))
        }
        _ => Err(bad(
            "scope must be a kind and an identifier, as in message/0199c5a1-7b3e-7001-8a10-000000000001.",
        )),
    }
}
