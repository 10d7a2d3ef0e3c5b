//! Waiting for receipts: woken by the gateway's live events, so that waiting costs next to nothing.

use std::time::Duration;

use clap::ValueEnum;
use reqwest::{Method, Response};
use rovuma_schemas::MessageId;
use tokio::time::{Instant, timeout_at};

use super::way::{self, Progress, Way};
use crate::{
    client::Client,
    exit::{Exit, Failure, Outcome},
    progress,
};

/// A stream of events that ends is opened again after this.
const COME_BACK: Duration = Duration::from_secs(2);

/// What to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Goal {
    /// every recipient's gateway has stored it, or will not
    Delivered,
    /// an officer of every recipient has opened it
    Read,
}

impl Goal {
    fn is_reached(self, way: &Way) -> bool {
        way.progress().all(|progress| match progress {
            Progress::UnderWay => false,
            Progress::Delivered => self == Self::Delivered,
            Progress::Read | Progress::Failed => true,
        })
    }
}

/// Follows a message until every copy has come as far as `goal`, or will not.
///
/// # Errors
/// A negative failure when `patience` has run out before.
pub(super) async fn until(client: &Client, id: &MessageId, goal: Goal, patience: Duration) -> Outcome<Way> {
    let deadline = Instant::now() + patience;
    let waiting = async {
        loop {
            match watch(client, id, goal).await {
                Ok(Some(way)) => return Ok(way),
                // A line that breaks or a gateway that restarts changes nothing about the message.
                Ok(None) => {}
                Err(failure) if failure.exit == Exit::Unreachable => {}
                Err(failure) => return Err(failure),
            }
            tokio::time::sleep(COME_BACK).await;
        }
    };
    let late = |_| {
        Failure::new(Exit::Negative, format!("message {id}: not every receipt came in time"))
            .next(format!("it goes on by itself; look again: rovumactl trace {id}"))
    };
    timeout_at(deadline, progress::waiting("waiting for receipts", waiting)).await.map_err(late)?
}

/// Looks at the message whenever the gateway says something of it; `None` when it stops saying anything.
async fn watch(client: &Client, id: &MessageId, goal: Goal) -> Outcome<Option<Way>> {
    // Opened before the question is asked: what happens in between is not missed.
    let mut live = Live::open(client).await?;
    loop {
        let way = way::read(client, id).await?;
        if goal.is_reached(&way) {
            return Ok(Some(way));
        }
        if !live.speaks_of(id).await {
            return Ok(None);
        }
    }
}

/// Server-sent events (HTML Standard, 9.2), of which only the lines with data matter here.
struct Live {
    response: Response,
    rest: Vec<u8>,
}

impl Live {
    async fn open(client: &Client) -> Outcome<Self> {
        let response = client.send_raw(client.request(Method::GET, "/v1/events/live")?).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(Self { response, rest: Vec::new() });
        }
        let body = client.body(response).await?;
        Err(client.refusal(status, &body))
    }

    /// Waits for an event that names `id`; `false` when the stream has ended.
    async fn speaks_of(&mut self, id: &MessageId) -> bool {
        let id = id.to_string();
        loop {
            while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                if line.starts_with("data:") && line.contains(&id) {
                    return true;
                }
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) if self.rest.len() <= LINE_MAX_BYTES => self.rest.extend_from_slice(&chunk),
                _ => return false,
            }
        }
    }
}

/// An event is a few hundred bytes.
const LINE_MAX_BYTES: usize = 64 * 1024;
