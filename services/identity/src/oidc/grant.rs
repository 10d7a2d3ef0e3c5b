//! Two grants: an authorization code for a person, client credentials for a machine. The third, a refresh token,
//! is in `renewal.rs`.

use rovuma_policy::Role;
use rovuma_schemas::{AgencyCode, Timestamp, audit::AuditAction};
use rovuma_store::{Conn, FutureExt};
use rovuma_tokens::{AccessClaims, Assertion, IdClaims};
use rovuma_trail::{AuditRecord, Trail};

use super::{
    code::{self, Grant, Redemption, RedemptionOutcome},
    refresh,
    scope::Scope,
    token_error::TokenError,
};
use crate::{
    AccountId, TOKEN_LIFE,
    accounts::{self, Account},
    app::App,
    applications::Application,
    fault::Fault,
    machines::{self, Machine},
    params::Params,
    sessions::{self, Session},
};

/// The claims of tokens that may be signed: the audit event of their issue is on disk.
pub(super) struct TokenClaims {
    pub(super) access: AccessClaims,
    pub(super) id: Option<IdClaims>,
    /// The token with which a person's application renews the access token.
    pub(super) refresh_token: Option<String>,
}

/// Redeems a code (RFC 6749 §4.1.3, RFC 7636 §4.5).
pub(super) async fn authorization_code(
    app: &App,
    application: &Application,
    params: &Params,
    now: Timestamp,
) -> Result<TokenClaims, TokenError> {
    let required =
        |name, missing| params.get(name).map(str::to_owned).ok_or(TokenError::InvalidRequest(missing));
    let exchange = CodeExchange {
        unverified_code: required("code", "code is missing")?,
        redirect_uri: required("redirect_uri", "redirect_uri is missing")?,
        verifier: required("code_verifier", "code_verifier is missing")?,
        client: application.id.clone(),
        token_id: rovuma_tokens::unguessable().map_err(Fault::from)?,
        refresh_token: rovuma_tokens::unguessable().map_err(Fault::from)?,
        now,
    };
    let (token_id, refresh_token) = (exchange.token_id.clone(), exchange.refresh_token.clone());
    let trail = app.trail.clone();
    let redeemed = app.write(move |tx| async move { exchange.redeem(tx, &trail).await }.boxed()).await?;
    let (grant, account) = redeemed.ok_or(TokenError::InvalidGrant)?;
    let id = grant.scope.openid.then(|| IdClaims {
        issuer: app.issuer.as_str().to_owned(),
        subject: account.id.to_string(),
        client_id: grant.client.clone(),
        issued_at: now,
        expires: now.plus(TOKEN_LIFE),
        authenticated_at: grant.authenticated,
        nonce: grant.nonce.clone(),
        session: grant.session.clone(),
        name: grant.scope.profile.then(|| account.name.clone()),
    });
    let access = access_of_person(app, &grant.session(), grant.scope, account, token_id, now);
    Ok(TokenClaims { access, id, refresh_token: Some(refresh_token) })
}

/// One code that a client redeems.
struct CodeExchange {
    unverified_code: String,
    client: String,
    redirect_uri: String,
    verifier: String,
    token_id: String,
    refresh_token: String,
    now: Timestamp,
}

impl CodeExchange {
    /// `None`: refused. The transaction commits all the same, so that the code stays used and the refusal
    /// audited.
    async fn redeem(self, tx: &mut Conn, trail: &Trail) -> sqlx::Result<Option<(Grant, Account)>> {
        let redemption =
            Redemption { client: &self.client, redirect_uri: &self.redirect_uri, verifier: &self.verifier };
        match code::redeem(tx, &self.unverified_code, &redemption, self.now).await? {
            RedemptionOutcome::Unknown => {
                tracing::info!(client = self.client, "a client tried to redeem an unknown code");
                Ok(None)
            }
            RedemptionOutcome::Refused { grant, reason } => self.refuse(tx, trail, &grant, reason).await,
            RedemptionOutcome::Granted(grant) => match accounts::by_id(tx, grant.account).await? {
                Some(account) if account.disabled.is_none() => {
                    let session = grant.session();
                    sessions::begin(tx, &session).await?;
                    refresh::issue(tx, &self.refresh_token, &session, self.now).await?;
                    let act = issue_to_person(&session, &account, &self.token_id, self.now);
                    trail.record(tx, &act).await?;
                    Ok(Some((grant, account)))
                }
                _ => self.refuse(tx, trail, &grant, "disabled").await,
            },
        }
    }

