//! What the shared part of the API takes from the audit service.

use std::sync::Arc;

use rovuma_api::ApiState;
use rovuma_policy::Policy;
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_store::FutureExt;
use rovuma_tokens::TokenVerifier;
use rovuma_trail::AuditRecord;

use super::error::ApiError;
use crate::{auditor::Auditor, own};

impl ApiState for Auditor {
    fn policy(&self) -> &Policy {
        &self.policy
    }

    fn tokens(&self) -> &TokenVerifier {
        &self.tokens
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The log is for the agencies of its country.
    fn unserved(&self, agency: &AgencyCode) -> Option<String> {
        let is_served = agency.country() == self.country;
        (!is_served).then(|| format!("This is the log of {}, not of {agency}.", self.country))
    }

    /// Appends to the log itself.
    fn where_listed(&self, _: &str) -> &'static str {
        "Check source, epoch and sequence: GET /v1/events shows those of each event."
    }

    async fn record(&self, act: AuditRecord) -> Result<(), ApiError> {
        let (sequencer, now) = (Arc::clone(&self.sequencer), self.now());
        let write = self.store.write(move |tx| {
            async move {
                let appender = sequencer.begin(tx, now).await?;
                own::record_alone(tx, appender, act).await
            }
            .boxed()
        });
        Ok(write.await?)
    }
}
