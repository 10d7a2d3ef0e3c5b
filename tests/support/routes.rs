//! Every operation of the gateway's committed OpenAPI document, what each asks the access policy, and how to
//! call it: so that a route which nobody thought of fails the tests that try them all.

use anyhow::{Context, Result, bail};
use reqwest::{Method, StatusCode};
use rovuma_lab::api::{Api, ApiAnswer};
use rovuma_policy::{Action, Actor, Context as Circumstances, Policy, Resource};
use rovuma_schemas::{AgencyCode, MessageType};
use serde_json::{Value, json};

use crate::drafts;

/// The contract, as committed.
const DOCUMENT: &str = include_str!("../../schemas/openapi/gateway.json");

/// Whom the drafts and messages of [`Operation::call`] are for.
pub const RECIPIENT: &str = "tz.dci";

/// One operation of the API.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its name in the document.
    pub id: String,
    /// What it is about.
    pub about: About,
    /// What it asks the policy; nothing when it shows only what is public.
    pub action: Option<Action>,
    method: Method,
    path: String,
}

/// What an operation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The caller's agency: its lists.
    Agency,
    /// A draft that the caller would be the author of.
    NewDraft,
    /// One draft.
    Draft,
    /// One message.
    Message,
    /// One case.
    Case,
}

/// Every operation of the document.
///
/// # Errors
/// When one is not in the table below.
pub fn operations() -> Result<Vec<Operation>> {
    let document: Value = serde_json::from_str(DOCUMENT)?;
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().context("paths")? {
        // The document itself is public.
        if path == "/v1/openapi.json" {
            continue;
        }
        for (method, operation) in item.as_object().context("operations")? {
            let id = operation["operationId"].as_str().context("an operationId")?;
            let (action, about) = asks(id)?;
            let method = method.to_uppercase().parse()?;
            operations.push(Operation { id: id.to_owned(), about, action, method, path: path.clone() });
        }
    }
    Ok(operations)
}

fn asks(id: &str) -> Result<(Option<Action>, About)> {
    use About::{Agency, Case, Draft, Message, NewDraft};
    let (action, about) = match id {
        "list_agencies" | "read_trust" | "export_trust_list" => (Action::TrustRead, Agency),
        "list_alarms" | "read_streams" => (Action::StreamsRead, Agency),
        "acknowledge_alarm" => (Action::AlarmAcknowledge, Agency),
        "list_screened_alerts" | "list_hits_on_alerts" => (Action::ScreeningRead, Agency),
        "report_listed_alerts" => (Action::ScreeningReport, Agency),
        "list_drafts" => (Action::DraftList, Agency),
        "create_draft" => (Action::DraftCreate, NewDraft),
        "validate_draft" => (Action::DraftValidate, NewDraft),
        "read_draft" => (Action::DraftRead, Draft),
        "change_draft" => (Action::DraftChange, Draft),
        "discard_draft" => (Action::DraftDiscard, Draft),
        "release_draft" => (Action::DraftRelease, Draft),
        "return_draft" => (Action::DraftReturn, Draft),
        "submit_draft" => (Action::DraftSubmit, Draft),
        "send_message" => (Action::DraftRelease, NewDraft),
        "list_events" | "follow_events" => (Action::EventsRead, Agency),
        "list_held" => (Action::HeldRead, Agency),
        "list_inbox" => (Action::MessageListInbox, Agency),
        "list_sent" => (Action::MessageListSent, Agency),
        "list_quarantine" => (Action::QuarantineRead, Agency),
        "read_message" | "export_message_jws" => (Action::MessageRead, Message),
        "mark_message_read" => (Action::MessageMarkRead, Message),
        "trace_message" => (Action::MessageTrace, Message),
        "list_cases" => (Action::CaseList, Agency),
        "read_case" | "read_case_timeline" => (Action::CaseRead, Case),
        "hold_case" | "free_case" => (Action::CaseHold, Case),
        "read_retention" => (Action::RetentionRead, Agency),
        "read_request_figures" | "list_figure_cases" => (Action::FiguresRead, Agency),
        "read_codes" => return Ok((None, Agency)),
        _ => bail!("the gateway has an operation {id}: say here what it asks the access policy, about what"),
    };
    Ok((Some(action), about))
}

