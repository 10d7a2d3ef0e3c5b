//! Sends what follows in a case: shows it, asks, sends it where one person may, and hands it to a supervisor otherwise.

use clap::Args;
use rovuma_api::answers::gateway::{DraftView, ReleasedView};
use rovuma_schemas::{AgencyCode, CaseId, Date};
use serde_json::Value;

use super::draft::OpenedAlert;
use crate::{
    app::App,
    cases::{name, text::CaseReader},
    client::{Client, ServerAnswer},
    exit::{Exit, Failure, Outcome},
    messages::{
        drafts::{faults_text, released_text},
        emergency, post,
        send::{DESPITE_DUPLICATES, path_at_once},
    },
    output::safe,
    question,
    reading::{DRAFT, LanguageArgs},
    session::{ApiServer, ServerArgs},
};

/// What every command takes that sends a message in a case.
#[derive(Debug, Args)]
pub(super) struct FollowArgs {
    /// Hand it to a supervisor where one must release it; without it the draft is kept, to be submitted
    #[arg(long)]
    submit: bool,
    /// Neither show nor ask
    #[arg(long)]
    pub(super) yes: bool,
    /// The last day on which the recipients may keep it [default: as the case says; 30 days after a withdrawal]
    #[arg(long, value_name = "DATE")]
    pub(super) retain_until: Option<Date>,
    /// Send it although the gateway knows something live about the same: the code or file number of the reason, which the audit log
    /// keeps
    #[arg(long, value_name = "REASON")]
    despite_duplicates: Option<String>,
    /// The language in which you wrote the texts, where it is another than the alert's: pt, sw, en
    #[arg(long, value_name = "LANG")]
    written_in: Option<String>,
    #[command(flatten)]
    pub(super) language: LanguageArgs,
    #[command(flatten)]
    server: ServerArgs,
}

impl FollowArgs {
    pub(super) async fn client(&self, app: &App) -> Outcome<Client> {
        self.server.client(app, ApiServer::Gateway).await
    }

    /// Opens the case that `text` names.
    pub(super) async fn open(&self, client: &Client, text: &str) -> Outcome<OpenedAlert> {
        OpenedAlert::open(client, &name::find(client, text).await?).await
    }

    /// Shows the draft and asks, then sends it.
    pub(super) async fn show_and_send(
        &self,
        app: &App,
        client: &Client,
        opened: &OpenedAlert,
        mut draft: Value,
        beside: &str,
    ) -> Outcome {
        if let Some(language) = &self.written_in {
            draft["terms"]["language"] = Value::from(language.as_str());
        }
        if !self.yes && !self.is_confirmed(app, client, opened, &draft, beside).await? {
            app.out.note("nothing is sent");
            return Ok(Exit::Negative);
        }
        self.send(app, client, &opened.case.case.case, &draft).await
    }

    async fn is_confirmed(
        &self,
        app: &App,
        client: &Client,
        opened: &OpenedAlert,
        draft: &Value,
        beside: &str,
    ) -> Outcome<bool> {
        let recipients = recipients(opened, client);
        let reader = self.language.reader(app, &self.server, client, &recipients, &[]).await;
        let kind = draft["type"].as_str().unwrap_or_default();
        let to: Vec<String> = recipients.iter().map(|code| reader.agencies.text(code.as_str())).collect();
        let content = reader.members(&format!("draft/{kind}"), DRAFT, draft, 2);
        let label = reader.label("message_types", kind).to_owned();
        app.out.note(format_args!("{} · {}", opened.name(), safe(&label)));
        let words = reader.words();
        app.out.note(format_args!("  {} {}", words.to(), safe(&to.join(", "))));
        app.out.note(content.trim_end());
        if !beside.is_empty() {
            app.out.note(safe(beside.trim_end()));
        }
        question::is_confirmed(app, "\nSend it?", "give --yes once you have read it")
    }