    async fn refuse(
        &self,
        tx: &mut Conn,
        trail: &Trail,
        grant: &Grant,
        reason: &'static str,
    ) -> sqlx::Result<Option<(Grant, Account)>> {
        let act = refused_to_person(tx, grant.account, &grant.session, self.now).await?;
        let act = act.detail("client", &self.client).refused(reason);
        trail.record(tx, &act).await?;
        Ok(None)
    }
}

/// The audit record of an access token of a person.
pub(super) fn issue_to_person(
    session: &Session,
    account: &Account,
    token_id: &str,
    now: Timestamp,
) -> AuditRecord {
    AuditRecord::new(now, account.id.to_string(), AuditAction::TokenIssue)
        .session(&session.id)
        .agency(&account.agency)
        .object("token", token_id)
        .detail("client", &session.client)
}

/// The audit record of a person's request for a token, which is to be refused. It names the agency, so that its auditor sees it.
pub(super) async fn refused_to_person(
    tx: &mut Conn,
    account: AccountId,
    session: &str,
    now: Timestamp,
) -> sqlx::Result<AuditRecord> {
    let act = AuditRecord::new(now, account.to_string(), AuditAction::TokenIssue).session(session);
    Ok(match accounts::by_id(tx, account).await? {
        Some(account) => act.agency(&account.agency),
        None => act,
    })
}

/// The claims of a person's access token: agency, name and roles as they are now.
pub(super) fn access_of_person(
    app: &App,
    session: &Session,
    scope: Scope,
    account: Account,
    token_id: String,
    now: Timestamp,
) -> AccessClaims {
    let (subject, client) = (account.id.to_string(), session.client.clone());
    AccessClaims {
        session: Some(session.id.clone()),
        name: Some(account.name),
        scope: Some(scope.to_words()).filter(|words| !words.is_empty()),
        ..claims(app, subject, client, account.agency, &account.roles, token_id, now)
    }
}

/// Grants a machine a token for itself (RFC 6749 §4.4).
pub(super) async fn client_credentials(
    app: &App,
    machine: Machine,
    assertion: Option<Assertion>,
    now: Timestamp,
) -> Result<TokenClaims, TokenError> {
    let token_id = rovuma_tokens::unguessable().map_err(Fault::from)?;
    let act = AuditRecord::new(now, machine.id.as_str(), AuditAction::TokenIssue)
        .agency(machine.agency())
        .object("token", &token_id)
        .detail("client", &machine.id);
    let trail = app.trail.clone();
    let id = machine.id.clone();
    let write = app.write(move |tx| {
        async move {
            let fresh = match &assertion {
                Some(assertion) => machines::use_assertion(tx, &id, assertion).await?,
                None => true,
            };
            let enabled =
                machines::by_id(tx, id.as_str()).await?.is_some_and(|machine| machine.disabled.is_none());
            let act = if fresh && enabled { act } else { act.refused("assertion_reused_or_disabled") };
            trail.record(tx, &act).await?;
            Ok(fresh && enabled)
        }
        .boxed()
    });
    if !write.await? {
        return Err(TokenError::InvalidClient);
    }
    let id = machine.id.as_str().to_owned();
    let access = AccessClaims {
        name: Some(machine.name.clone()),
        ..claims(app, id.clone(), id, machine.agency().clone(), &machine.roles, token_id, now)
    };
    Ok(TokenClaims { access, id: None, refresh_token: None })
}

fn claims<'a>(
    app: &App,
    subject: String,
    client_id: String,
    agency: AgencyCode,
    roles: impl IntoIterator<Item = &'a Role>,
    id: String,
    now: Timestamp,
) -> AccessClaims {
    AccessClaims {
        issuer: app.issuer.as_str().to_owned(),
        subject,
        audience: app.audience.clone(),
        client_id,
        id,
        issued_at: now,
        expires: now.plus(TOKEN_LIFE),
        agency,
        roles: roles.into_iter().map(|role| role.as_str().to_owned()).collect(),
        session: None,
        name: None,
        scope: None,
    }
}
