//! The caller of a request, taken from the access token.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use rovuma_policy::Actor;
use rovuma_runtime::{CallerLocale, Problem};
use rovuma_schemas::{AgencyCode, Locale, Timestamp, audit::AuditObject};
use rovuma_tokens::{AccessToken, TokenError, bearer};

use crate::{error::ApiError, refusal::record_refusal, state::ApiState};

/// The caller of a request: an extractor that checks the bearer token. The agency is the token's or the
/// service's knowledge, never the request's.
#[derive(Clone, Debug)]
pub struct Caller {
    actor: Actor,
    token: Arc<AccessToken>,
    locale: Locale,
}

impl Caller {
    /// The actor, as the access policy sees it.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The one agency that the caller acts for.
    pub fn agency(&self) -> &AgencyCode {
        self.actor.agency()
    }

    /// The caller's identifier.
    pub fn subject(&self) -> &str {
        self.actor.subject()
    }

    /// The language that the caller reads.
    pub fn locale(&self) -> Locale {
        self.locale
    }

    /// The instant at which the token expires.
    pub fn expires(&self) -> Timestamp {
        self.token.expires()
    }

    /// Whether the token has this scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.token.scope().unwrap_or_default().split(' ').any(|word| word == scope)
    }
}

impl<S: ApiState> FromRequestParts<Arc<S>> for Caller {
    type Rejection = ApiError<S>;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<S>) -> Result<Self, ApiError<S>> {
        let token = check(&**state, &parts.headers).await?;
        let actor = state.actor(&token).await?.ok_or_else(Problem::unauthenticated)?;
        let actor = actor.in_session(token.session().map(str::to_owned));
        let agency = actor.agency();
        tracing::Span::current().record("agency", agency.as_str());
        if let Some(sentence) = state.unserved(agency) {
            let object = AuditObject::new("agency", agency.as_str());
            record_refusal(&**state, &actor, "authenticate", object, "agency_not_served").await?;
            return Err(Problem::new(StatusCode::FORBIDDEN, "agency_not_served").detail(sentence).into());
        }
        let Ok(CallerLocale(locale)) = CallerLocale::from_request_parts(parts, state).await;
        Ok(Self { actor, token, locale })
    }
}

async fn check<S: ApiState>(state: &S, headers: &HeaderMap) -> Result<Arc<AccessToken>, Problem> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let unverified_token = bearer(value).map_err(|_| Problem::unauthenticated())?;
    state.tokens().check(unverified_token, state.now()).await.map_err(|fault| {
        metrics::counter!("rovuma_tokens_refused_total", "code" => fault.code()).increment(1);
        if fault.is_temporary() {
            tracing::error!(%fault, "a token could not be checked");
            Problem::unavailable("keys_unavailable")
                .detail("The token's issuer cannot be reached to check it. Try again shortly.")
        } else {
            tracing::info!(%fault, "a token was refused");
            // Signature, issuer, audience and claims hold: whoever has such a token knows when it ended. All other faults look
            // alike from outside.
            if matches!(fault, TokenError::Expired { .. }) {
                Problem::token_expired()
            } else {
                Problem::unauthenticated()
            }
        }
    })
}
