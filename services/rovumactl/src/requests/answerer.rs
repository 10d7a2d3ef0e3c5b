//! What the agency that is asked says about a request, apart from the answer: `acknowledge`, `ask`, `delay`, `refuse`.

use clap::{Args, builder::PossibleValuesParser};
use rovuma_schemas::{AgencyCode, Timestamp, request::QuestionNumber};
use serde_json::json;

use super::{REQUEST, check_numbers, send};
use crate::{
    app::App,
    cases::text::codes,
    exit::{Failure, Outcome},
    follow::{ContactArgs, FollowArgs, Retention, put},
    moments,
};

/// Options of `request acknowledge`.
#[derive(Debug, Args)]
pub(crate) struct Acknowledge {
    /// Its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
    case: String,
    /// When you expect to answer; it moves no limit. A date ends at 24:00 UTC
    #[arg(long, value_name = "INSTANT", value_parser = moments::end)]
    expected_by: Option<Timestamp>,
    /// Your own reference
    #[arg(long, value_name = "TEXT")]
    our_reference: Option<String>,
    #[command(flatten)]
    contact: ContactArgs,
    /// More about it
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    follow: FollowArgs,
}

/// Options of `request ask`.
#[derive(Debug, Args)]
pub(crate) struct Ask {
    /// Its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
    case: String,
    /// What you need to know
    #[arg(long)]
    text: String,
    /// The number of a question that you cannot answer without it; all without. May be given several times
    #[arg(long = "question", value_name = "N")]
    questions: Vec<QuestionNumber>,
    #[command(flatten)]
    follow: FollowArgs,
}

/// Options of `request delay`.
#[derive(Debug, Args)]
pub(crate) struct Delay {
    /// Its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
    case: String,
    /// When you will have answered; a date ends at 24:00 UTC
    #[arg(long, value_name = "INSTANT", value_parser = moments::end)]
    until: Timestamp,
    /// Why it takes longer
    #[arg(long, value_parser = PossibleValuesParser::new(codes("delay_reasons")))]
    reason: String,
    /// More about it
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    follow: FollowArgs,
}

/// Options of `request refuse`.
#[derive(Debug, Args)]
pub(crate) struct Refuse {
    /// Its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
    case: String,
    /// Why it is refused
    #[arg(long, value_parser = PossibleValuesParser::new(codes("refusal_reasons")))]
    reason: String,
    /// With the reason not_available: the agency that may have it
    #[arg(long, value_name = "AGENCY")]
    try_agency: Option<AgencyCode>,
    /// With the reason already_answered: the reference of the former answer
    #[arg(long, value_name = "TEXT", required_if_eq("reason", "already_answered"))]
    answered_reference: Option<String>,
    /// More about it
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    follow: FollowArgs,
}

impl Acknowledge {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let mut body = json!({ "contact": self.contact.body() });
        put(&mut body, "expected_by", self.expected_by);
        put(&mut body, "our_reference", self.our_reference);
        put(&mut body, "note", self.note);
        send(app, &self.follow, &self.case, "request.acknowledge", body).await
    }
}

impl Ask {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.follow.client(app).await?;
        let opened = self.follow.open(&client, &self.case, REQUEST).await?;
        check_numbers(&opened, self.questions.iter().copied())?;
        let mut body = json!({ "text": self.text });
        if !self.questions.is_empty() {
            body["questions"] = json!(self.questions);
        }
        let draft = self.follow.draft(app, &opened, "request.ask", body, Retention::OfCase);
        let beside = "  Your time stands still from the moment it is sent until the requester clarifies it.";
        self.follow.show_and_send(app, &client, &opened, draft, beside).await
    }
}

impl Delay {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let mut body = json!({ "until": self.until, "reason": self.reason });
        put(&mut body, "note", self.note);
        send(app, &self.follow, &self.case, "request.delay", body).await
    }
}

impl Refuse {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        for (option, is_given, reason) in [
            ("--try-agency", self.try_agency.is_some(), "not_available"),
            ("--answered-reference", self.answered_reference.is_some(), "already_answered"),
        ] {
            if is_given && self.reason != reason {
                return Err(Failure::usage(format!("{option} belongs to the reason {reason}"))
                    .next(format!("leave it out, or give --reason {reason}")));
            }
        }
        let mut body = json!({ "reason": self.reason });
        put(&mut body, "try_agency", self.try_agency);
        put(&mut body, "answered_reference", self.answered_reference);
        put(&mut body, "note", self.note);
        send(app, &self.follow, &self.case, "request.refuse", body).await
    }
}
