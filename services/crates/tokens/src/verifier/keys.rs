//! One issuer's keys: fetched when needed, kept while the issuer is down.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rovuma_schemas::Timestamp;

use crate::{JwksSource, KeySet, TokenError};

/// The shortest time between two fetches. A token with an invented `kid` therefore costs only a log line; a real new key is
/// published long before it signs.
const FETCH_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// The age at which keys are fetched again even though all are known, so that a key that the issuer has withdrawn stops
/// working within this time, as long as the issuer answers.
const KEYS_FRESH_FOR: Duration = Duration::from_secs(300);

/// The keys of one issuer.
pub(super) struct IssuerKeys {
    issuer: String,
    source: Arc<dyn JwksSource>,
    state: Mutex<State>,
    /// Locked while the keys are fetched: one request fetches them, and the requests that need them wait.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    set: Arc<KeySet>,
    loaded_at: Option<Timestamp>,
    fetched_at: Option<Timestamp>,
    /// Why the last fetch failed; absent when it succeeded.
    failure: Option<String>,
    /// Whether a key was withdrawn since the last call of `including`.
    withdrawn: bool,
}

/// Keys to check a token with, as of one moment.
pub(super) struct Keys {
    pub(super) set: Arc<KeySet>,
    /// Whether a key was withdrawn since the last call: then the cache of checked tokens must be emptied.
    pub(super) withdrawn: bool,
}

impl IssuerKeys {
    pub(super) fn new(issuer: String, source: Arc<dyn JwksSource>) -> Self {
        Self { issuer, source, state: Mutex::default(), fetching: tokio::sync::Mutex::new(()) }
    }

    /// Returns the keys, after fetching them when `kid` is not among the known ones.
    ///
    /// # Errors
    /// [`TokenError::KeysUnavailable`] when `kid` is not known and the keys cannot be fetched.
    pub(super) async fn including(&self, kid: &str, now: Timestamp) -> Result<Keys, TokenError> {
        if !self.knows(kid) {
            let _turn = self.fetching.lock().await;
            // The request that had the lock before may have fetched it.
            if !self.knows(kid) && self.may_fetch(now) {
                self.fetch(now).await;
            }
        } else if self.is_stale(now)
            && let Ok(_turn) = self.fetching.try_lock()
            && self.may_fetch(now)
        {
            // Only this request waits; others go on with the known keys meanwhile.
            self.fetch(now).await;
        }
        self.current(kid)
    }

    fn current(&self, kid: &str) -> Result<Keys, TokenError> {
        let mut state = self.state();
        if let (None, Some(reason)) = (state.set.get(kid), &state.failure) {
            return Err(TokenError::KeysUnavailable { issuer: self.issuer.clone(), reason: reason.clone() });
        }
        let withdrawn = std::mem::take(&mut state.withdrawn);
        Ok(Keys { set: Arc::clone(&state.set), withdrawn })
    }

    async fn fetch(&self, now: Timestamp) {
        {
            let mut state = self.state();
            state.fetched_at = Some(now);
            // Replaced after the fetch. When this caller goes away during it, later requests report that the keys are
            // unavailable, rather than that the key is unknown.
            state.failure = Some("no answer yet".into());
        }
        let answer = self.source.fetch().await.map_err(|error| error.to_string());
        let answer = answer.and_then(|jwks| KeySet::from_jwks(&jwks).map_err(|fault| fault.to_string()));
        let mut state = self.state();
        match answer {
            Ok(set) => {
                state.withdrawn |= !state.set.is_within(&set);
                state.set = Arc::new(set);
                state.loaded_at = Some(now);
                state.failure = None;
            }
            Err(reason) => {
                tracing::warn!(issuer = %self.issuer, %reason, "keys cannot be fetched, those known stay in use");
                state.failure = Some(reason);
            }
        }
    }

    fn knows(&self, kid: &str) -> bool {
        self.state().set.get(kid).is_some()
    }

    fn may_fetch(&self, now: Timestamp) -> bool {
        is_longer_ago(self.state().fetched_at, FETCH_AGAIN_AFTER, now)
    }

    fn is_stale(&self, now: Timestamp) -> bool {
        is_longer_ago(self.state().loaded_at, KEYS_FRESH_FOR, now)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `then` is more than `span` ago, is absent, or is in the future because the clock was set back.
fn is_longer_ago(then: Option<Timestamp>, span: Duration, now: Timestamp) -> bool {
    then.is_none_or(|then| then > now || now.since(then) >= span)
}
