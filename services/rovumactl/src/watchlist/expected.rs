//! What left the other country towards a border post.

use std::fmt;

use clap::{Args, builder::PossibleValuesParser};
use reqwest::Method;
use rovuma_api::answers::watchlist::{ExpectedAtPost, ExpectedRow};
use rovuma_schemas::CodeLists;

use crate::{
    app::App,
    cases::text::codes,
    client::{ServerAnswer, own_locale},
    exit::{Exit, Outcome},
    moments::local,
    output::table,
    session::{ApiServer, ServerArgs},
};

/// Options of `watchlist expected`.
#[derive(Debug, Args)]
pub(crate) struct ListExpected {
    /// The border post
    #[arg(long, value_parser = PossibleValuesParser::new(codes("crossings")))]
    post: String,
    #[command(flatten)]
    server: ServerArgs,
}

impl ListExpected {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Watchlist).await?;
        let request = client.request(Method::GET, "/v1/expected")?.query(&[("post", &self.post)]);
        let expected: ServerAnswer<ExpectedAtPost> = client.send(request).await?;
        app.out.answer(&expected, expected_table)?;
        if expected.value.items.is_empty() {
            app.out
                .note("nothing that an alert is about was found on the other side within the last six hours");
        }
        Ok(Exit::Ok)
    }
}

const HEADING: [&str; 8] =
    ["FOUND", "UNTIL", "WARNINGS", "ACTION", "KIND", "VALUE", "REFERENCE", "TELEPHONE"];

fn row(expected: &ExpectedRow) -> Vec<String> {
    let label = |list: &str, code: &str| CodeLists::shipped().label(list, code, own_locale()).to_owned();
    let hit = expected.hit.as_ref();
    let discreet = if hit.is_some_and(|hit| hit.discreet) { " DISCREET" } else { "" };
    let unreal = if expected.status == "actual" {
        String::new()
    } else {
        format!(" {}", expected.status.to_uppercase())
    };
    let action = if hit.is_some() { label("actions", &expected.action) } else { expected.action.clone() };
    let warnings: Vec<String> = expected.warnings.iter().map(|code| label("warnings", code)).collect();
    vec![
        local(expected.found_at),
        local(expected.until),
        warnings.join(", "),
        format!("{action}{discreet}{unreal}"),
        hit.map(|hit| label("matched_kinds", &hit.matched)).unwrap_or_default(),
        hit.map(|hit| hit.value.clone()).unwrap_or_default(),
        hit.map(|hit| hit.reference.clone()).unwrap_or_default(),
        expected.call.as_ref().map(|call| format!("{} ({})", call.phone, call.name)).unwrap_or_default(),
    ]
}

fn expected_table(f: &mut fmt::Formatter<'_>, expected: &ExpectedAtPost) -> fmt::Result {
    let rows: Vec<Vec<String>> = expected.items.iter().map(row).collect();
    table(f, &HEADING, &rows)
}
