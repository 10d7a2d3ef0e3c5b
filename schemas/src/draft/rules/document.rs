//! Documents: numbers, dates, machine readable zones; those of persons too.

use crate::{
    Category, Date,
    checks::mrz::{self, Mrz, MrzFault},
    draft::rules::Checker,
    fault::FaultCode,
    view::View,
};

/// The statuses that are a reason for an alert on a document.
const ALERTED: [&str; 5] = ["stolen", "stolen_blank", "lost", "revoked", "forged"];

pub(super) fn check(checker: &mut Checker<'_>) {
    let subjects = checker.subjects();
    for document in subjects.field("documents").items() {
        status(checker, &document);
        one(checker, &document);
    }
    for person in subjects.field("persons").items() {
        person.field("documents").items().iter().for_each(|document| one(checker, document));
    }
}

fn status(checker: &mut Checker<'_>, document: &View<'_>) {
    let status = document.field("status");
    let alerted = status.text().is_some_and(|status| ALERTED.contains(&status));
    // A code that is in no list is told as that.
    let listed = checker.context.lists.get("document_statuses");
    let unknown = status.text().is_some_and(|code| listed.is_none_or(|list| list.find(code).is_none()));
    if checker.category() == Some(Category::Document) && !alerted && !unknown {
        checker.tell(&status.at, FaultCode::DocumentStatusMissing);
    }
}

fn one(checker: &mut Checker<'_>, document: &View<'_>) {
    let (number, mrz) = (document.field("number"), document.field("mrz"));
    if !number.is_there() && mrz.items().is_empty() {
        checker.tell(&number.at, FaultCode::DocumentWithoutNumber);
    }
    number_shape(checker, document, &number);
    dates(checker, document);
    let lines: Vec<&str> = mrz.items().iter().filter_map(View::text).collect();
    if lines.is_empty() {
        return;
    }
    match mrz::read(&lines) {
        Ok(zone) => compare(checker, document, &zone),
        Err(MrzFault::Shape) => checker.tell(&mrz.at, FaultCode::MrzShape),
        Err(MrzFault::CheckDigit(field)) => checker.tell_with(&mrz.at, FaultCode::MrzCheckDigit, field),
    }
}

/// The numbers whose form is known: the Mozambican identity card has twelve digits and a letter,
/// the Tanzanian NIDA number twenty digits.
fn number_shape(checker: &mut Checker<'_>, document: &View<'_>, number: &View<'_>) {
    let Some(text) = number.text() else { return };
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let (fits, form) = match document.field("type").text() {
        Some("bi_mz") => {
            let letter = text.chars().last().is_some_and(|last| last.is_ascii_uppercase());
            (letter && digits(text.get(..text.len() - 1).unwrap_or_default(), 12), "000000000000A")
        }
        Some("nida_tz") => (digits(&text.replace('-', ""), 20), "00000000-00000-00000-00"),
        _ => return,
    };
    if !fits {
        checker.tell_with(&number.at, FaultCode::DocumentNumberShape, form);
    }
}

fn dates(checker: &mut Checker<'_>, document: &View<'_>) {
    let (issued, expires) = (document.field("issued"), document.field("expires"));
    let issued_on = issued.parsed::<Date>();
    if issued_on.is_some_and(|date| date > checker.context.today()) {
        checker.tell(&issued.at, FaultCode::DateInFuture);
    }
    if issued_on.zip(expires.parsed::<Date>()).is_some_and(|(issued, expires)| expires < issued) {
        checker.tell(&expires.at, FaultCode::DocumentDatesOrder);
    }
}

/// What stands in the zone and beside it must be the same: one of them was typed wrongly.
fn compare(checker: &mut Checker<'_>, document: &View<'_>, zone: &Mrz) {
    let bare = |text: &str| -> String { text.chars().filter(char::is_ascii_alphanumeric).collect() };
    let expiry = |date: Date| format!("{:02}{:02}{:02}", date.year() % 100, date.month(), date.day());
    let fields = [
        ("number", document.field("number").text().map(|text| bare(text).to_uppercase()), &zone.number),
        ("issuer", document.field("issuer").text().map(str::to_owned), &zone.issuer),
        ("expires", document.field("expires").parsed::<Date>().map(expiry), &zone.expiry),
    ];
    for (name, beside, in_zone) in fields {
        if beside.is_some_and(|beside| beside != *in_zone) {
            checker.tell_with(&document.field(name).at, FaultCode::MrzMismatch, name);
        }
    }
}
