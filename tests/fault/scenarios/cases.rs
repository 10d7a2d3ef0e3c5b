//! Alerts and requests that both sides write in, while everything fails that can: afterwards each case is the same for each of its
//! parties.

mod compare;
mod content;
mod excused;
mod moves;
mod play;
mod requests;
mod rest;
mod script;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use rovuma_envelope::PublicKey;
use rovuma_lab::ctl::Ctl;
use rovuma_schemas::{AgencyCode, Timestamp};
use rovuma_tests::{
    programs,
    trust::{revise_list, words},
};
use serde_json::{Value, json};

use self::{
    compare::{Difference, SeenCase, What, differences, differences_of_row},
    excused::{Forgotten, LostOfCase},
    play::{Callers, Play, PlayedCase},
};
use super::restore::{self, RestoredPart};
use crate::{
    chance::Chance,
    reconcile::{FaultReport, pages},
    stage::{CutLines, RunningCountries, TestBed},
};

/// With more cases than this, every fault comes once more.
const FAULTS_EVERY: u32 = 250;

/// Differences that a failure shows.
const SHOWN: usize = 10;

/// What breaks in one part of the play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The line in both directions.
    Cut,
    /// A country's gateway is killed.
    Gateway(&'static str),
    /// A country's broker is killed.
    Broker(&'static str),
    /// A country's gateway is stopped and its store copied.
    Copy(&'static str, RestoredPart),
    /// That store is put back.
    Restore(&'static str, RestoredPart),
    /// An agency's signing key turns out to be compromised, with messages waiting that it signed.
    Compromise(&'static str),
}

pub(super) async fn run(ground: &mut TestBed, mut chance: Chance, cases: u32) -> Result<FaultReport> {
    let started = Instant::now();
    let faults = draw_faults(&mut chance, cases);
    let script = script::draw(&mut chance, cases);
    let mut stage = ground.stage().await?;
    let lines = ground.lay_lines(&stage.border).await?;
    let callers = Arc::new(Callers::of(&stage.border)?);
    let mut play = Play::start(script, &callers);
    let mut breaker = Breaker { lines, copy: Vec::new(), copied_after: None, restored_after: None };
    for (part, fault) in (1_u32..).zip(&faults) {
        println!("   {part}/{}: {fault:?}, after {} s", faults.len(), started.elapsed().as_secs());
        if matches!(fault, Fault::Compromise(_)) {
            // A partner that lost its store asks again for what it had; the README says what a compromised key does to that.
            rest::until_at_rest(&callers).await?;
            breaker.cut();
        }
        play.open(f64::from(part) / faults.len() as f64, part);
        breaker.break_and_repair(ground, &mut stage, &mut play, *fault, part, &mut chance).await?;
        play.rest().await?;
    }
    let played = play.played().await?;
    let former_gaps = rest::until_at_rest(&callers).await?;
    let lost_to = breaker.forgotten_parts(&faults)?;
    let figures = compare_all(&callers, &played, &lost_to).await?;
    let line = figures.to_json(&played, &faults, former_gaps, started);
    if !figures.wrong.is_empty() {
        println!("{line}");
        bail!("{} differences: {}", figures.wrong.len(), first(&figures.wrong));
    }
    ensure!(figures.reissued > 0, "no message was issued again under another key: {line}");
    ensure!(figures.lost > 0, "the restored store had forgotten nothing: {line}");
    println!("{line}");
    let note = format!("{} cases, {} comparisons, none different", played.len(), figures.compared);
    Ok(FaultReport::default().note(note))
}

/// The faults of the play, one for each of its parts: those of the exchange in any order, and between them a copy of a store, later
/// its restore, and a compromised key before the copy or after the restore.
fn draw_faults(chance: &mut Chance, cases: u32) -> Vec<Fault> {
    let mut faults = Vec::new();
    for _ in 0..=cases / FAULTS_EVERY {
        let any = *chance.one_of(&["mz", "tz"]);
        faults.extend([Fault::Cut, Fault::Cut, Fault::Gateway("mz"), Fault::Gateway("tz")]);
        faults.extend([Fault::Broker("mz"), Fault::Broker("tz"), Fault::Gateway(any)]);
    }
    chance.shuffle(&mut faults);
    let restored = *chance.one_of(&["mz", "tz"]);
    let what = *chance.one_of(&[RestoredPart::Database, RestoredPart::Everything]);
    let compromised = *chance.one_of(&["mz.prm", "tz.tpf"]);
    let third = faults.len() / 3;
    faults.insert(third + 1, Fault::Restore(restored, what));
    faults.insert(third, Fault::Copy(restored, what));
    // Before the copy, between the copy and its restore, and after.
    let place = *chance.one_of(&[1, third + 1, faults.len() - 1]);
    faults.insert(place, Fault::Compromise(compromised));
    faults
}

/// Breaks and repairs.
struct Breaker {
    lines: CutLines,
    copy: Vec<(PathBuf, PathBuf)>,
    /// The part at whose end the store was copied.
    copied_after: Option<u32>,
    restored_after: Option<u32>,
}

impl Breaker {
    async fn break_and_repair(
        &mut self,
        ground: &mut TestBed,
        stage: &mut RunningCountries,
        play: &mut Play,
        fault: Fault,
        part: u32,
        chance: &mut Chance,
    ) -> Result<()> {
        tokio::time::sleep(chance.pause(0..500)).await;
        match fault {
            Fault::Cut => {
                self.cut();
                play.rest().await?;
                tokio::time::sleep(chance.pause(0..2000)).await;
                self.mend();
            }
            Fault::Gateway(code) => {
                stage.country(code).take_service("gateway")?.kill();
                tokio::time::sleep(chance.pause(0..1000)).await;
                stage.restart_service(code, "gateway").await?;
            }
            Fault::Broker(code) => {
                let node = if code == "mz" { &mut ground.nodes.mz } else { &mut ground.nodes.tz };
                node.kill();
                tokio::time::sleep(chance.pause(0..2000)).await;
                node.restart(|_| ()).await?;
            }
            Fault::Copy(code, what) => {
                play.rest().await?;
                restore::stop(stage, code).await?;
                let store = stage.country(code).layout().store("gateway");
                self.copy = restore::copy_store(&store, what)?;
                self.copied_after = Some(part);
                stage.restart_service(code, "gateway").await?;
            }
            Fault::Restore(code, what) => {
                play.rest().await?;
                stage.country(code).take_service("gateway")?.kill();
                let store = stage.country(code).layout().store("gateway");
                restore::put_in_place(&store, &self.copy)?;
                if what == RestoredPart::Everything {
                    restore::report_restore(stage, code)?;
                }
                self.restored_after = Some(part);
                stage.restart_service(code, "gateway").await?;
            }
            Fault::Compromise(agency) => {
                // The line is cut, so that what the key signs in this part waits.
                play.rest().await?;
                compromise(stage, agency).await?;
                self.mend();
            }
        }
        Ok(())
    }

    fn cut(&self) {
        self.lines.from_mz.cut();
        self.lines.from_tz.cut();
    }

    fn mend(&self) {
        self.lines.from_mz.mend();
        self.lines.from_tz.mend();
    }

    /// The country whose store was restored, and the parts of the play that the store has forgotten.
    fn forgotten_parts(&self, faults: &[Fault]) -> Result<Forgotten> {
        let restored = faults.iter().find_map(|fault| match fault {
            Fault::Restore(code, _) => Some(*code),
            _ => None,
        });
        let (after, until) = self.copied_after.zip(self.restored_after).context("a copy and a restore")?;
        Ok(Forgotten { country: restored.context("a restore")?, after, until })
    }
}

/// Gives an agency another signing key and calls the former one compromised: the country signs a list that says so, hands it to the
/// other country, and the agency's gateway begins to sign with the new key.
async fn compromise(stage: &mut RunningCountries, agency: &str) -> Result<()> {
    let (code, other) = if agency.starts_with("mz") { ("mz", "tz") } else { ("tz", "mz") };
    let (country, own): (_, AgencyCode) = (code.parse()?, agency.parse()?);
    let layout = stage.country(code).layout().clone();
    let former = PublicKey::from_jwk(&fs::read(layout.signing_key(&own).with_extension("jwk"))?)?;
    let new_key = layout.key(&format!("{agency}.next.pem"));
    let new_key_text = new_key.to_string_lossy().into_owned();
    Ctl::new(&programs()?).run(["keys", "generate", "signing", "--out", &new_key_text])?;
    let public = new_key.with_extension("jwk").to_string_lossy().into_owned();
    let rotate = words(&["trust", "rotate", agency, "--signing", &public]);
    let revoke = words(&["trust", "revoke", agency, &former.key_id().to_string(), "--reason", "compromised"]);
    let list = revise_list(&layout, country, &[rotate, revoke])?;
    fs::copy(&new_key, layout.signing_key(&own))?;
    rovuma_files::replace(&stage.country(other).layout().trust_list(country), &list, 0o644)?;
    restore::stop(stage, code).await?;
    stage.restart_service(code, "gateway").await
}

/// The result of all comparisons.
#[derive(Debug, Default)]
struct Figures {
    /// Pairs of views that were compared.
    compared: usize,
    /// Views whose row in the list was compared with the case.
    rows: usize,
    /// Messages that the restored store had forgotten.
    lost: usize,
    /// Steps that are in one view of a pair only: these messages, and what their issuer could not send to all because of them.
    excused_steps: BTreeSet<String>,
    excused_members: usize,
    /// Cases with something excused.
    excused_cases: usize,
    /// Cases whose opener their issuer has forgotten, and knows again from what a recipient said.
    revived_cases: usize,
    /// Cases that their issuer has forgotten whole.
    forgotten_cases: usize,
    /// Steps that came under more than one id.
    reissued: usize,
    /// Messages of which a recipient refused a copy, by type.
    rejected: BTreeMap<String, u32>,
    wrong: Vec<String>,
}

/// Compares each case, as its issuer and as each recipient shows it, and each row of a list with its case.
async fn compare_all(callers: &Callers, played: &[PlayedCase], forgotten: &Forgotten) -> Result<Figures> {
    let mut figures = Figures::default();
    let mut rows = BTreeMap::new();
    for agency in rest::AGENCIES {
        let api = callers.api(agency, "officer").await?;
        for row in pages(&api, "/v1/cases", "").await? {
            let id = row["case"]["id"].as_str().unwrap_or_default().to_owned();
            rows.insert((agency, id), row);
        }
        for sent in pages(&api, "/v1/sent", "state=rejected&").await? {
            let message_type = sent["type"].as_str().unwrap_or_default();
            *figures.rejected.entry(message_type.to_owned()).or_default() += 1;
        }
    }
    for one in played {
        compare_case(callers, one, &forgotten.in_case(one), &rows, &mut figures).await?;
    }
    Ok(figures)
}

async fn compare_case(
    callers: &Callers,
    played: &PlayedCase,
    lost: &LostOfCase,
    rows: &BTreeMap<(&str, String), Value>,
    figures: &mut Figures,
) -> Result<()> {
    let (owner, id) = (played.conversation.opener, played.id().context("a case that was opened")?);
    figures.lost += lost.steps.len();
    let (mut views, at) = (Vec::new(), Timestamp::system_now());
    for agency in [owner].into_iter().chain(played.conversation.recipients.iter().copied()) {
        match see(callers, rows, agency, played, at).await? {
            Some(seen) => views.push(seen),
            None => {
                // The opener was forgotten, and may never have left.
                let is_excused = lost.has(id);
                if agency == owner && is_excused {
                    figures.forgotten_cases += 1;
                } else if !is_excused {
                    figures.wrong.push(format!("{agency} has no case {owner}/{id}"));
                }
            }
        }
    }
    let is_revived = views.iter().any(|seen| seen.agency == owner) && lost.has(id);
    figures.revived_cases += usize::from(is_revived);
    for seen in &views {
        figures.rows += 1;
        let several = |step: &&Value| step["ids"].as_array().is_some_and(|ids| ids.len() > 1);
        figures.reissued += seen.steps.iter().filter(several).count();
        let wrong = differences_of_row(seen);
        figures.wrong.extend(wrong.iter().map(|wrong| format!("{} of {owner}/{id}: {wrong}", seen.agency)));
    }
    let mut excused = 0;
    for (place, one) in views.iter().enumerate() {
        for other in &views[place + 1..] {
            let common = match (one.agency == owner, other.agency == owner) {
                (true, _) => vec![owner, other.agency.as_str()],
                (_, true) => vec![owner, one.agency.as_str()],
                _ => vec![owner],
            };
            figures.compared += 1;
            let found = differences(one, other, &common);
            let lost = lost.of_views(one, other);
            for difference in &found {
                if lost.excuses(difference, owner) {
                    excused += 1;
                    figures.note_excused(difference);
                } else {
                    let pair = format!("{} and {}", one.agency, other.agency);
                    figures.wrong.push(format!("{owner}/{id}, {pair}: {difference}; forgotten: {lost:?}"));
                }
            }
        }
    }
    figures.excused_cases += usize::from(excused > 0);
    Ok(())
}

/// The case as the agency sees it at `at`: everything that it shows of time is then compared at one instant.
async fn see(
    callers: &Callers,
    rows: &BTreeMap<(&str, String), Value>,
    agency: &'static str,
    played: &PlayedCase,
    at: Timestamp,
) -> Result<Option<SeenCase>> {
    let path = played.path();
    let Some(case) = callers.get(agency, &format!("{path}?at={at}")).await? else { return Ok(None) };
    let timeline = callers.get(agency, &format!("{path}/timeline")).await?.unwrap_or_default();
    let steps = timeline["steps"].as_array().cloned().unwrap_or_default();
    let row = rows.get(&(agency, played.id().unwrap_or_default().to_owned())).cloned().unwrap_or_default();
    Ok(Some(SeenCase { agency: agency.to_owned(), case, steps, row }))
}

impl Figures {
    fn note_excused(&mut self, difference: &Difference) {
        match &difference.what {
            What::Step(id) => drop(self.excused_steps.insert(id.clone())),
            _ => self.excused_members += 1,
        }
    }

    /// The last line of the scenario.
    fn to_json(
        &self,
        played: &[PlayedCase],
        faults: &[Fault],
        former_gaps: usize,
        started: Instant,
    ) -> Value {
        let (mut refused, mut steps) = (BTreeMap::<&str, u32>::new(), BTreeMap::<&str, u32>::new());
        for one in played {
            for (code, count) in &one.refused {
                *refused.entry(code).or_default() += count;
            }
            for step in &one.sent {
                *steps.entry(&step.message_type).or_default() += 1;
            }
        }
        json!({
            "scenario": "cases",
            "cases": played.len(),
            "compared": self.compared,
            "rows": self.rows,
            "different": self.wrong.len(),
            "steps": steps,
            "refused": refused,
            "rejected": self.rejected,
            "reissued": self.reissued,
            "faults": faults.len(),
            "lost": self.lost,
            "excused_steps": self.excused_steps.len(),
            "excused_members": self.excused_members,
            "excused_cases": self.excused_cases,
            "revived_cases": self.revived_cases,
            "forgotten_cases": self.forgotten_cases,
            "former_gaps": former_gaps,
            "seconds": started.elapsed().as_secs(),
        })
    }
}

fn first(wrong: &[String]) -> String {
    let shown = wrong.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    shown.join("\n      ")
}
