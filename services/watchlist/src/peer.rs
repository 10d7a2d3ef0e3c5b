//! Asks another service: the gateway, as the machine account of an agency.

mod account;
mod events;

use std::{path::Path, time::Duration};

use rovuma_runtime::Problem;
use rovuma_schemas::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use thiserror::Error;
use url::Url;

pub(crate) use account::MachineAccount;
pub(crate) use events::{EventReader, Heard};

use crate::config::PeerConfig;

/// Time limit to connect. A line that takes longer counts as down.
const CONNECT: Duration = Duration::from_secs(5);

/// Time limit for a pause within an answer: longer than the gateway's heartbeat of 20 seconds.
const SILENCE: Duration = Duration::from_secs(45);

/// Maximum bytes of an answer: a page is at most about 1 MiB.
const ANSWER_MAX_BYTES: usize = 16 * 1024 * 1024;

/// Why another service did not do what it was asked.
#[derive(Debug, Error)]
pub(crate) enum PeerFault {
    /// There was no answer, or it broke off.
    #[error("{peer} did not answer: {reason}")]
    NoAnswer { peer: &'static str, reason: String },
    /// The request did not leave this machine: it cannot have been done.
    #[error("{peer} was not reached: {reason}")]
    NotReached { peer: &'static str, reason: String },
    /// It refused.
    #[error("{peer} refused with {status} {code}: {detail}")]
    Refused { peer: &'static str, status: u16, code: String, detail: String },
    /// It answered with something else.
    #[error("{peer} answered with something else than expected: {reason}")]
    Nonsense { peer: &'static str, reason: String },
    /// The configuration cannot work.
    #[error("{0}")]
    Configuration(String),
}

impl PeerFault {
    /// The fault of a request that comes before the one that matters, which therefore did not leave.
    fn before_the_request(self) -> Self {
        match self {
            Self::NoAnswer { peer, reason } => Self::NotReached { peer, reason },
            other => other,
        }
    }

    /// The code of a refusal that stays one however often the same is asked.
    pub(crate) fn refusal(&self) -> Option<&str> {
        match self {
            // A token may expire, and a service may have too much to do.
            Self::Refused { status: status @ 400..=499, code, .. }
                if !matches!(status, 401 | 408 | 425 | 429) =>
            {
                Some(code)
            }
            _ => None,
        }
    }
}

/// Another service.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    http: reqwest::Client,
    base: Url,
    name: &'static str,
}

impl Peer {
    /// The service at this address, called `name` in messages.
    ///
    /// # Errors
    /// [`PeerFault::Configuration`] when the address is not encrypted and not on this machine, or the authorities cannot be read.
    pub(crate) fn new(config: &PeerConfig, name: &'static str) -> Result<Self, PeerFault> {
        let mut base = config.url.clone();
        if !is_protected(&base) {
            return Err(PeerFault::Configuration(format!("{base} is not encrypted and not on this machine")));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Self { http: http_client(config.ca_file.as_deref())?, base, name })
    }

    fn url(&self, path: &str) -> Result<Url, PeerFault> {
        let joined = self.base.join(path.trim_start_matches('/'));
        joined.map_err(|fault| PeerFault::Configuration(format!("{}{path}: {fault}", self.base)))
    }

    /// Sends a request and parses the answer.
    async fn send<T: DeserializeOwned>(&self, request: reqwest::RequestBuilder) -> Result<T, PeerFault> {
        let response = self.open(request).await?;
        let bytes = self.body(response).await?;
        serde_json::from_slice(&bytes)
            .map_err(|fault| PeerFault::Nonsense { peer: self.name, reason: fault.to_string() })
    }

    /// Sends a request; the answer is a success whose body has not been read.
    async fn open(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, PeerFault> {
        let response = request.send().await.map_err(|fault| self.no_answer(&fault))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let bytes = self.body(response).await?;
        let problem: Option<Problem> = serde_json::from_slice(&bytes).ok();
        let (code, detail) = match problem {
            Some(problem) => (problem.code.to_string(), problem.detail.unwrap_or_default()),
            None => {
                let refusal: OAuthRefusal = serde_json::from_slice(&bytes).unwrap_or_default();
                (refusal.error, refusal.error_description)
            }
        };
        Err(PeerFault::Refused { peer: self.name, status: status.as_u16(), code, detail })
    }

    async fn body(&self, mut response: reqwest::Response) -> Result<Vec<u8>, PeerFault> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|fault| self.no_answer(&fault))? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > ANSWER_MAX_BYTES {
                let reason = format!("more than {ANSWER_MAX_BYTES} bytes");
                return Err(PeerFault::Nonsense { peer: self.name, reason });
            }
        }
        Ok(bytes)
    }

    fn no_answer(&self, fault: &reqwest::Error) -> PeerFault {
        let (peer, reason) = (self.name, rovuma_runtime::with_causes(fault));
        if fault.is_connect() {
            PeerFault::NotReached { peer, reason }
        } else {
            PeerFault::NoAnswer { peer, reason }
        }
    }
}

/// A service that this one asks as a machine account.
#[derive(Clone, Debug)]
pub(crate) struct AsMachine {
    peer: Peer,
    account: MachineAccount,
}

impl AsMachine {
    pub(crate) const fn new(peer: Peer, account: MachineAccount) -> Self {
        Self { peer, account }
    }

