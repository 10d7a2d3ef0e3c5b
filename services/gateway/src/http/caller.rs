//! Who calls: a checked access token, for one agency that is served here.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use rovuma_policy::Actor;
use rovuma_runtime::Problem;
use rovuma_schemas::{AgencyCode, Locale, Timestamp};
use rovuma_tokens::{AccessToken, bearer};

use super::{access, error::ApiError};
use crate::gateway::Gateway;

/// The caller of a request. The agency is the token's, never the request's.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    actor: Actor,
    expires: Timestamp,
    locale: Locale,
}

impl Caller {
    /// Who acts.
    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The one agency that the caller acts for.
    pub(crate) fn agency(&self) -> &AgencyCode {
        self.actor.agency()
    }

    /// The caller's identifier.
    pub(crate) fn subject(&self) -> &str {
        self.actor.subject()
    }

    /// The language that the caller reads.
    pub(crate) fn locale(&self) -> Locale {
        self.locale
    }

    /// When the token ends.
    pub(crate) fn expires(&self) -> Timestamp {
        self.expires
    }
}

impl FromRequestParts<Arc<Gateway>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, ApiError> {
        let token = check(gateway, &parts.headers).await?;
        let caller = Self { actor: actor(&token), expires: token.expires(), locale: locale(&parts.headers) };
        tracing::Span::current().record("agency", caller.agency().as_str());
        if is_served(gateway, caller.agency()) {
            return Ok(caller);
        }
        access::refuse_agency(gateway, &caller).await
    }
}

async fn check(gateway: &Gateway, headers: &HeaderMap) -> Result<Arc<AccessToken>, Problem> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let unverified_token = bearer(value).map_err(|_| Problem::unauthenticated())?;
    gateway.tokens.check(unverified_token, gateway.now()).await.map_err(|fault| {
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

/// The gateway speaks for its own agencies, and to the operators of its own installation.
fn is_served(gateway: &Gateway, agency: &AgencyCode) -> bool {
    gateway.agencies.serves(agency) || *agency == AgencyCode::node_of(gateway.country)
}

fn locale(headers: &HeaderMap) -> Locale {
    let asked = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    asked.map_or_else(Locale::default, Locale::negotiate)
}
