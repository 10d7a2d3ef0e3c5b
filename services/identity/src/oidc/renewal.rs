//! The grant of a refresh token (RFC 6749 §6): a new access token for a log-in that goes on, and the next refresh
//! token.

use rovuma_schemas::Timestamp;
use rovuma_store::{Conn, FutureExt};
use rovuma_trail::Trail;

use super::{
    grant::{TokenClaims, access_of_person, issue_to_person, refused_to_person},
    refresh::{self, RefreshOutcome},
    scope::Scope,
    token_error::TokenError,
};
use crate::{
    accounts::{self, Account},
    app::App,
    applications::Application,
    fault::Fault,
    params::Params,
    sessions::Session,
};

/// Renews the tokens of a log-in.
pub(super) async fn refresh_token(
    app: &App,
    application: &Application,
    params: &Params,
    now: Timestamp,
) -> Result<TokenClaims, TokenError> {
    let unverified_token =
        params.get("refresh_token").ok_or(TokenError::InvalidRequest("refresh_token is missing"))?;
    let renewal = Renewal {
        unverified_token: unverified_token.to_owned(),
        unverified_scope: params.get("scope").map(str::to_owned),
        client: application.id.clone(),
        token_id: rovuma_tokens::unguessable().map_err(Fault::from)?,
        next: rovuma_tokens::unguessable().map_err(Fault::from)?,
        now,
    };
    let (token_id, next) = (renewal.token_id.clone(), renewal.next.clone());
    let trail = app.trail.clone();
    let renewed = app.write(move |tx| async move { renewal.run(tx, &trail).await }.boxed()).await?;
    let Renewed { session, scope, account } = renewed?;
    let access = access_of_person(app, &session, scope, account, token_id, now);
    Ok(TokenClaims { access, id: None, refresh_token: Some(next) })
}

/// One refresh token that an application uses.
struct Renewal {
    unverified_token: String,
    unverified_scope: Option<String>,
    client: String,
    token_id: String,
    /// The refresh token that follows.
    next: String,
    now: Timestamp,
}

struct Renewed {
    session: Session,
    scope: Scope,
    account: Account,
}

impl Renewal {
    /// The inner error is the refusal. The transaction commits all the same, so that a log-in that was ended stays
    /// so and the refusal audited.
    async fn run(self, tx: &mut Conn, trail: &Trail) -> sqlx::Result<Result<Renewed, TokenError>> {
        let (token, scope) = (&self.unverified_token, self.unverified_scope.as_deref());
        match refresh::redeem(tx, token, &self.client, scope, self.now).await? {
            RefreshOutcome::Unknown => {
                tracing::info!(client = self.client, "a client brought an unknown refresh token");
                Ok(Err(TokenError::InvalidGrant))
            }
            RefreshOutcome::Over { session, reason } => {
                // Nothing was done with it: the person logs in again, which is audited.
                tracing::info!(client = self.client, user = %session.account, reason, "not renewed");
                Ok(Err(TokenError::InvalidGrant))
            }
            RefreshOutcome::ScopeTooWide => Ok(Err(TokenError::InvalidScope)),
            RefreshOutcome::Stolen { session, reason } => self.refuse(tx, trail, &session, reason).await,
            RefreshOutcome::Granted(session, scope) => match accounts::by_id(tx, session.account).await? {
                Some(account) if account.disabled.is_none() => {
                    refresh::issue(tx, &self.next, &session, self.now).await?;
                    let act = issue_to_person(&session, &account, &self.token_id, self.now);
                    trail.record(tx, &act.detail("grant", "refresh_token")).await?;
                    Ok(Ok(Renewed { session, scope, account }))
                }
                _ => self.refuse(tx, trail, &session, "disabled").await,
            },
        }
    }

    async fn refuse(
        &self,
        tx: &mut Conn,
        trail: &Trail,
        session: &Session,
        reason: &'static str,
    ) -> sqlx::Result<Result<Renewed, TokenError>> {
        let act = refused_to_person(tx, session.account, &session.id, self.now).await?;
        let act = act.detail("client", &self.client).detail("grant", "refresh_token").refused(reason);
        trail.record(tx, &act).await?;
        Ok(Err(TokenError::InvalidGrant))
    }
}
