//! A client of a service's HTTP API, as one caller.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method, Response, StatusCode, header};
use serde_json::Value;

/// Time limit for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The address of an API, and the token to call it with.
#[derive(Clone, Debug)]
pub struct Api {
    client: Client,
    base: String,
    token: Option<String>,
}

/// The answer of an API.
#[derive(Clone, Debug)]
pub struct ApiAnswer {
    /// The status.
    pub status: StatusCode,
    /// The version of the resource, for `If-Match`.
    pub etag: Option<String>,
    /// The body; `null` when there is none, a string when it is not JSON.
    pub body: Value,
}

impl Api {
    /// A client of the API at `base`, with `token` or without one.
    ///
    /// # Errors
    /// When the system gives no TLS or sockets.
    pub fn new(base: &str, token: Option<String>) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(TIMEOUT).build()?;
        Ok(Self { client, base: base.to_owned(), token })
    }

    /// The token that it calls with.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Gets a path.
    ///
    /// # Errors
    /// When the service does not answer; any status is an answer.
    pub async fn get(&self, path: &str) -> Result<ApiAnswer> {
        self.call(Method::GET, path, None, None).await
    }

    /// Posts to a path.
    ///
    /// # Errors
    /// When the service does not answer; any status is an answer.
    pub async fn post(&self, path: &str, body: &Value) -> Result<ApiAnswer> {
        self.call(Method::POST, path, Some(body), None).await
    }

    /// Posts to a path, for the version `etag` of its resource.
    ///
    /// # Errors
    /// When the service does not answer; any status is an answer.
    pub async fn post_if_match(&self, path: &str, body: &Value, etag: &str) -> Result<ApiAnswer> {
        self.call(Method::POST, path, Some(body), Some(etag)).await
    }

    /// Posts to a path with the idempotency key `key`, so that a repeated call counts once.
    ///
    /// # Errors
    /// When the service does not answer; any status is an answer.
    pub async fn post_once(
        &self,
        path: &str,
        body: &Value,
        key: &str,
        etag: Option<&str>,
    ) -> Result<ApiAnswer> {
        let url = format!("{}{path}", self.base);
        let mut request = self.client.post(&url).json(body).header("Idempotency-Key", key);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(etag) = etag {
            request = request.header(header::IF_MATCH, etag);
        }
        ApiAnswer::read(request.send().await.with_context(|| format!("calling {url}"))?).await
    }

    /// Calls a path with any method.
    ///
    /// # Errors
    /// When the service does not answer; any status is an answer.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        etag: Option<&str>,
    ) -> Result<ApiAnswer> {
        let url = format!("{}{path}", self.base);
        let mut request = self.client.request(method, &url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(etag) = etag {
            request = request.header(header::IF_MATCH, etag);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        ApiAnswer::read(request.send().await.with_context(|| format!("calling {url}"))?).await
    }

    /// Gets a path whose answer continues as events happen; only its head has arrived. `after` is the number of
    /// the last event that the caller has.
    ///
    /// # Errors
    /// When the service does not answer; any status is an answer.
    pub async fn follow(&self, path: &str, after: Option<u64>) -> Result<Response> {
        let url = format!("{}{path}", self.base);
        let mut request = self.client.get(&url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(after) = after {
            request = request.header("Last-Event-ID", after);
        }
        request.send().await.with_context(|| format!("calling {url}"))
    }
}

impl ApiAnswer {
    /// Reads a whole response.
    ///
    /// # Errors
    /// When the response breaks off.
    pub async fn read(answer: Response) -> Result<Self> {
        let (status, headers) = (answer.status(), answer.headers().clone());
        let etag = headers.get(header::ETAG).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let text = answer.text().await?;
        let body = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
        };
        Ok(Self { status, etag, body })
    }

    /// The body of a successful call.
    ///
    /// # Errors
    /// When the call failed: the status and the problem.
    pub fn ok(self) -> Result<Value> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        bail!("{}: {}", self.status, self.body)
    }
}
