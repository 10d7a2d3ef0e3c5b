//! The store of the moment, shared by all tasks of a process.

use std::sync::{Arc, PoisonError, RwLock};

use rovuma_schemas::Timestamp;

use super::{OfferOutcome, TrustFault, TrustStore};

/// Holds the present [`TrustStore`] and swaps it whole.
///
/// A reader takes the store once per message and judges everything by that one.
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
        // A store is swapped in one move, so a panic elsewhere cannot have left half of one.
        self.present.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes a list that was read from a file, when it holds and is not older than the one held.
    ///
    /// # Errors
    /// [`TrustFault`]; the store then stays as it is.
    pub fn offer(&self, json: &[u8], now: Timestamp) -> Result<OfferOutcome, TrustFault> {
        // Held throughout, so that of two lists offered at once the older never comes to stand.
        let mut present = self.present.write().unwrap_or_else(PoisonError::into_inner);
        let (next, offered) = present.with_list(json, now)?;
        if matches!(offered, OfferOutcome::Replaced { .. }) {
            *present = Arc::new(next);
        }
        Ok(offered)
    }

    /// Offers several lists, one of each country; a bad one does not keep the others out.
    pub fn reload<'a>(
        &self,
        lists: impl IntoIterator<Item = &'a [u8]>,
        now: Timestamp,
    ) -> Vec<Result<OfferOutcome, TrustFault>> {
        lists.into_iter().map(|json| self.offer(json, now)).collect()
    }
}
