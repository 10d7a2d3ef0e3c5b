//! `audit save`, `audit saved`, `audit forget`: keeps searches under a name.

use std::fmt;

use clap::Args;
use reqwest::{Method, header};
use rovuma_api::answers::audit::{SavedSearch, SavedSearches};
use serde_json::Value;

use super::filter::FilterArgs;
use crate::{
    app::App,
    client::segment,
    exit::{Exit, Outcome},
    output::table,
    session::{ApiServer, ServerArgs},
};

/// Options of `audit save`.
#[derive(Debug, Args)]
pub(crate) struct Save {
    /// The name, one line
    name: String,
    /// Replace the search that is kept under this name
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    filter: FilterArgs,
    #[command(flatten)]
    server: ServerArgs,
}

impl Save {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Audit).await?;
        let query = self.filter.query(&client).await?;
        let filter: serde_json::Map<String, Value> =
            query.into_iter().map(|(name, value)| (name, value.into())).collect();
        let mut request = client.request(Method::PUT, &path(&self.name))?.json(&filter);
        if !self.force {
            request = request.header(header::IF_NONE_MATCH, "*");
        }
        client.send::<()>(request).await?;
        app.out.note(format_args!("saved as {:?}", self.name));
        Ok(Exit::Ok)
    }
}

/// Options of `audit saved`.
#[derive(Debug, Args)]
pub(crate) struct Saved {
    #[command(flatten)]
    server: ServerArgs,
}

impl Saved {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Audit).await?;
        app.out.answer(&client.get("/v1/queries", &[]).await?, saved_table)?;
        Ok(Exit::Ok)
    }
}

/// Options of `audit forget`.
#[derive(Debug, Args)]
pub(crate) struct Forget {
    /// The name
    name: String,
    #[command(flatten)]
    server: ServerArgs,
}

impl Forget {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Audit).await?;
        client.send::<()>(client.request(Method::DELETE, &path(&self.name))?).await?;
        app.out.note(format_args!("{:?} removed", self.name));
        Ok(Exit::Ok)
    }
}

fn path(name: &str) -> String {
    format!("/v1/queries/{}", segment(name))
}

fn saved_table(f: &mut fmt::Formatter<'_>, saved: &SavedSearches) -> fmt::Result {
    let row = |search: &SavedSearch| {
        let filter = search.filter.iter();
        let filter: Vec<String> =
            filter.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default())).collect();
        vec![search.name.clone(), search.saved_at.to_string(), filter.join(" ")]
    };
    let rows: Vec<Vec<String>> = saved.items.iter().map(row).collect();
    table(f, &["NAME", "SAVED", "SEARCH"], &rows)
}
