//! Waits for receipts. The gateway's live events wake it, so that waiting costs next to nothing.

use std::{collections::BTreeMap, fmt, time::Duration};

use clap::ValueEnum;
use reqwest::{Method, Response};
use rovuma_api::answers::gateway::Trace;
use rovuma_schemas::{AgencyCode, MessageId};
use tokio::time::{Instant, timeout, timeout_at};

use super::{
    MessageArgs, delay,
    trace_view::{self, CopyProgress},
};
use crate::{
    app::App,
    client::{Client, ServerAnswer},
    exit::{Exit, Failure, Outcome},
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

/// Follows a message until every copy has reached `goal`, or never will, and shows each step as it comes. With `--json` it
/// shows the trace at the end.
///
/// # Errors
/// A failure with a negative exit status when `patience` runs out first.
pub(super) async fn follow(
    app: &App,
    client: &Client,
    message: &MessageArgs,
    goal: ReceiptGoal,
    patience: Duration,
) -> Outcome {
    let id = message.id;
    let mut shown = ShownTrace::new(app, client);
    let waiting = async {
        loop {
            match watch(client, message, goal, &mut shown).await {
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
    let deadline = Instant::now() + patience;
    let trace = timeout_at(deadline, waiting).await.map_err(late)??;
    if app.out.is_json() {
        app.out.answer(&trace, |_, _| Ok(()))?;
    } else {
        app.out.print(fmt::from_fn(|f| trace_view::copies_text(f, &trace.value)))?;
    }
    Ok(trace_view::outcome(&trace.value))
}

/// Fetches the trace whenever the gateway sends an event about the message. `None` when the event stream ends.
async fn watch(
    client: &Client,
    message: &MessageArgs,
    goal: ReceiptGoal,
    shown: &mut ShownTrace<'_>,
) -> Outcome<Option<ServerAnswer<Trace>>> {
    // Open the stream before fetching the trace, so that no event in between is missed.
    let mut live = EventStream::open(client).await?;
    loop {
        let trace = trace_view::read(client, message).await?;
        shown.steps(&trace.value)?;
        if goal.is_reached(&trace.value) {
            return Ok(Some(trace));
        }
        loop {
            match timeout(delay::LATE_AFTER, live.wait_for_event(&message.id)).await {
                Ok(true) => break,
                Ok(false) => return Ok(None),
                // Nothing happens: say why, as far as the gateway knows.
                Err(_) => shown.reasons(&trace.value).await?,
            }
        }
    }
}

/// The part of a trace that was shown.
struct ShownTrace<'a> {
    app: &'a App,
    client: &'a Client,
    /// Whether the heading was shown.
    begun: bool,
    /// The steps that were shown, as text: one that becomes known late may stand among earlier ones.
    steps: Vec<String>,
    /// The state of each late copy when the reason was last shown: a reason is not repeated while nothing changes.
    late: BTreeMap<AgencyCode, String>,
}

impl<'a> ShownTrace<'a> {
    const fn new(app: &'a App, client: &'a Client) -> Self {
        Self { app, client, begun: false, steps: Vec::new(), late: BTreeMap::new() }
    }

    /// Shows the steps that were not shown yet.
    fn steps(&mut self, trace: &Trace) -> Outcome<()> {
        if self.app.out.is_json() {
            return Ok(());
        }
        let mut text = if self.begun { String::new() } else { trace_view::heading(trace) };
        let start = trace_view::start(trace);
        for hop in &trace.hops {
            let step = fmt::from_fn(|f| trace_view::hop_text(f, hop, start)).to_string();
            if !self.steps.contains(&step) {
                text += &step;
                self.steps.push(step);
            }
        }
        self.begun = true;
        self.app.out.print(text)
    }

    async fn reasons(&mut self, trace: &Trace) -> Outcome<()> {
        for (recipient, reason) in delay::reasons(self.app, self.client, trace).await {
            let state =
                trace.copies.iter().find(|copy| copy.recipient == recipient).map(|copy| copy.state.clone());
            let state = state.unwrap_or_default();
            if self.late.insert(recipient, state.clone()).as_ref() != Some(&state) {
                self.app.out.note(reason);
            }
        }
        Ok(())
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

    /// Waits for an event that names `id`. `false` when the stream has ended. What has arrived is kept when the caller stops
    /// waiting.
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
