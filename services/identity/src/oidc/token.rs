//! The token endpoint (RFC 6749 §3.2): from the form to a signed token.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use rovuma_schemas::audit::AuditAction;
use rovuma_store::FutureExt;
use rovuma_trail::AuditRecord;
use serde::Serialize;
use zeroize::Zeroizing;

use super::{
    client_address::ClientAddress,
    client_auth::{AuthenticatedClient, authenticate},
    grant::{self, TokenClaims},
    renewal,
    token_error::TokenError,
};
use crate::{
    TOKEN_LIFE,
    app::App,
    fault::Fault,
    params::Params,
    throttle::{self, ThrottleDecision, ThrottleKey},
};

/// The successful response (RFC 6749 §5.1).
#[derive(Serialize)]
struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

/// The values of `grant_type` that are supported.
const GRANT_TYPES: [&str; 3] = ["authorization_code", "refresh_token", "client_credentials"];

pub(super) async fn issue(
    State(app): State<Arc<App>>,
    address: ClientAddress,
    headers: HeaderMap,
    body: String,
) -> Result<Response, TokenError> {
    let body = Zeroizing::new(body);
    let params = parse(&headers, &body)?;
    let outcome = issue_tokens(&app, &headers, &params).await;
    if let Err(TokenError::InvalidClient) = &outcome {
        count_failure(&app, address).await?;
    }
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
    Ok((headers, Json(outcome?)).into_response())
}

async fn issue_tokens(app: &App, headers: &HeaderMap, params: &Params) -> Result<TokenResponse, TokenError> {
    let now = app.now();
    let grant_type = params.get("grant_type").ok_or(TokenError::InvalidRequest("grant_type is missing"))?;
    if !GRANT_TYPES.contains(&grant_type) {
        return Err(TokenError::UnsupportedGrantType);
    }
    let client = authenticate(app, headers, params, now).await?;
    let claims = match (grant_type, client) {
        ("authorization_code", AuthenticatedClient::Application(application)) => {
            grant::authorization_code(app, &application, params, now).await?
        }
        ("refresh_token", AuthenticatedClient::Application(application)) => {
            renewal::refresh_token(app, &application, params, now).await?
        }
        ("client_credentials", AuthenticatedClient::Machine(machine, assertion)) => {
            grant::client_credentials(app, *machine, assertion, now).await?
        }
        _ => return Err(TokenError::UnauthorizedClient),
    };
    sign(app, claims)
}

/// Signs the tokens. The grant has checked the account or machine and written the audit event.
fn sign(app: &App, claims: TokenClaims) -> Result<TokenResponse, TokenError> {
    let signer = app.keys.signer(claims.access.issued_at).map_err(Fault::from)?;
    let id_token = claims.id.map(|id| signer.mint_id(&id)).transpose();
    metrics::counter!("rovuma_tokens_issued_total").increment(1);
    Ok(TokenResponse {
        access_token: signer.mint_access(&claims.access).map_err(Fault::from)?,
        token_type: "Bearer",
        expires_in: TOKEN_LIFE.as_secs(),
        scope: claims.access.scope.unwrap_or_default(),
        id_token: id_token.map_err(Fault::from)?,
        refresh_token: claims.refresh_token,
    })
}

/// Reads the form of a request.
pub(super) fn parse(headers: &HeaderMap, body: &str) -> Result<Params, TokenError> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let bare = media.split(';').next().unwrap_or_default().trim();
    if !bare.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(TokenError::InvalidRequest("the body must be application/x-www-form-urlencoded"));
    }
    Params::parse(body).map_err(|_| TokenError::InvalidRequest("a parameter is sent twice or too long"))
}

/// Counts and audits a failed client authentication. While the address is blocked nothing is audited: more
/// events would only fill the log, and nobody can guess the secrets themselves.
pub(super) async fn count_failure(app: &App, address: ClientAddress) -> Result<(), Fault> {
    let now = app.now();
    let act = AuditRecord::new(now, "anonymous", AuditAction::LoginFail).refused("client_authentication");
    let trail = app.trail.clone();
    let key = ThrottleKey::client_address(address.0);
    app.write(move |tx| {
        async move {
            if let ThrottleDecision::Counted { .. } = throttle::count_attempt(tx, key, now).await? {
                trail.record(tx, &act).await?;
            }
            Ok(())
        }
        .boxed()
    })
    .await
}
