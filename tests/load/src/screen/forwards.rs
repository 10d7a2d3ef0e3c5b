//! Waits for the notices of hits at the gateway of the alerts' owner, as its own system does: it follows the gateway's events, and reads each
//! message that came.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::Value;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::sender::AgencySystem;

/// Messages that wait to be read.
const WAITING_MAX: usize = 4096;

/// The notices that came, and when, by the encounter that they name: the watchlist's own mark of what it found with one scan.
#[derive(Clone, Debug, Default)]
struct Notices(Arc<Mutex<HashMap<String, Vec<Instant>>>>);

/// Follows a gateway until it is dropped.
#[derive(Debug)]
pub(super) struct NoticeFollower {
    notices: Notices,
    tasks: [JoinHandle<Result<()>>; 2],
}

#[derive(Deserialize)]
struct GatewayEvent {
    event: String,
    object: Option<String>,
}

impl NoticeFollower {
    /// Begins to follow.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub(super) async fn start(owner: AgencySystem) -> Result<Self> {
        let answer = owner.get("/v1/events/live").send().await.context("following the events")?;
        let answer = answer.error_for_status().context("following the events")?;
        let (came, coming) = mpsc::channel(WAITING_MAX);
        let notices = Notices::default();
        let reading = tokio::spawn(read(owner, coming, notices.clone()));
        let following = tokio::spawn(follow(answer, came));
        Ok(Self { notices, tasks: [following, reading] })
    }

    /// Waits until a notice came for each of these encounters, at most `patience` long. Returns when each came.
    ///
    /// # Errors
    /// When the events stop.
    pub(super) async fn wait_for(
        &mut self,
        encounters: impl Fn(&HashMap<String, Vec<Instant>>) -> bool,
        patience: Duration,
    ) -> Result<HashMap<String, Vec<Instant>>> {
        let started = Instant::now();
        loop {
            for task in &mut self.tasks {
                if task.is_finished() {
                    task.await.context("following the events")??;
                    bail!("nobody follows the events any more");
                }
            }
            let is_all = encounters(&self.notices.lock());
            if is_all || started.elapsed() > patience {
                return Ok(self.notices.lock().clone());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for NoticeFollower {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Notices {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Instant>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands on which messages came, and when.
async fn follow(answer: reqwest::Response, came: mpsc::Sender<(String, Instant)>) -> Result<()> {
    let mut chunks = answer.bytes_stream();
    let mut kept = Vec::new();
    while let Some(chunk) = chunks.next().await {
        kept.extend_from_slice(&chunk.context("reading the events")?);
        let now = Instant::now();
        let Some(end) = kept.iter().rposition(|byte| *byte == b'\n') else { continue };
        let whole: Vec<u8> = kept.drain(..=end).collect();
        for data in whole.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data:")) {
            let GatewayEvent { event, object } = serde_json::from_slice(data).context("an event")?;
            if let (true, Some(id)) = (event == "message.received", object) {
                came.send((id, now)).await.context("nobody reads the messages that came")?;
            }
        }
    }
    bail!("the gateway ended the stream of events")
}

/// Reads the messages that came.
async fn read(
    owner: AgencySystem,
    mut coming: mpsc::Receiver<(String, Instant)>,
    notices: Notices,
) -> Result<()> {
    while let Some((id, at)) = coming.recv().await {
        let message: Value = owner.read(&format!("/v1/messages/{id}")).await?;
        if let Some(encounter) = message["payload"]["body"]["encounter"].as_str() {
            notices.lock().entry(encounter.to_owned()).or_default().push(at);
        }
    }
    Ok(())
}
