//! Sends what follows in a case: shows it, asks, sends it where one person may, and hands it to a supervisor otherwise.

use rovuma_api::answers::gateway::{DraftView, ReleasedView};
use rovuma_schemas::{AgencyCode, CaseId, MessageId};
use serde_json::{Value, json};

use super::{FollowArgs, OpenedCase};
use crate::{
    app::App,
    cases::{name, text::CaseReader},
    client::{Client, ServerAnswer},
    exit::{Exit, Failure, Outcome},
    messages::{
        drafts::{faults_text, released_text},
        emergency, post, post_once,
        send::{DESPITE_DUPLICATES, path_at_once},
    },
    output::safe,
    question,
    reading::DRAFT,
};

/// How sending ended.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) exit: Exit,
    /// The message; none where nothing was sent, or a supervisor has yet to release it.
    pub(crate) message: Option<MessageId>,
}

impl From<Exit> for Sent {
    fn from(exit: Exit) -> Self {
        Self { exit, message: None }
    }
}

impl FollowArgs {
    /// Shows the draft and asks, then sends it.
    pub(crate) async fn show_and_send(
        &self,
        app: &App,
        client: &Client,
        opened: &OpenedCase,
        draft: Value,
        beside: &str,
    ) -> Outcome {
        let key = uuid::Uuid::new_v4().to_string();
        self.show_and_send_once(app, client, opened, draft, beside, &key).await.map(|sent| sent.exit)
    }

    /// Shows the draft and asks, then sends it: once under this key, however often this is called.
    pub(crate) async fn show_and_send_once(
        &self,
        app: &App,
        client: &Client,
        opened: &OpenedCase,
        mut draft: Value,
        beside: &str,
        key: &str,
    ) -> Outcome<Sent> {
        if let Some(day) = self.retain_until {
            draft["terms"]["retain_until"] = json!(day);
        }
        if let Some(language) = &self.written_in {
            draft["terms"]["language"] = Value::from(language.as_str());
        }
        if !self.yes && !self.is_confirmed(app, client, opened, &draft, beside).await? {
            app.out.note("nothing is sent");
            return Ok(Exit::Negative.into());
        }
        self.send(app, client, &opened.case.case.case, &draft, key).await
    }

    async fn is_confirmed(
        &self,
        app: &App,
        client: &Client,
        opened: &OpenedCase,
        draft: &Value,
        beside: &str,
    ) -> Outcome<bool> {
        let recipients = recipients(opened, client, draft);
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

    async fn send(
        &self,
        app: &App,
        client: &Client,
        case: &CaseId,
        draft: &Value,
        key: &str,
    ) -> Outcome<Sent> {
        let body = draft.to_string();
        let path = path_at_once(self.despite_duplicates.as_deref())?;
        let sent = post_once::<ReleasedView>(client, &path, Some(body.as_bytes()), None, key).await;
        let released = match sent {
            Ok(released) => released,
            Err(failure) if needs_supervisor(&failure, draft) => {
                return self.hand_over(app, client, body.as_bytes(), failure).await.map(Into::into);
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
        Ok(Sent { exit: Exit::Ok, message: Some(released.value.id) })
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

/// Whom the draft goes to: those that it names, or the agencies at the other end of its case.
fn recipients(opened: &OpenedCase, client: &Client, draft: &Value) -> Vec<AgencyCode> {
    match draft["recipients"].as_array() {
        Some(named) => named.iter().filter_map(|code| code.as_str()?.parse().ok()).collect(),
        None => opened.others(client),
    }
}
