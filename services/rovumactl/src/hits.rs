//! `rovumactl hit`: what an alert is about was found. A hit is a lead, never authority to detain: the alert's owner confirms it.

use clap::{ArgGroup, Args, Subcommand, builder::PossibleValuesParser};
use rovuma_schemas::{MessageId, Timestamp};
use serde_json::{Value, json};

use crate::{
    app::App,
    cases::text::codes,
    exit::{Failure, Outcome},
    follow::{ContactArgs, FollowArgs, Retention, put},
    moments,
};

/// The kind of the cases of hits.
const HIT: &str = "hit";

/// The commands on hits.
#[derive(Debug, Subcommand)]
pub(crate) enum HitCommand {
    /// Reporter: report that you found what an alert of another agency is about
    Notify(Box<Notify>),
    /// Reporter: ask the alert's owner to confirm it: within an hour while somebody is held, else within twelve
    Ask(Ask),
    /// Owner: say whether it is a hit and the alert stands
    Confirm(Confirm),
    /// Reporter: say what you did
    Report(Report),
    /// Reporter: take it back
    Retract(Retract),
    /// Reporter: close it once you have read the owner's last word
    Close(Close),
}

/// Options of `hit notify`.
#[derive(Debug, Args)]
pub(crate) struct Notify {
    /// The alert: its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
    alert: String,
    /// What was read, and what it is: plate=MC123ABC, document=AB0123456, vin=…
    #[arg(long, value_name = "KIND=VALUE")]
    matched: String,
    /// The subject of the alert, by its key: v1, d2
    #[arg(long, value_name = "KEY")]
    subject: Option<String>,
    /// The border post
    #[arg(long, value_parser = PossibleValuesParser::new(codes("crossings")))]
    post: String,
    /// The direction of the crossing
    #[arg(long, value_parser = PossibleValuesParser::new(codes("directions")), default_value = "none")]
    direction: String,
    /// When it was found [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    found_at: Option<Timestamp>,
    /// The document is in the hands of somebody else than the alert names
    #[arg(long)]
    possible_misuse: bool,
    /// The common mark of hits about one traveller
    #[arg(long, value_name = "ID")]
    encounter: Option<MessageId>,
    #[command(flatten)]
    contact: ContactArgs,
    /// More about it
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    follow: FollowArgs,
}

/// What every command takes that sends a message in a hit.
#[derive(Debug, Args)]
struct InHit {
    /// Its short reference, a message of it, or its name hit/OWNER/ID
    case: String,
    /// More about it
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    follow: FollowArgs,
}

impl InHit {
    async fn send(self, app: &App, message_type: &str, mut body: Value) -> Outcome {
        put(&mut body, "note", self.note);
        let client = self.follow.client(app).await?;
        let opened = self.follow.open(&client, &self.case, HIT).await?;
        let draft = self.follow.draft(app, &opened, message_type, body, Retention::OfCase);
        self.follow.show_and_send(app, &client, &opened, draft, "").await
    }
}

/// Options of `hit ask`.
#[derive(Debug, Args)]
pub(crate) struct Ask {
    /// Somebody or something is held, and your law lets you hold until this instant
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    held_until: Option<Timestamp>,
    #[command(flatten)]
    contact: ContactArgs,
    #[command(flatten)]
    hit: InHit,
}

/// Options of `hit confirm`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("word").args(["confirmed", "not_confirmed", "more_time"]).required(true)))]
pub(crate) struct Confirm {
    /// It is a hit, and the alert stands
    #[arg(long)]
    confirmed: bool,
    /// It is none, or the alert does not stand: the other side releases
    #[arg(long)]
    not_confirmed: bool,
    /// You need until then
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    more_time: Option<Timestamp>,
    #[command(flatten)]
    contact: ContactArgs,
    #[command(flatten)]
    hit: InHit,
}

/// Options of `hit report`.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// What was done
    #[arg(long, value_parser = PossibleValuesParser::new(codes("hit_acts")))]
    act: String,
    /// With the act action: an action; may be given several times
    #[arg(long = "action", value_name = "CODE", value_parser = PossibleValuesParser::new(codes("actions")))]
    actions: Vec<String>,
    /// With the act not_possible: why
    #[arg(long, value_parser = PossibleValuesParser::new(codes("not_possible_reasons")))]
    reason: Option<String>,
    /// When it was done [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    at: Option<Timestamp>,
    #[command(flatten)]
    hit: InHit,
}

