//! `rovumactl figures`: how many requests there are, how they ended, and how long the parties took.

use std::{fmt, time::Duration};

use clap::{Args, ValueEnum};
use rovuma_api::answers::gateway::{CaseRow, PartyTimes, QuestionResults, RequestFigure, RequestFigures};
use rovuma_schemas::{AgencyCode, Status, Timestamp};

use crate::{
    app::App,
    cases::{list::case_table, text::CaseReader},
    exit::{Exit, Outcome},
    messages::lists::{pages, print_rows},
    moments::{self, local, readable},
    output::table,
    reading::{LanguageArgs, Reader},
    session::{ApiServer, ServerArgs},
};

rovuma_schemas::sentences! {
    /// The words of figures.
    struct FigureWords in rovuma_schemas::sentences::FIGURES;
    period(from, until),
    exercises_apart,
    only(status),
    figure,
    sent,
    received,
    every,
    open,
    overdue,
    answered,
    refused,
    refused_because(reason),
    cancelled,
    closed,
    in_time,
    within_delay,
    late,
    time_of,
    answerer,
    requester,
    direction,
    direction_sent,
    direction_received,
    question,
    any_question,
    count,
    median,
    nine_in_ten,
    result,
    no_answer_yet,
}

/// Options of `figures`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rovumactl figures --from 2026-11-01 --until 2026-11-30
  rovumactl figures --cases overdue --direction received")]
pub(crate) struct Figures {
    /// Requests opened from this instant on [default: 30 days before the end]
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    from: Option<Timestamp>,
    /// Requests opened before this instant; of a day, with that day [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = moments::end)]
    until: Option<Timestamp>,
    /// actual, exercise or test: they are never counted together [default: actual]
    #[arg(long)]
    status: Option<Status>,
    /// List the requests that this figure counts: all, overdue, late, refused.not_available …
    #[arg(long, value_name = "FIGURE")]
    cases: Option<String>,
    /// With --cases: only requests of this direction
    #[arg(long, value_enum, requires = "cases")]
    direction: Option<Direction>,
    /// With --cases: maximum number of rows
    #[arg(long, requires = "cases", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    language: LanguageArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Who sent the requests.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Direction {
    /// your agency
    Sent,
    /// other agencies
    Received,
}

impl Direction {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Received => "received",
        }
    }
}

impl Figures {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let mut query: Vec<(&str, String)> = [
            ("from", self.from.map(|from| from.to_string())),
            ("until", self.until.map(|until| until.to_string())),
            ("status", self.status.map(|status| status.as_str().to_owned())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
        let Some(figure) = self.cases else {
            let figures = client.get::<RequestFigures>("/v1/figures/requests", &query).await?;
            let reader = self.language.reader(app, &self.server, &client, &[], &[]).await;
            app.out.answer(&figures, |f, figures| figures_text(f, figures, &reader))?;
            return Ok(Exit::Ok);
        };
        query.push(("figure", figure));
        query.extend(self.direction.map(|direction| ("direction", direction.as_str().to_owned())));
        let rows = pages::<CaseRow>(&client, "/v1/figures/requests/cases", query, self.limit).await?;
        let owners: Vec<AgencyCode> = rows.value.items.iter().map(|row| row.case.owner.clone()).collect();
        let reader = self.language.reader(app, &self.server, &client, &owners, &[]).await;
        let reader = CaseReader::new(app, &client, reader);
        print_rows(app, &rows, |f, page| case_table(f, page, &reader))
    }
}

fn figures_text(f: &mut fmt::Formatter<'_>, figures: &RequestFigures, reader: &Reader) -> fmt::Result {
    let words = FigureWords::of(reader.locale);
    writeln!(f, "{}", words.period(local(figures.from), local(figures.until)))?;
    match figures.status.as_str() {
        "actual" => writeln!(f, "{}\n", words.exercises_apart())?,
        other => writeln!(f, "{}\n", words.only(other))?,
    }
    counts_table(f, &figures.figures, words, reader)?;
    if !figures.times.is_empty() {
        writeln!(f)?;
        times_table(f, &figures.times, words, reader)?;
    }
    if !figures.questions.is_empty() {
        writeln!(f)?;
        results_table(f, &figures.questions, words, reader)?;
    }
    Ok(())
}

/// A row for each figure, with its count of sent and of received requests.
fn counts_table(
    f: &mut fmt::Formatter<'_>,
    figures: &[RequestFigure],
    words: FigureWords,
    reader: &Reader,
) -> fmt::Result {
    let mut names: Vec<&str> = Vec::new();
    for figure in figures {
        if !names.contains(&figure.figure.as_str()) {
            names.push(&figure.figure);
        }
    }
    // The reasons of refusals stand below their sum.
    names.sort_by_key(|name| (place_of(name), *name));
    let count = |name: &str, direction: &str| {
        let found = figures.iter().find(|one| one.figure == name && one.direction == direction);
        found.map_or(0, |one| one.count).to_string()
    };
    let row =
        |name: &&str| vec![figure_name(name, words, reader), count(name, "sent"), count(name, "received")];
    let rows: Vec<Vec<String>> = names.iter().map(row).collect();
    table(f, &[words.figure(), words.sent(), words.received()], &rows)
}

/// The figures in the order in which people read them.
const ORDER: [&str; 10] = [
    "all",
    "open",
    "overdue",
    "answered",
    "refused",
    "cancelled",
    "closed",
    "in_time",
    "within_delay",
    "late",
];

fn place_of(figure: &str) -> usize {
    let name = figure.split('.').next().unwrap_or(figure);
    ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len())
}

