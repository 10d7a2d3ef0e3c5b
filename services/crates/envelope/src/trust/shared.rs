//! The present trust store, shared by all tasks of a process.

use std::sync::{Arc, PoisonError, RwLock};

use rovuma_schemas::Timestamp;

use super::{OfferOutcome, TrustFault, TrustStore};

/// Holds the present [`TrustStore`] and replaces it as a whole.
///
/// A reader takes the store once per message and verifies the whole message against that one.
#[derive(Debug)]
pub struct SharedTrust {
    present: RwLock<Arc<TrustStore>>,
}

impl SharedTrust {
    /// Starts with this store.
    pub fn new(store: TrustStore) -> Self {
        Self { present: RwLock::new(Arc::new(store)) }
    }

    /// The present store.
    pub fn current(&self) -> Arc<TrustStore> {
        // A writer replaces the store with one assignment, so a panic cannot have left half of one.
        self.present.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes a signed list, if it verifies and is not older than the present one.
    ///
    /// # Errors
    /// [`TrustFault`]; the store then stays as it is.
    pub fn offer(&self, json: &[u8], now: Timestamp) -> Result<OfferOutcome, TrustFault> {
        // The lock is held until the end, so that of two lists offered at once the older cannot replace
        // the newer.
        let mut present = self.present.write().unwrap_or_else(PoisonError::into_inner);
        let (next, offered) = present.with_list(json, now)?;
        if matches!(offered, OfferOutcome::Replaced { .. }) {
            *present = Arc::new(next);
        }
        Ok(offered)
    }

    /// Offers several lists, one of each country. A bad one does not keep the others out.
    pub fn reload<'a>(
        &self,
        lists: impl IntoIterator<Item = &'a [u8]>,
        now: Timestamp,
    ) -> Vec<Result<OfferOutcome, TrustFault>> {
        lists.into_iter().map(|json| self.offer(json, now)).collect()
    }
}
