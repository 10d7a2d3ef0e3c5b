//! `audit bundle`: collects entries, proofs, messages and trust lists into one file that is checked without a server.

mod collect;
mod messages;
mod part;

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Args, builder::NonEmptyStringValueParser};
use rovuma_envelope::digest;
use rovuma_evidence::{
    CheckedEvidence, EvidenceBundle, EvidenceContents, EvidenceCounts, FORMAT, LeftOut, Manifest,
    ReceiptName, Requester, UncoveredEntries, Withheld, render,
};
use rovuma_schemas::{Locale, Timestamp};
use serde::Serialize;

use self::part::{BundleRequest, PartFile};
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
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    reason: Option<String>,
    /// The language of the report
    #[arg(long, value_name = "LANG", default_value_t = crate::client::own_locale())]
    language: Locale,
    #[command(flatten)]
    filter: FilterArgs,
    /// Accept that entries which no cosigned head covers yet are left out: without this the bundle is written, but the command
    /// ends with 1
    #[arg(long)]
    without_uncovered: bool,
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
    /// The messages that are not in the bundle.
    left_out: usize,
    /// Those of them whose content their sender's handling code keeps at the gateway.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    withheld: Vec<LeftOut>,
    /// The receipts that are not in the bundle though their messages are.
    receipts_left_out: Vec<LeftOut>,
    /// The matching entries that are not in the bundle, because no cosigned head covers them.
    #[serde(skip_serializing_if = "Option::is_none")]
    uncovered: Option<UncoveredEntries>,
}

/// Maximum number of receipts left out that are shown one by one; the manifest names all of them.
const SHOWN_MAX: usize = 10;

impl std::fmt::Display for BundleSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let EvidenceCounts { items, erased, messages, receipts, unproven, .. } = self.counts;
        writeln!(f, "{}", self.file.display())?;
        writeln!(f, "  entries   {items}, of which erased {erased}, without a proof {unproven}")?;
        write!(f, "  messages  {messages} with {receipts} receipts; not in the bundle {}", self.left_out)?;
        for LeftOut { id, receipt, why, .. } in self.receipts_left_out.iter().take(SHOWN_MAX) {
            let Some(ReceiptName { id: receipt, signer, digest }) = receipt else { continue };
            write!(
                f,
                "\n  left out  receipt {receipt} of {signer} for message {id}: {why} (SHA-256 {digest})"
            )?;
        }
        for line in self.withheld.iter().take(SHOWN_MAX).filter_map(withheld_text) {
            write!(f, "\n  left out  {line}")?;
        }
        if let Some(more) = self.withheld.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
            write!(f, "\n  left out  {more} more messages that are withheld, see manifest.json")?;
        }
        if let Some(more) = self.receipts_left_out.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
            write!(f, "\n  left out  {more} more receipts, see manifest.json")?;
        }
        match self.uncovered {
            Some(later) => {
                write!(f, "\n  missing   {}\n  next      {UNCOVERED_NEXT}", uncovered_text(later))
            }
            None => Ok(()),
        }
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
        let request = BundleRequest {
            requester: Requester {
                subject: caller.subject,
                agency: caller.agency.and_then(|agency| agency.parse().ok()),
            },
            reason: self.reason.clone(),
            query: query.iter().cloned().collect(),
            language: self.language,
            policy: digest(text.as_bytes()),
        };
        let (mut part, mut fetched) = PartFile::open(&self.out, &request)?;
        let entries = match fetched.entries.take() {
            Some(entries) => {
                let (count, messages) = (entries.entries.len(), fetched.messages.len());
                app.out.note(format_args!(
                    "going on with {}: {count} entries of {} and {messages} messages were fetched before",
                    part.path().display(),
                    entries.at
                ));
                entries
            }
            None => {
                let entries = match collect::fetch_entries(&audit, &query, app.now()).await {
                    Ok(entries) => entries,
                    Err(failure) => {
                        part.remove()?;
                        return Err(failure);
                    }
                };
                part.keep_entries(&entries)?;
                entries
            }
        };
        if entries.entries.is_empty() {
            part.remove()?;
            return Err(nothing_found(entries.uncovered));
        }
        let mut contents = empty_contents(request, text, entries.at);
        collect::insert_entries(&mut contents, entries);
        let gateway = self.server.elsewhere(self.gateway.clone());
        let requested = self.filter.message();
        let collected =
            messages::collect_messages(app, &gateway, requested, (&mut part, fetched), &mut contents).await;
        collected.map_err(|failure| goes_on(failure, &part))?;
        // Check before writing: a bundle that does not hold must not be passed on as evidence.
        let checked = match CheckedEvidence::complete(&mut contents, &policy) {
            Ok(checked) => checked,
            Err(fault) => {
                part.remove()?;
                let what = format!("the servers' answers do not hold: {fault}");
                return Err(
                    Failure::verification(what).next("tell the national auditor, and keep this message")
                );
            }
        };
        let report = render(&contents, &checked).map_err(|fault| Failure::local(fault.to_string()))?;
        let mut bundle = EvidenceBundle { contents, report };
        let bytes = bundle.pack().map_err(|fault| Failure::usage(fault.to_string()))?;
        // The bundle may contain whole messages, so only its owner may read it.
        let mut file = NewFile::create(&self.out)?;
        file.write(&bytes)?;
        file.finish()?;
        part.remove()?;
        let manifest = bundle.contents.manifest;
        let (receipts_left_out, messages_left_out): (Vec<_>, Vec<_>) =
            manifest.left_out.into_iter().partition(|left| left.receipt.is_some());
        let uncovered = manifest.uncovered;
        app.out.show(&BundleSummary {
            file: self.out,
            counts: manifest.counts,
            left_out: messages_left_out.len(),
            withheld: messages_left_out.into_iter().filter(|left| left.withheld.is_some()).collect(),
            receipts_left_out,
            uncovered,
        })?;
        Ok(if uncovered.is_some() && !self.without_uncovered { Exit::Negative } else { Exit::Ok })
    }
}

