//! `GET /v1/events/{source}/{epoch}/{sequence}/proof`: that an event is in the log.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rovuma_api::{ApiState as _, Caller, act_by, openapi::NotFound, request::Path};
use rovuma_runtime::Problem;
use rovuma_schemas::{Epoch, audit::AuditAction};

use super::{error::ApiError, event, openapi::Refusals};
use crate::{auditor::Auditor, publish::Prover};

/// A proof that an event is in the log, as a file that is checked without this service (C2SP tlog-proof): its `extra` data is
/// the event's leaf, and its checkpoint the last head that both countries cosigned. It goes with the event itself, of which
/// the leaf holds the commitment.
#[utoipa::path(
    get, path = "/v1/events/{source}/{epoch}/{sequence}/proof", tag = "events",
    params(
        ("source" = String, Path, description = "The service that wrote it.", example = "mz.gateway.police"),
        ("epoch" = String, Path, description = "The epoch of its store, 32 hexadecimal digits."),
        ("sequence" = u64, Path, description = "Its number, from 1.")
    ),
    responses(
        (status = 200, description = "The proof.", body = String, content_type = "text/plain"),
        NotFound,
        (status = 409, description = "`not_yet_witnessed`: no head with this event is good by the policy yet. Ask again in a \
            few seconds; `GET /v1/logs` says since when heads wait.", body = Problem,
            content_type = "application/problem+json"),
        Refusals
    )
)]
pub(super) async fn read_proof(
    State(auditor): State<Arc<Auditor>>,
    caller: Caller,
    Path((source, epoch, sequence)): Path<(String, Epoch, u64)>,
) -> Result<Response, ApiError> {
    let (entry, id) = event::permitted(&auditor, &caller, &source, epoch, sequence).await?;
    let proofs = Prover::load(&auditor).await?.prove(auditor.store.read(), &[&entry]).await?;
    let proof = proofs.into_iter().next().and_then(|proof| proof.file).ok_or_else(not_yet)?;
    let event = act_by(caller.actor(), AuditAction::AuditRead, auditor.now()).object("audit_event", id);
    auditor.record(event.detail("view", "proof")).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], proof.to_string()).into_response())
}

pub(super) fn not_yet() -> Problem {
    Problem::new(StatusCode::CONFLICT, "not_yet_witnessed").detail(
        "No head of the log with this event in it has the cosignatures that the policy asks for yet. Ask again in a few \
         seconds; /v1/logs says since when heads wait.",
    )
}
