//! Posts messages in both directions until they are accepted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use rovuma_lab::api::{Api, ApiAnswer};
use rovuma_schemas::StoreId;
use rovuma_tests::drafts;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::stage::RunningCountries;

/// Posters at the same time in each direction.
const POSTERS: u32 = 8;

/// Pause before a request without an answer is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// Time limit for a request to be accepted: longer than any fault lasts.
const PATIENCE: Duration = Duration::from_secs(120);

/// One direction: a sender and its recipients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Direction {
    pub(crate) sender: &'static str,
    pub(crate) recipients: [&'static str; 2],
}

/// The two directions of the border.
pub(crate) const DIRECTIONS: [Direction; 2] = [
    Direction { sender: "mz.prm", recipients: ["tz.tpf", "tz.tisd"] },
    Direction { sender: "tz.tpf", recipients: ["mz.prm", "mz.senami"] },
];

/// A message that a gateway has accepted with 2xx.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) id: String,
    pub(crate) sender: &'static str,
    pub(crate) recipients: Vec<&'static str>,
}

/// Messages that are being posted.
#[derive(Debug)]
pub(crate) struct Traffic {
    posters: JoinSet<Result<Vec<Accepted>>>,
    left: Arc<AtomicU32>,
}

/// An alert that is not urgent: it travels in the normal lane.
pub(crate) fn unhurried(recipients: &[&str]) -> Value {
    let mut draft = drafts::motorcycle(recipients);
    draft["terms"]["urgency"] = json!({ "level": "normal" });
    draft
}

impl Traffic {
    /// Begins to post `count` messages in each direction.
    pub(crate) async fn start(stage: &RunningCountries, count: u32) -> Result<Self> {
        Self::start_with(stage, count, drafts::motorcycle).await
    }

    /// Begins to post `count` messages of a kind in each direction.
    pub(crate) async fn start_with(
        stage: &RunningCountries,
        count: u32,
        draft: fn(&[&str]) -> Value,
    ) -> Result<Self> {
        let mut doors = Vec::new();
        for direction in DIRECTIONS {
            doors.push((direction, vec![stage.api(direction.sender, "officer", "gateway").await?]));
        }
        Ok(Self::through(doors, count, draft))
    }

    /// Posts through the given gateways; with several for a direction, through each in turn.
    pub(crate) fn through(
        doors: Vec<(Direction, Vec<Api>)>,
        count: u32,
        draft: fn(&[&str]) -> Value,
    ) -> Self {
        let mut posters = JoinSet::new();
        let left = Arc::new(AtomicU32::new(0));
        for (direction, apis) in doors {
            let mine = Arc::new(AtomicU32::new(count));
            left.fetch_add(count, Ordering::Relaxed);
            for _ in 0..POSTERS {
                posters.spawn(post_all(direction, apis.clone(), draft, mine.clone(), left.clone()));
            }
        }
        Self { posters, left }
    }

    /// Whether every message has been accepted.
    pub(crate) fn is_done(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }

    /// Waits until every message has been accepted.
    pub(crate) async fn accepted(mut self) -> Result<Vec<Accepted>> {
        let mut accepted = Vec::new();
        while let Some(ended) = self.posters.join_next().await {
            accepted.extend(ended??);
        }
        Ok(accepted)
    }
}

async fn post_all(
    direction: Direction,
    apis: Vec<Api>,
    draft: fn(&[&str]) -> Value,
    mine: Arc<AtomicU32>,
    left: Arc<AtomicU32>,
) -> Result<Vec<Accepted>> {
    let mut accepted = Vec::new();
    let take = || mine.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1));
    while let Ok(turn) = take() {
        let id = post(&apis, turn, &draft(&direction.recipients)).await?;
        accepted.push(Accepted { id, sender: direction.sender, recipients: direction.recipients.to_vec() });
        left.fetch_sub(1, Ordering::Relaxed);
    }
    Ok(accepted)
}

/// Creates and releases one alert, trying each request under one key until it is answered.
pub(crate) async fn post(apis: &[Api], turn: u32, draft: &Value) -> Result<String> {
    let created = post_until_answered(apis, turn, "/v1/drafts", draft, None).await?;
    let (etag, body) = (created.etag.clone().unwrap_or_default(), created.ok()?);
    let id = body["id"].as_str().unwrap_or_default().to_owned();
    post_until_answered(apis, turn, &format!("/v1/drafts/{id}/release"), &json!({}), Some(&etag))
        .await?
        .ok()?;
    Ok(id)
}

/// Posts until there is an answer other than a failure of the service or the line.
pub(crate) async fn post_until_answered(
    apis: &[Api],
    turn: u32,
    path: &str,
    body: &Value,
    etag: Option<&str>,
) -> Result<ApiAnswer> {
    let (key, started) = (StoreId::draw().to_string(), Instant::now());
    let mut said = String::new();
    // After a failure, try another gateway: this is what several gateways are for.
    for door in (0_usize..).map(|attempt| (usize::try_from(turn).unwrap_or(0) + attempt) % apis.len()) {
        match apis[door].post_once(path, body, &key, etag).await {
            Ok(answer) if !answer.status.is_server_error() => return Ok(answer),
            Ok(answer) => said = format!("{}: {}", answer.status, answer.body),
            Err(fault) => said = format!("{fault:#}"),
        }
        if started.elapsed() > PATIENCE {
            break;
        }
        tokio::time::sleep(RETRY_AFTER).await;
    }
    bail!("{path} was not accepted within {} s: {said}", PATIENCE.as_secs())
}
