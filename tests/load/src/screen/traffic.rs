//! The second part: border officers scan over HTTP while alerts arrive from the other country.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use reqwest::Client;
use rovuma_lab::{border::Border, country::Country, country::WATCHLIST, person};
use rovuma_schemas::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::MissedTickBehavior};

use super::{
    drafts::{self, LiveAlert},
    figures::Figures,
    forwards::NoticeFollower,
    list::List,
    random::Random,
    scans,
    truth::Numbers,
};
use crate::{
    exchange::{print_progress, start_border},
    options::ScreenOptions,
    process,
    report::{percentile_ms, rounded},
    sender::AgencySystem,
};

/// One scan in so many is of a live alert.
const HIT_EVERY: u32 = 50;

/// How often the subject of an alert is scanned until it is a hit.
const PROBE: Duration = Duration::from_millis(50);

/// Time limit for an alert to be screened: six times what is wanted.
const ACTIVE_MAX: Duration = Duration::from_secs(30);

/// Time limit for the last notices.
const NOTICE_MAX: Duration = Duration::from_secs(30);

/// Time limit for the alerts to be loaded after the start: the service then also reads every entry.
const CURRENT_MAX: Duration = Duration::from_secs(300);

/// The post and direction at which an alert's subject is scanned first, and later again: each is a hit of its own.
const FIRST: (&str, &str) = ("namoto_kilambo", "entry");
const AGAIN: (&str, &str) = ("negomano_mtambaswala", "exit");

/// The border officers of one agency.
#[derive(Clone)]
struct Booths {
    clients: Arc<Vec<Client>>,
    url: String,
    token: String,
}

