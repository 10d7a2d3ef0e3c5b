//! What the shared part of the API takes from this service.

use rovuma_api::{Access as _, ApiState, Caller};
use rovuma_policy::{Actor, Policy, Resource};
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::FutureExt;
use rovuma_tokens::{AccessToken, TokenVerifier};
use rovuma_trail::AuditRecord;

use super::error::ApiError;
use crate::{accounts, app::App, machines, sessions};

impl ApiState for App {
    fn policy(&self) -> &Policy {
        &self.policy
    }

    fn tokens(&self) -> &TokenVerifier {
        &self.tokens
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The service serves every agency that it has accounts of.
    fn unserved(&self, _: &AgencyCode) -> Option<String> {
        None
    }

    fn where_listed(&self, _: &str) -> &'static str {
        "Check the id: GET /v1/users and GET /v1/clients list your agency's accounts."
    }

    async fn record(&self, act: AuditRecord) -> Result<(), ApiError> {
        let trail = self.trail.clone();
        self.write(move |tx| async move { trail.record(tx, &act).await.map(|_| ()) }.boxed()).await?;
        Ok(())
    }

    /// Agency and roles are the store's, as they are now: a role taken away a minute ago is gone, whatever the
    /// token says. Nobody acts whose account is gone or disabled, or whose log-in was ended.
    async fn actor(&self, token: &AccessToken) -> Result<Option<Actor>, ApiError> {
        let mut conn = self.store.read().acquire().await?;
        if let Some(session) = token.session()
            && sessions::has_ended(&mut conn, session).await?
        {
            return Ok(None);
        }
        if token.is_machine() {
            let machine = machines::by_id(&mut conn, token.subject()).await?;
            let enabled = machine.filter(|machine| machine.disabled.is_none());
            return Ok(enabled.map(|machine| machine.actor()));
        }
        let Ok(id) = token.subject().parse() else { return Ok(None) };
        let account = accounts::by_id(&mut conn, id).await?;
        Ok(account.filter(|account| account.disabled.is_none()).map(|account| account.actor()))
    }
}

/// Refuses what nobody may do to their own account, whatever the policy says: the agency would lose its last
/// administrator, or a stolen token would become a password.
///
/// # Errors
/// 403 `own_account`, and an audit event.
pub(super) async fn forbid_own(
    app: &App,
    caller: &Caller,
    asked: &'static str,
    resource: &Resource,
) -> Result<(), ApiError> {
    if resource.id() != caller.subject() {
        return Ok(());
    }
    let sentence = "Another administrator does this to your account.";
    app.refuse(caller, asked, resource, "own_account", sentence).await
}
