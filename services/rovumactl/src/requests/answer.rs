//! `request answer`: the answers to the questions of a request, by their numbers.

mod results;

use std::path::PathBuf;

use clap::{ArgGroup, Args, builder::PossibleValuesParser};
use rovuma_api::answers::gateway::{RequestCase, RequestQuestion};
use rovuma_schemas::{AgencyCode, Timestamp, request::QuestionNumber};
use serde_json::{Value, json};

use self::results::{Numbered, Results};
use super::{REQUEST, check_numbers, joined, request_of};
use crate::{
    app::App,
    cases::text::codes,
    exit::{Failure, Outcome},
    follow::{FollowArgs, Retention, put},
};

/// Options of `request answer`.
#[derive(Debug, Args)]
#[command(group(
    ArgGroup::new("answers")
        .args(["found", "data", "no_record", "not_here", "refused", "later"])
        .required(true)
        .multiple(true)
))]
pub(crate) struct Answer {
    /// Its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
    case: String,
    #[command(flatten)]
    results: ResultArgs,
    /// Confirm that it does not disclose a person who sought protection to the country that they fled from. Needed when something was
    /// found
    #[arg(long, alias = "protection-checked")]
    protection_check: bool,
    /// How you grade what was found: source and information, such as A1 [default: as the request is graded]
    #[arg(long, value_name = "GRADES", value_parser = results::grades)]
    graded: Option<(String, String)>,
    /// How the requester may use it [default: the handling code of the request]
    #[arg(long, value_parser = PossibleValuesParser::new(codes("handling")))]
    handling: Option<String>,
    /// With the handling code H3: the restriction as a sentence
    #[arg(long, value_name = "TEXT", requires = "handling", required_if_eq("handling", "H3"))]
    restriction: Option<String>,
    /// More about all of it
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    follow: FollowArgs,
}

/// One result for each question. Each option may be given several times.
#[derive(Debug, Args)]
struct ResultArgs {
    /// Found, and what, in words: 1=TEXT; 1 alone with --data
    #[arg(long, value_name = "N=TEXT", value_parser = results::found)]
    found: Vec<Numbered<Option<String>>>,
    /// Found, and a file with what, JSON: 1=FILE with {"vehicles":[…]}
    #[arg(long, value_name = "N=FILE", value_parser = results::data)]
    data: Vec<Numbered<PathBuf>>,
    /// Looked for where it should be, and there is none
    #[arg(long, value_name = "N", value_parser = results::number)]
    no_record: Vec<QuestionNumber>,
    /// Your agency does not hold such data; and which may
    #[arg(long, value_name = "N[=AGENCY]", value_parser = results::not_here)]
    not_here: Vec<Numbered<Option<AgencyCode>>>,
    /// Refused, and why (rovumactl codes refusal_reasons)
    #[arg(long, value_name = "N=CODE", value_parser = results::refused)]
    refused: Vec<Numbered<String>>,
    /// Comes later; and by when
    #[arg(long, value_name = "N[=INSTANT]", value_parser = results::later)]
    later: Vec<Numbered<Option<Timestamp>>>,
}

impl Answer {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let results = Results::of(&self.results)?;
        if results.has_found() && !self.protection_check {
            return Err(Failure::usage("something was found, and nobody confirmed the protection check").next(
                "make sure that the answer does not disclose a person who sought protection to the country that they fled from, \
                 then give --protection-check",
            ));
        }
        let client = self.follow.client(app).await?;
        let opened = self.follow.open(&client, &self.case, REQUEST).await?;
        check_numbers(&opened, results.numbers())?;
        let left = left_open(request_of(&opened)?, &results);
        let (message_type, is_whole) = match left.is_empty() {
            true => ("request.answer", "This answers the request: no question stays open.".to_owned()),
            false => (
                "request.answer_partial",
                format!("This answers the request in part: it leaves open {}.", joined(&left)),
            ),
        };
        let mut body = json!({ "answers": results.answers() });
        put(&mut body, "note", self.note.as_deref());
        let mut draft = self.follow.draft(app, &opened, message_type, body, Retention::OfCase);
        self.put_terms(&mut draft["terms"]);
        app.out.note(is_whole);
        self.follow.show_and_send(app, &client, &opened, draft, "").await
    }

    /// The terms that are the answerer's own.
    fn put_terms(&self, terms: &mut Value) {
        if self.protection_check {
            terms["protection_check"] = json!({ "confirmed": true });
        }
        if let Some((source, information)) = &self.graded {
            terms["evaluation"] = json!({ "source": source, "information": information });
        }
        if let Some(code) = &self.handling {
            let mut handling = json!({ "code": code });
            put(&mut handling, "restriction", self.restriction.as_deref());
            terms["handling"] = handling;
        }
    }
}

/// The numbers of the questions that still wait after these results: those left for later, and those that nothing has answered.
fn left_open(request: &RequestCase, results: &Results) -> Vec<QuestionNumber> {
    let waits = |question: &&RequestQuestion| {
        let before = question.result.as_deref();
        results.result(question.n).or(before).is_none_or(|result| result == results::LATER)
    };
    request.questions.iter().filter(waits).map(|question| question.n).collect()
}
