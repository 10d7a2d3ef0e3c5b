//! Screening whole: a scan, a list, a verdict. Each test of a public report has the report's short name.

mod documents;
mod rules;
mod vehicles;
mod zones;

use rovuma_schemas::{AgencyCode, CaseId, MessageId, Timestamp};

use super::*;

/// A listed number of this kind; the rest is for the test to say.
pub(super) fn number(kind: NumberKind, value: &str, qualifier: Option<&str>) -> ListedNumber {
    ListedNumber {
        kind,
        value: value.to_owned(),
        value_to: None,
        qualifier: qualifier.map(str::to_owned),
        document_type: (kind == NumberKind::Document).then(|| "passport".to_owned()),
        is_misused: false,
        key: None,
    }
}

pub(super) fn subject(number: ListedNumber) -> ListedSubject {
    ListedSubject { key: Some("d1".to_owned()), numbers: vec![number], ..ListedSubject::default() }
}

/// An alert of `tz.tpf`, in force, about this subject.
pub(super) fn alert(subject: ListedSubject) -> Listed {
    let id = MessageId::draw(now());
    Listed {
        list: "alerts.mz.prm".to_owned(),
        reference: "AB12CD7".to_owned(),
        alert: Some(AlertFacts {
            case: CaseId { kind: "alert".to_owned(), owner: agency("tz.tpf"), id },
            version: 1,
            state: "active".to_owned(),
            status: "actual".to_owned(),
            handling: "H0".to_owned(),
            category: "document".to_owned(),
            actions: vec!["seize".to_owned()],
            warnings: Vec::new(),
            ends: Some("2027-01-01T00:00:00Z".parse().expect("an instant")),
            confirm_by: None,
            flagged: None,
            held_by: vec![agency("mz.prm")],
        }),
        subjects: vec![subject],
    }
}

pub(super) fn agency(code: &str) -> AgencyCode {
    code.parse().expect("an agency")
}

pub(super) fn now() -> Timestamp {
    "2026-11-30T12:00:00Z".parse().expect("an instant")
}

pub(super) fn typed(kind: Option<ScanKind>, text: &str) -> Scan {
    Scan { text: text.to_owned(), kind, ..Scan::default() }
}

pub(super) fn zone(lines: &[&str]) -> Scan {
    Scan { text: lines.join("\r\n"), source: ScanSource::Reader, ..Scan::default() }
}

pub(super) fn at_namoto() -> Crossing {
    Crossing { post: "namoto_kilambo".to_owned(), direction: "exit".to_owned(), asks_protection: false }
}

/// Screens at a crossing of Mozambique against these entries.
pub(super) fn screen(scan: &Scan, entries: &[Listed]) -> Result<Judged, Unreadable> {
    screen_with(scan, entries, Some(&at_namoto()), &Rules::default())
}

pub(super) fn screen_with(
    scan: &Scan,
    entries: &[Listed],
    crossing: Option<&Crossing>,
    rules: &Rules,
) -> Result<Judged, Unreadable> {
    let mut index = Index::default();
    let numbered = |place: usize| EntryNo::try_from(place).expect("few entries");
    for (place, entry) in entries.iter().enumerate() {
        index.add(numbered(place), entry);
    }
    let looked = Looked::look(scan, &index)?;
    let found = looked.candidates.iter().map(|entry| (*entry, entries[*entry as usize].clone())).collect();
    let question = Question { scan, crossing, rules, agency: &agency("mz.prm"), now: now() };
    Ok(judge(&question, looked, found))
}

/// The verdict, and whether the first finding is forwarded.
pub(super) fn verdict(scan: &Scan, entries: &[Listed]) -> (Verdict, bool) {
    let judged = screen(scan, entries).expect("it can be read");
    (judged.verdict, judged.findings.first().is_some_and(Finding::forwards))
}
