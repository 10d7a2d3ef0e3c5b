//! `GET /v1/trust`: the trust lists as this gateway holds them, and what to look after.

mod warnings;

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use rovuma_api::{
    Access as _, Caller,
    answers::gateway::{AgencyView, KeyView, ListView, Trust},
    request::Path,
};
use rovuma_envelope::{
    ListedAgency, TrustStore,
    trust::{ListState, ListStatus, Revocation, RevocationReason, SealingKeyEntry, SigningKeyEntry},
};
use rovuma_policy::act;
use rovuma_runtime::Problem;
use rovuma_schemas::{CountryCode, Timestamp};

use super::{error::ApiError, openapi::Refusals};
use crate::gateway::Gateway;

/// Shows the trust lists that this gateway believes, with warnings about the agency's own keys and about
/// lists that are late.
#[utoipa::path(
    get, path = "/v1/trust", operation_id = "read_trust", tag = "exchange",
    responses((status = 200, description = "The lists in force.", body = Trust), Refusals)
)]
pub(crate) async fn read(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<Json<Trust>, ApiError> {
    let permit = gateway.permit_own(&caller, act::TrustRead).await?;
    let (now, trust) = (gateway.base.now(), gateway.exchange.trust.current());
    let statuses = trust.statuses(now);
    Ok(Json(Trust {
        warnings: warnings::for_agency(&gateway, &trust, &statuses, permit.resource().owner(), now),
        lists: statuses.into_iter().map(|status| list(&trust, status)).collect(),
    }))
}

/// Hands out a country's trust list as its authority signed it, for checking with stock tools.
#[utoipa::path(
    get, path = "/v1/trust/{country}", operation_id = "export_trust_list", tag = "exchange",
    params(("country" = String, Path, description = "The country.", example = "mz")),
    responses(
        (status = 200, description = "A JWS in General JSON serialisation (RFC 7515, section 7.2.1).", body = Object,
            content_type = "application/jose+json"),
        (status = 404, description = "`not_found`: no list of that country is held.", body = Problem,
            content_type = "application/problem+json"),
        Refusals
    )
)]
pub(crate) async fn export(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Path(country): Path<CountryCode>,
) -> Result<Response, ApiError> {
    gateway.permit_own(&caller, act::TrustRead).await?;
    let trust = gateway.exchange.trust.current();
    let list = trust.list(country).ok_or_else(|| {
        let next = "GET /v1/trust says which lists this gateway holds.";
        Problem::no_such(format_args!("trust list of {country}"), next)
    })?;
    Ok(([(header::CONTENT_TYPE, "application/jose+json")], list.to_json()).into_response())
}

fn list(trust: &TrustStore, status: ListStatus) -> ListView {
    let agencies =
        trust.list(status.country).map(|list| list.content().agencies.as_slice()).unwrap_or_default();
    ListView {
        country: status.country,
        state: word(status.state).to_owned(),
        serial: status.serial,
        next_update: status.next_update,
        agencies: agencies.iter().map(agency).collect(),
    }
}

const fn word(state: ListState) -> &'static str {
    match state {
        ListState::Current => "current",
        ListState::Overdue => "overdue",
        ListState::PastBound => "past_bound",
        ListState::Missing => "missing",
    }
}

fn agency(agency: &ListedAgency) -> AgencyView {
    AgencyView {
        code: agency.code.clone(),
        names: agency.names.clone(),
        parent: agency.parent.clone(),
        valid_from: agency.valid_from,
        valid_until: agency.valid_until,
        may_send: agency.may_send.iter().map(ToString::to_string).collect(),
        signing_keys: agency.signing_keys.iter().map(signing).collect(),
        sealing_keys: agency.sealing_keys.iter().map(sealing).collect(),
    }
}

fn signing(entry: &SigningKeyEntry) -> KeyView {
    key(&entry.kid, entry.not_before, entry.not_after, entry.revoked)
}

fn sealing(entry: &SealingKeyEntry) -> KeyView {
    key(&entry.recipient, entry.not_before, entry.not_after, entry.revoked)
}

fn key(
    key: &impl ToString,
    not_before: Timestamp,
    not_after: Timestamp,
    revoked: Option<Revocation>,
) -> KeyView {
    let reason = |revocation: Revocation| match revocation.reason {
        RevocationReason::Compromised => "compromised",
        RevocationReason::Superseded => "superseded",
        RevocationReason::Ceased => "ceased",
        RevocationReason::Unspecified => "unspecified",
    };
    KeyView {
        key: key.to_string(),
        not_before,
        not_after,
        revoked_at: revoked.map(|revocation| revocation.at),
        revoked_because: revoked.map(|revocation| reason(revocation).to_owned()),
    }
}
