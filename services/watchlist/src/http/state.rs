//! What the shared part of the API takes from this service.

use rovuma_api::ApiState;
use rovuma_policy::Policy;
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::FutureExt;
use rovuma_tokens::TokenVerifier;
use rovuma_trail::AuditRecord;

use super::error::ApiError;
use crate::{error::DbError, watchlist::Watchlist};

impl ApiState for Watchlist {
    fn policy(&self) -> &Policy {
        &self.policy
    }

    fn tokens(&self) -> &TokenVerifier {
        &self.tokens
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn unserved(&self, agency: &AgencyCode) -> Option<String> {
        self.agency(agency).is_none().then(|| format!("This watchlist does not serve {agency}."))
    }

    fn where_listed(&self, kind: &str) -> &'static str {
        match kind {
            "list" => "GET /v1/lists shows the imported lists, and what waits for a second person.",
            "rule" => "GET /v1/rules shows the rules.",
            _ => "Check the id: GET /v1/candidates lists what your agency has.",
        }
    }

    async fn record(&self, act: AuditRecord) -> Result<(), ApiError> {
        let trail = self.trail.clone();
        let write = self.store.write(move |tx| {
            async move { Ok::<_, DbError>(trail.record(tx, &act).await.map(|_| ())?) }.boxed()
        });
        Ok(write.await?)
    }
}
