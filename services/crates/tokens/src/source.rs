//! Sources of an issuer's keys: a URL, a file, or the program itself.

use std::{path::PathBuf, sync::Arc, time::Duration};

use futures::{StreamExt, future::BoxFuture};
use url::Url;

use crate::{IssuerConfig, IssuerFault, JwkSet, issuer::is_trustworthy};

/// Maximum size of a JWK Set: a provider publishes a handful of keys of about 1 KiB.
const JWKS_MAX_BYTES: usize = 256 * 1024;

/// How long fetching may take. Requests wait for it, and must not wait long for an issuer that is down, because known keys
/// work without it.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// A source of an issuer's JWK Set.
pub trait JwksSource: Send + Sync + 'static {
    /// Fetches the present set.
    ///
    /// # Errors
    /// [`SourceError`] when it cannot be fetched or parsed; the former keys then stay in use.
    fn fetch(&self) -> BoxFuture<'_, Result<JwkSet, SourceError>>;
}

/// A JWK Set that cannot be fetched or parsed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct SourceError {
    reason: String,
}

impl SourceError {
    /// A failure with a sentence for the log.
    pub fn new(reason: impl std::fmt::Display) -> Self {
        Self { reason: reason.to_string() }
    }
}

struct FileSource(PathBuf);

struct UrlSource {
    client: reqwest::Client,
    url: Url,
}

/// The source of a configured issuer.
pub(crate) fn configured(config: &IssuerConfig) -> Result<Arc<dyn JwksSource>, IssuerFault> {
    match (&config.jwks_url, &config.jwks_file) {
        (Some(url), None) if is_trustworthy(url) => {
            let client = client(config)
                .map_err(|reason| IssuerFault::CaFile { issuer: config.issuer.clone(), reason })?;
            Ok(Arc::new(UrlSource { client, url: url.clone() }))
        }
        (Some(url), None) => Err(IssuerFault::ClearText { issuer: config.issuer.clone(), url: url.clone() }),
        (None, Some(path)) => Ok(Arc::new(FileSource(path.clone()))),
        _ => Err(IssuerFault::KeySource { issuer: config.issuer.clone() }),
    }
}

fn client(config: &IssuerConfig) -> Result<reqwest::Client, String> {
    // reqwest is built without cryptography and uses the installed provider. An error means that ring is installed already.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .timeout(FETCH_TIMEOUT)
        .connect_timeout(FETCH_TIMEOUT)
        // Following a redirect would let the answer choose where the keys come from.
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    if let Some(path) = &config.ca_file {
        let pem = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| error.to_string())?;
        if certificates.is_empty() {
            return Err(format!("{}: no certificates in it", path.display()));
        }
        builder = builder.tls_certs_only(certificates);
    }
    builder.build().map_err(|error| error.to_string())
}

impl JwksSource for FileSource {
    fn fetch(&self) -> BoxFuture<'_, Result<JwkSet, SourceError>> {
        Box::pin(async {
            let read =
                |reason: &dyn std::fmt::Display| SourceError::new(format!("{}: {reason}", self.0.display()));
            let bytes = tokio::fs::read(&self.0).await.map_err(|error| read(&error))?;
            JwkSet::parse(&bytes).map_err(|error| read(&error))
        })
    }
}

impl JwksSource for UrlSource {
    fn fetch(&self) -> BoxFuture<'_, Result<JwkSet, SourceError>> {
        Box::pin(async {
            let answer = self.client.get(self.url.clone()).send().await.map_err(SourceError::new)?;
            if !answer.status().is_success() {
                return Err(SourceError::new(format!("{} answers {}", self.url, answer.status())));
            }
            let bytes = bounded_body(answer).await?;
            JwkSet::parse(&bytes).map_err(SourceError::new)
        })
    }
}

async fn bounded_body(answer: reqwest::Response) -> Result<Vec<u8>, SourceError> {
    let mut body = Vec::new();
    let mut chunks = answer.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk.map_err(SourceError::new)?);
        if body.len() > JWKS_MAX_BYTES {
            return Err(SourceError::new(format!("more than {JWKS_MAX_BYTES} bytes of keys")));
        }
    }
    Ok(body)
}
