//! `audit export`: writes all entries that a search finds to a file.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use reqwest::{Method, header};

use super::filter::FilterArgs;
use crate::{
    app::App,
    exit::{Exit, Failure, Outcome},
    files, progress,
    session::{ApiServer, ServerArgs},
};

/// Options of `audit export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The file to write; it must not be there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The format [default: by the file's ending, or csv]
    #[arg(long, value_enum)]
    form: Option<ExportForm>,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExportForm {
    /// a table, for spreadsheets
    Csv,
    /// everything, for programs
    Json,
}

impl Export {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        files::must_be_new(&self.out)?;
        let is_json = self.out.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
        let form = self.form.unwrap_or(if is_json { ExportForm::Json } else { ExportForm::Csv });
        let client = self.server.client(app, ApiServer::Audit).await?;
        let query = self.filter.query(&client).await?;
        let accept = if form == ExportForm::Csv { "text/csv" } else { "application/json" };
        let request = client.request(Method::GET, "/v1/export")?.query(&query).header(header::ACCEPT, accept);
        let response = client.send_raw(request).await?;
        let status = response.status();
        let count =
            response.headers().get("rovuma-count").and_then(|count| count.to_str().ok()?.parse::<u64>().ok());
        if !status.is_success() {
            return Err(client.refusal(status, &client.body(response).await?));
        }
        let activity = format!("writing {}", self.out.display());
        // The export says who did what, so only its owner may read it.
        let file = files::NewFile::create(&self.out)?;
        progress::waiting(&activity, client.save(response, file)).await?;
        let count = count.ok_or_else(|| {
            Failure::unreachable("the audit service did not announce the number of entries")
        })?;
        app.out.note(format_args!("{count} entries in {}", self.out.display()));
        Ok(Exit::Ok)
    }
}
