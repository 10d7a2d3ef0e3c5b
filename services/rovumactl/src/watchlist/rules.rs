//! The rules of the watchlist: what follows from a match, changed by two people.

use std::fmt;

use clap::{Args, ValueEnum};
use reqwest::Method;
use rovuma_api::answers::watchlist::{RuleRow, Rules};
use rovuma_schemas::CodeLists;
use serde_json::json;

use crate::{
    app::App,
    client::{Client, ServerAnswer, own_locale, segment},
    exit::{Exit, Failure, Outcome},
    moments::local,
    output::table,
    question::is_confirmed,
    session::{ApiServer, ServerArgs},
};

/// Options of `watchlist rules`.
#[derive(Debug, Args)]
pub(crate) struct ListRules {
    #[command(flatten)]
    server: ServerArgs,
}

/// Options of `watchlist change-rule`.
#[derive(Debug, Args)]
pub(crate) struct ChangeRule {
    /// The rule, as rovumactl watchlist rules names it
    code: String,
    /// Whether what it finds is told to the alert's owner without a person
    #[arg(long, value_name = "WORD")]
    forwards: Word,
    /// Why: a code or file reference. It is logged
    #[arg(long, value_name = "CODE")]
    reason: String,
    #[command(flatten)]
    server: ServerArgs,
}

/// Options of `watchlist approve-rule`.
#[derive(Debug, Args)]
pub(crate) struct ApproveRule {
    /// The rule, as rovumactl watchlist rules names it
    code: String,
    /// Do not ask: you have read what is proposed
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Word {
    Yes,
    No,
}

impl ListRules {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Watchlist).await?;
        app.out.answer(&rules(&client).await?, rules_text)?;
        Ok(Exit::Ok)
    }
}

async fn rules(client: &Client) -> Outcome<ServerAnswer<Rules>> {
    client.get("/v1/rules", &[]).await
}

impl ChangeRule {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Watchlist).await?;
        let body = json!({ "forwards": self.forwards == Word::Yes, "reason": self.reason });
        let request =
            client.request(Method::POST, &format!("/v1/rules/{}", segment(&self.code)))?.json(&body);
        let proposed: ServerAnswer<Rules> = client.send(request).await?;
        app.out.answer(&proposed, rules_text)?;
        app.out.note(format_args!(
            "nothing changes until a colleague approves it: rovumactl watchlist approve-rule {}",
            self.code
        ));
        Ok(Exit::Ok)
    }
}

impl ApproveRule {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let client = self.server.client(app, ApiServer::Watchlist).await?;
        let found = rules(&client).await?.value.items.into_iter().find(|rule| rule.code == self.code);
        let Some(proposal) = found.and_then(|rule| rule.proposal) else {
            let what = format!("nothing about {:?} waits for a second person", self.code);
            return Err(Failure::new(Exit::Refused, what).next("rovumactl watchlist rules shows what waits"));
        };
        app.out.note(format_args!(
            "{} version {}: forwards {}; proposed by {} at {}, {}",
            self.code,
            proposal.version,
            word(proposal.forwards),
            proposal.proposed_by,
            local(proposal.proposed_at),
            proposal.reason
        ));
        let instead = "rovumactl watchlist approve-rule --yes approves it without asking";
        if !self.yes && !is_confirmed(app, "Approve it?", instead)? {
            return Ok(Exit::Negative);
        }
        // Its version: what another proposal has put in its place meanwhile is not approved.
        let path = format!("/v1/rules/{}/approval", segment(&self.code));
        let request = client.request(Method::POST, &path)?.json(&json!({ "version": proposal.version }));
        let done: ServerAnswer<Rules> = client.send(request).await?;
        app.out.answer(&done, rules_text)?;
        Ok(Exit::Ok)
    }
}

const HEADING: [&str; 6] = ["RULE", "WHAT", "VERSION", "FORWARDS", "SINCE", "WAITS"];

fn rules_text(f: &mut fmt::Formatter<'_>, rules: &Rules) -> fmt::Result {
    let rows: Vec<Vec<String>> = rules.items.iter().map(row).collect();
    table(f, &HEADING, &rows)
}

fn row(rule: &RuleRow) -> Vec<String> {
    let waits = rule.proposal.as_ref();
    vec![
        rule.code.clone(),
        CodeLists::shipped().label("matching_rules", &rule.code, own_locale()).to_owned(),
        rule.version.to_string(),
        word(rule.forwards).to_owned(),
        rule.approved_at.map(local).unwrap_or_default(),
        waits
            .map(|proposal| format!("version {}: forwards {}", proposal.version, word(proposal.forwards)))
            .unwrap_or_default(),
    ]
}

const fn word(forwards: bool) -> &'static str {
    if forwards { "yes" } else { "no" }
}
