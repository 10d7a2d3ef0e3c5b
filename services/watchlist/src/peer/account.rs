//! The machine account of an agency: client credentials (RFC 6749 section 4.4), and the token that they gave last.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rovuma_runtime::{Secret, SecretFile};
use rovuma_schemas::Timestamp;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Peer, PeerFault};
use crate::config::PeerConfig;

/// A token is renewed this long before it expires: a request that begins with it must end with it.
const RENEWED_BEFORE: Duration = Duration::from_secs(60);

/// Life of a token whose provider does not state it (RFC 6749 section 5.1 leaves it open): short.
const DEFAULT_LIFE_S: u64 = 120;

/// A machine account.
#[derive(Clone)]
pub(crate) struct MachineAccount(Arc<Inner>);

struct Inner {
    provider: Peer,
    issuer: String,
    client_id: String,
    secret: Secret,
    token: Mutex<Option<(Arc<Zeroizing<String>>, Timestamp)>>,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    token_endpoint: url::Url,
}

#[derive(Deserialize)]
struct TokenResponse {
    access_token: String,
    token_type: String,
    expires_in: Option<u64>,
}

impl MachineAccount {
    /// The account with this id and secret at the provider.
    ///
    /// # Errors
    /// [`PeerFault::Configuration`] when the secret or the provider's authorities cannot be read.
    pub(crate) fn load(
        provider: &PeerConfig,
        client_id: &str,
        secret_file: &SecretFile,
    ) -> Result<Self, PeerFault> {
        let secret = secret_file.read_line().map_err(|fault| PeerFault::Configuration(fault.to_string()))?;
        let issuer = provider.url.as_str().trim_end_matches('/').to_owned();
        let provider = Peer::new(provider, "the identity provider")?;
        let client_id = client_id.to_owned();
        Ok(Self(Arc::new(Inner { provider, issuer, client_id, secret, token: Mutex::new(None) })))
    }

    /// A token that holds for a while.
    pub(super) async fn token(&self, now: Timestamp) -> Result<Arc<Zeroizing<String>>, PeerFault> {
        if let Some((token, until)) = self.kept().as_ref()
            && now.plus(RENEWED_BEFORE) < *until
        {
            return Ok(Arc::clone(token));
        }
        let inner = &self.0;
        let discovery = inner.provider.http.get(inner.provider.url("/.well-known/openid-configuration")?);
        let metadata: Metadata = inner.provider.send(discovery).await?;
        // OpenID Connect Discovery 1.0 section 4.3: otherwise another provider's tokens would pass for this one's.
        if metadata.issuer.trim_end_matches('/') != inner.issuer
            || !super::is_protected(&metadata.token_endpoint)
        {
            let reason = format!("the provider at {} calls itself {}", inner.issuer, metadata.issuer);
            return Err(PeerFault::Nonsense { peer: inner.provider.name, reason });
        }
        let secret = inner.secret.expose_text().ok_or_else(|| {
            PeerFault::Configuration(format!("the secret of {} is not text", inner.client_id))
        })?;
        let request = inner
            .provider
            .http
            .post(metadata.token_endpoint)
            .basic_auth(escaped(&inner.client_id), Some(escaped(secret)))
            .form(&[("grant_type", "client_credentials")]);
        let answer: TokenResponse = inner.provider.send(request).await?;
        if !answer.token_type.eq_ignore_ascii_case("bearer") {
            let reason = format!("a token of type {:?}", answer.token_type);
            return Err(PeerFault::Nonsense { peer: inner.provider.name, reason });
        }
        let until = now.plus(Duration::from_secs(answer.expires_in.unwrap_or(DEFAULT_LIFE_S)));
        let token = Arc::new(Zeroizing::new(answer.access_token));
        *self.kept() = Some((Arc::clone(&token), until));
        Ok(token)
    }

    /// Forgets a token that a service no longer takes: the next request gets another.
    pub(super) fn forget_if_refused<T>(&self, answer: &Result<T, PeerFault>) {
        if let Err(PeerFault::Refused { status: 401, .. }) = answer {
            *self.kept() = None;
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<(Arc<Zeroizing<String>>, Timestamp)>> {
        self.0.token.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Form-encodes the id or the secret, as RFC 6749 section 2.3.1 requires before they are joined.
fn escaped(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

impl fmt::Debug for MachineAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MachineAccount").field("client_id", &self.0.client_id).finish_non_exhaustive()
    }
}