/// What the watchlist answers, as much of it as is looked at here.
#[derive(Debug, Deserialize)]
struct Screening {
    verdict: String,
    lists: Vec<ScreenedList>,
    hits: Vec<ScreenedHit>,
    encounter: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ScreenedList {
    id: String,
    state: String,
}

#[derive(Debug, Deserialize)]
struct ScreenedHit {
    forwarded: bool,
    not_forwarded: Vec<String>,
}

/// A scan that was a hit, and was told to the alert's owner.
#[derive(Clone, Debug)]
struct Told {
    encounter: String,
    sent: Instant,
}

/// What was seen while officers scanned.
#[derive(Debug, Default)]
struct Seen {
    scans: Vec<Duration>,
    active: Vec<Duration>,
    told: Vec<Told>,
    /// Scans of nobody that were called hits.
    wrong_hits: usize,
    /// Scans whose lists were not all current.
    incomplete: usize,
    /// Hits of live alerts that were not found, or not told.
    faults: Vec<String>,
    live: Vec<Value>,
}

#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Seen>>);

/// Starts both countries and measures.
///
/// # Errors
/// When a step fails, or a notice is lost or comes twice.
pub(super) async fn measure(
    options: &ScreenOptions,
    list: &List,
    random: &mut Random,
    figures: &mut Figures,
) -> Result<()> {
    let (mut border, mut nodes, _folder) = start_border().await?;
    let measured = run(&mut border, options, list, random, figures).await;
    border.stop().await;
    nodes.stop().await;
    measured
}

async fn run(
    border: &mut Border,
    options: &ScreenOptions,
    list: &List,
    random: &mut Random,
    figures: &mut Figures,
) -> Result<()> {
    print_progress("writing the list into the watchlist's store");
    super::fill(&border.mz.layout().store(WATCHLIST), list, Timestamp::system_now(), true).await?;
    let numbers = Numbers::of(list);
    let started = Instant::now();
    border.mz.start_watchlist().await?;
    figures.say("service_start_s", rounded(started.elapsed().as_secs_f64()));
    let booths = Booths::open(&border.mz, options.connections).await?;
    booths.until_current(&numbers, random).await?;
    figures.say("service_current_s", rounded(started.elapsed().as_secs_f64()));
    let pid = border.mz.pid(WATCHLIST).context("the watchlist is not running")?;
    figures.say("start_rss_mib", rounded(process::rss_mib(pid)?));
    let mut follower = NoticeFollower::start(AgencySystem::officer(&border.tz, "tpf").await?).await?;
    let sender = AgencySystem::officer(&border.tz, "tpf").await?;
    print_progress(format_args!(
        "{} scans/s and {} alerts/s for {} s; the watchlist is process {pid}",
        options.scans_per_s, options.alerts_per_s, options.seconds
    ));
    let notes = Notes::default();
    let alerts = post_alerts(options, random.clone(), &sender, &booths, &notes);
    let scanning = scan(options, random, &numbers, &booths, &notes);
    let ((), ()) = tokio::try_join!(alerts, scanning)?;
    let seen = std::mem::take(&mut *notes.lock());
    print_progress("waiting for the last notices");
    let told = seen.told.clone();
    let notices = follower
        .wait_for(|came| told.iter().all(|told| came.contains_key(&told.encounter)), NOTICE_MAX)
        .await?;
    let forwards: Vec<Duration> = seen
        .told
        .iter()
        .filter_map(|told| Some(*notices.get(&told.encounter)?.first()? - told.sent))
        .collect();
    let lost = seen.told.len() - forwards.len();
    let doubled = notices.values().filter(|came| came.len() > 1).count();
    for fault in seen.faults.iter().take(10) {
        eprintln!("{fault}");
    }
    figures.say("scans", seen.scans.len());
    figures.at_most("scan_p99_ms", percentile_ms(&seen.scans, 99), 50.0);
    figures.say("scan_p50_ms", percentile_ms(&seen.scans, 50));
    figures.say("alerts", seen.active.len());
    figures.at_most("active_p99_s", rounded(percentile_ms(&seen.active, 99) / 1000.0), 5.0);
    figures.say("forwards", forwards.len());
    figures.at_most("forward_p99_ms", percentile_ms(&forwards, 99), 2_000.0);
    figures.at_most("rss_mib", rounded(process::peak_rss_mib(pid)?), 64.0);
    figures.say("rss_now_mib", rounded(process::rss_mib(pid)?));
    figures.none("scan_wrong_hits", seen.wrong_hits);
    figures.none("scan_incomplete", seen.incomplete);
    figures.none("scan_faults", seen.faults.len());
    figures.none("notices_lost", lost);
    figures.none("notices_doubled", doubled);
    ensure!(!seen.active.is_empty(), "no alert was screened");
    Ok(())
}

/// Posts alerts at a steady rate, and scans the subject of each until it is a hit.
async fn post_alerts(
    options: &ScreenOptions,
    mut random: Random,
    sender: &AgencySystem,
    booths: &Booths,
    notes: &Notes,
) -> Result<()> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / options.alerts_per_s);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut posting = JoinSet::new();
    for number in 0..options.alerts_per_s * options.seconds {
        ticks.tick().await;
        let alert = drafts::alert(number, &mut random)?;
        let (sender, booths, notes) = (sender.clone(), booths.clone(), notes.clone());
        posting.spawn(async move { post_and_probe(alert, number, &sender, &booths, &notes).await });
    }
    posting.join_all().await.into_iter().collect()
}

async fn post_and_probe(
    alert: LiveAlert,
    number: u32,
    sender: &AgencySystem,
    booths: &Booths,
    notes: &Notes,
) -> Result<()> {
    let posted = Instant::now();
    sender.send_at_once(alert.draft).await?;
    while posted.elapsed() < ACTIVE_MAX {
        let sent = Instant::now();
        let screening = booths.screen(number, &alert.scan, FIRST).await?;
        if screening.verdict == "hit" {
            let active = posted.elapsed();
            notes.hit(&screening, sent, &alert.scan);
            let mut seen = notes.lock();
            seen.active.push(active);
            seen.live.push(alert.scan);
            return Ok(());
        }
        tokio::time::sleep(PROBE).await;
    }
    notes.lock().faults.push(format!("an alert is no hit after {} s: {}", ACTIVE_MAX.as_secs(), alert.scan));
    Ok(())
}

