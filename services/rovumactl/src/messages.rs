//! Messages through the gateway's API: `send`, `draft`, `inbox`, `sent`, `show`, `read`, `trace`.

mod delay;
pub(crate) mod drafts;
pub(crate) mod emergency;
mod follow;
pub(crate) mod lists;
mod message_text;
pub(crate) mod read;
pub(crate) mod send;
pub(crate) mod show;
pub(crate) mod trace;
mod trace_view;

use clap::Args;
use reqwest::{Method, RequestBuilder, header};
use rovuma_schemas::{AgencyCode, MessageId};
use serde::de::DeserializeOwned;

use crate::{
    client::{Client, ServerAnswer},
    exit::{Exit, Outcome},
};

/// The message to act on.
#[derive(Debug, Args)]
struct MessageArgs {
    /// The message
    id: MessageId,
    /// The agency that sent it: senders draw the ids, so two messages may have the same
    #[arg(long, value_name = "AGENCY")]
    sender: Option<AgencyCode>,
}

impl MessageArgs {
    /// The path of the message, with a part below it: `/trace`.
    fn path(&self, below: &str) -> String {
        format!("/v1/messages/{}{below}", self.id)
    }

    /// The query that names the sender.
    fn query(&self) -> Vec<(&'static str, String)> {
        self.sender.iter().map(|sender| ("sender", sender.to_string())).collect()
    }
}

/// Maximum attempts for a request on a line that breaks. Its key makes the server do it once.
const ATTEMPTS: u32 = 3;

/// Posts to the gateway with one `Idempotency-Key`: when an answer was lost, the request is sent again, and the gateway answers
/// it again without doing it again.
pub(crate) async fn post<T: DeserializeOwned>(
    client: &Client,
    path: &str,
    body: Option<&[u8]>,
    version: Option<i64>,
) -> Outcome<ServerAnswer<T>> {
    post_once(client, path, body, version, &uuid::Uuid::new_v4().to_string()).await
}

/// Posts as [`post`] does, under this key: the gateway does it once, however often this is called.
pub(crate) async fn post_once<T: DeserializeOwned>(
    client: &Client,
    path: &str,
    body: Option<&[u8]>,
    version: Option<i64>,
    key: &str,
) -> Outcome<ServerAnswer<T>> {
    let build = || -> Outcome<RequestBuilder> {
        let mut request = client.request(Method::POST, path)?.header("idempotency-key", key);
        if let Some(version) = version {
            request = request.header(header::IF_MATCH, format!("\"{version}\""));
        }
        Ok(match body {
            Some(body) => request.header(header::CONTENT_TYPE, "application/json").body(body.to_vec()),
            None => request,
        })
    };
    let mut attempt = 1;
    loop {
        match client.send(build()?).await {
            // A refusal carries a problem and is final. Without a problem, nobody knows whether the request was done.
            Err(failure)
                if failure.exit == Exit::Unreachable && failure.problem.is_none() && attempt < ATTEMPTS =>
            {
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}
