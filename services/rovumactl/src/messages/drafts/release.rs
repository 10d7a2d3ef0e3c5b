//! `draft release`: shows the draft, asks, and releases the version that was shown.

use clap::Args;
use rovuma_api::answers::gateway::DraftView;
use serde_json::json;

use super::{DraftArgs, check_in_work, draft_text, not_allowed, not_done, post, reader_of, released_text};
use crate::{
    app::App,
    exit::{Exit, Failure, Outcome},
    messages::send::DESPITE_DUPLICATES,
    question,
    reading::LanguageArgs,
};

/// Options of `draft release`.
#[derive(Debug, Args)]
pub(crate) struct Release {
    #[command(flatten)]
    one: DraftArgs,
    /// The version to release, as draft show prints it [default: the one shown]
    #[arg(long)]
    version: Option<i64>,
    /// Neither show nor ask: for a program whose user has read this version
    #[arg(long, requires = "version")]
    yes: bool,
    /// Release it although the gateway knows something live about the same: the code or file number of the reason, which the audit
    /// log keeps
    #[arg(long, value_name = "REASON")]
    despite_duplicates: Option<String>,
    /// Where your agency knows it from, though another agency sent it under a handling code: a code or file reference, which is audited
    #[arg(long, value_name = "REASON")]
    own_source: Option<String>,
    #[command(flatten)]
    language: LanguageArgs,
}

/// What helps where the draft hands on what another agency sent under a handling code.
const OWN_SOURCE: &str = "ask for leave: rovumactl permission ask; or, as a second person, say where your agency knows it from: \
                          --own-source REASON";

impl Release {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.one.client(app).await?;
        let version = match self.version.filter(|_| self.yes) {
            Some(version) => version,
            None => {
                let draft = self.one.read(&client).await?.value;
                if let Some(expected) = self.version.filter(|expected| *expected != draft.version) {
                    return Err(Failure::new(
                        Exit::Refused,
                        format!("the draft {} is at version {}, not {expected}", draft.id, draft.version),
                    )
                    .next(format!("read it again: rovumactl draft show {}", draft.id)));
                }
                check_state(&draft, draft.author == client.caller().subject)?;
                let reader = reader_of(app, &self.one.server, &client, &draft, &self.language).await;
                let shown = std::fmt::from_fn(|f| draft_text(f, &draft, &reader)).to_string();
                app.out.note(shown.trim_end());
                let question = format!("\nRelease version {} of {}?", draft.version, draft.id);
                let instead = format!("give --yes --version {} once you have read it", draft.version);
                if !question::is_confirmed(app, &question, &instead)? {
                    return Ok(not_done(app, "the draft is not released"));
                }
                draft.version
            }
        };
        let stated = [("despite_duplicates", self.despite_duplicates), ("own_source", self.own_source)];
        let stated: serde_json::Map<_, _> =
            stated.into_iter().filter_map(|(name, reason)| Some((name.to_owned(), json!(reason?)))).collect();
        let body = (!stated.is_empty()).then(|| json!(stated).to_string());
        let body = body.as_deref().map(str::as_bytes);
        let released = post(&client, &self.one.path("/release"), body, Some(version)).await;
        let released = released.map_err(|failure| match &failure {
            refused if refused.is_refusal("duplicate_live") => failure.next(DESPITE_DUPLICATES),
            refused if refused.is_refusal("handling_breach") => failure.next(OWN_SOURCE),
            _ => failure,
        })?;
        app.out.answer(&released, released_text)?;
        Ok(Exit::Ok)
    }
}

/// Refuses early, and says what to do, where the gateway would refuse because of the draft's state.
fn check_state(draft: &DraftView, is_own: bool) -> Outcome<()> {
    let id = draft.id;
    let (what, next) = match draft.state.as_str() {
        "draft" | "returned" if !is_own => (
            "is still with its author, who has not submitted it",
            format!("its author hands it over: rovumactl draft submit {id}"),
        ),
        _ => return check_in_work(draft),
    };
    Err(not_allowed(draft, what).next(next))
}
