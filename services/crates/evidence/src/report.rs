//! The report: what a bundle proves, written for people.

use askama::Template;
use rovuma_envelope::Jws;
use rovuma_schemas::{
    CodeLists, Header, Locale, Timestamp,
    audit::{AuditLeaf, AuditOutcome},
    sentences,
};
use rovuma_tlog::Pruned;

use crate::{CheckedEntry, CheckedEvidence, EntryRole, EvidenceContents, LeftOut, MessageFiles};

/// The code list with the labels of audit actions.
const ACTIONS: &str = "audit_actions";

/// Renders the report of checked contents, in the language that their manifest names. The same contents give the same
/// report.
///
/// # Errors
/// The template's error. No contents can cause one.
pub fn render(contents: &EvidenceContents, checked: &CheckedEvidence) -> Result<String, askama::Error> {
    ReportTemplate::of(contents, checked).render()
}

rovuma_schemas::sentences! {
    /// The sentences of the report in one language.
    struct ReportText in sentences::EVIDENCE_REPORT;
    title, request, made_at, made_with, requester, reason, no_reason, query, everything, heads, log,
    head_size, root_hash, cosigned_by, proven, proven_inclusion, proven_content, proven_messages,
    proven_signers, not_proven, not_proven_truth, not_proven_completeness, not_proven_recording,
    not_proven_time, not_proven_report, erased, nothing_erased, erased_explanation, erasure_order,
    ordered_by, legal_basis, legal_basis_withheld, pruned_explanation, pruned_entries, written_policy,
    entries_after_head, counts, entries_found, entries_disclosed, entries_erased, entries_unproven,
    messages, receipts, entries, entry, time, action, actor, agency, object, outcome, outcome_success,
    outcome_refused, outcome_failed, note_erased, unproven_entries,
    unproven_explanation, makers_word, log_length, searched_below, entries_uncovered, messages_claim, sender, recipients,
    message_type, created, files, messages_left_out, left_out_no_reason, left_out_not_named,
    left_out_not_found, left_out_withheld, left_out_no_receipt, left_out_receipt, left_out_otherwise, how_to_verify,
}

impl ReportText {
    fn outcome_label(self, outcome: AuditOutcome) -> &'static str {
        match outcome {
            AuditOutcome::Success => self.outcome_success(),
            AuditOutcome::Refused => self.outcome_refused(),
            AuditOutcome::Failed => self.outcome_failed(),
        }
    }

    /// Why a message is not in the bundle, by the manifest's code.
    fn left_out_reason(self, code: &str) -> &'static str {
        match code {
            "no_reason" => self.left_out_no_reason(),
            "not_found" => self.left_out_not_found(),
            "not_named" => self.left_out_not_named(),
            "handling_breach" => self.left_out_withheld(),
            "unreadable" | "not_a_receipt" | "other_message" | "not_a_recipient" => {
                self.left_out_no_receipt()
            }
            _ => self.left_out_otherwise(),
        }
    }
}

#[derive(Template)]
#[template(path = "report.html")]
struct ReportTemplate<'a> {
    lang: Locale,
    text: ReportText,
    contents: &'a EvidenceContents,
    reason: &'a str,
    heads: Vec<HeadRow>,
    /// The proven entries, and apart from them those that nothing proves, if there are any.
    tables: Vec<EntryTable<'a>>,
    erased: Vec<ErasedRow<'a>>,
    pruned: Vec<PrunedRow<'a>>,
    left_out: Vec<(&'a LeftOut, &'a str)>,
    messages: Vec<MessageRow<'a>>,
    /// Number of entries that no good head covered when the bundle was made.
    later: u64,
}

struct HeadRow {
    origin: String,
    size: u64,
    root: String,
    cosigned: Vec<String>,
}

/// A table of entries.
struct EntryTable<'a> {
    heading: &'static str,
    note: Option<&'static str>,
    rows: Vec<EntryRow<'a>>,
}

/// A row of a table of entries.
struct EntryRow<'a> {
    number: String,
    time: String,
    action: &'a str,
    code: String,
    actor: &'a str,
    agency: &'a str,
    object: String,
    outcome: String,
    note: Option<&'static str>,
}

/// A row of the table of erased events.
struct ErasedRow<'a> {
    number: String,
    order: String,
    at: String,
    by: &'a str,
    /// The legal basis, as far as the requester may know it.
    legal_basis: &'a str,
}

/// A row of the table of logs that took entries out.
struct PrunedRow<'a> {
    said: &'a Pruned,
    at: String,
}

impl<'a> PrunedRow<'a> {
    fn of(said: &'a Pruned) -> Self {
        Self { said, at: instant(said.unix_s) }
    }
}

/// A time in seconds since the Unix epoch, in RFC 3339.
fn instant(unix_s: u64) -> String {
    Timestamp::from_unix_s(unix_s).map_or_else(|| unix_s.to_string(), |at| at.to_string())
}