    async fn send(&self, app: &App, client: &Client, case: &CaseId, draft: &Value) -> Outcome {
        let body = draft.to_string();
        let path = path_at_once(self.despite_duplicates.as_deref())?;
        let sent = post::<ReleasedView>(client, &path, Some(body.as_bytes()), None).await;
        let released = match sent {
            Ok(released) => released,
            Err(failure) if needs_supervisor(&failure, draft) => {
                return self.hand_over(app, client, body.as_bytes(), failure).await;
            }
            Err(failure) if failure.is_refusal("second_person") => {
                return Err(
                    failure.next("another supervisor of your agency confirms it: you released it yourself")
                );
            }
            Err(failure) if failure.is_refusal("duplicate_live") => {
                return Err(failure.next(DESPITE_DUPLICATES));
            }
            Err(failure) if failure.is_refusal("not_allowed_in_state") => {
                return Err(self.with_state(app, client, case, failure).await);
            }
            Err(failure) => return Err(failure),
        };
        app.out.answer(&released, |f, released| {
            released_text(f, released)?;
            writeln!(f, "follow it: rovumactl trace {} --follow", released.id)
        })?;
        if draft["terms"].get("emergency").is_some() {
            emergency::tell(app, client, &released.value).await;
        }
        Ok(Exit::Ok)
    }

    /// Keeps the draft, and submits it where the author asked for that.
    async fn hand_over(&self, app: &App, client: &Client, body: &[u8], refused: Failure) -> Outcome {
        let draft: ServerAnswer<DraftView> = post(client, "/v1/drafts", Some(body), None).await?;
        let (id, faults) = (draft.value.id, draft.value.fault_count);
        if faults > 0 {
            app.out.note(std::fmt::from_fn(|f| faults_text(f, &draft.value)));
            return Err(refused.next(format!(
                "the draft {id} is kept; mend its faults ({faults}: rovumactl draft edit {id}), then hand it to a supervisor: \
                 rovumactl draft submit {id}"
            )));
        }
        if !self.submit {
            return Err(refused.next(format!(
                "the draft {id} is kept; hand it to a supervisor: rovumactl draft submit {id} (or give --submit at once)"
            )));
        }
        let submitted: ServerAnswer<DraftView> =
            post(client, &format!("/v1/drafts/{id}/submit"), None, None).await?;
        app.out.answer(&submitted, |f, draft| {
            writeln!(f, "{} is with your supervisors: nothing has been sent yet", draft.id)?;
            writeln!(f, "a supervisor reads and releases it: rovumactl draft release {}", draft.id)
        })?;
        Ok(Exit::Ok)
    }

    /// The refusal, with what the case is now: something may have come since the author looked.
    async fn with_state(&self, app: &App, client: &Client, case: &CaseId, mut failure: Failure) -> Failure {
        let Ok(view) = name::open(client, case, None).await else { return failure };
        let view = view.value;
        let reader = self.language.reader(app, &self.server, client, &[], &[]).await;
        let reader = CaseReader::new(app, client, reader);
        let short = name::short_name(&view.case);
        failure.what = format!("{}\n  {short} is now: {}", failure.what, safe(&reader.state(&view)));
        failure.next(format!("see what came and what you may do: rovumactl case show {short}"))
    }
}

/// Whether a supervisor may release what this caller may not. Whoever released something in an emergency does not confirm it
/// themselves, and no draft changes that.
fn needs_supervisor(failure: &Failure, draft: &Value) -> bool {
    let is_own_release = draft["type"] == "release.confirm" && failure.is_refusal("second_person");
    !is_own_release && (failure.is_refusal("second_person") || failure.is_refusal("supervisor_only"))
}

/// Whom a message in the case goes to: the issuer's to every recipient of the alert, a recipient's to the issuer.
fn recipients(opened: &OpenedAlert, client: &Client) -> Vec<AgencyCode> {
    let owner = &opened.case.case.case.owner;
    if client.caller().agency.as_deref() == Some(owner.as_str()) || opened.content.sent.is_some() {
        let alert = opened.case.alert.iter();
        return alert
            .flat_map(|alert| alert.recipients.iter().map(|recipient| recipient.agency.clone()))
            .collect();
    }
    vec![owner.clone()]
}