    /// Reads `path` with this query.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
        now: Timestamp,
    ) -> Result<T, PeerFault> {
        let request = self.peer.http.get(self.peer.url(path)?).query(query);
        self.sent(request, now).await
    }

    /// Posts JSON with a key that makes the same post take effect once.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
        key: &str,
        now: Timestamp,
    ) -> Result<T, PeerFault> {
        let request = self.peer.http.post(self.peer.url(path)?).json(body).header("Idempotency-Key", key);
        self.sent(request, now).await
    }

    async fn sent<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
        now: Timestamp,
    ) -> Result<T, PeerFault> {
        let token = self.account.token(now).await.map_err(PeerFault::before_the_request)?;
        let answer = self.peer.send(request.bearer_auth(token.as_str())).await;
        self.account.forget_if_refused(&answer);
        answer
    }

    /// Follows the events after this number; from now on without one.
    pub(crate) async fn events(&self, after: Option<i64>, now: Timestamp) -> Result<EventReader, PeerFault> {
        let token = self.account.token(now).await?;
        let mut request = self.peer.http.get(self.peer.url("/v1/events/live")?).bearer_auth(token.as_str());
        if let Some(after) = after {
            request = request.header("Last-Event-ID", after.to_string());
        }
        let response = self.peer.open(request).await;
        self.account.forget_if_refused(&response);
        Ok(EventReader::new(self.peer.clone(), response?))
    }
}

/// A provider's refusal (RFC 6749 section 5.2).
#[derive(Default, Deserialize)]
#[serde(default)]
struct OAuthRefusal {
    error: String,
    error_description: String,
}

fn is_protected(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(url::Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(url::Host::Ipv6(address))) => address.is_loopback(),
        ("http", Some(url::Host::Domain(name))) => name == "localhost",
        _ => false,
    }
}

/// A client that trusts only the authorities of `ca_file` and follows no redirect: a token must not go elsewhere.
fn http_client(ca_file: Option<&Path>) -> Result<reqwest::Client, PeerFault> {
    // reqwest is built without cryptography and uses the installed provider. An error means that ring is installed already.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let refused =
        |path: &Path, reason: String| PeerFault::Configuration(format!("{}: {reason}", path.display()));
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .no_proxy();
    if let Some(path) = ca_file {
        let pem = std::fs::read(path).map_err(|fault| refused(path, fault.to_string()))?;
        let roots =
            reqwest::Certificate::from_pem_bundle(&pem).map_err(|fault| refused(path, fault.to_string()))?;
        if roots.is_empty() {
            return Err(refused(path, "no PEM certificate in it".to_owned()));
        }
        builder = builder.tls_certs_only(roots);
    }
    builder.build().map_err(|fault| PeerFault::Configuration(fault.to_string()))
}
