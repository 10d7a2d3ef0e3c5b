//! `draft edit`: a draft in the user's editor, again and again until it has no faults or the user stops.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use clap::Args;
use rovuma_api::answers::gateway::DraftView;
use serde_json::Value;

use super::{DraftArgs, check_in_work, not_allowed, show};
use crate::{
    app::App,
    client::ServerAnswer,
    config::xdg,
    exit::{Exit, Failure, Outcome},
    files, question,
    reading::LanguageArgs,
};

/// The editor where neither `VISUAL` nor `EDITOR` names one (POSIX has it).
const DEFAULT_EDITOR: &str = "vi";

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
        let file = WorkingCopy::open(app, &draft.value)?;
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
        file.remove_or_tell(app, &draft.value);
        show(app, &self.one, &client, &draft, &LanguageArgs::default()).await?;
        Ok(exit(&draft.value))
    }

    async fn turn(
        &self,
        client: &crate::client::Client,
        draft: &DraftView,
        file: &WorkingCopy,
    ) -> Outcome<Turn> {
        run_editor(&file.path)?;
        let text = files::read(&file.path)?;
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

/// The draft's text on this machine while it is edited, readable by its owner only.
struct WorkingCopy {
    path: PathBuf,
}

impl WorkingCopy {
    /// The draft's text, or what is left of it from an edit that did not end, if the user wants to go on with that.
    fn open(app: &App, draft: &DraftView) -> Outcome<Self> {
        let content = draft.content.as_ref().ok_or_else(|| {
            Failure::new(
                Exit::Refused,
                format!("the draft {} is {} and has no content", draft.id, draft.state),
            )
        })?;
        let folder = xdg("XDG_STATE_HOME", ".local/state")
            .ok_or_else(|| {
                Failure::local("there is no folder for the text").next("set HOME or XDG_STATE_HOME")
            })?
            .join("rovuma");
        files::private_folder(&folder)?;
        let path = folder.join(format!("draft-{}.json", draft.id));
        let copy = Self { path };
        if copy.path.exists() && copy.goes_on(app, draft)? {
            return Ok(copy);
        }
        let value: Value = serde_json::from_str(content.get()).unwrap_or_else(|_| Value::from(content.get()));
        files::create_secret(&copy.path, &format!("{value:#}\n"))?;
        Ok(copy)
    }

    /// Whether the user goes on with the text of an edit that did not end. If not, the text is set aside.
    fn goes_on(&self, app: &App, draft: &DraftView) -> Outcome<bool> {
        if files::read(&self.path).is_ok_and(|text| is_same(draft, &text)) {
            return Ok(true);
        }
        let question = format!(
            "{} is your text from an edit that did not end, or is still open elsewhere; the gateway has version {} of the draft. \
             Go on with your text? [Y/n]",
            self.path.display(),
            draft.version
        );
        let answer = question::answer(app, &question)?;
        if answer.is_some_and(|answer| answer.is_empty() || question::is_yes(&answer)) {
            return Ok(true);
        }
        let aside = self.set_aside()?;
        app.out.note(format_args!(
            "this edit begins with version {}; your text is now {}: use it with rovumactl draft change {} FILE, or remove it",
            draft.version,
            aside.display(),
            draft.id
        ));
        Ok(false)
    }

    /// Gives the text another name, which no file has yet.
    fn set_aside(&self) -> Outcome<PathBuf> {
        for number in 1_u32.. {
            let aside = self.path.with_extension(format!("{number}.json"));
            match fs::hard_link(&self.path, &aside) {
                Ok(()) => {
                    self.remove();
                    return Ok(aside);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(Failure::local(format!("cannot write {}: {error}", aside.display())));
                }
            }
        }
        Err(Failure::local(format!("cannot rename {}", self.path.display())))
    }

    /// Keeps the text after a failure, and says where.
    fn keep(&self, failure: Failure) -> Failure {
        let kept = format!("your text is kept in {}", self.path.display());
        let next = failure.next.clone().map_or_else(|| kept.clone(), |next| format!("{next}; {kept}"));
        failure.next(next)
    }

    fn remove(&self) {
        // What cannot be removed is found, and named, by the next edit.
        let _ = fs::remove_file(&self.path);
    }

    /// Removes the text when the gateway has it, and says where it is otherwise.
    fn remove_or_tell(&self, app: &App, draft: &DraftView) {
        if files::read(&self.path).is_ok_and(|text| is_same(draft, &text)) {
            self.remove();
        } else {
            app.out.note(format_args!("your text is kept in {}", self.path.display()));
        }
    }
}

/// Runs the user's editor. `VISUAL` and `EDITOR` are command lines, so a shell splits them.
fn run_editor(path: &Path) -> Outcome<()> {
    let named =
        ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|it| !it.is_empty()));
    let editor = named.unwrap_or_else(|| DEFAULT_EDITOR.to_owned());
    let status = Command::new("sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(path).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::local(format!("the editor {editor:?} ended with {status}"))
            .next("set VISUAL or EDITOR to an editor that waits until the file is closed")),
        Err(error) => Err(Failure::local(format!("cannot start the editor {editor:?}: {error}"))),
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
