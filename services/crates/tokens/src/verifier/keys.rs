//! One issuer's keys: fetched when needed, kept while the issuer is down.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rovuma_schemas::Timestamp;

use crate::{JwksSource, KeySet, TokenError};

/// The source is asked at most this often. A token with an invented `kid` costs nothing but a line
/// of log; a real new key is published long before it signs.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// Keys older than this are fetched again even though all are known, so that one that the issuer
/// has withdrawn stops working within this time while the issuer answers.
const KEYS_FRESH_FOR: Duration = Duration::from_secs(300);

/// The keys of one issuer.
pub(super) struct IssuerKeys {
    issuer: String,
    source: Arc<dyn JwksSource>,
    state: Mutex<State>,
    /// Held while the source is being asked: one request asks, those that need the answer wait.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    set: Arc<KeySet>,
    loaded_at: Option<Timestamp>,
    asked_at: Option<Timestamp>,
    /// Why the last attempt brought nothing.
    failure: Option<String>,
    /// A key went away since somebody last looked.
    withdrawn: bool,
}

/// Keys to check a token with.
pub(super) struct Keys {
    pub(super) set: Arc<KeySet>,
    /// A key has been withdrawn since the last call: what was remembered must be forgotten.
    pub(super) withdrawn: bool,
}

impl IssuerKeys {
    pub(super) fn new(issuer: String, source: Arc<dyn JwksSource>) -> Self {
        Self { issuer, source, state: Mutex::default(), asking: tokio::sync::Mutex::new(()) }
    }

    /// The keys, `kid` among them if the issuer publishes it.
    ///
    /// # Errors
    /// [`TokenError::KeysUnavailable`] when `kid` is not known and the issuer cannot be asked.
    pub(super) async fn holding(&self, kid: &str, now: Timestamp) -> Result<Keys, TokenError> {
        if !self.knows(kid) {
            let _turn = self.asking.lock().await;
            // Whoever had the turn before may have brought it.
            if !self.knows(kid) && self.may_ask(now) {
                self.ask(now).await;
            }
        } else if self.is_stale(now)
            && let Ok(_turn) = self.asking.try_lock()
            && self.may_ask(now)
        {
            // The others go on with what is known.
            self.ask(now).await;
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

    async fn ask(&self, now: Timestamp) {
        {
            let mut state = self.state();
            state.asked_at = Some(now);
            // Should the caller go away while we wait, the next one must not take a key for unknown.
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

    fn may_ask(&self, now: Timestamp) -> bool {
        is_longer_ago(self.state().asked_at, ASK_AGAIN_AFTER, now)
    }

    fn is_stale(&self, now: Timestamp) -> bool {
        is_longer_ago(self.state().loaded_at, KEYS_FRESH_FOR, now)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether `then` is more than `span` ago, never was, or lies in the future because the clock was
/// set back.
fn is_longer_ago(then: Option<Timestamp>, span: Duration, now: Timestamp) -> bool {
    then.is_none_or(|then| then > now || now.since(then) >= span)
}
