//! `draft emergency`: the author releases a draft alone that needs a second person.

use clap::Args;
use rovuma_api::answers::gateway::ReleasedView;

use super::{DraftArgs, draft_text, not_allowed, not_done, post, reader_of, released_text};
use crate::{
    app::App,
    client::ServerAnswer,
    exit::{Exit, Outcome},
    messages::emergency,
    question,
    reading::LanguageArgs,
};

/// Options of `draft emergency`.
#[derive(Debug, Args)]
pub(crate) struct Emergency {
    #[command(flatten)]
    one: DraftArgs,
    /// Why it cannot wait, in the message's language: every recipient reads it
    #[arg(long)]
    reason: String,
    /// Neither show nor ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    language: LanguageArgs,
}

impl Emergency {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.one.client(app).await?;
        let draft = self.one.read(&client).await?.value;
        let id = draft.id;
        let next = match draft.state.as_str() {
            "draft" => None,
            "pending_release" => {
                Some("your supervisor has it: call them, they release or return it".to_owned())
            }
            "returned" => Some(format!("mend it and submit it again: rovumactl draft edit {id}")),
            _ => Some("rovumactl draft list shows the open drafts".to_owned()),
        };
        if let Some(next) = next {
            return Err(not_allowed(&draft, &format!("is in the state {}", draft.state)).next(next));
        }
        let content = draft.content.as_ref().map(|content| content.get().as_bytes()).unwrap_or_default();
        let content = emergency::with_reason(content, &self.reason)?;
        if !self.yes {
            let reader = reader_of(app, &self.one.server, &client, &draft, &self.language).await;
            let shown = std::fmt::from_fn(|f| draft_text(f, &draft, &reader)).to_string();
            app.out.note(shown.trim_end());
            let question = format!(
                "\nRelease {id} alone, in an emergency? A second person of your agency must confirm it within 12 hours, or nobody \
                 acts on it any more."
            );
            if !question::is_confirmed(app, &question, "give --yes once you have read it")? {
                return Ok(not_done(app, "the draft is not released"));
            }
        }
        let changed = self.one.put(&client, content, draft.version).await?.value;
        let released: ServerAnswer<ReleasedView> =
            post(&client, &self.one.path("/release"), None, Some(changed.version)).await?;
        app.out.answer(&released, released_text)?;
        emergency::tell(app, &client, &released.value).await;
        Ok(Exit::Ok)
    }
}
