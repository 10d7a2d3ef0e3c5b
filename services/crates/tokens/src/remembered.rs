//! A cache of checked tokens, so that a signature is not verified again for each request.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use ring::digest::{SHA256, digest};
use rovuma_schemas::Timestamp;

use crate::{AccessToken, LEEWAY};

/// Maximum tokens in the cache: enough for two thousand officers with four clients each, one token in use and one just
/// replaced. Each entry is under 1 KiB.
const REMEMBERED_MAX: usize = 16_384;

/// Checked tokens by the SHA-256 of their bytes, each until it expires.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    tokens: Mutex<HashMap<[u8; 32], Arc<AccessToken>>>,
}

impl Remembered {
    pub(crate) fn get(&self, unverified_token: &str, now: Timestamp) -> Option<Arc<AccessToken>> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let name = name_of(unverified_token);
        let token = tokens.get(&name)?;
        if is_over(token, now) {
            tokens.remove(&name);
            return None;
        }
        Some(Arc::clone(token))
    }

    pub(crate) fn put(&self, verified_token: &str, token: Arc<AccessToken>, now: Timestamp) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= REMEMBERED_MAX {
            tokens.retain(|_, token| !is_over(token, now));
        }
        // Only tokens with a valid signature get here, so a full cache is no attack, only many users: empty it rather
        // than let it grow.
        if tokens.len() >= REMEMBERED_MAX {
            tokens.clear();
        }
        tokens.insert(name_of(verified_token), token);
    }

    /// Empties the cache, because a key was withdrawn: the tokens that it signed must be checked again.
    pub(crate) fn clear(&self) {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn is_over(token: &AccessToken, now: Timestamp) -> bool {
    now > token.expires().plus(LEEWAY)
}

fn name_of(token: &str) -> [u8; 32] {
    let mut name = [0; 32];
    name.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    name
}