/// A message, described by its own header.
struct MessageRow<'a> {
    id: String,
    says: Option<Header>,
    files: &'a MessageFiles,
    recipients: String,
}

impl<'a> ReportTemplate<'a> {
    fn of(contents: &'a EvidenceContents, checked: &'a CheckedEvidence) -> Self {
        let manifest = &contents.manifest;
        let (lang, text) = (manifest.language, ReportText::of(manifest.language));
        let items = checked.entries.values().filter(|entry| entry.role == EntryRole::Item);
        let (proven, unproven): (Vec<_>, Vec<_>) = items.partition(|entry| entry.is_proven());
        let rows = |entries: Vec<&'a CheckedEntry>| -> Vec<EntryRow<'a>> {
            entries.into_iter().map(|entry| EntryRow::of(entry, lang, text)).collect()
        };
        let mut tables = vec![EntryTable { heading: text.entries(), note: None, rows: rows(proven) }];
        if !unproven.is_empty() {
            let note = Some(text.unproven_explanation());
            tables.push(EntryTable { heading: text.unproven_entries(), note, rows: rows(unproven) });
        }
        Self {
            lang,
            text,
            contents,
            reason: manifest.reason.as_deref().unwrap_or(text.no_reason()),
            heads: checked.heads.values().map(HeadRow::of).collect(),
            tables,
            erased: erased_rows(checked, text),
            pruned: checked.pruned.iter().map(PrunedRow::of).collect(),
            left_out: manifest.left_out.iter().map(|left| (left, text.left_out_reason(&left.why))).collect(),
            messages: contents
                .messages
                .iter()
                .map(|(id, files)| MessageRow::of(id.to_string(), files))
                .collect(),
            later: manifest.log_length.saturating_sub(manifest.end),
        }
    }
}

impl HeadRow {
    fn of(checkpoint: &rovuma_tlog::Checkpoint) -> Self {
        let head = checkpoint.head();
        let cosigned = checkpoint.cosigned().iter();
        let cosigned = cosigned.map(|word| format!("{}, {}", word.witness, instant(word.unix_s))).collect();
        Self { origin: head.origin.clone(), size: head.size, root: head.root.to_string(), cosigned }
    }
}

impl<'a> EntryRow<'a> {
    fn of(entry: &'a CheckedEntry, lang: Locale, text: ReportText) -> Self {
        let leaf: &AuditLeaf = &entry.leaf;
        let action = leaf.action.as_str();
        // The detail `view` says how much of a message was shown: content, metadata, or its trace.
        let view = entry.event.as_ref().and_then(|event| event.details.get("view"));
        let code = view.map_or_else(|| action.to_owned(), |view| format!("{action}: {view}"));
        let object = leaf.object.as_ref().map(|object| format!("{} {}", object.kind, object.id));
        let reason = entry.event.as_ref().and_then(|event| event.reason.as_deref());
        let outcome = text.outcome_label(leaf.outcome);
        Self {
            number: number_of(entry),
            time: leaf.time.to_string(),
            action: CodeLists::shipped().label(ACTIONS, action, lang),
            code,
            actor: &leaf.actor,
            agency: leaf.agency.as_ref().map_or("", |agency| agency.as_str()),
            object: object.unwrap_or_default(),
            outcome: reason.map_or_else(|| outcome.to_owned(), |reason| format!("{outcome}: {reason}")),
            note: entry.erased_by.map(|_| text.note_erased()),
        }
    }
}

/// The proven number of an entry, from 0: its log and its place in that log. An entry that nothing proves has no number, only
/// the name of a log.
fn number_of(entry: &CheckedEntry) -> String {
    match entry.leaf_index {
        Some(leaf_index) => format!("{} {leaf_index}", entry.origin),
        None => entry.origin.clone(),
    }
}

fn erased_rows<'a>(checked: &'a CheckedEvidence, text: ReportText) -> Vec<ErasedRow<'a>> {
    let erased = checked.entries.values().filter_map(|entry| {
        let order = entry.erased_by?;
        let given = checked.entries.get(&order)?;
        let basis = given.event.as_ref().and_then(|event| event.details.get("legal_basis"));
        Some(ErasedRow {
            number: number_of(entry),
            order: number_of(given),
            at: given.leaf.time.to_string(),
            by: given.leaf.agency.as_ref().map_or("", |agency| agency.as_str()),
            legal_basis: basis.map_or(text.legal_basis_withheld(), String::as_str),
        })
    });
    erased.collect()
}

impl<'a> MessageRow<'a> {
    fn of(id: String, files: &'a MessageFiles) -> Self {
        let jws = files.signed.values().next().and_then(|jws| Jws::from_compact(jws).ok());
        let says = jws.and_then(|jws| rovuma_envelope::Unverified::new(jws).unverified_header().ok());
        let recipients = says.iter().flat_map(|header| &header.recipients);
        let recipients: Vec<String> = recipients.map(|recipient| recipient.agency.to_string()).collect();
        Self { id, says, files, recipients: recipients.join(", ") }
    }
}
