//! Questions about cases, and messages that follow in them.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rovuma_schemas::{MessageId, Timestamp};
use serde_json::{Value, json};

use super::{
    PAGE, QUESTIONS,
    templates::{LONG, case_of},
    turn_pages,
};
use crate::{
    draft,
    exchange::print_progress,
    old_store::{Filled, FilledCase, Role},
    sender::AgencySystem,
};

/// Messages posted into cases of 30 messages, and as many into cases of one.
const FOLLOWERS: usize = 50;

/// Copied cases of which the gateway's own fold is compared with their rows.
const SAMPLE: usize = 200;

/// The beginning of a reference that up to a hundred cases share.
const PREFIX: usize = 14;

/// How long each answer took.
pub(super) struct CaseAnswers {
    pub(super) all: Vec<Duration>,
    pub(super) state: Vec<Duration>,
    pub(super) ball: Vec<Duration>,
    pub(super) partner: Vec<Duration>,
    pub(super) category: Vec<Duration>,
    pub(super) reference: Vec<Duration>,
    pub(super) short_reference: Vec<Duration>,
    pub(super) due: Vec<Duration>,
    pub(super) case: Vec<Duration>,
    pub(super) timeline: Vec<Duration>,
    pub(super) follow_1: Vec<Duration>,
    pub(super) follow_30: Vec<Duration>,
    /// Cases whose row is what the gateway folds.
    pub(super) checked: usize,
}

/// Asks for the cases of the store as an officer does.
///
/// # Errors
/// When an answer is wrong.
pub(super) async fn ask(officer: &AgencySystem, filled: &Filled) -> Result<CaseAnswers> {
    let asker = Asker { officer, cases: &filled.cases };
    let later = Timestamp::system_now().plus(Duration::from_secs(24 * 60 * 60));
    let is_ours = |role: Role| role != Role::Foreign;
    let checked = asker.check_folds().await?;
    let (case, timeline) = asker.long_cases().await?;
    Ok(CaseAnswers {
        all: asker.list("/v1/cases", |_| true).await?,
        state: asker.list("/v1/cases?state=active", |_| true).await?,
        ball: asker.list("/v1/cases?ball=ours", |role| role == Role::Ours).await?,
        partner: asker.list("/v1/cases?partner=tz.tisd", is_ours).await?,
        category: asker.list("/v1/cases?category=vehicle", |role| role != Role::Ours).await?,
        reference: asker.references().await?,
        short_reference: asker.short_references().await?,
        due: asker.list(&format!("/v1/cases?due={later}"), |role| role == Role::Ours).await?,
        case,
        timeline,
        checked,
        // These change the cases, and come last.
        follow_1: asker.follow(Role::Bare).await?,
        follow_30: asker.follow(Role::Long).await?,
    })
}

struct Asker<'a> {
    officer: &'a AgencySystem,
    cases: &'a [FilledCase],
}

