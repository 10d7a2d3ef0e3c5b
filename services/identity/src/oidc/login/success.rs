//! A log-in that succeeds, written in one transaction.

use rovuma_schemas::{Timestamp, audit::AuditAction};
use rovuma_store::Conn;
use rovuma_trail::{AuditRecord, Trail};

use crate::{
    accounts::{self, Account},
    fault::Fault,
    oidc::{
        code::{self, Grant},
        request::AuthorizationRequest,
    },
    sessions,
    throttle::{self, ThrottleKey},
};

/// A log-in, ready to be written.
pub(super) struct SuccessfulLogin {
    pub(super) account: Account,
    pub(super) grant: Grant,
    pub(super) code: String,
    /// The hash of the password that the person has just chosen.
    pub(super) new_password: Option<String>,
    pub(super) throttle_keys: Vec<ThrottleKey>,
}

impl SuccessfulLogin {
    /// `false`: the account has changed since the password was compared.
    pub(super) async fn write(self, tx: &mut Conn, trail: &Trail) -> sqlx::Result<bool> {
        let now = self.grant.authenticated;
        // The password was compared outside this transaction: an administrator may have disabled the
        // account or reset the password meanwhile.
        let current = accounts::by_id(tx, self.account.id).await?;
        let unchanged = current
            .is_some_and(|current| current.disabled.is_none() && current.password == self.account.password);
        if !unchanged {
            return Ok(false);
        }
        for key in &self.throttle_keys {
            throttle::forgive_attempt(tx, *key).await?;
        }
        if let Some(hash) = &self.new_password {
            accounts::set_password(tx, self.account.id, hash, false, now).await?;
            sessions::end_all(tx, self.account.id, now).await?;
            let act = self.act(AuditAction::UserChange).object("user", self.account.id);
            trail.record(tx, &act.detail("changed", "password")).await?;
        }
        code::insert(tx, &self.code, &self.grant).await?;
        let act = self.act(AuditAction::LoginSucceed).detail("client", &self.grant.client);
        trail.record(tx, &act).await?;
        Ok(true)
    }

    fn act(&self, action: AuditAction) -> AuditRecord {
        AuditRecord::new(self.grant.authenticated, self.account.id.to_string(), action)
            .session(&self.grant.session)
            .agency(&self.account.agency)
    }
}

/// The grant that the new code stands for.
pub(super) fn new_grant(
    request: &AuthorizationRequest,
    account: &Account,
    now: Timestamp,
) -> Result<Grant, Fault> {
    Ok(Grant {
        client: request.application.id.clone(),
        redirect_uri: request.redirect_uri.clone(),
        account: account.id,
        session: rovuma_tokens::unguessable()?,
        scope: request.scope,
        nonce: request.nonce.clone(),
        challenge: request.challenge.clone(),
        authenticated: now,
    })
}