/// The failure when no entry is found that could be proved.
fn nothing_found(uncovered: Option<UncoveredEntries>) -> Failure {
    match uncovered {
        Some(later) => {
            Failure::new(Exit::Negative, format!("there is nothing to prove yet: {}", uncovered_text(later)))
                .next(UNCOVERED_NEXT)
        }
        None => Failure::new(Exit::Negative, "no entry matches, so there is nothing to prove")
            .next("look with rovumactl audit search, which takes the same options"),
    }
}

/// Adds to a failure that the command can be given again.
fn goes_on(failure: Failure, part: &PartFile) -> Failure {
    let kept = format!(
        "then give the same command again: it goes on with what is in {}, or remove that file",
        part.path().display()
    );
    let next = failure.next.clone().map_or_else(|| kept.clone(), |next| format!("{next}; {kept}"));
    failure.next(next)
}

/// A sentence about a message whose content its sender's handling code keeps at the gateway.
pub(super) fn withheld_text(left: &LeftOut) -> Option<String> {
    let Withheld { sender, handling, digest } = left.withheld.as_ref()?;
    let (id, handling) = (left.id, handling.as_str());
    Some(format!("withheld: handling code {handling}: message {id} of {sender} (SHA-256 {digest})"))
}

/// A sentence about matching entries that are not in a bundle.
pub(super) fn uncovered_text(UncoveredEntries { count, since }: UncoveredEntries) -> String {
    format!("{count} matching entries, the first stored at {since}, are covered by no cosigned head yet")
}

/// What to do about entries that no head covers.
const UNCOVERED_NEXT: &str = "make the bundle again when the partner's cosignature has come (rovumactl audit watch shows it), ask for \
     an earlier time with --to, or accept that they are left out with --without-uncovered";

fn empty_contents(request: BundleRequest, policy: String, made_at: Timestamp) -> EvidenceContents {
    let BundleRequest { requester, reason, query, language, policy: _ } = request;
    EvidenceContents {
        manifest: Manifest {
            format: FORMAT.to_owned(),
            made_at,
            made_with: format!("rovumactl {}", env!("CARGO_PKG_VERSION")),
            language,
            requester,
            reason,
            query,
            log_length: 0,
            end: 0,
            uncovered: None,
            counts: EvidenceCounts::default(),
            heads: Vec::new(),
            erased: Vec::new(),
            left_out: Vec::new(),
            files: BTreeMap::new(),
        },
        policy,
        entries: BTreeMap::new(),
        messages: BTreeMap::new(),
        pruned: BTreeMap::new(),
        trust: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use rovuma_evidence::{EntryRole, EvidenceEntry};
    use rovuma_schemas::{
        Digest, Epoch, MessageId, StoreId,
        audit::{
            AUDIT_VERSION, AuditAction, AuditEvent, AuditLeaf, AuditObject, AuditOutcome, FIRST_PREVIOUS,
        },
    };

    use super::*;

    /// Contents with entries that say that a message with this digest was sent, and that these receipts for it were accepted.
    /// Their proofs prove nothing.
    pub(super) fn contents_naming(id: &MessageId, sent: Digest, receipts: &[Digest]) -> EvidenceContents {
        let at = "2026-11-27T10:00:00Z".parse().expect("RFC 3339");
        let mut details =
            vec![(AuditAction::MessageSend, BTreeMap::from([("digest".to_owned(), sent.to_string())]))];
        details.extend(receipts.iter().map(|receipt| {
            let names =
                [("digest".to_owned(), sent.to_string()), ("receipt".to_owned(), receipt.to_string())];
            (AuditAction::ReceiptAccept, BTreeMap::from(names))
        }));
        let entries = (0..).zip(details).map(|(index, (action, details))| {
            let event = AuditEvent {
                version: AUDIT_VERSION,
                id: MessageId::draw(at),
                source: "mz.gateway.police".to_owned(),
                epoch: Epoch::from_slice(&[7; 16]).expect("16 bytes"),
                sequence: index + 1,
                previous: FIRST_PREVIOUS,
                time: at,
                actor: "officer-1".to_owned(),
                session: None,
                agency: None,
                action,
                object: Some(AuditObject::new("message", id.to_string())),
                purpose: None,
                outcome: AuditOutcome::Success,
                reason: None,
                blind: Some(StoreId::draw()),
                details,
            };
            let leaf = String::from_utf8(AuditLeaf::of(&event, digest(b"")).to_bytes()).expect("UTF-8");
            let entry = EvidenceEntry {
                index,
                role: EntryRole::Item,
                origin: "mz.audit/2026".to_owned(),
                leaf,
                event: None,
                erased_by: None,
                erasure: None,
                proof: Some(String::new()),
            };
            (index, entry)
        });
        let request = BundleRequest {
            requester: Requester { subject: "auditor-1".to_owned(), agency: None },
            reason: Some("AUD-7".to_owned()),
            query: BTreeMap::new(),
            language: Locale::En,
            policy: digest(b""),
        };
        EvidenceContents { entries: entries.collect(), ..empty_contents(request, String::new(), at) }
    }
}
