//! `rovumactl request`: what follows a request for assistance, on both sides. A request itself is a draft of its own:
//! `rovumactl draft new request.identity_check`.

mod answer;
mod answerer;
mod group;
mod requester;

use clap::Subcommand;
use rovuma_api::answers::gateway::RequestCase;
use rovuma_schemas::request::QuestionNumber;
use serde_json::Value;

use crate::{
    app::App,
    exit::{Failure, Outcome},
    follow::{FollowArgs, OpenedCase, Retention},
};

/// The kind of the cases that these commands are for.
const REQUEST: &str = "request";

/// The messages that follow a request.
#[derive(Debug, Subcommand)]
pub(crate) enum RequestCommand {
    /// Answerer: say that you have taken the request up, and whom to telephone
    Acknowledge(answerer::Acknowledge),
    /// Answerer: say what you need to know first; until the requester clarifies it, its time runs and not yours
    Ask(answerer::Ask),
    /// Answerer: say until when it takes longer, and why
    Delay(answerer::Delay),
    /// Answerer: answer questions by their numbers; in part while one stays open
    Answer(Box<answer::Answer>),
    /// Answerer: refuse the request; a supervisor releases it
    Refuse(answerer::Refuse),
    /// Requester: say more, in answer to the answerer's open question or by yourself
    Clarify(requester::Clarify),
    /// Requester: remind the answerer, after the limit and once a day
    Remind(requester::Remind),
    /// Requester: say that you need no answer any more
    Cancel(requester::Cancel),
    /// Requester: close the request once you have read the last answer, and say what came of it
    Close(requester::Close),
    /// Requester: show the requests that ask several agencies the same, and who has answered what
    Group(group::Group),
}

impl RequestCommand {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::Acknowledge(command) => command.run(app).await,
            Self::Ask(command) => command.run(app).await,
            Self::Delay(command) => command.run(app).await,
            Self::Answer(command) => command.run(app).await,
            Self::Refuse(command) => command.run(app).await,
            Self::Clarify(command) => command.run(app).await,
            Self::Remind(command) => command.run(app).await,
            Self::Cancel(command) => command.run(app).await,
            Self::Close(command) => command.run(app).await,
            Self::Group(command) => command.run(app).await,
        }
    }
}

/// Sends a message in the request that `case` names.
async fn send(app: &App, follow: &FollowArgs, case: &str, message_type: &str, body: Value) -> Outcome {
    let client = follow.client(app).await?;
    let opened = follow.open(&client, case, REQUEST).await?;
    let draft = follow.draft(app, &opened, message_type, body, Retention::OfCase);
    follow.show_and_send(app, &client, &opened, draft, "").await
}

/// What the gateway says of the request itself.
fn request_of(opened: &OpenedCase) -> Outcome<&RequestCase> {
    opened.case.request.as_ref().ok_or_else(|| {
        Failure::unreachable(format!(
            "the gateway's answer about {} says nothing of a request",
            opened.name()
        ))
        .next("update the gateway: it is older than this command")
    })
}

/// Refuses numbers of questions that the request does not have.
fn check_numbers(opened: &OpenedCase, numbers: impl IntoIterator<Item = QuestionNumber>) -> Outcome<()> {
    let known: Vec<QuestionNumber> =
        request_of(opened)?.questions.iter().map(|question| question.n).collect();
    match numbers.into_iter().find(|n| !known.contains(n)) {
        None => Ok(()),
        Some(n) => Err(Failure::usage(format!("{} has no question {n}", opened.name()))
            .next(format!("its questions are {}", joined(&known)))),
    }
}

/// Numbers as people read them: `1, 2`.
fn joined(numbers: &[QuestionNumber]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
