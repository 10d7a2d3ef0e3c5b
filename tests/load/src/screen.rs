//! The programme `screen`: what the watchlist finds in a large list, what it must not tell anybody, and how fast.

mod accuracy;
mod drafts;
mod figures;
mod files;
mod forwards;
mod list;
mod numbers;
mod queries;
mod random;
mod scans;
mod traffic;
mod truth;
mod zone;

use std::{
    hash::{BuildHasher, RandomState},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rovuma_schemas::{Date, Timestamp};
use rovuma_store::StoreConfig;
use rovuma_watchlist::{Screener, screening::Listed};
use serde::{Deserialize, Serialize};
use serde_json::json;

use self::{
    accuracy::Accuracy,
    figures::Figures,
    list::{AGENCY, Amounts, List},
    random::Random,
};
use crate::{exchange::print_progress, options::ScreenOptions, process, report::rounded};

/// Entries that are made and written together.
const WRITTEN_TOGETHER: usize = 10_000;

/// What a new process says that holds a list.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct HeldList {
    load_s: f64,
    rss_mib: f64,
}

/// Runs the measurements that `options` ask for. Returns the last line of the output.
///
/// # Errors
/// When a step fails, or a figure is missed: then the line has been printed.
pub(crate) async fn run(options: &ScreenOptions) -> Result<String> {
    if let Some(store) = &options.hold {
        return hold(store).await;
    }
    if let (Some(list), Some(queries), Some(truth)) = (&options.list, &options.queries, &options.truth) {
        return compare_files(options, list, queries, truth).await;
    }
    let mut options = options.clone();
    if options.small {
        (options.persons, options.documents, options.sample, options.seconds) = (500, 5_000, 600, 15);
    }
    let seed = options.seed.unwrap_or_else(|| RandomState::new().hash_one(0) >> 16);
    let today = options.today.unwrap_or_else(|| Date::of(Timestamp::system_now()));
    let mut figures = Figures::default();
    figures.say("seed", seed);
    figures.say("today", today);
    print_progress(format_args!("drawing a list: --seed {seed} --today {today}"));
    let mut random = Random::new(seed);
    let amounts = Amounts { persons: options.persons as usize, numbers: options.documents as usize };
    let list = List::draw(amounts, &mut random);
    figures.say("entries", list.entries.len());
    figures.say("numbers", list.numbers.len());
    let held = in_process(&options, &list, today, &mut random, &mut figures).await?;
    if options.in_process {
        figures.at_most("rss_mib", held.rss_mib, 64.0);
    } else {
        traffic::measure(&options, &list, &mut random, &mut figures).await?;
    }
    finish(&figures, options.json)
}

/// The first part: all queries, in this process.
async fn in_process(
    options: &ScreenOptions,
    list: &List,
    today: Date,
    random: &mut Random,
    figures: &mut Figures,
) -> Result<HeldList> {
    let folder = new_folder()?;
    let store = folder.path().join("watchlist.db");
    print_progress(format_args!(
        "writing {} entries with {} numbers",
        list.entries.len(),
        list.numbers.len()
    ));
    let started = Instant::now();
    fill(&store, list, today.start(), false).await?;
    figures.say("fill_s", rounded(started.elapsed().as_secs_f64()));
    let held = in_a_new_process(&store)?;
    figures.say("load_s", held.load_s);
    figures.say("hold_rss_mib", held.rss_mib);
    let screener = open(&store).await?;
    print_progress(format_args!("asking about {} numbers", options.sample));
    let accuracy = accuracy::measure(&screener, list, options.sample as usize, today, random).await?;
    if !options.json {
        print_classes(&accuracy);
    }
    for line in &accuracy.wrong {
        eprintln!("{line}");
    }
    figures.say("accuracy_queries", accuracy.queries);
    figures.none("exact_missed", accuracy.exact_missed);
    figures.none("wrong_forwards", accuracy.wrong_forwards);
    figures.none("wrong_hits", accuracy.wrong_hits);
    figures.none("wrong_finds", accuracy.wrong_finds);
    figures.none("forwards_missed", accuracy.forwards_missed);
    figures.none("misuse_missed", accuracy.misuse_missed);
    let (asked, found) = accuracy.alike;
    figures.say("review_found", rounded(found as f64 / asked.max(1) as f64));
    figures.at_most("exact_p99_us", percentile_us(&accuracy.exact, 99), 1_000.0);
    Ok(held)
}

