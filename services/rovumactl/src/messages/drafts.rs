//! `rovumactl draft`: drafts that are not released yet.

use std::fmt;

use clap::{Args, Subcommand};
use rovuma_api::{
    answers::gateway::{AdviceView, DraftView, ReleasedView},
    page::Page,
};
use rovuma_schemas::MessageId;
use serde_json::{Value, json};

use super::post;
use crate::{
    app::App,
    exit::{Exit, Outcome, fault_line, more_faults},
    output::{safe, table},
    session::{ApiServer, ServerArgs},
};

/// The commands on drafts of the agency.
#[derive(Debug, Subcommand)]
pub(crate) enum DraftCommand {
    /// List the drafts that are neither released nor discarded
    List {
        /// Only in this state: draft, pending_release, returned
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        server: ServerArgs,
    },
    /// Show a draft with its content, its version and its faults
    Show(DraftArgs),
    /// Submit a draft to a supervisor
    Submit(DraftArgs),
    /// Release a draft that you have read
    Release {
        #[command(flatten)]
        one: DraftArgs,
        /// The version that you have read, as draft show prints it
        #[arg(long)]
        version: i64,
    },
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
            Self::List { state, server } => {
                let client = server.client(app, ApiServer::Gateway).await?;
                let query: Vec<(&str, String)> = state.into_iter().map(|state| ("state", state)).collect();
                app.out.answer(&client.get("/v1/drafts", &query).await?, draft_table)?;
            }
            Self::Show(one) => {
                let client = one.server.client(app, ApiServer::Gateway).await?;
                app.out.answer(&client.get(&format!("/v1/drafts/{}", one.id), &[]).await?, draft_text)?;
            }
            Self::Submit(one) => {
                let client = one.server.client(app, ApiServer::Gateway).await?;
                app.out.answer(&post(&client, &one.path("submit"), None, None).await?, draft_text)?;
            }
            Self::Release { one, version } => {
                let client = one.server.client(app, ApiServer::Gateway).await?;
                let released = post(&client, &one.path("release"), None, Some(version)).await?;
                app.out.answer(&released, released_text)?;
            }
            Self::Return { one, reason, version } => {
                let client = one.server.client(app, ApiServer::Gateway).await?;
                let body = json!({ "reason": reason }).to_string();
                let returned = post(&client, &one.path("return"), Some(body.as_bytes()), version).await?;
                app.out.answer(&returned, draft_text)?;
            }
        }
        Ok(Exit::Ok)
    }
}

impl DraftArgs {
    fn path(&self, step: &str) -> String {
        format!("/v1/drafts/{}/{step}", self.id)
    }
}

/// A draft: the gateway leaves out content, faults and advice where whoever acts on the draft has read it.
pub(super) fn draft_text(f: &mut fmt::Formatter<'_>, draft: &DraftView) -> fmt::Result {
    writeln!(f, "{} {} version {}", draft.id, safe(&draft.state), draft.version)?;
    for (word, member) in [
        ("type", Some(&draft.message_type)),
        ("facet", draft.facet.as_ref()),
        ("status", draft.status.as_ref()),
        ("reference", draft.reference.as_ref()),
        ("author", Some(&draft.author)),
        ("second_person", draft.second_person.as_ref()),
        ("return_reason", draft.return_reason.as_ref()),
    ] {
        if let Some(member) = member {
            writeln!(f, "  {word} {}", safe(member))?;
        }
    }
    writeln!(f, "  fault_count {}", draft.fault_count)?;
    faults_text(f, draft)?;
    advice_text(f, draft.advice.as_deref().unwrap_or_default())?;
    let Some(content) = &draft.content else { return Ok(()) };
    // Valid JSON always reads; otherwise it is shown as it came.
    let content = serde_json::from_str(content.get()).unwrap_or_else(|_| Value::from(content.get()));
    write!(f, "{}", safe(&format!("{content:#}")))
}

/// One line for each fault of a draft that the gateway lists, and one for the number of the others.
pub(super) fn faults_text(f: &mut fmt::Formatter<'_>, draft: &DraftView) -> fmt::Result {
    let Some(faults) = &draft.faults else { return Ok(()) };
    faults.iter().try_for_each(|fault| writeln!(f, "  fault {}", fault_line(fault)))?;
    match more_faults(faults.len(), draft.faults_total) {
        Some(line) => writeln!(f, "  {line}"),
        None => Ok(()),
    }
}

/// One line for each advice.
pub(super) fn advice_text(f: &mut fmt::Formatter<'_>, advice: &[AdviceView]) -> fmt::Result {
    advice.iter().try_for_each(|advice| {
        let AdviceView { pointer, topic, message } = advice;
        writeln!(f, "  advice {}", safe(&format!("{pointer}: {message} ({topic})")))
    })
}

/// A message that was just released.
pub(super) fn released_text(f: &mut fmt::Formatter<'_>, released: &ReleasedView) -> fmt::Result {
    writeln!(f, "{} released", released.id)?;
    released.copies.iter().try_for_each(|copy| writeln!(f, "  to {} in lane {}", copy.recipient, copy.lane))
}

fn draft_table(f: &mut fmt::Formatter<'_>, page: &Page<DraftView>) -> fmt::Result {
    let row = |draft: &DraftView| {
        let text = |member: &Option<String>| member.clone().unwrap_or_default();
        vec![
            draft.id.to_string(),
            draft.state.clone(),
            draft.message_type.clone(),
            text(&draft.facet),
            text(&draft.reference),
            text(&draft.status),
            draft.fault_count.to_string(),
            draft.changed_at.to_string(),
        ]
    };
    let rows: Vec<Vec<String>> = page.items.iter().map(row).collect();
    table(f, &["ID", "STATE", "TYPE", "FACET", "REFERENCE", "STATUS", "FAULTS", "CHANGED"], &rows)
}