fn figure_name(figure: &str, words: FigureWords, reader: &Reader) -> String {
    if let Some(reason) = figure.strip_prefix("refused.") {
        return words.refused_because(reader.label("refusal_reasons", reason));
    }
    let name = match figure {
        "all" => words.every(),
        "open" => words.open(),
        "overdue" => words.overdue(),
        "answered" => words.answered(),
        "refused" => words.refused(),
        "cancelled" => words.cancelled(),
        "closed" => words.closed(),
        "in_time" => words.in_time(),
        "within_delay" => words.within_delay(),
        "late" => words.late(),
        newer => newer,
    };
    name.to_owned()
}

fn direction_name(direction: &str, words: FigureWords) -> String {
    match direction {
        "sent" => words.direction_sent().to_owned(),
        "received" => words.direction_received().to_owned(),
        newer => newer.to_owned(),
    }
}

fn times_table(
    f: &mut fmt::Formatter<'_>,
    times: &[PartyTimes],
    words: FigureWords,
    reader: &Reader,
) -> fmt::Result {
    let row = |time: &PartyTimes| {
        let party = match time.party.as_str() {
            "answerer" => words.answerer(),
            "requester" => words.requester(),
            newer => newer,
        };
        let question = time.question.as_deref();
        let question = question.map_or(words.any_question(), |question| reader.label("questions", question));
        vec![
            party.to_owned(),
            direction_name(&time.direction, words),
            question.to_owned(),
            time.count.to_string(),
            readable(Duration::from_secs(time.median_s)),
            readable(Duration::from_secs(time.p90_s)),
        ]
    };
    let rows: Vec<Vec<String>> = times.iter().map(row).collect();
    let heading = [
        words.time_of(),
        words.direction(),
        words.question(),
        words.count(),
        words.median(),
        words.nine_in_ten(),
    ];
    table(f, &heading, &rows)
}

fn results_table(
    f: &mut fmt::Formatter<'_>,
    results: &[QuestionResults],
    words: FigureWords,
    reader: &Reader,
) -> fmt::Result {
    let row = |one: &QuestionResults| {
        let result = one.result.as_deref();
        let result = result.map_or(words.no_answer_yet(), |result| reader.label("answer_results", result));
        vec![
            reader.label("questions", &one.question).to_owned(),
            direction_name(&one.direction, words),
            result.to_owned(),
            one.count.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = results.iter().map(row).collect();
    table(f, &[words.question(), words.direction(), words.result(), words.count()], &rows)
}
