//! `rovumactl permission`: leave to use what another agency sent beyond its handling code.

use clap::{ArgGroup, Args, Subcommand, builder::PossibleValuesParser};
use rovuma_schemas::{AgencyCode, Date, MessageId};
use serde_json::json;

use crate::{
    app::App,
    cases::text::codes,
    client::Client,
    exit::{Failure, Outcome},
    follow::{FollowArgs, OpenedCase, Retention, put},
};

/// The kind of the cases of questions for leave.
const PERMISSION: &str = "permission";

/// The uses by which others get what was sent: the question says which agencies.
const HAND_ON: [&str; 2] = ["forward", "quote"];

/// The commands on leave.
#[derive(Debug, Subcommand)]
pub(crate) enum PermissionCommand {
    /// Ask the agency at the other end of a case whether you may use what it sent beyond its handling code
    Ask(Ask),
    /// Give the leave that another agency asked for, or do not; a supervisor releases it
    Decide(Decide),
}

/// Options of `permission ask`.
#[derive(Debug, Args)]
pub(crate) struct Ask {
    /// The case with what you want to use: its short reference, the beginning of its file number, a message of it, or its name
    /// KIND/OWNER/ID
    #[arg(long)]
    case: String,
    /// The message that you want to use [default: every message of that agency in the case]
    #[arg(long, value_name = "ID")]
    message: Option<MessageId>,
    /// What you want to do with it; may be given several times
    #[arg(long = "use", value_name = "CODE", required = true, value_parser = PossibleValuesParser::new(codes("permission_uses")))]
    uses: Vec<String>,
    /// With forward and quote: an agency that is to have it; may be given several times
    #[arg(long = "to", value_name = "AGENCY")]
    to: Vec<AgencyCode>,
    /// Why you need it
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    follow: FollowArgs,
}

/// Options of `permission decide`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("decision").args(["grant", "deny"]).required(true)))]
pub(crate) struct Decide {
    /// The short reference of the question, a message of it, or its name permission/OWNER/ID
    case: String,
    /// Give leave
    #[arg(long, requires = "until", conflicts_with = "reason")]
    grant: bool,
    /// Give no leave, or no longer
    #[arg(long, requires = "reason", conflicts_with_all = ["until", "condition"])]
    deny: bool,
    /// With --grant: the last day of the leave
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// With --grant: on what condition
    #[arg(long, value_name = "TEXT")]
    condition: Option<String>,
    /// With --deny: why not
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    follow: FollowArgs,
}

impl PermissionCommand {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::Ask(command) => command.run(app).await,
            Self::Decide(command) => command.run(app).await,
        }
    }
}

impl Ask {
    async fn run(self, app: &App) -> Outcome {
        if self.to.is_empty() && self.uses.iter().any(|code| HAND_ON.contains(&code.as_str())) {
            return Err(Failure::usage("nobody says which agencies are to have it")
                .next("give --to AGENCY for each; rovumactl agencies lists them"));
        }
        let client = self.follow.client(app).await?;
        let opened = self.follow.open_any(&client, &self.case).await?;
        let (decides, message) = self.addressed(&opened, &client)?;
        let mut about = json!({ "case": opened.case.case.case });
        put(&mut about, "message", message);
        let mut body = json!({ "about": about, "uses": self.uses, "reason": self.reason });
        if !self.to.is_empty() {
            body["to"] = json!(self.to);
        }
        let draft = self.follow.opener(app, &opened, "permission.ask", &decides, body);
        self.follow.show_and_send(app, &client, &opened, draft, "").await
    }

    /// The agency that decides, because it sent what leave is asked for; and the message, by the id that every party knows.
    fn addressed(&self, opened: &OpenedCase, client: &Client) -> Outcome<(AgencyCode, Option<MessageId>)> {
        let Some(id) = self.message else {
            return match opened.others(client).as_slice() {
                [only] => Ok((only.clone(), None)),
                several => {
                    let names: Vec<&str> = several.iter().map(AgencyCode::as_str).collect();
                    Err(Failure::usage(format!(
                        "{} has not one agency at its other end: {}",
                        opened.name(),
                        names.join(", ")
                    ))
                    .next("give --message with the message that you want to use"))
                }
            };
        };
        let named = opened.steps.iter().find(|step| step.id == id || step.ids.contains(&id));
        let is_own = |sender: &AgencyCode| client.caller().agency.as_deref() == Some(sender.as_str());
        match named {
            Some(step) if is_own(&step.sender) => {
                Err(Failure::usage(format!("your agency sent {id} itself: it needs no leave of another")))
            }
            Some(step) => Ok((step.sender.clone(), Some(step.id))),
            None => Err(Failure::usage(format!("{id} is no message of {}", opened.name()))
                .next(format!("rovumactl case timeline {} lists them", opened.name()))),
        }
    }
}

impl Decide {
    async fn run(self, app: &App) -> Outcome {
        let client = self.follow.client(app).await?;
        let opened = self.follow.open(&client, &self.case, PERMISSION).await?;
        let decision = if self.grant { "granted" } else { "denied" };
        let mut body = json!({ "decision": decision });
        put(&mut body, "until", self.until);
        put(&mut body, "condition", self.condition);
        put(&mut body, "reason", self.reason);
        // What was allowed must be provable for as long as it was.
        let retention = self.until.map_or(Retention::OfCase, |day| Retention::NotBefore(day.start()));
        let draft = self.follow.draft(app, &opened, "permission.decide", body, retention);
        self.follow.show_and_send(app, &client, &opened, draft, "").await
    }
}
