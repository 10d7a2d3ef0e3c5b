//! What the agency that asks says after its request: `clarify`, `remind`, `cancel`, `close`.

use clap::{Args, builder::PossibleValuesParser};
use rovuma_api::answers::gateway::CaseStep;
use rovuma_schemas::MessageId;
use serde_json::json;

use super::{REQUEST, request_of, send};
use crate::{
    app::App,
    cases::text::codes,
    exit::{Failure, Outcome},
    follow::{FollowArgs, OpenedCase, Retention, in_reply_to, put},
};

/// The type of a question of the answerer.
const ASK: &str = "request.ask";

/// Options of `request clarify`.
#[derive(Debug, Args)]
pub(crate) struct Clarify {
    /// Its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
    case: String,
    /// What the answerer needs to know
    #[arg(long)]
    text: String,
    /// The answerer's question that it answers [default: the open one]
    #[arg(long, value_name = "MESSAGE")]
    in_reply_to: Option<MessageId>,
    #[command(flatten)]
    follow: FollowArgs,
}

/// Options of `request remind`.
#[derive(Debug, Args)]
pub(crate) struct Remind {
    /// Its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
    case: String,
    /// More about it
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    follow: FollowArgs,
}

/// Options of `request cancel`.
#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// Its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
    case: String,
    /// Why it is cancelled
    #[arg(long, value_parser = PossibleValuesParser::new(codes("cancel_reasons")))]
    reason: String,
    /// More about it
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    follow: FollowArgs,
}

/// Options of `request close`.
#[derive(Debug, Args)]
pub(crate) struct Close {
    /// Its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
    case: String,
    /// What came of it; may be given several times
    #[arg(long = "outcome", value_name = "CODE", required = true, value_parser = PossibleValuesParser::new(codes("request_outcomes")))]
    outcomes: Vec<String>,
    /// What the answerer should know of it
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    follow: FollowArgs,
}

impl Clarify {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.follow.client(app).await?;
        let opened = self.follow.open(&client, &self.case, REQUEST).await?;
        let question = match self.in_reply_to {
            Some(id) => Some(question_named(&opened, id)?),
            None => open_question(&opened),
        };
        let body = json!({ "text": self.text });
        let draft = self.follow.draft(app, &opened, "request.clarify", body, Retention::OfCase);
        match question {
            Some(id) => self.follow.show_and_send(app, &client, &opened, in_reply_to(draft, id), "").await,
            None => {
                let beside = "  No question of the answerer is open: this is a supplement, and the answerer's time runs on.";
                self.follow.show_and_send(app, &client, &opened, draft, beside).await
            }
        }
    }
}

/// The question that waits for a clarification: the last that the answerer asked.
fn open_question(opened: &OpenedCase) -> Option<MessageId> {
    let counts = |step: &&CaseStep| is_question(step) && step.effect == "applied";
    let last = opened.steps.iter().filter(counts).max_by_key(|step| step.turn);
    last.filter(|_| opened.case.case.state == "clarification").map(|step| step.id)
}

/// The question with this id, by the id that every party knows.
fn question_named(opened: &OpenedCase, id: MessageId) -> Outcome<MessageId> {
    let named = opened.steps.iter().find(|step| step.id == id || step.ids.contains(&id));
    named.filter(|step| is_question(step)).map(|step| step.id).ok_or_else(|| {
        Failure::usage(format!("{id} is no question of the answerer in {}", opened.name()))
            .next(format!("rovumactl case timeline {} lists them", opened.name()))
    })
}

fn is_question(step: &CaseStep) -> bool {
    step.message_type == ASK
}

impl Remind {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let mut body = json!({});
        put(&mut body, "note", self.note);
        send(app, &self.follow, &self.case, "request.remind", body).await
    }
}

impl Cancel {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.follow.client(app).await?;
        let opened = self.follow.open(&client, &self.case, REQUEST).await?;
        let mut body = json!({ "reason": self.reason });
        put(&mut body, "note", self.note);
        let draft = self.follow.draft(app, &opened, "request.cancel", body, Retention::OfCase);
        let beside = match request_of(&opened)?.disclosed {
            true => "  What was disclosed until now must then be erased, and the erasure certified.",
            false => "  It has no effect against an answer that is on its way.",
        };
        self.follow.show_and_send(app, &client, &opened, draft, beside).await
    }
}

impl Close {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let mut body = json!({ "outcomes": self.outcomes });
        put(&mut body, "note", self.note);
        send(app, &self.follow, &self.case, "request.close", body).await
    }
}
