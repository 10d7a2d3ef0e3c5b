//! What every request needs.

use rovuma_policy::Policy;
use rovuma_runtime::SharedClock;
use rovuma_schemas::{AgencyCode, CountryCode, Timestamp};
use rovuma_store::{FutureExt, Store, WriteError};
use rovuma_tokens::TokenVerifier;

use crate::{
    error::DbError,
    log::Appender,
    own::{self, OwnEvent, OwnSource},
};

/// The log of a country, and who may look into it.
pub(crate) struct Auditor {
    /// Whose log it is.
    pub(crate) country: CountryCode,
    /// The log.
    pub(crate) store: Store,
    /// The service as a source of events.
    pub(crate) own: OwnSource,
    /// The configured sources, those that never wrote included.
    pub(crate) producers: Vec<String>,
    /// Who may do what.
    pub(crate) policy: Policy,
    /// Whose tokens are taken.
    pub(crate) tokens: TokenVerifier,
    /// What time it is.
    pub(crate) clock: SharedClock,
}

impl Auditor {
    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The agency that stands for the installation: its log is the whole country's.
    pub(crate) fn node(&self) -> AgencyCode {
        AgencyCode::node_of(self.country)
    }

    /// Writes an event of the service's own, durably.
    ///
    /// # Errors
    /// [`WriteError`] when the log does not take it: then what it is about must not be done.
    pub(crate) async fn record(&self, event: OwnEvent) -> Result<(), WriteError<DbError>> {
        let (own, now) = (self.own.clone(), self.now());
        let write = self.store.write(move |tx| {
            async move {
                let mut appender = Appender::begin(tx, now).await?;
                own::record(tx, &mut appender, &own, event).await
            }
            .boxed()
        });
        write.await
    }
}
