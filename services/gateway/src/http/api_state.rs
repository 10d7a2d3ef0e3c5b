//! Gives the shared part of the API the gateway's policy, token verifier, clock and audit trail.

use rovuma_api::ApiState;
use rovuma_policy::Policy;
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::FutureExt;
use rovuma_tokens::TokenVerifier;
use rovuma_trail::AuditRecord;

use super::error::ApiError;
use crate::gateway::Gateway;

impl ApiState for Gateway {
    fn policy(&self) -> &Policy {
        &self.policy
    }

    fn tokens(&self) -> &TokenVerifier {
        &self.tokens
    }

    fn now(&self) -> Timestamp {
        self.base.now()
    }

    /// The gateway serves its own agencies and the operators of its own installation.
    fn unserved(&self, agency: &AgencyCode) -> Option<String> {
        let is_served =
            self.exchange.agencies.serves(agency) || *agency == AgencyCode::node_of(self.base.country);
        (!is_served).then(|| format!("This gateway does not serve {agency}."))
    }

    fn where_listed(&self, kind: &str) -> &'static str {
        match kind {
            "message" => "Check the id: GET /v1/inbox and GET /v1/sent list your agency's messages.",
            "draft" => "Check the id: GET /v1/drafts lists your agency's open drafts.",
            "case" => "Check the name: GET /v1/cases lists your agency's cases.",
            _ => "Check the id.",
        }
    }

    async fn record(&self, act: AuditRecord) -> Result<(), ApiError> {
        let trail = self.base.trail.clone();
        self.base.store.write(move |tx| async move { trail.record(tx, &act).await }.boxed()).await?;
        Ok(())
    }
}
