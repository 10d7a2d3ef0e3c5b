//! What the watchlist found, for the second line.

use std::fmt;

use clap::{ArgGroup, Args, builder::PossibleValuesParser};
use reqwest::Method;
use rovuma_api::{answers::watchlist::Candidate, page::Page};
use rovuma_schemas::{CodeLists, MessageId};
use serde_json::json;

use crate::{
    app::App,
    client::{ServerAnswer, own_locale},
    exit::{Exit, Outcome},
    messages::lists::{pages, print_rows},
    moments::local,
    output::table,
    session::{ApiServer, ServerArgs},
};

/// The states of what was found, as the watchlist names them.
const STATES: [&str; 7] = ["review", "queued", "forwarded", "confirmed", "rejected", "kept", "refused"];

/// Options of `watchlist candidates`.
#[derive(Debug, Args)]
pub(crate) struct Candidates {
    /// Only those in this state: review waits for a person
    #[arg(long, default_value = "review", value_parser = PossibleValuesParser::new(STATES))]
    state: String,
    /// Maximum number of rows
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    server: ServerArgs,
}

/// Options of `watchlist decide`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("word").args(["same", "different"]).required(true)))]
pub(crate) struct Decide {
    /// The candidate's ID, as rovumactl watchlist candidates prints it
    id: MessageId,
    /// It is the same person or thing
    #[arg(long)]
    same: bool,
    /// It is another one
    #[arg(long)]
    different: bool,
    /// And this traveller shall not be stopped for it again, once a colleague approves: for a year, until the entry changes
    #[arg(long, conflicts_with = "same")]
    innocent: bool,
    /// Why: a code or file reference. It is logged, and names nobody
    #[arg(long, value_name = "CODE")]
    reason: String,
    #[command(flatten)]
    server: ServerArgs,
}

impl Candidates {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Watchlist).await?;
        let rows = pages(&client, "/v1/candidates", vec![("state", self.state)], self.limit).await?;
        print_rows(app, &rows, candidate_table)
    }
}

impl Decide {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Watchlist).await?;
        let mut body = json!({ "same": self.same, "reason": self.reason });
        if self.innocent {
            body["innocent"] = json!(true);
        }
        let request =
            client.request(Method::POST, &format!("/v1/candidates/{}/decision", self.id))?.json(&body);
        let decided: ServerAnswer<Candidate> = client.send(request).await?;
        app.out.answer(&decided, |f, candidate| table(f, &HEADING, &[row(candidate)]))?;
        if decided.value.notice.is_some() {
            app.out
                .note(format_args!("report it to the alert's owner: rovumactl watchlist report {}", self.id));
        }
        if self.innocent {
            app.out.note(format_args!(
                "a colleague approves it: rovumactl watchlist approve-innocent {}",
                self.id
            ));
        }
        Ok(Exit::Ok)
    }
}

const HEADING: [&str; 10] =
    ["ID", "STATE", "FOUND", "TIMES", "POST", "KIND", "VALUE", "REFERENCE", "ACTION", "WHY"];

fn row(candidate: &Candidate) -> Vec<String> {
    let label = |list: &str, code: &str| CodeLists::shipped().label(list, code, own_locale()).to_owned();
    let hit = &candidate.hit;
    let discreet = if candidate.discreet { " DISCREET" } else { "" };
    vec![
        candidate.id.to_string(),
        format!("{}{discreet}", candidate.state),
        local(candidate.found_at),
        candidate.times.to_string(),
        candidate.post.as_ref().map(|post| label("crossings", post)).unwrap_or_default(),
        label("matched_kinds", &candidate.matched),
        candidate.value.clone(),
        format!("{} ({})", hit.reference, hit.list),
        label("actions", &hit.action),
        candidate.reason.clone().unwrap_or_else(|| hit.not_forwarded.join(", ")),
    ]
}

fn candidate_table(f: &mut fmt::Formatter<'_>, page: &Page<Candidate>) -> fmt::Result {
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    table(f, &HEADING, &rows)
}
