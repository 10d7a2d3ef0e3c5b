//! `rovumactl draft`: drafts that are not released yet.

mod edit;
mod emergency;
mod release;
mod text;
mod write;

use clap::{Args, Subcommand};
use reqwest::{Method, header};
use rovuma_api::answers::gateway::DraftView;
use rovuma_schemas::MessageId;
use serde_json::json;

pub(crate) use text::{advice_text, draft_text, faults_text, released_text};

use super::{
    lists::{pages, print_rows},
    post,
};
use crate::{
    app::App,
    client::{Client, ServerAnswer},
    exit::{Exit, Failure, Outcome},
    question,
    reading::LanguageArgs,
    session::{ApiServer, ServerArgs},
};
use text::{draft_table, reader_of};

/// The commands on drafts of the agency.
#[derive(Debug, Subcommand)]
pub(crate) enum DraftCommand {
    /// Write a draft to begin with: every field that its kind needs, and help on every field that it may have
    New(write::New),
    /// List the drafts that are neither released nor discarded
    List {
        /// Only in this state: draft, pending_release, returned
        #[arg(long)]
        state: Option<String>,
        /// Maximum number of rows
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Show a draft with its content, its version and its faults
    Show {
        #[command(flatten)]
        one: DraftArgs,
        #[command(flatten)]
        language: LanguageArgs,
    },
    /// Change a draft of your own in $VISUAL or $EDITOR, until it has no faults or you stop
    Edit(edit::Edit),
    /// Put the content of a file in the place of a draft's
    Change {
        #[command(flatten)]
        one: DraftArgs,
        /// The new content, JSON; - for standard input
        file: std::path::PathBuf,
        /// The version that it follows; without it the present one, whichever it is
        #[arg(long)]
        version: Option<i64>,
    },
    /// Discard a draft of your own; its content is erased
    Discard {
        #[command(flatten)]
        one: DraftArgs,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Submit a draft to a supervisor
    Submit(DraftArgs),
    /// Show a draft and ask whether to release it
    Release(release::Release),
    /// Release a draft of your own alone, though it needs a second person: because it cannot wait for one
    Emergency(emergency::Emergency),
    /// Return a submitted draft to its author
    Return {
        #[command(flatten)]
        one: DraftArgs,
        /// What the author must correct
        #[arg(long)]
        reason: String,
        /// The version that you have read
        #[arg(long)]
        version: Option<i64>,
    },
}

/// The draft to act on.
#[derive(Debug, Args)]
pub(crate) struct DraftArgs {
    /// The draft
    id: MessageId,
    #[command(flatten)]
    server: ServerArgs,
}

impl DraftCommand {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        match self {
            Self::New(command) => return command.run(app),
            Self::Edit(command) => return command.run(app).await,
            Self::Release(command) => return command.run(app).await,
            Self::Emergency(command) => return command.run(app).await,
            Self::List { state, limit, server } => {
                let client = server.client(app, ApiServer::Gateway).await?;
                let query: Vec<(&str, String)> = state.into_iter().map(|state| ("state", state)).collect();
                let drafts = pages(&client, "/v1/drafts", query, limit).await?;
                return print_rows(app, &drafts, draft_table);
            }
            Self::Show { one, language } => {
                let client = one.client(app).await?;
                let draft = one.read(&client).await?;
                show(app, &one, &client, &draft, &language).await?;
            }
            Self::Change { one, file, version } => {
                let content = crate::files::read(&file)?;
                let client = one.client(app).await?;
                let version = match version {
                    Some(version) => version,
                    None => one.read(&client).await?.value.version,
                };
                let changed = one.put(&client, content, version).await?;
                show(app, &one, &client, &changed, &LanguageArgs::default()).await?;
            }
            Self::Discard { one, yes } => {
                let question = format!("Discard the draft {}? Its content is erased.", one.id);
                if !yes
                    && !question::is_confirmed(app, &question, "give --yes to discard without a question")?
                {
                    return Ok(not_done(app, "the draft is not discarded"));
                }
                let client = one.client(app).await?;
                let request = client.request(Method::DELETE, &one.path(""))?;
                let discarded: ServerAnswer<DraftView> = client.send(request).await?;
                show(app, &one, &client, &discarded, &LanguageArgs::default()).await?;
            }
            Self::Submit(one) => {
                let client = one.client(app).await?;
                let submitted = post(&client, &one.path("/submit"), None, None).await?;
                show(app, &one, &client, &submitted, &LanguageArgs::default()).await?;
            }
            Self::Return { one, reason, version } => {
                let client = one.client(app).await?;
                let body = json!({ "reason": reason }).to_string();
                let returned = post(&client, &one.path("/return"), Some(body.as_bytes()), version).await?;
                show(app, &one, &client, &returned, &LanguageArgs::default()).await?;
            }
        }
        Ok(Exit::Ok)
    }
}

impl DraftArgs {
    async fn client(&self, app: &App) -> Outcome<Client> {
        self.server.client(app, ApiServer::Gateway).await
    }

    fn path(&self, step: &str) -> String {
        format!("/v1/drafts/{}{step}", self.id)
    }

    /// Reads the draft. The gateway records that the caller has read this version.
    async fn read(&self, client: &Client) -> Outcome<ServerAnswer<DraftView>> {
        client.get(&self.path(""), &[]).await
    }

    /// Puts `content` in the place of the content that `version` has. It is sent once: after a lost answer the version tells
    /// whether it was done.
    async fn put(&self, client: &Client, content: Vec<u8>, version: i64) -> Outcome<ServerAnswer<DraftView>> {
        let request = client.request(Method::PUT, &self.path(""))?;
        let request = request.header(header::IF_MATCH, format!("\"{version}\""));
        client.send(request.header(header::CONTENT_TYPE, "application/json").body(content)).await
    }
}

async fn show(
    app: &App,
    one: &DraftArgs,
    client: &Client,
    draft: &ServerAnswer<DraftView>,
    language: &LanguageArgs,
) -> Outcome<()> {
    let reader = reader_of(app, &one.server, client, &draft.value, language).await;
    app.out.answer(draft, |f, draft| draft_text(f, draft, &reader))
}

/// Refuses a draft with which nothing more can be done.
fn check_in_work(draft: &DraftView) -> Outcome<()> {
    let (what, next) = match draft.state.as_str() {
        "released" => ("is released already", format!("follow it: rovumactl trace {}", draft.id)),
        "discarded" => ("was discarded", "rovumactl draft list shows the open drafts".to_owned()),
        _ => return Ok(()),
    };
    Err(not_allowed(draft, what).next(next))
}

/// The failure for a draft that is in no state for the step.
fn not_allowed(draft: &DraftView, what: &str) -> Failure {
    Failure::new(Exit::Refused, format!("the draft {} {what}", draft.id))
}

/// Says that nothing was done because the answer was no.
fn not_done(app: &App, what: &str) -> Exit {
    app.out.note(what);
    Exit::Negative
}
