//! `rovumactl agencies`: the agencies that a message can be sent to.

use std::fmt;

use clap::Args;
use rovuma_api::answers::gateway::{Agencies as AgenciesAnswer, AgencyRow};

use crate::{
    app::App,
    client::ServerAnswer,
    exit::{Exit, Outcome},
    output::table,
    session::{ApiServer, ServerArgs},
};

/// Options of `agencies`.
#[derive(Debug, Args)]
pub(crate) struct Agencies {
    #[command(flatten)]
    server: ServerArgs,
}

impl Agencies {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let agencies: ServerAnswer<AgenciesAnswer> = client.get("/v1/agencies", &[]).await?;
        app.out.answer(&agencies, agency_table)?;
        Ok(Exit::Ok)
    }
}

fn agency_table(f: &mut fmt::Formatter<'_>, agencies: &AgenciesAnswer) -> fmt::Result {
    let row = |agency: &AgencyRow| {
        vec![
            agency.code.to_string(),
            agency.name.clone(),
            agency.parent.clone().unwrap_or_default(),
            if agency.reachable { "" } else { "no key now: messages wait" }.to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = agencies.items.iter().map(row).collect();
    table(f, &["AGENCY", "NAME", "OF", ""], &rows)
}
