//! The revocation endpoint (RFC 7009): a person logs out of an application.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::{Conn, FutureExt};
use rovuma_trail::{AuditRecord, Trail};
use zeroize::Zeroizing;

use super::{
    client_address::ClientAddress,
    client_auth::{AuthenticatedClient, authenticate},
    refresh,
    token::{count_failure, parse},
    token_error::TokenError,
};
use crate::{accounts, app::App, params::Params, sessions};

/// Ends the log-in that a refresh token belongs to. A token that is unknown, or of another application, is answered
/// as if it had been revoked (RFC 7009 §2.2): it is of no use to whoever brings it.
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    address: ClientAddress,
    headers: HeaderMap,
    body: String,
) -> Result<Response, TokenError> {
    let body = Zeroizing::new(body);
    let params = parse(&headers, &body)?;
    let outcome = log_out(&app, &headers, &params).await;
    if let Err(TokenError::InvalidClient) = &outcome {
        count_failure(&app, address).await?;
    }
    outcome?;
    Ok((StatusCode::OK, [(header::CACHE_CONTROL, "no-store")]).into_response())
}

async fn log_out(app: &App, headers: &HeaderMap, params: &Params) -> Result<(), TokenError> {
    let now = app.now();
    let AuthenticatedClient::Application(application) = authenticate(app, headers, params, now).await? else {
        // A machine has no refresh token.
        return Err(TokenError::UnauthorizedClient);
    };
    let token = params.get("token").ok_or(TokenError::InvalidRequest("token is missing"))?.to_owned();
    // Two dots: a JWT. Refresh tokens have none.
    if token.matches('.').count() == 2 {
        return Err(TokenError::UnsupportedTokenType);
    }
    let (trail, client) = (app.trail.clone(), application.id.clone());
    app.write(move |tx| async move { end(tx, &trail, &token, &client, now).await }.boxed()).await?;
    Ok(())
}

async fn end(
    tx: &mut Conn,
    trail: &Trail,
    unverified_token: &str,
    client: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    let Some(session) = refresh::session_of(tx, unverified_token).await? else { return Ok(()) };
    if session.ended.is_some() || session.client != client {
        return Ok(());
    }
    sessions::end(tx, &session.id, now).await?;
    let mut act = AuditRecord::new(now, session.account.to_string(), AuditAction::Logout)
        .session(&session.id)
        .detail("client", client);
    if let Some(account) = accounts::by_id(tx, session.account).await? {
        act = act.agency(&account.agency);
    }
    trail.record(tx, &act).await.map(|_| ())
}
