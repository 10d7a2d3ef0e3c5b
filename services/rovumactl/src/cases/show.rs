//! `case show`, `case timeline` and `case replay`.

use clap::Args;
use rovuma_api::answers::gateway::{CaseStep, CaseTimeline, CaseView};
use rovuma_schemas::{AgencyCode, Timestamp};

use super::{
    name,
    text::{CaseReader, case_text, timeline_text},
};
use crate::{
    app::App,
    client::{Client, ServerAnswer},
    exit::{Exit, Outcome},
    moments,
    reading::LanguageArgs,
    session::{ApiServer, ServerArgs},
};

/// The case to show, and how.
#[derive(Debug, Args)]
pub(crate) struct CaseArgs {
    /// Its short reference, the beginning of its file number, a message of it, or its name KIND/OWNER/ID
    case: String,
    #[command(flatten)]
    language: LanguageArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Options of `case show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    one: CaseArgs,
}

/// Options of `case timeline`.
#[derive(Debug, Args)]
pub(crate) struct Timeline {
    #[command(flatten)]
    one: CaseArgs,
    /// As it was at this instant
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    at: Option<Timestamp>,
}

/// Options of `case replay`.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    one: CaseArgs,
    /// The instant: what had arrived by then counts, and nothing else
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    at: Timestamp,
}

impl Show {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        self.one.show(app, None).await
    }
}

impl Replay {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        self.one.show(app, Some(self.at)).await
    }
}

impl Timeline {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.one.server.client(app, ApiServer::Gateway).await?;
        let case = name::find(&client, &self.one.case).await?;
        let timeline = name::timeline(&client, &case, self.at).await?;
        let reader = self.one.reader(app, &client, &agencies_of(&timeline.value.steps)).await;
        app.out.answer(&timeline, |f, CaseTimeline { steps }| timeline_text(f, steps, &reader))?;
        Ok(Exit::Ok)
    }
}

impl CaseArgs {
    async fn reader(&self, app: &App, client: &Client, agencies: &[AgencyCode]) -> CaseReader {
        let reader = self.language.reader(app, &self.server, client, agencies, &[]).await;
        CaseReader::new(app, client, reader)
    }

    async fn show(&self, app: &App, at: Option<Timestamp>) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let case = name::find(&client, &self.case).await?;
        let view = name::open(&client, &case, at).await?;
        let timeline = name::timeline(&client, &case, at).await?;
        let mut agencies = agencies_of(&timeline.value.steps);
        agencies.extend(view.value.freshness.iter().map(|fresh| fresh.agency.clone()));
        let reader = self.reader(app, &client, &agencies).await;
        let steps = timeline.value.steps;
        // One answer of two: the case as the gateway gave it, with its time line.
        let mut raw = view.raw;
        raw["steps"] = timeline.raw.get("steps").cloned().unwrap_or_default();
        let both = ServerAnswer { value: view.value, raw };
        app.out.answer(&both, |f, view: &CaseView| case_text(f, view, &steps, &reader, at))?;
        Ok(Exit::Ok)
    }
}

fn agencies_of(steps: &[CaseStep]) -> Vec<AgencyCode> {
    let recipients =
        steps.iter().flat_map(|step| step.receipts.iter().map(|receipt| receipt.recipient.clone()));
    steps.iter().map(|step| step.sender.clone()).chain(recipients).collect()
}
