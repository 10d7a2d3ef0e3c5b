//! Who calls: a checked access token of an agency of this country.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use rovuma_policy::Actor;
use rovuma_runtime::Problem;
use rovuma_tokens::{AccessToken, bearer};

use super::{access, error::ApiError};
use crate::auditor::Auditor;

/// The caller of a request. The agency is the token's, never the request's.
#[derive(Clone, Debug)]
pub(super) struct Caller(Actor);

impl Caller {
    /// Who acts.
    pub(super) fn actor(&self) -> &Actor {
        &self.0
    }
}

impl FromRequestParts<Arc<Auditor>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, auditor: &Arc<Auditor>) -> Result<Self, ApiError> {
        let caller = Self(actor(&*check(auditor, &parts.headers).await?));
        let agency = caller.actor().agency();
        tracing::Span::current().record("agency", agency.as_str());
        if agency.country() == auditor.country {
            return Ok(caller);
        }
        access::record_refusal(
            auditor,
            &caller,
            "authenticate",
            ("agency", agency.as_str()),
            "agency_not_served",
        )
        .await?;
        let problem = Problem::new(StatusCode::FORBIDDEN, "agency_not_served");
        Err(problem.detail(format!("This is the log of {}, not of {agency}.", auditor.country)).into())
    }
}

async fn check(auditor: &Auditor, headers: &HeaderMap) -> Result<Arc<AccessToken>, Problem> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let unverified_token = bearer(value).map_err(|_| Problem::unauthenticated())?;
    auditor.tokens.check(unverified_token, auditor.now()).await.map_err(|fault| {
        metrics::counter!("rovuma_tokens_refused_total", "code" => fault.code()).increment(1);
        if fault.is_temporary() {
            tracing::error!(%fault, "a token could not be checked");
            Problem::unavailable("keys_unavailable")
                .detail("The token's issuer cannot be reached to check it. Try again shortly.")
        } else {
            tracing::info!(%fault, "a token was refused");
            Problem::unauthenticated()
        }
    })
}

fn actor(token: &AccessToken) -> Actor {
    let roles = Actor::roles_from_words(token.roles().iter().map(String::as_str));
    let make = if token.is_machine() { Actor::machine } else { Actor::person };
    make(token.subject(), token.agency(), roles).in_session(token.session().map(str::to_owned))
}
