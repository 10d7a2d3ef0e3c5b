//! `audit bundle`: collects entries, proofs, messages and trust lists into one file that is checked without a server.

mod collect;
mod messages;

use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;
use rovuma_evidence::{
    CheckedEvidence, EvidenceBundle, EvidenceContents, EvidenceCounts, FORMAT, Manifest, Requester, render,
};
use rovuma_schemas::Locale;
use serde::Serialize;

use super::{filter::FilterArgs, verify::parse_policy};
use crate::{
    app::App,
    exit::{Exit, Failure, Outcome},
    files::{self, NewFile, read_text},
    session::{ApiServer, ServerArgs},
};

/// Options of `audit bundle`.
#[derive(Debug, Args)]
pub(crate) struct MakeBundle {
    /// The file to write, a ZIP; it must not be there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Which logs there are and whose cosignatures they need: the policy that was handed over
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Why messages are opened: a code or file reference, which is logged; without it none are in the bundle
    #[arg(long)]
    reason: Option<String>,
    /// The language of the report
    #[arg(long, value_name = "LANG", default_value_t = crate::client::own_locale())]
    language: Locale,
    #[command(flatten)]
    filter: FilterArgs,
    /// The gateway that has the messages [default: from the configuration]
    #[arg(long, value_name = "URL")]
    gateway: Option<String>,
    #[command(flatten)]
    server: ServerArgs,
}

/// The result of `audit bundle`.
#[derive(Debug, Serialize)]
struct BundleSummary {
    file: PathBuf,
    counts: EvidenceCounts,
    left_out: usize,
}

impl std::fmt::Display for BundleSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let EvidenceCounts { items, erased, messages, receipts, unproven, .. } = self.counts;
        writeln!(f, "{}", self.file.display())?;
        writeln!(f, "  entries   {items}, of which erased {erased}, without a proof {unproven}")?;
        write!(f, "  messages  {messages} with {receipts} receipts; not in the bundle {}", self.left_out)
    }
}

impl MakeBundle {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        files::must_be_new(&self.out)?;
        let text = read_text(&self.policy)?;
        let policy = parse_policy(&self.policy, &text)?;
        let audit = self.server.client(app, ApiServer::Audit).await?;
        let query = self.filter.query(&audit).await?;
        let caller = audit.caller();
        let mut contents = EvidenceContents {
            manifest: Manifest {
                format: FORMAT.to_owned(),
                made_at: app.now(),
                made_with: format!("rovumactl {}", env!("CARGO_PKG_VERSION")),
                language: self.language,
                requester: Requester {
                    subject: caller.subject,
                    agency: caller.agency.and_then(|agency| agency.parse().ok()),
                },
                reason: self.reason.clone(),
                query: query.iter().cloned().collect(),
                log_length: 0,
                end: 0,
                counts: EvidenceCounts::default(),
                heads: Vec::new(),
                erased: Vec::new(),
                left_out: Vec::new(),
                files: BTreeMap::new(),
            },
            policy: text,
            entries: BTreeMap::new(),
            messages: BTreeMap::new(),
            pruned: BTreeMap::new(),
            trust: BTreeMap::new(),
        };
        collect::collect_entries(&audit, &query, &mut contents).await?;
        let gateway = self.server.elsewhere(self.gateway.clone());
        messages::collect_messages(app, &gateway, self.filter.message(), &mut contents).await?;
        // Check before writing: a bundle that does not hold must not be passed on as evidence.
        let checked = CheckedEvidence::complete(&mut contents, &policy).map_err(|fault| {
            Failure::verification(format!("the servers' answers do not hold: {fault}"))
                .next("tell the national auditor, and keep this message")
        })?;
        let report = render(&contents, &checked).map_err(|fault| Failure::local(fault.to_string()))?;
        let mut bundle = EvidenceBundle { contents, report };
        let bytes = bundle.pack().map_err(|fault| Failure::usage(fault.to_string()))?;
        // The bundle may contain whole messages, so only its owner may read it.
        let mut file = NewFile::create(&self.out)?;
        file.write(&bytes)?;
        file.finish()?;
        let manifest = bundle.contents.manifest;
        app.out.show(&BundleSummary {
            file: self.out,
            counts: manifest.counts,
            left_out: manifest.left_out.len(),
        })?;
        Ok(Exit::Ok)
    }
}
