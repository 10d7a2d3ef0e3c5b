//! A client of RabbitMQ's management API, for the administrator.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use reqwest::{Certificate, Client, Method, StatusCode};
use serde_json::Value;
use tokio::sync::Mutex;

/// Time limit for an answer.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The management API of one node.
#[derive(Clone, Debug)]
pub struct RabbitManagement {
    client: Client,
    base: String,
    user: String,
    password: String,
    importing: Arc<Mutex<()>>,
}

impl RabbitManagement {
    /// A client of the API at `https://localhost:<port>` that trusts only this authority.
    ///
    /// # Errors
    /// When the authority's certificate cannot be read.
    pub fn new(port: u16, user: &str, password: &str, ca_file: &Path) -> Result<Self> {
        // One TLS provider for the whole process. An error means that it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let pem = std::fs::read(ca_file).with_context(|| format!("reading {}", ca_file.display()))?;
        let client = Client::builder()
            .no_proxy()
            // Tests use one node from several runtimes, and a kept connection belongs to one of them, so none
            // is kept.
            .pool_max_idle_per_host(0)
            .tls_certs_only([Certificate::from_pem(&pem)?])
            .timeout(TIMEOUT)
            .build()?;
        let base = format!("https://localhost:{port}/api");
        let (user, password) = (user.to_owned(), password.to_owned());
        Ok(Self { client, base, user, password, importing: Arc::default() })
    }

    /// The address, `https://localhost:<port>/api`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Whether the node and its virtual hosts are up.
    pub async fn is_ready(&self) -> bool {
        self.get("/health/checks/virtual-hosts").await.is_ok()
    }

    /// Gets a path below `/api`.
    ///
    /// # Errors
    /// When the node does not answer with success and JSON.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let answer = self.send(Method::GET, path, None).await?;
        serde_json::from_str(&answer).with_context(|| format!("{path} did not answer with JSON"))
    }

    /// Posts to a path below `/api` and returns the JSON answer.
    ///
    /// # Errors
    /// When the node does not answer with success and JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let answer = self.send(Method::POST, path, Some(body)).await?;
        serde_json::from_str(&answer).with_context(|| format!("{path} did not answer with JSON"))
    }

    /// Puts to a path below `/api`.
    ///
    /// # Errors
    /// When the node does not answer with success.
    pub async fn put(&self, path: &str, body: &Value) -> Result<()> {
        self.send(Method::PUT, path, Some(body)).await.map(drop)
    }

    /// Deletes a path below `/api`.
    ///
    /// # Errors
    /// When the node does not answer with success.
    pub async fn delete(&self, path: &str) -> Result<()> {
        self.send(Method::DELETE, path, None).await.map(drop)
    }

    /// Declares the objects in `definitions`. Existing objects stay.
    ///
    /// # Errors
    /// When the node refuses them.
    pub async fn import(&self, definitions: &Value) -> Result<()> {
        // Users belong to the whole node. When two imports add the same user at the same time, RabbitMQ 4
        // refuses the second (`user_already_exists`), so imports are made one at a time.
        let _alone = self.importing.lock().await;
        self.send(Method::POST, "/definitions", Some(definitions)).await.map(drop)
    }

    /// The node's definitions.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn definitions(&self) -> Result<Value> {
        self.get("/definitions").await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<String> {
        let url = format!("{}{path}", self.base);
        let mut request = self.client.request(method, &url).basic_auth(&self.user, Some(&self.password));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.with_context(|| format!("asking {url}"))?;
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        match status {
            StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT => Ok(text),
            _ => bail!("{url} answered {status}: {text}"),
        }
    }
}