impl Asker<'_> {
    /// Turns the pages of the list of those cases whose role is asked for.
    async fn list(&self, path: &str, is_listed: impl Fn(Role) -> bool) -> Result<Vec<Duration>> {
        let listed = self.cases.iter().filter(|case| is_listed(case.role));
        let ids: Vec<MessageId> = listed.map(|case| case.id).collect();
        turn_pages(self.officer, path, &ids, |_| true).await
    }

    /// Asks by the beginning of references, each time another.
    async fn references(&self) -> Result<Vec<Duration>> {
        self.found(|case| case.reference[..PREFIX].to_owned(), |case, text| case.reference.starts_with(text))
            .await
    }

    /// Asks by short references. Two cases may have the same.
    async fn short_references(&self) -> Result<Vec<Duration>> {
        self.found(|case| case.short_reference.clone(), |case, text| case.short_reference == text).await
    }

    async fn found(
        &self,
        text_of: impl Fn(&FilledCase) -> String,
        is_found: impl Fn(&FilledCase, &str) -> bool,
    ) -> Result<Vec<Duration>> {
        let copied: Vec<&FilledCase> = self.cases.iter().filter(|case| !case.reference.is_empty()).collect();
        let mut times = Vec::with_capacity(QUESTIONS);
        for number in 0..QUESTIONS {
            let text = text_of(copied[number * (copied.len() - 1) / QUESTIONS]);
            let path = format!("/v1/cases?reference={text}");
            let expected = copied.iter().rev().filter(|case| is_found(case, &text)).take(PAGE);
            let expected: Vec<String> = expected.map(|case| case.id.to_string()).collect();
            let started = Instant::now();
            let answer = self.officer.read(&path).await?;
            times.push(started.elapsed());
            let rows = answer["items"].as_array().context("a page")?;
            let shown: Vec<&str> = rows.iter().filter_map(|row| row["case"]["id"].as_str()).collect();
            ensure!(shown == expected, "{path} shows {shown:?}, not {expected:?}");
        }
        Ok(times)
    }

    /// Reads cases of 30 messages, and their time lines.
    async fn long_cases(&self) -> Result<(Vec<Duration>, Vec<Duration>)> {
        print_progress("cases of 30 messages");
        let long: Vec<&FilledCase> = self.cases.iter().filter(|case| case.role == Role::Long).collect();
        let (mut cases, mut timelines) = (Vec::new(), Vec::new());
        for case in long.iter().cycle().take(QUESTIONS) {
            let started = Instant::now();
            let shown = self.officer.read(&path_of(case)).await?;
            cases.push(started.elapsed());
            ensure!(shown["case"]["messages"] == json!(LONG), "{shown}");
            let started = Instant::now();
            let timeline = self.officer.read(&format!("{}/timeline", path_of(case))).await?;
            timelines.push(started.elapsed());
            ensure!(timeline["steps"].as_array().is_some_and(|steps| steps.len() == LONG), "{timeline}");
        }
        Ok((cases, timelines))
    }

    /// Compares, for copied cases from everywhere in the store, the row that was filled in with what the gateway folds from the
    /// messages when it reads the case, and with what the case's role says.
    async fn check_folds(&self) -> Result<usize> {
        print_progress("cases as the gateway folds them");
        let copied: Vec<&FilledCase> = self.cases.iter().filter(|case| !case.reference.is_empty()).collect();
        // The last ones are the cases of one and of 30 messages.
        let (last, rest) = (copied.len() - 4, copied.len() - 5);
        let sample = (0..SAMPLE).map(|number| number * rest / SAMPLE).chain(last..copied.len());
        let mut checked = 0;
        for case in sample.map(|place| copied[place]) {
            let rows = self.officer.read(&format!("/v1/cases?reference={}", case.reference)).await?;
            let row = &rows["items"][0];
            let shown = self.officer.read(&path_of(case)).await?;
            let timeline = self.officer.read(&format!("{}/timeline", path_of(case))).await?;
            let steps = timeline["steps"].as_array().context("steps")?;
            let applied = steps.iter().all(|step| step["effect"] == "applied");
            ensure!(applied && steps.len() == case.messages, "{}: {timeline}", case.id);
            let count = |member: &str| shown[member].as_array().map_or(0, Vec::len);
            let folded = json!({
                "state": shown["case"]["state"], "version": shown["alert"]["version"], "messages": steps.len(),
                "missing": count("missing"), "warnings": count("warnings"), "due": shown["alert"]["confirm_by"],
            });
            let listed = json!({
                "state": row["state"], "version": row["version"], "messages": row["messages"],
                "missing": row["missing"], "warnings": row["warnings"], "due": row["due"],
            });
            ensure!(folded == listed, "{} is {folded}, and its row says {listed}", case.id);
            let ball = if case.role == Role::Ours { "ours" } else { "nobody" };
            let facts = [&row["state"], &row["ball"], &row["short_reference"], &row["case"]["id"]];
            let wanted = [json!("active"), json!(ball), json!(case.short_reference), json!(case.id)];
            ensure!(facts.into_iter().eq(&wanted), "{row} is not {wanted:?}");
            checked += 1;
        }
        Ok(checked)
    }

    /// Posts a newer version into each of the cases of a role.
    async fn follow(&self, role: Role) -> Result<Vec<Duration>> {
        print_progress(format_args!("messages into cases: {role:?}"));
        let cases = self.cases.iter().filter(|case| case.role == role).take(FOLLOWERS);
        let mut times = Vec::with_capacity(FOLLOWERS);
        for case in cases {
            let draft = draft::update(&case_of("mz.prm", case.id), false, None)?;
            let started = Instant::now();
            self.officer.send_at_once(draft).await?;
            times.push(started.elapsed());
            let shown: Value = self.officer.read(&path_of(case)).await?;
            ensure!(shown["case"]["messages"] == json!(case.messages + 1), "{shown}");
        }
        Ok(times)
    }
}

fn path_of(case: &FilledCase) -> String {
    let owner = if case.role == Role::Foreign { "tz.tpf" } else { "mz.prm" };
    format!("/v1/cases/alert/{owner}/{}", case.id)
}
