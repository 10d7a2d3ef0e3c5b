//! Waits for receipts. The gateway's live events wake it, so that waiting costs next to nothing.

use std::time::Duration;

use clap::ValueEnum;
use reqwest::{Method, Response};
use rovuma_api::answers::gateway::Trace;
use rovuma_schemas::MessageId;
use tokio::time::{Instant, timeout_at};

use super::trace_view::{self, CopyProgress};
use crate::{
    client::{Client, ServerAnswer},
    exit::{Exit, Failure, Outcome},
    progress,
};

/// Delay before a stream of events that ended is opened again.
const RECONNECT_DELAY: Duration = Duration::from_secs(2);

/// The receipts to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReceiptGoal {
    /// every recipient's gateway has stored it, or will not
    Delivered,
    /// an officer of every recipient has opened it
    Read,
}

impl ReceiptGoal {
    fn is_reached(self, trace: &Trace) -> bool {
        trace_view::progress(trace).all(|progress| match progress {
            CopyProgress::UnderWay => false,
            CopyProgress::Delivered => self == Self::Delivered,
            CopyProgress::Read | CopyProgress::Failed => true,
        })
    }
}

/// Follows a message until every copy has reached `goal`, or never will.
///
/// # Errors
/// A failure with a negative exit status when `patience` runs out first.
pub(super) async fn wait_for_receipts(
    client: &Client,
    id: &MessageId,
    goal: ReceiptGoal,
    patience: Duration,
) -> Outcome<ServerAnswer<Trace>> {
    let deadline = Instant::now() + patience;
    let waiting = async {
        loop {
            match watch(client, id, goal).await {
                Ok(Some(trace)) => return Ok(trace),
                // A line that breaks or a gateway that restarts does not change the message: try again.
                Ok(None) => {}
                Err(failure) if failure.exit == Exit::Unreachable => {}
                Err(failure) => return Err(failure),
            }
            tokio::time::sleep(RECONNECT_DELAY).await;
        }
    };
    let late = |_| {
        Failure::new(Exit::Negative, format!("message {id}: not every receipt came in time"))
            .next(format!("the exchange goes on; check later: rovumactl trace {id}"))
    };
    timeout_at(deadline, progress::waiting("waiting for receipts", waiting)).await.map_err(late)?
}

/// Fetches the trace whenever the gateway sends an event about the message. `None` when the event stream ends.
async fn watch(client: &Client, id: &MessageId, goal: ReceiptGoal) -> Outcome<Option<ServerAnswer<Trace>>> {
    // Open the stream before fetching the trace, so that no event in between is missed.
    let mut live = EventStream::open(client).await?;
    loop {
        let trace = trace_view::read(client, id).await?;
        if goal.is_reached(&trace.value) {
            return Ok(Some(trace));
        }
        if !live.wait_for_event(id).await {
            return Ok(None);
        }
    }
}

/// A stream of server-sent events (HTML Standard, 9.2), of which only the data lines matter here.
struct EventStream {
    response: Response,
    rest: Vec<u8>,
}

impl EventStream {
    async fn open(client: &Client) -> Outcome<Self> {
        let response = client.send_raw(client.request(Method::GET, "/v1/events/live")?).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(Self { response, rest: Vec::new() });
        }
        let body = client.body(response).await?;
        Err(client.refusal(status, &body))
    }

    /// Waits for an event that names `id`. `false` when the stream has ended.
    async fn wait_for_event(&mut self, id: &MessageId) -> bool {
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

/// Maximum bytes of a line. An event is a few hundred bytes.
const LINE_MAX_BYTES: usize = 64 * 1024;
