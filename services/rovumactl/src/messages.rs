//! Alerts through the gateway's API: `send`, `draft`, `inbox`, `sent`, `show`, `read`, `trace`.

pub(crate) mod drafts;
mod follow;
pub(crate) mod lists;
pub(crate) mod read;
pub(crate) mod send;
pub(crate) mod show;
pub(crate) mod trace;
mod trace_view;

use reqwest::{Method, RequestBuilder, header};
use rovuma_schemas::MessageId;
use serde_json::Value;

use crate::{
    client::Client,
    exit::{Exit, Failure, Outcome},
};

/// Maximum attempts for a request on a line that breaks. Its key makes the server do it once.
const ATTEMPTS: u32 = 3;

/// Posts to the gateway with one `Idempotency-Key`: when an answer was lost, the request is sent again, and the gateway answers
/// it again without doing it again.
async fn post(client: &Client, path: &str, body: Option<&[u8]>, version: Option<i64>) -> Outcome<Value> {
    let key = uuid::Uuid::new_v4().to_string();
    let build = || -> Outcome<RequestBuilder> {
        let mut request = client.request(Method::POST, path)?.header("idempotency-key", &key);
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

/// A member of an answer as text; empty when it is missing.
fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// The id in an answer.
fn id_of(answer: &Value) -> Outcome<MessageId> {
    text(answer, "id")
        .parse()
        .map_err(|_| Failure::unreachable("the gateway's answer has no message id").next("check the address"))
}
