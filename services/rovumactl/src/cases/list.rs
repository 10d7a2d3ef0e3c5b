//! `case list`.

use std::fmt;

use clap::{
    Args, ValueEnum,
    builder::{PossibleValue, PossibleValuesParser},
};
use rovuma_api::{answers::gateway::CaseRow, page::Page};
use rovuma_schemas::{AgencyCode, Family, MessageId, Timestamp};

use super::text::{CaseReader, codes};
use crate::{
    app::App,
    exit::Outcome,
    messages::lists::{pages, print_rows},
    moments,
    output::table,
    reading::LanguageArgs,
    session::{ApiServer, ServerArgs},
};

/// Options of `case list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those in which your agency must act
    #[arg(long, conflicts_with = "ball")]
    mine: bool,
    /// Only those in which this side must act
    #[arg(long, value_enum)]
    ball: Option<Ball>,
    /// Only this kind
    #[arg(long, value_parser = PossibleValuesParser::new(Family::ALL.iter().map(|family| family.as_str())))]
    kind: Option<String>,
    /// Only those in this state now
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Only alerts of this category, or requests of this kind
    #[arg(long, value_parser = PossibleValuesParser::new(facets()))]
    category: Option<String>,
    /// actual, exercise or test
    #[arg(long)]
    status: Option<String>,
    /// Only those in which somebody must act by this instant
    #[arg(long, value_name = "INSTANT", value_parser = moments::end)]
    due: Option<Timestamp>,
    /// Only those to which this agency is a party
    #[arg(long, value_name = "AGENCY")]
    partner: Option<AgencyCode>,
    /// Only the one with this short reference, or those whose file number begins so
    #[arg(long, value_name = "TEXT")]
    reference: Option<String>,
    /// Only the requests of this group, which ask several agencies the same
    #[arg(long, value_name = "ID")]
    group: Option<MessageId>,
    /// Maximum number of rows
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    language: LanguageArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Ball {
    /// your agency must act
    Ours,
    /// another party must act
    Theirs,
    /// nobody must
    Nobody,
}

/// A state of a case.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    /// messages about it are here, and its content is not
    #[value(name = "not_arrived")]
    NotArrived,
    /// alert: officers act on it
    Active,
    /// its emergency release was not confirmed in time
    Suspended,
    /// alert: its end has passed
    Expired,
    /// alert: its issuer took it back
    Withdrawn,
    /// request: the agency asked works on it
    Open,
    /// request: the requester is asked for more
    Clarification,
    /// request: answered completely
    Answered,
    /// request: refused
    Refused,
    /// request: cancelled before an answer
    Cancelled,
    /// request: the requester has read the last answer and needs no more
    Closed,
    /// hit: reported
    Notified,
    /// hit: the alert's owner needs more time
    #[value(name = "more_time")]
    MoreTime,
    /// hit: the alert's owner confirmed it
    Confirmed,
    /// hit: the alert's owner did not confirm it
    #[value(name = "not_confirmed")]
    NotConfirmed,
    /// hit: the reporter did what the alert asks for
    Action,
    /// hit: the reporter did nothing
    #[value(name = "no_action")]
    NoAction,
    /// hit: the reporter released
    Released,
    /// hit: what the alert asks for was not possible
    #[value(name = "not_possible")]
    NotPossible,
    /// hit: its reporter took it back
    Retracted,
    /// information that was shared
    Shared,
    /// leave is asked for
    Asked,
    /// leave was given
    Granted,
    /// leave was not given
    Denied,
    /// the last day of the leave has passed
    Lapsed,
}

/// The facets of all families as values of an option.
fn facets() -> Vec<PossibleValue> {
    [codes("categories"), codes("request_kinds"), codes("matched_kinds")].concat()
}

fn word(value: impl ValueEnum) -> String {
    // No variant is skipped, so each has a name.
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

impl List {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let ball = if self.mine { Some(Ball::Ours) } else { self.ball };
        let query: Vec<(&str, String)> = [
            ("kind", self.kind),
            ("state", self.state.map(word)),
            ("ball", ball.map(word)),
            ("category", self.category),
            ("status", self.status),
            ("due", self.due.map(|due| due.to_string())),
            ("partner", self.partner.map(|partner| partner.to_string())),
            ("reference", self.reference),
            ("group", self.group.map(|group| group.to_string())),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let rows = pages::<CaseRow>(&client, "/v1/cases", query, self.limit).await?;
        let owners: Vec<AgencyCode> = rows.value.items.iter().map(|row| row.case.owner.clone()).collect();
        let reader = self.language.reader(app, &self.server, &client, &owners, &[]).await;
        let reader = CaseReader::new(app, &client, reader);
        print_rows(app, &rows, |f, page| case_table(f, page, &reader))
    }
}

/// Writes cases as rows.
pub(crate) fn case_table(
    f: &mut fmt::Formatter<'_>,
    page: &Page<CaseRow>,
    reader: &CaseReader,
) -> fmt::Result {
    let count = |count: u64| if count == 0 { String::new() } else { count.to_string() };
    let row = |row: &CaseRow| {
        vec![
            row.short_reference.clone().unwrap_or_else(|| "—".to_owned()),
            reader.about(row).unwrap_or_default(),
            reader.state_word(&row.state),
            reader.ball(&row.ball),
            row.due.map(|due| reader.limit(due, &row.case.owner)).unwrap_or_default(),
            reader.owner(&row.case.owner),
            row.status.clone().unwrap_or_default(),
            count(row.missing),
            count(row.warnings),
            moments::local(row.changed_at),
            row.case.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    let heading = [
        "REFERENCE",
        "ABOUT",
        "STATE",
        "TURN",
        "DUE",
        "OPENED BY",
        "STATUS",
        "MISSING",
        "WARNINGS",
        "CHANGED",
        "CASE",
    ];
    table(f, &heading, &rows)
}
