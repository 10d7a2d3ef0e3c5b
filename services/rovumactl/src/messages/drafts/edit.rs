//! `draft edit`: a draft in the user's editor, again and again until it has no faults or the user stops.

use clap::Args;
use rovuma_api::answers::gateway::DraftView;
use serde_json::Value;

use super::{DraftArgs, check_in_work, not_allowed, show};
use crate::{
    app::App,
    client::ServerAnswer,
    editor::{LeftOver, WorkingCopy},
    exit::{Exit, Failure, Outcome},
    question,
    reading::LanguageArgs,
};

/// Options of `draft edit`.
#[derive(Debug, Args)]
pub(crate) struct Edit {
    #[command(flatten)]
    one: DraftArgs,
}

/// What one turn in the editor led to.
enum Turn {
    /// The text is what it was.
    Unchanged,
    /// The gateway keeps it.
    Kept(Box<ServerAnswer<DraftView>>),
    /// It is not even an incomplete draft.
    Refused(Failure),
}

impl Edit {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.one.client(app).await?;
        let mut draft = self.one.read(&client).await?;
        check_editable(&draft.value, &client.caller().subject)?;
        let file = working_copy(app, &draft.value)?;
        loop {
            let turn = self.turn(&client, &draft.value, &file).await;
            let question = match turn.map_err(|failure| file.keep(failure))? {
                Turn::Unchanged => {
                    file.remove();
                    app.out.note(format_args!("nothing is changed since version {}", draft.value.version));
                    return Ok(exit(&draft.value));
                }
                Turn::Kept(changed) => {
                    draft = *changed;
                    if draft.value.fault_count == 0 {
                        break;
                    }
                    app.out.note(std::fmt::from_fn(|f| super::faults_text(f, &draft.value)));
                    format!(
                        "version {} is kept, with {} faults",
                        draft.value.version, draft.value.fault_count
                    )
                }
                Turn::Refused(failure) => {
                    app.out.failure(&failure);
                    "this is not kept".to_owned()
                }
            };
            let answer = question::answer(app, &format!("{question}. Edit on? [Y/n]"))?;
            if !answer.is_some_and(|answer| answer.is_empty() || question::is_yes(&answer)) {
                break;
            }
        }
        remove_or_tell(&file, app, &draft.value);
        show(app, &self.one, &client, &draft, &LanguageArgs::default()).await?;
        Ok(exit(&draft.value))
    }

    async fn turn(
        &self,
        client: &crate::client::Client,
        draft: &DraftView,
        file: &WorkingCopy,
    ) -> Outcome<Turn> {
        let text = file.edit()?;
        if is_same(draft, &text) {
            return Ok(Turn::Unchanged);
        }
        match self.one.put(client, text, draft.version).await {
            Ok(changed) => Ok(Turn::Kept(Box::new(changed))),
            Err(failure) if failure.is_refusal("draft_faulty") || failure.is_refusal("other_type") => {
                Ok(Turn::Refused(failure))
            }
            Err(failure) => Err(failure),
        }
    }
}

/// The exit status: negative while the draft has faults.
const fn exit(draft: &DraftView) -> Exit {
    if draft.fault_count == 0 { Exit::Ok } else { Exit::Negative }
}

/// Whether the text has the content that the gateway keeps already.
fn is_same(draft: &DraftView, text: &[u8]) -> bool {
    let kept = draft.content.as_ref().and_then(|kept| serde_json::from_str::<Value>(kept.get()).ok());
    kept.is_some() && serde_json::from_slice::<Value>(text).ok() == kept
}

/// The draft's content as a text to edit, or what is left of it from an edit that did not end.
fn working_copy(app: &App, draft: &DraftView) -> Outcome<WorkingCopy> {
    let content = draft.content.as_ref().ok_or_else(|| {
        Failure::new(Exit::Refused, format!("the draft {} is {} and has no content", draft.id, draft.state))
    })?;
    let value: Value = serde_json::from_str(content.get()).unwrap_or_else(|_| Value::from(content.get()));
    let left_over = LeftOver {
        begins_with: format!("version {} of the draft", draft.version),
        is_same: &|text| is_same(draft, text),
        use_it: &|path| format!("rovumactl draft change {} {}", draft.id, path.display()),
    };
    WorkingCopy::open(app, &format!("draft-{}.json", draft.id), &format!("{value:#}\n"), &left_over)
}

/// Removes the text when the gateway has it, and says where it is otherwise.
fn remove_or_tell(file: &WorkingCopy, app: &App, draft: &DraftView) {
    if file.read().is_ok_and(|text| is_same(draft, &text)) {
        file.remove();
    } else {
        file.tell(app);
    }
}

/// Refuses before somebody writes in vain what the gateway would refuse.
fn check_editable(draft: &DraftView, caller: &str) -> Outcome<()> {
    let (what, next) = match draft.state.as_str() {
        "pending_release" => ("is with a supervisor", "a supervisor returns it, or you discard it"),
        // An opaque token does not say whose it is.
        "draft" | "returned" if !caller.is_empty() && draft.author != caller => {
            ("is another person's", "only its author changes it")
        }
        _ => return check_in_work(draft),
    };
    Err(not_allowed(draft, what).next(next))
}
