//! A log-in that succeeds: all of it in one transaction.

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
    throttle::{self, Target},
};

/// A log-in, ready to be written.
pub(super) struct Entry {
    pub(super) account: Account,
    pub(super) grant: Grant,
    pub(super) code: String,
    pub(super) new_password: Option<String>,
    pub(super) targets: Vec<Target>,
}

impl Entry {
    /// `false`: the account has changed since the password was compared.
    pub(super) async fn write(self, tx: &mut Conn, trail: &Trail) -> sqlx::Result<bool> {
        let now = self.grant.authenticated;
        let current = accounts::by_id(tx, self.account.id).await?;
        let unchanged = current
            .is_some_and(|current| current.disabled.is_none() && current.password == self.account.password);
        if !unchanged {
            return Ok(false);
        }
        for target in &self.targets {
            throttle::succeed(tx, *target).await?;
        }
        if let Some(hash) = &self.new_password {
            accounts::set_password(tx, self.account.id, hash, false, now).await?;
            let act = self.act(AuditAction::UserChange).object("user", self.account.id);
            trail.record(tx, &act.detail("changed", "password")).await?;
        }
        code::keep(tx, &self.code, &self.grant).await?;
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

/// What the code will stand for.
pub(super) fn grant(
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
