//! An agency's own system at the sender's gateway: posts drafts and releases them.

use anyhow::{Context, Result, bail};
use reqwest::{Client, RequestBuilder, header};
use rovuma_lab::{country::Country, person};
use rovuma_schemas::MessageId;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ledger::Ledger;

/// The reason for which the same alert is sent again.
const REPEATED: &str = "MEASUREMENT";

/// One caller of one gateway. Clones share its open connections.
#[derive(Clone)]
pub(crate) struct AgencySystem {
    client: Client,
    base: String,
    token: String,
    posting: Posting,
    repeats: bool,
}

/// How an alert is posted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Posting {
    /// `POST /v1/messages`.
    #[default]
    OneCall,
    /// `POST /v1/drafts`, then the draft's release.
    TwoCalls,
}

#[derive(Deserialize)]
struct Identified {
    id: MessageId,
}

impl AgencySystem {
    /// Logs an agency's officer in. The token is valid for ten minutes.
    ///
    /// # Errors
    /// When the log-in fails.
    pub(crate) async fn officer(country: &Country, agency: &str) -> Result<Self> {
        let login = format!("officer.{agency}");
        let token =
            person::log_in(&country.url("identity")?, &login, &country.layout().secret(&login)).await?;
        let client = Client::builder().no_proxy().build()?;
        Ok(Self { client, base: country.url("gateway")?, token, posting: Posting::default(), repeats: false })
    }

    /// The same caller, who posts in this way.
    pub(crate) fn posting(self, posting: Posting) -> Self {
        Self { posting, ..self }
    }

    /// The same caller, who posts the same alert again and again and says so: otherwise its duplicates are refused.
    pub(crate) fn repeating(self) -> Self {
        Self { repeats: true, ..self }
    }

    /// A request for a path.
    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    /// The JSON answer of a path.
    ///
    /// # Errors
    /// When it does not answer with success and JSON.
    pub(crate) async fn read(&self, path: &str) -> Result<Value> {
        let answer = self.get(path).send().await.with_context(|| format!("asking for {path}"))?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("{path} answered {status}: {text}");
        }
        serde_json::from_str(&text).with_context(|| format!("{path} did not answer with JSON"))
    }

    /// Posts a draft. Returns its id and version.
    ///
    /// # Errors
    /// When it is refused.
    pub(crate) async fn create(&self, draft: String) -> Result<(MessageId, header::HeaderValue)> {
        let answer = self.post("/v1/drafts").body(draft).send().await.context("posting a draft")?;
        let (status, etag) = (answer.status(), answer.headers().get(header::ETAG).cloned());
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("a draft was answered {status}: {text}");
        }
        let created: Identified = serde_json::from_str(&text).context("a new draft")?;
        Ok((created.id, etag.context("a draft has a version")?))
    }

    /// Releases a draft.
    ///
    /// # Errors
    /// When it is refused.
    pub(crate) async fn release(
        &self,
        (id, version): (MessageId, header::HeaderValue),
        ledger: &Ledger,
    ) -> Result<MessageId> {
        let request = self.post(&format!("/v1/drafts/{id}/release")).header(header::IF_MATCH, version);
        let stated = if self.repeats { json!({ "despite_duplicates": REPEATED }) } else { json!({}) };
        let answer = request.body(stated.to_string()).send().await.context("releasing a draft")?;
        let status = answer.status();
        // Read the whole answer: only then is its connection free for the next request.
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("a release was answered {status}: {text}");
        }
        ledger.accepted(id);
        Ok(id)
    }

    /// Posts an alert and has it released.
    ///
    /// # Errors
    /// When it is refused.
    pub(crate) async fn send(&self, draft: String, ledger: &Ledger) -> Result<MessageId> {
        if self.posting == Posting::TwoCalls {
            let created = self.create(draft).await?;
            return self.release(created, ledger).await;
        }
        let id = self.send_at_once(draft).await?;
        ledger.accepted(id);
        Ok(id)
    }

    /// Posts a message of any type to `POST /v1/messages`.
    ///
    /// # Errors
    /// When it is refused.
    pub(crate) async fn send_at_once(&self, draft: String) -> Result<MessageId> {
        let stated: &[(&str, &str)] = if self.repeats { &[("despite_duplicates", REPEATED)] } else { &[] };
        let answer =
            self.post("/v1/messages").query(stated).body(draft).send().await.context("posting a message")?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("a message was answered {status}: {text}");
        }
        let released: Identified = serde_json::from_str(&text).context("a released message")?;
        Ok(released.id)
    }

    fn post(&self, path: &str) -> RequestBuilder {
        let request = self.client.post(format!("{}{path}", self.base)).bearer_auth(&self.token);
        request.header(header::CONTENT_TYPE, "application/json")
    }
}
