//! Follows the sender's events as they happen: `GET /v1/events/live`, server-sent events (HTML Standard, 9.2).

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use rovuma_schemas::MessageId;
use serde::Deserialize;
use tokio::task::JoinHandle;

use crate::{ledger::Ledger, sender::AgencySystem};

/// Writes one agency's events into a ledger until it is dropped.
pub(crate) struct Follower {
    task: JoinHandle<Result<()>>,
}

#[derive(Deserialize)]
struct ReceiptEvent {
    event: String,
    object: Option<MessageId>,
}

impl Follower {
    /// Begins to follow: events of alerts posted after this returns are seen.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub(crate) async fn start(sender: &AgencySystem, ledger: Arc<Ledger>) -> Result<Self> {
        let answer = sender.get("/v1/events/live").send().await.context("following the events")?;
        let answer = answer.error_for_status().context("following the events")?;
        let task = tokio::spawn(async move {
            let mut chunks = answer.bytes_stream();
            let mut kept = Vec::new();
            while let Some(chunk) = chunks.next().await {
                kept.extend_from_slice(&chunk.context("reading the events")?);
                take_lines(&mut kept, &ledger)?;
            }
            bail!("the gateway ended the stream of events")
        });
        Ok(Self { task })
    }

    /// Waits until `copies` copies have a verified receipt.
    ///
    /// # Errors
    /// When events stop before that.
    pub(crate) async fn until_delivered(&mut self, ledger: &Ledger, copies: u64) -> Result<()> {
        tokio::select! {
            done = ledger.until(|seen| seen.delivered >= copies) => done,
            fault = self.wait_for_end() => Err(fault),
        }
    }

    /// Resolves when events stop arriving, with the reason.
    pub(crate) async fn wait_for_end(&mut self) -> anyhow::Error {
        match (&mut self.task).await {
            Ok(Err(fault)) => fault,
            _ => anyhow::anyhow!("nobody follows the events any more"),
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Takes the complete lines out of `kept`. An event's `data` is one line.
fn take_lines(kept: &mut Vec<u8>, ledger: &Ledger) -> Result<()> {
    let Some(end) = kept.iter().rposition(|byte| *byte == b'\n') else { return Ok(()) };
    let whole = kept.drain(..=end).collect::<Vec<u8>>();
    for line in whole.split(|byte| *byte == b'\n') {
        let Some(data) = line.strip_prefix(b"data:") else { continue };
        let told: ReceiptEvent = serde_json::from_slice(data).context("an event")?;
        if let Some(id) = told.object {
            ledger.record_event(&told.event, id);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_may_come_in_pieces() {
        let ledger = Ledger::new();
        let event = "id: 7\nevent: receipt.delivered\ndata: {\"seq\":7,\"event\":\"receipt.delivered\",\
            \"object\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"version\":1}\n\n: a comment\n";
        let mut kept = Vec::new();
        for byte in event.bytes() {
            kept.push(byte);
            take_lines(&mut kept, &ledger).expect("read");
        }
        assert!(kept.is_empty());
        let entries: Vec<_> = ledger
            .check_settled(1)
            .expect_err("it was never accepted")
            .chain()
            .map(ToString::to_string)
            .collect();
        assert!(entries[0].contains("LOST 0") && entries[0].contains("receipts for 1"), "{entries:?}");
    }
}