/// Scans at a steady rate, whatever the answers.
async fn scan(
    options: &ScreenOptions,
    random: &mut Random,
    numbers: &Numbers,
    booths: &Booths,
    notes: &Notes,
) -> Result<()> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / options.scans_per_s);
    // An open loop: a late answer does not make the next scans wait.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut scanning: JoinSet<Result<()>> = JoinSet::new();
    for number in 0..options.scans_per_s * options.seconds {
        let due = ticks.tick().await.into_std();
        while let Some(done) = scanning.try_join_next() {
            done??;
        }
        // Each live alert is scanned once more, elsewhere: within six hours the same place would be the same hit.
        let live = (number % HIT_EVERY == HIT_EVERY - 1).then(|| notes.lock().live.pop()).flatten();
        let (body, is_live) = match live {
            Some(scan) => (scan, true),
            None => (scans::of_nobody(numbers, random), false),
        };
        let (booths, notes) = (booths.clone(), notes.clone());
        scanning.spawn(async move {
            let place = if is_live { AGAIN } else { FIRST };
            let sent = Instant::now();
            let screening = booths.screen(number, &body, place).await?;
            notes.scanned(&screening, due.elapsed());
            if is_live {
                notes.hit(&screening, sent, &body);
            } else if screening.verdict == "hit" {
                let mut seen = notes.lock();
                seen.wrong_hits += 1;
                seen.faults.push(format!("nobody looks for it, and it is a hit: {body}"));
            }
            Ok(())
        });
    }
    scanning.join_all().await.into_iter().collect()
}

impl Notes {
    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn scanned(&self, screening: &Screening, elapsed: Duration) {
        let mut seen = self.lock();
        seen.scans.push(elapsed);
        let is_current = screening.lists.iter().all(|list| list.state == "current");
        seen.incomplete += usize::from(!is_current);
    }

    /// Notes a hit of a live alert: it must be told to the owner.
    fn hit(&self, screening: &Screening, sent: Instant, body: &Value) {
        let mut seen = self.lock();
        let is_told = screening.hits.iter().any(|hit| hit.forwarded);
        match &screening.encounter {
            Some(encounter) if screening.verdict == "hit" && is_told => {
                seen.told.push(Told { encounter: encounter.clone(), sent });
            }
            _ => {
                let why: Vec<_> = screening.hits.iter().map(|hit| &hit.not_forwarded).collect();
                seen.faults.push(format!("{}, and not told ({why:?}): {body}", screening.verdict));
            }
        }
    }
}

impl Booths {
    /// Logs a border officer in. The token is valid for ten minutes.
    async fn open(country: &Country, connections: u32) -> Result<Self> {
        let login = "border.prm";
        let token = person::log_in(&country.url("identity")?, login, &country.layout().secret(login)).await?;
        let client = || Client::builder().no_proxy().build();
        let clients = (0..connections).map(|_| client()).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { clients: Arc::new(clients), url: format!("{}/v1/screen", country.url(WATCHLIST)?), token })
    }

    async fn screen(&self, number: u32, scan: &Value, (post, direction): (&str, &str)) -> Result<Screening> {
        let mut body = scan.clone();
        body["crossing"] = json!({ "post": post, "direction": direction });
        let client = &self.clients[number as usize % self.clients.len()];
        let answer = client.post(&self.url).bearer_auth(&self.token).json(&body).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            bail!("a scan was answered {status}: {text} ({scan})");
        }
        serde_json::from_str(&text).context("a verdict")
    }

    /// Waits until every list is there and current.
    async fn until_current(&self, numbers: &Numbers, random: &mut Random) -> Result<()> {
        let started = Instant::now();
        let scan = scans::of_nobody(numbers, random);
        loop {
            let screening = self.screen(0, &scan, FIRST).await?;
            if screening.lists.iter().all(|list| list.state == "current") {
                return Ok(());
            }
            let states: Vec<_> = screening.lists.iter().map(|list| (&list.id, &list.state)).collect();
            ensure!(started.elapsed() < CURRENT_MAX, "the lists are not current: {states:?}");
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
}