/// Options of `hit retract`.
#[derive(Debug, Args)]
pub(crate) struct Retract {
    /// Why
    #[arg(long, value_parser = PossibleValuesParser::new(codes("retract_reasons")))]
    reason: String,
    #[command(flatten)]
    hit: InHit,
}

/// Options of `hit close`.
#[derive(Debug, Args)]
pub(crate) struct Close {
    #[command(flatten)]
    hit: InHit,
}

impl HitCommand {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::Notify(command) => command.run(app).await,
            Self::Ask(command) => command.run(app).await,
            Self::Confirm(command) => command.run(app).await,
            Self::Report(command) => command.run(app).await,
            Self::Retract(command) => command.run(app).await,
            Self::Close(command) => command.run(app).await,
        }
    }
}

impl Notify {
    async fn run(self, app: &App) -> Outcome {
        let Some((kind, value)) = self.matched.split_once('=') else {
            return Err(Failure::usage(format!("{:?} does not say what it is", self.matched))
                .next("give --matched KIND=VALUE; rovumactl codes matched_kinds lists the kinds"));
        };
        let client = self.follow.client(app).await?;
        let opened = self.follow.open(&client, &self.alert, "alert").await?;
        let Some(version) = opened.case.alert.as_ref().and_then(|alert| alert.version) else {
            return Err(Failure::usage(format!("the content of {} has not arrived", opened.name()))
                .next("rovumactl case show shows what is missing"));
        };
        let case = opened.case.case.case.clone();
        let mut body = json!({
            "alert": case, "version": version, "matched": { "kind": kind, "value": value },
            // Whoever types this command has decided that it is one.
            "rule": { "code": "review", "version": 1 },
            "found_at": self.found_at.unwrap_or_else(|| app.now()), "post": self.post, "direction": self.direction,
            "possible_misuse": self.possible_misuse, "contact": self.contact.body(),
        });
        put(&mut body, "subject", self.subject);
        put(&mut body, "encounter", self.encounter);
        put(&mut body, "note", self.note);
        let draft = self.follow.opener(app, &opened, "hit.notify", &case.owner, body);
        let beside = "  It is a lead: act only once the alert's owner has confirmed it.";
        self.follow.show_and_send(app, &client, &opened, draft, beside).await
    }
}

impl Ask {
    async fn run(self, app: &App) -> Outcome {
        let mut body = json!({ "held": self.held_until.is_some(), "contact": self.contact.body() });
        put(&mut body, "held_until", self.held_until);
        self.hit.send(app, "hit.ask_confirmation", body).await
    }
}

impl Confirm {
    async fn run(self, app: &App) -> Outcome {
        let word = match (self.confirmed, self.more_time) {
            (true, _) => "confirmed",
            (false, Some(_)) => "more_time",
            (false, None) => "not_confirmed",
        };
        let mut body = json!({ "word": word, "contact": self.contact.body() });
        put(&mut body, "until", self.more_time);
        self.hit.send(app, "hit.confirm", body).await
    }
}

impl Report {
    async fn run(self, app: &App) -> Outcome {
        for (option, is_given, act) in [
            ("--action", !self.actions.is_empty(), "action"),
            ("--reason", self.reason.is_some(), "not_possible"),
        ] {
            if is_given != (self.act == act) {
                return Err(Failure::usage(format!("{option} goes with the act {act}, and with no other"))
                    .next(format!("give {option} with --act {act}, or leave both out")));
            }
        }
        let mut body = json!({ "act": self.act, "at": self.at.unwrap_or_else(|| app.now()) });
        if !self.actions.is_empty() {
            body["actions"] = json!(self.actions);
        }
        put(&mut body, "reason", self.reason);
        self.hit.send(app, "hit.action_report", body).await
    }
}

impl Retract {
    async fn run(self, app: &App) -> Outcome {
        let body = json!({ "reason": self.reason });
        self.hit.send(app, "hit.retract", body).await
    }
}

impl Close {
    async fn run(self, app: &App) -> Outcome {
        self.hit.send(app, "hit.close", json!({})).await
    }
}
