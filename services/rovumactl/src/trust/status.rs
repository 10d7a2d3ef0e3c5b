//! `trust status`: the trust lists that the gateway believes, and what ends soon.

use std::fmt;

use clap::Args;
use rovuma_api::answers::gateway::{ListView, Trust, Warning};

use crate::{
    app::App,
    client::ServerAnswer,
    exit::{Exit, Outcome},
    moments::local,
    output::{safe, table},
    session::{ApiServer, ServerArgs},
};

/// Options of `trust status`.
#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    server: ServerArgs,
}

impl Status {
    /// Shows the lists. The exit status is negative when there is a warning.
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Gateway).await?;
        let trust: ServerAnswer<Trust> = client.get("/v1/trust", &[]).await?;
        app.out.answer(&trust, trust_text)?;
        Ok(if trust.value.warnings.is_empty() { Exit::Ok } else { Exit::Negative })
    }
}

fn trust_text(f: &mut fmt::Formatter<'_>, trust: &Trust) -> fmt::Result {
    let row = |list: &ListView| {
        let agencies: Vec<String> = list.agencies.iter().map(|agency| agency.code.to_string()).collect();
        vec![
            list.country.to_string(),
            list.state.clone(),
            list.serial.to_string(),
            list.next_update.map(local).unwrap_or_default(),
            agencies.join(", "),
        ]
    };
    let rows: Vec<Vec<String>> = trust.lists.iter().map(row).collect();
    table(f, &["COUNTRY", "STATE", "SERIAL", "NEXT UPDATE", "AGENCIES"], &rows)?;
    for Warning { code, subject, at } in &trust.warnings {
        let at = at.map_or(String::new(), |at| format!(" {}", local(at)));
        writeln!(f, "warning: {}", safe(&format!("{code} {subject}{at}")))?;
    }
    Ok(())
}