/// A target that is a case: its owner and the id of its opener, or the id alone of a case of `mz.prm`.
fn case_target(target: &str) -> String {
    if target.contains('/') { target.to_owned() } else { format!("mz.prm/{target}") }
}

impl Operation {
    /// The object that the audit log names where a call about `target` is refused.
    pub fn object(&self, target: &str) -> String {
        match self.about {
            About::Case => format!("alert/{}", case_target(target)),
            _ => target.to_owned(),
        }
    }

    /// The code with which the policy refuses it to an actor of `agency`, about something of that agency which
    /// the person `author` wrote, one person may release, and is read for no stated reason.
    pub fn denial(&self, actor: &Actor, agency: &AgencyCode, author: &str) -> Option<&'static str> {
        let action = self.action?;
        let resource = match self.about {
            About::Agency => Resource::agency(agency),
            About::NewDraft => Resource::new_draft(agency, actor.subject(), MessageType::AlertIssue),
            About::Draft => Resource::draft("one", agency, author, MessageType::AlertIssue),
            About::Message => Resource::message("one", agency),
            About::Case => Resource::case("one", agency),
        };
        let circumstances = match action {
            Action::DraftRelease => Circumstances::release(false),
            Action::MessageRead => Circumstances::read(false),
            _ => Circumstances::NONE,
        };
        let decision = Policy::built_in().decide(actor, action, &resource, &circumstances);
        decision.permitted().err().map(|denial| denial.code().as_str())
    }

    /// Whether a permitted call did what it is for. The alarm that [`Operation::call`] names need not exist.
    pub fn is_done(&self, status: StatusCode) -> bool {
        status.is_success() || (self.id == "acknowledge_alarm" && status == StatusCode::NOT_FOUND)
    }

    /// Calls it as `api` about `target`, where it is about one thing, with this query.
    ///
    /// # Errors
    /// When the gateway does not answer, or the path has a parameter that is not known here.
    pub async fn call(&self, api: &Api, target: &str, query: &str) -> Result<ApiAnswer> {
        // An alarm's id is a number.
        let target = if self.id == "acknowledge_alarm" { "1" } else { target };
        let path = self
            .path
            .replace("{owner}/{id}", &case_target(target))
            .replace("{id}", target)
            .replace("{list}", "offences")
            .replace("{country}", "tz")
            .replace("{kind}", "alert");
        if path.contains('{') {
            bail!("{path}: say here what its parameter stands for");
        }
        if self.id == "follow_events" {
            let answer = api.follow(&path, None).await?;
            // What is permitted goes on for as long as the token holds.
            return match answer.status() {
                status if status.is_success() => Ok(ApiAnswer { status, etag: None, body: Value::Null }),
                _ => ApiAnswer::read(answer).await,
            };
        }
        let body = match self.id.as_str() {
            "create_draft" | "validate_draft" | "change_draft" | "send_message" => {
                Some(drafts::motorcycle(&[RECIPIENT]))
            }
            "acknowledge_alarm" => Some(json!({ "times": 1, "reason": "looked at" })),
            "hold_case" => {
                Some(json!({ "ground": "court_order", "reason": "a file", "until": "2036-12-31" }))
            }
            "report_listed_alerts" => Some(json!({
                "posts": ["namatil"],
                "alerts": [{ "owner": "tz.tpf", "id": "0199c5a1-7b3e-7001-8a10-000000000001", "version": 1, "since": "2026-01-01T00:00:00Z" }],
            })),
            "return_draft" => Some(json!({ "reason": "try again" })),
            _ => None,
        };
        // The version that every draft begins with.
        let etag = (self.about == About::Draft).then_some("\"1\"");
        api.call(self.method.clone(), &format!("{path}{query}"), body.as_ref(), etag).await
    }
}
