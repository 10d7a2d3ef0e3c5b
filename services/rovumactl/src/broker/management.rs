//! RabbitMQ's management HTTP API, as far as this tool needs it.
//!
//! <https://www.rabbitmq.com/docs/http-api-reference>

use reqwest::{Method, RequestBuilder, StatusCode};
use rovuma_broker::topology::VHOST;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    client::Client,
    config::Endpoint,
    exit::{Exit, Failure, Outcome},
};

/// A client of the API, logged in as one user.
pub(crate) struct ManagementClient {
    client: Client,
    user: String,
    password: Zeroizing<String>,
}

impl ManagementClient {
    pub(super) fn new(endpoint: &Endpoint, user: String, password: Zeroizing<String>) -> Outcome<Self> {
        Ok(Self { client: Client::new(endpoint, "the broker's management API")?, user, password })
    }

    pub(super) fn user(&self) -> &str {
        &self.user
    }

    /// Fetches the broker's definitions.
    pub(super) async fn definitions(&self) -> Outcome<Value> {
        self.send(self.request(Method::GET, "/api/definitions")?).await
    }

    /// Imports definitions: adds what is missing and replaces what can be replaced. RabbitMQ never removes anything
    /// by this.
    pub(super) async fn import(&self, definitions: &Value) -> Outcome<()> {
        self.send(self.request(Method::POST, "/api/definitions")?.json(definitions)).await.map(|_| ())
    }

    /// The broker's status of its shovels; `None` when the plug-in for that is not enabled.
    pub(super) async fn shovels(&self) -> Outcome<Option<Value>> {
        let request = self.request(Method::GET, &format!("/api/shovels/{VHOST}"))?;
        let response = self.client.send_raw(request).await?;
        let status = response.status();
        let body = self.client.body(response).await?;
        match status {
            StatusCode::OK => Ok(serde_json::from_slice(&body).ok()),
            // Without the plug-in, an old broker answers 404, a new one 405.
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Ok(None),
            _ => Err(self.explain(self.client.refusal(status, &body))),
        }
    }

    /// Deletes one object; `false` when the broker refused.
    pub(super) async fn delete(&self, path: &str) -> Outcome<bool> {
        let response = self.client.send_raw(self.request(Method::DELETE, path)?).await?;
        match response.status() {
            status if status.is_success() || status == StatusCode::NOT_FOUND => Ok(true),
            // A queue with messages in it, or an exchange that is in use.
            StatusCode::BAD_REQUEST => Ok(false),
            status => {
                let body = self.client.body(response).await?;
                Err(self.explain(self.client.refusal(status, &body)))
            }
        }
    }

    fn request(&self, method: Method, path: &str) -> Outcome<RequestBuilder> {
        let request = self.client.request(method, path)?;
        Ok(request.basic_auth(&self.user, Some(self.password.as_str())))
    }

    async fn send(&self, request: RequestBuilder) -> Outcome<Value> {
        let answer = self.client.send(request).await.map_err(|failure| self.explain(failure))?;
        Ok(answer.value)
    }

    fn explain(&self, mut failure: Failure) -> Failure {
        if failure.exit == Exit::NotLoggedIn {
            failure.exit = Exit::Refused;
            failure.next = Some(format!("check the password of {} and its tag administrator", self.user));
        }
        failure
    }
}