fn print_classes(accuracy: &Accuracy) {
    println!("{:24} {:>8} {:>10} {:>8} {:>8}", "queries", "asked", "forwarded", "hits", "review");
    for (class, answered) in &accuracy.classes {
        println!(
            "{:24} {:>8} {:>10} {:>8} {:>8}",
            format!("{class:?}"),
            answered.queries,
            answered.forwarded,
            answered.hits,
            answered.reviews
        );
    }
}

/// Somebody's files.
async fn compare_files(options: &ScreenOptions, list: &Path, queries: &Path, truth: &Path) -> Result<String> {
    let now = options.today.map_or_else(Timestamp::system_now, Date::start);
    let (entries, outcome) = files::Entries::read(list)?;
    print_progress(format_args!("the list: {}", serde_json::to_string(&outcome.counts)?));
    for skipped in outcome.skipped.iter().take(10) {
        print_progress(format_args!("line {}: {}", skipped.line, skipped.reason));
    }
    let (queries, truth) = (files::read_queries(queries)?, files::read_truth(truth, &entries)?);
    let folder = new_folder()?;
    let store = folder.path().join("watchlist.db");
    let mut screener = open(&store).await?;
    screener.add("alerts", entries.listed(now), now).await?;
    drop(screener);
    let held = in_a_new_process(&store)?;
    let screener = open(&store).await?;
    let accuracy = files::measure(&screener, &entries, &queries, &truth, now).await?;
    for line in &accuracy.wrong {
        eprintln!("{line}");
    }
    let mut figures = Figures::default();
    figures.say("queries", accuracy.queries);
    figures.none("exact_missed", accuracy.exact_missed);
    figures.none("wrong_hits", accuracy.wrong_hits);
    figures.none("wrong_forwards", accuracy.wrong_forwards);
    figures.say("review", accuracy.review);
    figures.say("names_not_screened", accuracy.names_not_screened);
    figures.at_most("exact_p99_us", percentile_us(&accuracy.exact, 99), 1_000.0);
    figures.say("load_s", held.load_s);
    figures.say("exact", accuracy.exact.len());
    figures.say("alike_missed", accuracy.alike_missed);
    figures.say("unreadable", accuracy.unreadable);
    finish(&figures, options.json)
}

fn finish(figures: &Figures, is_json_alone: bool) -> Result<String> {
    if !is_json_alone {
        figures.print();
    }
    let line = figures.line();
    let missed = figures.missed();
    if missed.is_empty() {
        return Ok(line);
    }
    println!("{line}");
    bail!("missed: {}", missed.join(", "))
}

/// Writes the list into a store, as alerts, or all of it as an imported list.
async fn fill(store: &Path, list: &List, now: Timestamp, is_imported: bool) -> Result<()> {
    let mut screener = open(store).await?;
    let name = if is_imported { "generated" } else { "alerts" };
    let mut at = 0;
    while at < list.entries.len() {
        let end = (at + WRITTEN_TOGETHER).min(list.entries.len());
        let entries: Vec<(String, Listed)> = (at..end).map(|at| list.listed(at, now, is_imported)).collect();
        screener.add(name, entries, now).await?;
        at = end;
    }
    Ok(())
}

async fn open(store: &Path) -> Result<Screener> {
    let config = StoreConfig::at(format!("sqlite:{}", store.display()));
    Screener::open(&config, AGENCY.parse()?).await.with_context(|| format!("opening {}", store.display()))
}

/// Opens a store as a service does when it starts.
async fn hold(store: &Path) -> Result<String> {
    let started = Instant::now();
    let screener = open(store).await?;
    let load_s = rounded(started.elapsed().as_secs_f64());
    let held = HeldList { load_s, rss_mib: rounded(process::rss_mib(std::process::id())?) };
    drop(screener);
    Ok(json!(held).to_string())
}

/// Has a new process open the store: this one has the list and the truth in memory beside it.
fn in_a_new_process(store: &Path) -> Result<HeldList> {
    let output = std::process::Command::new(std::env::current_exe()?)
        .args(["screen", "--hold"])
        .arg(store)
        // As services run in a lab.
        .env("MALLOC_ARENA_MAX", "2")
        .output()
        .context("starting a process that opens the store")?;
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(text.trim())
        .with_context(|| format!("it said {text:?} and {:?}", String::from_utf8_lossy(&output.stderr)))
}

/// A folder beside the programs: one for temporary files may be in memory.
fn new_folder() -> Result<tempfile::TempDir> {
    let this = std::env::current_exe()?;
    let programs = this.parent().context("a folder of programs")?;
    Ok(tempfile::Builder::new().prefix("load-").tempdir_in(programs)?)
}

fn percentile_us(times: &[Duration], percent: usize) -> f64 {
    rounded(crate::report::percentile_ms(times, percent) * 1000.0)
}
