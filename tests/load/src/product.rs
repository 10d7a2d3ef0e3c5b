//! Puts the product under load: posts alerts over HTTP until the sender has verified their receipts.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use futures::future::try_join_all;
use rovuma_envelope::{Bundle, Jws, SealingRecipient, seal};
use rovuma_lab::border::Border;
use rovuma_schemas::MessageId;
use tokio::{task::JoinSet, time::MissedTickBehavior};

use crate::{
    draft,
    follow::Follower,
    ledger::{AlertRecord, Ledger},
    sender::{AgencySystem, Posting},
};

/// Recipients of the example alert, and so copies of each.
pub(crate) const COPIES: u32 = 2;

/// One round in which `connections` connections post as fast as they are answered. Returns the time from the first
/// post to the last verified receipt.
///
/// # Errors
/// When an alert is refused, lost, or receipted twice.
pub(crate) async fn round(
    border: &Border,
    posting: Posting,
    first: u32,
    messages: u32,
    connections: u32,
) -> Result<Duration> {
    let sender = AgencySystem::officer(&border.mz, "prm").await?.posting(posting);
    let ledger = Arc::new(Ledger::new());
    let mut follower = Follower::start(&sender, Arc::clone(&ledger)).await?;
    let next = AtomicU32::new(0);
    let started = Instant::now();
    let posting = try_join_all((0..connections).map(|_| post(&sender, &ledger, &next, first, messages)));
    let wanted = u64::from(messages) * u64::from(COPIES);
    let all = async { tokio::try_join!(posting, ledger.until(|seen| seen.delivered >= wanted)).map(drop) };
    tokio::select! {
        done = all => done?,
        fault = follower.wait_for_end() => return Err(fault),
    }
    let entries = ledger.check_settled(COPIES as usize)?;
    let last = entries.values().flat_map(|entry| &entry.delivered).max().context("a receipt")?;
    Ok(*last - started)
}

async fn post(
    sender: &AgencySystem,
    ledger: &Ledger,
    next: &AtomicU32,
    first: u32,
    messages: u32,
) -> Result<()> {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= messages {
            return Ok(());
        }
        sender.send(draft::numbered(first + number)?, ledger).await?;
    }
}

/// The latencies of alerts.
pub(crate) struct ExchangeLatency {
    /// From the accepted release to the last verified receipt, one for each alert.
    pub(crate) receipt: Vec<Duration>,
    /// From the moment an alert should have been posted to its accepted release.
    pub(crate) accepted: Vec<Duration>,
}

/// Posts `rate` alerts a second, however long each takes.
///
/// # Errors
/// When an alert is refused, lost, or receipted twice.
pub(crate) async fn latency(
    border: &Border,
    posting: Posting,
    first: u32,
    rate: u32,
    seconds: u32,
) -> Result<ExchangeLatency> {
    let sender = AgencySystem::officer(&border.mz, "prm").await?.posting(posting);
    let ledger = Arc::new(Ledger::new());
    let mut follower = Follower::start(&sender, Arc::clone(&ledger)).await?;
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    // An open loop: a late alert does not make the next ones wait.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut posting, messages) = (JoinSet::new(), rate * seconds);
    for number in 0..messages {
        let due = ticks.tick().await.into_std();
        let (sender, ledger) = (sender.clone(), Arc::clone(&ledger));
        posting.spawn(async move {
            let id = sender.send(draft::numbered(first + number)?, &ledger).await?;
            Ok::<_, anyhow::Error>((id, due))
        });
    }
    let posted = posting.join_all().await.into_iter().collect::<Result<HashMap<MessageId, Instant>>>()?;
    let wanted = u64::from(messages) * u64::from(COPIES);
    follower.until_delivered(&ledger, wanted).await?;
    let entries = ledger.check_settled(COPIES as usize)?;
    let accepted = |(id, entry): (&MessageId, &AlertRecord)| Some(entry.accepted? - *posted.get(id)?);
    Ok(ExchangeLatency {
        receipt: entries.values().map(AlertRecord::latency).collect(),
        accepted: entries.iter().filter_map(accepted).collect(),
    })
}

/// The size of the product's sealed bundle of one example alert that was really sent.
///
/// # Errors
/// When the alert is refused, or cannot be sealed.
pub(crate) async fn size_of_a_bundle(border: &Border) -> Result<usize> {
    let sender = AgencySystem::officer(&border.mz, "prm").await?.repeating();
    let ledger = Arc::new(Ledger::new());
    let mut follower = Follower::start(&sender, Arc::clone(&ledger)).await?;
    let id = sender.send(draft::example(), &ledger).await?;
    follower.until_delivered(&ledger, u64::from(COPIES)).await?;
    let originals = sender.read(&format!("/v1/messages/{id}/jws")).await?;
    let jws = Jws::from_compact(originals["messages"][0]["jws"].as_str().context("a signed original")?)?;
    let key = border.tz.layout().sealing_key(&"tz.tpf".parse()?).with_extension("pub");
    let recipient: SealingRecipient = std::fs::read_to_string(key)?.trim().parse()?;
    Ok(seal(&Bundle::pack(&[jws])?, &recipient)?.len())
}

/// Checks that each recipient has each alert once: as many in its inbox as were sent.
///
/// # Errors
/// When alerts are missing or doubled.
pub(crate) async fn reconcile(border: &Border, sent: usize) -> Result<()> {
    for agency in ["tpf", "tisd"] {
        let recipient = AgencySystem::officer(&border.tz, agency).await?;
        let (mut rows, mut ids) = (0, std::collections::HashSet::new());
        let mut path = "/v1/inbox?limit=200".to_owned();
        loop {
            let page = recipient.read(&path).await?;
            let items = page["items"].as_array().context("a page")?;
            rows += items.len();
            ids.extend(items.iter().filter_map(|row| row["id"].as_str().map(str::to_owned)));
            let Some(next) = page["next"].as_str() else { break };
            path = format!("/v1/inbox?limit=200&cursor={next}");
        }
        if ids.len() != sent || rows != sent {
            anyhow::bail!("tz.{agency} has {rows} alerts, {} of them different, of {sent} sent", ids.len());
        }
    }
    Ok(())
}
