//! `request group`: the requests that ask several agencies the same.

use std::fmt;

use clap::Args;
use rovuma_api::answers::gateway::{CaseRow, CaseView, RequestQuestion};
use rovuma_schemas::{AgencyCode, MessageId};
use serde_json::json;

use super::REQUEST;
use crate::{
    app::App,
    cases::{
        name,
        text::{CaseReader, has_answer},
    },
    client::ServerAnswer,
    exit::{Exit, Outcome},
    messages::lists::pages,
    output::table,
    reading::LanguageArgs,
    session::{ApiServer, ServerArgs},
};

/// Maximum requests of a group that are shown: more than there are agencies.
const GROUP_MAX: u32 = 200;

/// Options of `request group`.
#[derive(Debug, Args)]
pub(crate) struct Group {
    /// The mark that the requests have in common, as rovumactl case show names it
    group: MessageId,
    #[command(flatten)]
    language: LanguageArgs,
    #[command(flatten)]
    server: ServerArgs,
}

impl Group {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let query = vec![("group", self.group.to_string()), ("kind", REQUEST.to_owned())];
        let rows = pages::<CaseRow>(&client, "/v1/cases", query, GROUP_MAX).await?.value.items;
        if rows.is_empty() {
            app.out.note(format_args!("your agency has no request of the group {}", self.group));
            return Ok(Exit::Negative);
        }
        let (mut views, mut raw) = (Vec::new(), Vec::new());
        for row in &rows {
            let answer = name::open(&client, &row.case, None).await?;
            views.push(answer.value);
            raw.push(answer.raw);
        }
        let asked: Vec<AgencyCode> = views.iter().filter_map(answerer).cloned().collect();
        let reader = self.language.reader(app, &self.server, &client, &asked, &[]).await;
        let reader = CaseReader::new(app, &client, reader);
        let answer = ServerAnswer { value: views, raw: json!({ "items": raw }) };
        app.out.answer(&answer, |f, views| group_table(f, views, &reader))?;
        Ok(Exit::Ok)
    }
}

fn answerer(view: &CaseView) -> Option<&AgencyCode> {
    view.request.as_ref().and_then(|request| request.answerer.as_ref())
}

fn group_table(f: &mut fmt::Formatter<'_>, views: &[CaseView], reader: &CaseReader) -> fmt::Result {
    let row = |view: &CaseView| {
        vec![
            name::short_name(&view.case),
            answerer(view).map_or_else(|| "—".to_owned(), |agency| reader.owner(agency)),
            reader.state_word(&view.case.state),
            reader.ball(&view.case.ball),
            reader.due(view).unwrap_or_default(),
            answered(view, reader),
            view.case.case.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = views.iter().map(row).collect();
    table(f, &["REFERENCE", "ASKED", "STATE", "TURN", "DUE", "ANSWERS", "CASE"], &rows)
}

/// How many questions have an answer, and what each says: `1 of 2: 1 found`.
fn answered(view: &CaseView, reader: &CaseReader) -> String {
    let questions: &[RequestQuestion] =
        view.request.as_ref().map(|request| request.questions.as_slice()).unwrap_or_default();
    let results = questions.iter().filter_map(|question| {
        let result = question.result.as_deref()?;
        Some(format!("{} {}", question.n, reader.reader.label("answer_results", result)))
    });
    let results: Vec<String> = results.collect();
    let count = questions.iter().filter(|question| has_answer(question)).count();
    let count = reader.words().answered_of(count, questions.len());
    if results.is_empty() { count } else { format!("{count}: {}", results.join("; ")) }
}
