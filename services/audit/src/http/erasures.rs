//! `POST /v1/erasures`: erasing what events say beyond their leaves.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use rovuma_api::{
    Access as _, ApiState as _, Caller, act_by, answers::audit::ErasureResult, request::JsonBody,
};
use rovuma_policy::{Code, Context, Permit, Resource, act};
use rovuma_runtime::Problem;
use rovuma_schemas::audit::AuditAction;
use rovuma_store::FutureExt;
use rovuma_tlog::Hash;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{error::ApiError, openapi::Refusals};
use crate::{
    auditor::Auditor,
    error::DbError,
    log::{ERASABLE, Erased, ErasureOrder, REFERENCE, count_erasable, erase, erasure_list},
    own,
};

/// Maximum characters of a legal basis: a reference, not an argument.
const LEGAL_BASIS_MAX: usize = 200;

/// Minimum letters and digits of a legal basis: no provision is cited in fewer ("art. 5"), and an order that says only "x" could
/// be justified by nobody.
const LEGAL_BASIS_MIN: usize = 4;

/// The kinds of scopes that name a person who acts in the log.
const OF_PEOPLE: [&str; 2] = ["actor", "user"];

/// What is to be erased, and why.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    /// What the events are about: `message/0199c5a1-…`, `reference/…`, `user/…`, `person/…`, `actor/…`.
    #[schema(example = "message/0199c5a1-7b3e-7001-8a10-000000000001")]
    scope: String,
    /// The legal basis, as the order names it. It is written to the log.
    #[schema(min_length = 4, max_length = 200, example = "Lei n.º 3/2017, art. 63")]
    legal_basis: String,
    /// Only count what would be erased. The log records that somebody asked.
    #[serde(default)]
    dry_run: bool,
}

/// Erases what the caller's agency's events about something say beyond their leaves; the protection officer of `<cc>.node`
/// erases those of the whole country. The leaves stay, and every proof of them still holds. That it was erased, and on which
/// legal basis, is itself in the log.
#[utoipa::path(
    post, path = "/v1/erasures", tag = "events",
    request_body = Order,
    responses(
        (status = 200, description = "Erased; with `dry_run` what would be erased, and nothing was.", body = ErasureResult),
        (status = 403, description = "`own_account`: what the log says of the caller; a policy's code.", body = Problem,
            content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: no event is about that.", body = Problem,
            content_type = "application/problem+json"),
        Refusals
    )
)]
pub(super) async fn order(
    State(auditor): State<Arc<Auditor>>,
    caller: Caller,
    JsonBody(body): JsonBody,
) -> Result<Json<ErasureResult>, ApiError> {
    let log = Resource::audit_log(caller.actor().agency());
    let permit = auditor.permit(&caller, act::AuditErase, &log, &Context::NONE).await?;
    let order: Order = serde_json::from_slice(&body).map_err(|fault| {
        Problem::bad_request("body").detail(format!("The body is not as documented: {fault}."))
    })?;
    let (kind, mut id) = checked(&order)?;
    if OF_PEOPLE.contains(&kind.as_str()) && id == permit.actor().subject() {
        let refused = act_by(permit.actor(), AuditAction::Erase, auditor.now())
            .object(&kind, &id)
            .refused(Code::OwnAccount.as_str());
        auditor.record(refused).await?;
        return Err(Problem::new(StatusCode::FORBIDDEN, Code::OwnAccount.as_str())
            .detail("Nobody erases what the log says of them. Another data protection officer may.")
            .into());
    }
    if kind == REFERENCE {
        // The reference may name somebody, and the order is never erased.
        id = auditor.sequencer.payload_key.reference_name(&id);
    }
    if order.dry_run {
        return count(&auditor, &permit, &order, (&kind, &id)).await;
    }
    let event = act_by(permit.actor(), AuditAction::Erase, auditor.now())
        .object(&kind, id)
        .detail("legal_basis", &order.legal_basis);
    let owner = permit.resource().owner().clone();
    let is_node = owner.is_node();
    let missing = nothing_about(&order.scope);
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
            if erased.leaves.is_empty() {
                // A year may have begun with it.
                appender.finish(tx).await?;
                return Ok(None);
            }
            let leaves: Vec<Hash> = erased.leaves.values().copied().collect();
            // The detail `erased` is part of the leaf: the order explains these entries and no others.
            let root = erasure_list::store(tx, erasure.entry_index, &leaves).await?;
            let event = event.detail("entries", leaves.len()).detail("erased", root);
            // How much others have of somebody is not for this agency's auditor to know either.
            let event = if is_node { event.detail("remaining", erased.remaining) } else { event };
            own::record_alone(tx, appender, event).await?;
            Ok::<_, DbError>(Some(erased))
        }
        .boxed()
    });
    let Erased { leaves, remaining } = write.await?.ok_or(missing)?;
    auditor.truncate_write_ahead_log().await;
    Ok(Json(ErasureResult { entries: leaves.len() as u64, remaining: is_node.then_some(remaining) }))
}

/// 404 for an order about something of which the log says nothing that could be erased.
fn nothing_about(scope: &str) -> Problem {
    Problem::no_such(
        format_args!("entry about {scope} with more than its leaf"),
        "GET /v1/events finds entries by object, message and reference.",
    )
}

/// Counts what an order would erase, and records that the caller asked.
async fn count(
    auditor: &Auditor,
    permit: &Permit<act::AuditErase>,
    order: &Order,
    (kind, id): (&str, &str),
) -> Result<Json<ErasureResult>, ApiError> {
    let owner = permit.resource().owner();
    let agency = (!owner.is_node()).then_some(owner);
    let mut conn = auditor.store.read().acquire().await?;
    let counts = count_erasable(&mut conn, &order.scope, &auditor.sequencer.payload_key, agency).await?;
    drop(conn);
    // An event about the scope itself would be one more to erase.
    let event = act_by(permit.actor(), AuditAction::AuditRead, auditor.now())
        .object("audit_log", permit.resource().id())
        .detail("view", "erasure")
        .detail("scope", format_args!("{kind}/{id}"))
        .detail("found", counts.entries);
    auditor.record(event).await?;
    if counts.entries == 0 {
        return Err(nothing_about(&order.scope).into());
    }
    let remaining = owner.is_node().then_some(counts.remaining);
    Ok(Json(ErasureResult { entries: counts.entries, remaining }))
}

/// The kind and id that a scope names, if the order is sound.
fn checked(order: &Order) -> Result<(String, String), ApiError> {
    let bad = |what: &str| ApiError::from(Problem::bad_request("body").detail(what));
    let basis = &order.legal_basis;
    let words = basis.chars().filter(|c| c.is_alphanumeric()).count();
    if words < LEGAL_BASIS_MIN
        || basis.chars().count() > LEGAL_BASIS_MAX
        || basis.chars().any(char::is_control)
    {
        return Err(bad(&format!(
            "legal_basis must cite a provision in one line, with at least {LEGAL_BASIS_MIN} letters and digits and at most \
             {LEGAL_BASIS_MAX} characters, as in \"Lei n.º 3/2017, art. 63\"."
        )));
    }
    match order.scope.split_once('/') {
        Some((kind, id)) if ERASABLE.contains(&kind) && !id.is_empty() => {
            Ok((kind.to_owned(), id.to_owned()))
        }
        _ => Err(bad(
            "scope must be a kind (message, reference, user, person, actor) and an identifier, as in \
             message/0199c5a1-7b3e-7001-8a10-000000000001.",
        )),
    }
}
