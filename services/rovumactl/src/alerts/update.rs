//! `alert update`: a new version of an alert, from the content of the version in force.

mod changes;
mod content;

use std::{path::PathBuf, str::FromStr};

use clap::Args;
use rovuma_api::answers::gateway::Validated;
use rovuma_schemas::{CodeLists, Locale, MessageId, SubjectKey};
use serde_json::{Value, json};

use self::{
    changes::changes,
    content::{Setting, editable, keys_of, remove_subject},
};
use super::ALERT;
use crate::{
    app::App,
    client::Client,
    editor::{LeftOver, WorkingCopy},
    exit::{Exit, Failure, Outcome},
    files,
    follow::{FollowArgs, OpenedCase, Retention, in_reply_to, put},
    messages::{emergency, post},
    question,
};

/// The code list of the reasons for which a version leaves out a subject.
const DROP_REASONS: &str = "drop_reasons";

/// Options of `alert update`.
#[derive(Debug, Args)]
pub(crate) struct Update {
    /// Its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
    case: String,
    /// Change a member of the content: /subjects/vehicles/0/colour=red; a value of null removes it, - as the last part appends. May be
    /// given several times; no editor is opened
    #[arg(long = "set", value_name = "POINTER=VALUE")]
    settings: Vec<Setting>,
    /// Leave out a subject, and why: d2=found (rovumactl codes drop_reasons). May be given several times
    #[arg(long = "drop", value_name = "KEY=REASON")]
    dropped: Vec<DroppedSubject>,
    /// Take the draft from a file instead, as the editor shows it; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["settings", "change", "answers", "protection_checked", "emergency"])]
    file: Option<PathBuf>,
    /// What was changed and why, in the alert's language
    #[arg(long, value_name = "TEXT")]
    change: Option<String>,
    /// The error report that this version answers
    #[arg(long, value_name = "ID")]
    answers: Option<MessageId>,
    /// Confirm that it does not disclose a person who sought protection to the country that they fled from
    #[arg(long)]
    protection_checked: bool,
    /// Send it alone though it needs a second person, because it cannot wait: WHY, in the alert's language. A second person must
    /// confirm it within 12 hours
    #[arg(long, value_name = "WHY")]
    emergency: Option<String>,
    #[command(flatten)]
    follow: FollowArgs,
}

/// A subject to leave out, and why.
#[derive(Clone, Debug)]
struct DroppedSubject {
    key: SubjectKey,
    reason: String,
}

impl FromStr for DroppedSubject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, reason) = text.split_once('=').ok_or("give a key and a reason, such as d2=found")?;
        let key = key.parse().map_err(|error| format!("{error}"))?;
        if !is_drop_reason(reason) {
            return Err(format!("{reason:?} is none of {}", drop_reasons().join(", ")));
        }
        Ok(Self { key, reason: reason.to_owned() })
    }
}

fn drop_reasons() -> Vec<&'static str> {
    let list = CodeLists::shipped().get(DROP_REASONS);
    list.map(|list| list.entries.iter().map(|entry| entry.code.as_str()).collect()).unwrap_or_default()
}

fn is_drop_reason(code: &str) -> bool {
    drop_reasons().contains(&code)
}

