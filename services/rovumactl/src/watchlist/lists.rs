//! The lists of the watchlist, and what waits for a second person.

use std::{fmt, time::Duration};

use clap::Args;
use reqwest::Method;
use rovuma_api::answers::watchlist::{ListProposal, ListRow, Lists};

use crate::{
    app::App,
    client::{Client, ServerAnswer, segment},
    exit::{Exit, Failure, Outcome},
    moments::{local, readable},
    output::{safe, table},
    question::is_confirmed,
    session::{ApiServer, ServerArgs},
};

/// Options of `watchlist lists`.
#[derive(Debug, Args)]
pub(crate) struct ListLists {
    #[command(flatten)]
    server: ServerArgs,
}

/// Options of `watchlist show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The list, as rovumactl watchlist lists names it
    name: String,
    #[command(flatten)]
    server: ServerArgs,
}

/// Options of `watchlist approve`.
#[derive(Debug, Args)]
pub(crate) struct Approve {
    /// The list, as rovumactl watchlist lists names it
    name: String,
    /// Do not ask: you have read the figures
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Options of `watchlist remove`.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The list, as rovumactl watchlist lists names it
    name: String,
    #[command(flatten)]
    server: ServerArgs,
}

impl ListLists {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Watchlist).await?;
        app.out.answer(&lists(&client).await?, lists_text)?;
        Ok(Exit::Ok)
    }
}

impl Show {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Watchlist).await?;
        let mut lists = lists(&client).await?;
        let Some(place) = lists.value.items.iter().position(|row| row.list.id == self.name) else {
            return Err(Failure::new(Exit::Refused, format!("there is no list {:?}", self.name))
                .next("rovumactl watchlist lists shows their names"));
        };
        let shown = ServerAnswer {
            value: lists.value.items.swap_remove(place),
            raw: lists.raw["items"][place].take(),
        };
        app.out.answer(&shown, list_text)?;
        Ok(Exit::Ok)
    }
}

async fn lists(client: &Client) -> Outcome<ServerAnswer<Lists>> {
    client.get("/v1/lists", &[]).await
}

impl Approve {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.uploading_client(app, ApiServer::Watchlist).await?;
        let lists = lists(&client).await?.value;
        let row = lists.items.into_iter().find(|row| row.list.id == self.name);
        let Some(proposal) = row.and_then(|row| row.proposal) else {
            return Err(Failure::new(
                Exit::Refused,
                format!("nothing about {:?} waits for a second person", self.name),
            )
            .next("rovumactl watchlist lists shows what waits"));
        };
        app.out.note(std::fmt::from_fn(|f| proposal_text(f, &self.name, &proposal)));
        let instead = "rovumactl watchlist approve --yes approves it without asking";
        if !self.yes && !is_confirmed(app, "Approve it?", instead)? {
            return Ok(Exit::Negative);
        }
        // Its id: what another proposal has put in its place meanwhile is not approved.
        let path = format!("/v1/lists/{}/approval", segment(&self.name));
        let request = client.request(Method::POST, &path)?.query(&[("proposal", proposal.id.to_string())]);
        let done: ServerAnswer<Lists> = client.send(request).await.map_err(explained)?;
        app.out.answer(&done, lists_text)?;
        Ok(Exit::Ok)
    }
}

fn explained(failure: Failure) -> Failure {
    if failure.is_refusal("second_person") {
        return failure
            .next("ask a colleague: a supervisor or an administrator of an agency of this installation");
    }
    failure
}

impl Remove {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Watchlist).await?;
        let request = client.request(Method::DELETE, &format!("/v1/lists/{}", segment(&self.name)))?;
        let proposal: ServerAnswer<ListProposal> = client.send(request).await?;
        app.out.answer(&proposal, |f, proposal| {
            proposal_text(f, &self.name, proposal)?;
            writeln!(f, "\nA colleague approves it: rovumactl watchlist approve {}", safe(&self.name))
        })?;
        Ok(Exit::Ok)
    }
}

const HEADING: [&str; 9] =
    ["LIST", "SOURCE", "STATE", "AGE", "VERSION", "ENTRIES", "DATED", "DIGEST", "WAITS"];

fn lists_text(f: &mut fmt::Formatter<'_>, lists: &Lists) -> fmt::Result {
    let rows: Vec<Vec<String>> = lists.items.iter().map(row).collect();
    table(f, &HEADING, &rows)?;
    for row in &lists.items {
        if let Some(proposal) = &row.proposal {
            writeln!(f)?;
            proposal_text(f, &row.list.id, proposal)?;
            writeln!(f)?;
        }
    }
    Ok(())
}

fn row(row: &ListRow) -> Vec<String> {
    let file = row.file.as_ref();
    vec![
        row.list.id.clone(),
        row.source.clone(),
        row.list.state.clone(),
        row.list.age_s.map(|age| readable(Duration::from_secs(age))).unwrap_or_default(),
        row.list.version.to_string(),
        row.entries.to_string(),
        file.and_then(|file| file.dated.clone()).unwrap_or_default(),
        file.map(|file| file.digest.clone()).unwrap_or_default(),
        row.proposal.as_ref().map(|proposal| proposal.act.clone()).unwrap_or_default(),
    ]
}

/// One list, whole.
fn list_text(f: &mut fmt::Formatter<'_>, row: &ListRow) -> fmt::Result {
    let file = row.file.as_ref();
    let sections = file.map(|file| {
        let sections: Vec<String> =
            file.sections.iter().map(|(name, count)| format!("{name} {count}")).collect();
        sections.join(", ")
    });
    let lines = [
        ("list", Some(row.list.id.clone())),
        ("source", Some(row.source.clone())),
        ("state", Some(row.list.state.clone())),
        ("heard", row.list.age_s.map(|age| format!("{} ago", readable(Duration::from_secs(age))))),
        ("version", Some(row.list.version.to_string())),
        ("entries", Some(row.entries.to_string())),
        ("loaded", row.loaded_at.map(local)),
        ("dated", file.and_then(|file| file.dated.clone())),
        ("records", file.map(|file| file.records.to_string())),
        ("sections", sections),
        ("digest", file.map(|file| file.digest.clone())),
    ];
    for (label, value) in lines {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            writeln!(f, "{label:<9} {}", safe(&value))?;
        }
    }
    if let Some(proposal) = &row.proposal {
        writeln!(f)?;
        proposal_text(f, &row.list.id, proposal)?;
        writeln!(f)?;
    }
    Ok(())
}

/// What is proposed, with the figures by which a second person decides.
fn proposal_text(f: &mut fmt::Formatter<'_>, name: &str, proposal: &ListProposal) -> fmt::Result {
    let what = match (&proposal.file, proposal.act.as_str()) {
        (Some(file), _) => {
            let sections: Vec<_> =
                file.sections.iter().map(|(name, count)| format!("{name} {count}")).collect();
            format!(
                "import of {} records ({}), dated {}, digest {}, in the place of {}",
                file.records,
                sections.join(", "),
                file.dated.as_deref().unwrap_or("not said"),
                file.digest,
                proposal.records_before
            )
        }
        (None, "removal") => format!("removal of its {} records", proposal.records_before),
        (None, other) => other.to_owned(),
    };
    let text = format!(
        "{name}: {what}\n  why a second person: {}\n  proposed by {} at {}, lapses at {}",
        proposal.reasons.join(", "),
        proposal.proposed_by,
        local(proposal.proposed_at),
        local(proposal.ends)
    );
    f.write_str(&safe(&text))
}