impl Update {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.follow.client(app).await?;
        let opened = self.follow.open(&client, &self.case, ALERT).await?;
        let before = content_of(&opened).map(editable).ok_or_else(|| {
            Failure::new(
                Exit::Refused,
                format!("the content of {} was erased: there is nothing to change", opened.name()),
            )
            .next(format!("rovumactl case show {} shows the case", opened.name()))
        })?;
        let mut draft = self.prepared(app, &opened, &before)?;
        if self.settings.is_empty() && self.dropped.is_empty() && self.file.is_none() {
            return self.in_editor(app, &client, &opened, &before, draft).await;
        }
        if let Some(file) = &self.file {
            draft = serde_json::from_slice(&files::read(file)?)
                .map_err(|error| Failure::usage(format!("{} is not JSON: {error}", file.display())))?;
        }
        for setting in &self.settings {
            setting.apply(&mut draft["body"]["alert"]).map_err(Failure::usage)?;
        }
        for dropped in &self.dropped {
            remove_subject(&mut draft["body"]["alert"]["subjects"], dropped.key.as_str());
            explain(&mut draft, dropped.key.as_str(), &dropped.reason);
        }
        self.ask_about_missing(app, &before, &mut draft)?;
        self.check(&client, &draft).await?;
        self.follow.show_and_send(app, &client, &opened, draft.clone(), &changes_text(&before, &draft)).await
    }

    /// The draft of the next version: the content as it is, to be changed.
    fn prepared(&self, app: &App, opened: &OpenedCase, before: &Value) -> Outcome<Value> {
        let mut body = json!({ "alert": before });
        // In the editor an empty text asks for one.
        let is_edited = self.settings.is_empty() && self.dropped.is_empty();
        put(&mut body, "change", self.change.as_deref().or(is_edited.then_some("")));
        let mut draft = self.follow.draft(app, opened, "alert.update", body, Retention::OfCase);
        if opened.has_protection_check() {
            draft["terms"]["protection_check"] = json!({ "confirmed": self.protection_checked });
        }
        if let Some(report) = self.answers {
            draft = in_reply_to(draft, report);
        }
        let Some(reason) = &self.emergency else { return Ok(draft) };
        let content = emergency::with_reason(draft.to_string().as_bytes(), reason)?;
        serde_json::from_slice(&content).map_err(|error| Failure::local(error.to_string()))
    }

    /// Opens the draft in the user's editor, until it has no faults or the user stops; then sends it.
    async fn in_editor(
        &self,
        app: &App,
        client: &Client,
        opened: &OpenedCase,
        before: &Value,
        prepared: Value,
    ) -> Outcome {
        let name = opened.name();
        let id = opened.case.case.case.id;
        let left_over = LeftOver {
            begins_with: format!("version {} of the alert", opened.version()),
            is_same: &|text| serde_json::from_slice::<Value>(text).is_ok_and(|left| left == prepared),
            use_it: &|path| format!("rovumactl alert update {name} --file {}", path.display()),
        };
        let text = format!("{prepared:#}\n");
        let file = WorkingCopy::open(app, &format!("update-{id}.json"), &text, &left_over)?;
        loop {
            let text = file.edit().map_err(|failure| file.keep(failure))?;
            let said = match serde_json::from_slice::<Value>(&text) {
                Ok(draft) if draft == prepared => {
                    file.remove();
                    app.out.note(format_args!("nothing is changed since version {}", opened.version()));
                    return Ok(Exit::Negative);
                }
                Ok(mut draft) => {
                    self.ask_about_missing(app, before, &mut draft).map_err(|failure| file.keep(failure))?;
                    match self.check(client, &draft).await {
                        Ok(()) => {
                            let beside = changes_text(before, &draft);
                            let sent = self.follow.show_and_send(app, client, opened, draft, &beside).await;
                            return match sent {
                                Ok(Exit::Ok) => {
                                    file.remove();
                                    Ok(Exit::Ok)
                                }
                                Ok(exit) => {
                                    file.tell(app);
                                    Ok(exit)
                                }
                                Err(failure) => Err(file.keep(failure)),
                            };
                        }
                        Err(failure) if failure.is_refusal("draft_faulty") => {
                            app.out.failure(&failure);
                            "it has faults".to_owned()
                        }
                        Err(failure) => return Err(file.keep(failure)),
                    }
                }
                Err(error) => format!("this is not JSON: {error}"),
            };
            let answer = question::answer(app, &format!("{said}. Edit on? [Y/n]"))?;
            if !answer.is_some_and(|answer| answer.is_empty() || question::is_yes(&answer)) {
                file.tell(app);
                return Ok(Exit::Negative);
            }
        }
    }

    /// Asks for each subject that is no longer there why it was left out.
    fn ask_about_missing(&self, app: &App, before: &Value, draft: &mut Value) -> Outcome<()> {
        let here = keys_of(&draft["body"]["alert"]["subjects"]);
        for key in keys_of(&before["subjects"]).into_iter().filter(|key| !here.contains(key)) {
            let explained = draft["body"]["dropped"].as_array();
            if explained.is_some_and(|dropped| dropped.iter().any(|dropped| dropped["key"] == key.as_str())) {
                continue;
            }
            let reasons: Vec<String> = drop_reasons().into_iter().map(|code| self.reason(code)).collect();
            loop {
                let question = format!("{key} is no longer there: why? {}", reasons.join(", "));
                let answer = question::answer(app, &question)?.ok_or_else(|| {
                    Failure::usage(format!("{key} is left out, and nobody said why"))
                        .next(format!("give --drop {key}=REASON"))
                })?;
                if is_drop_reason(&answer) {
                    explain(draft, &key, &answer);
                    break;
                }
            }
        }
        Ok(())
    }

    fn reason(&self, code: &'static str) -> String {
        let locale: Locale = self.follow.language.locale();
        format!("{code} ({})", CodeLists::shipped().label(DROP_REASONS, code, locale))
    }

    /// Has the gateway look for faults, before anybody is asked whether to send it.
    async fn check(&self, client: &Client, draft: &Value) -> Outcome<()> {
        let body = draft.to_string();
        post::<Validated>(client, "/v1/drafts/validate", Some(body.as_bytes()), None).await.map(drop)
    }
}

/// The content of the version in force: none when it was erased.
fn content_of(opened: &OpenedCase) -> Option<&Value> {
    let body = opened.body()?;
    match opened.content.header.message_type.as_str() {
        "alert.issue" => Some(body),
        _ => body.get("alert"),
    }
}

/// Says in the draft why a subject was left out.
fn explain(draft: &mut Value, key: &str, reason: &str) {
    let entry = json!({ "key": key, "reason": reason });
    match draft["body"]["dropped"].as_array_mut() {
        Some(dropped) => dropped.push(entry),
        None => draft["body"]["dropped"] = json!([entry]),
    }
}

fn changes_text(before: &Value, draft: &Value) -> String {
    changes(before, &draft["body"]["alert"]).iter().map(|line| format!("  {line}\n")).collect()
}
