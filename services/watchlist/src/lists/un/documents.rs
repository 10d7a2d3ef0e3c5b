//! The documents of the UN list: types in three languages, numbers as free text, notes.

use super::element::Element;
use crate::lists::{
    ListedDocument, Record, countries,
    documents::{self, OTHER},
    text::{collapsed, shown, some},
};

/// Adds a document to the record, unless the element is empty.
pub(super) fn read(element: &Element, record: &mut Record) {
    let parts =
        ["TYPE_OF_DOCUMENT", "TYPE_OF_DOCUMENT2", "NUMBER", "ISSUING_COUNTRY", "COUNTRY_OF_ISSUE", "NOTE"];
    let [kind, kind2, number, issuer, issuer2, note] = parts.map(|part| element.text(part));
    let text = collapsed(&[&kind, &kind2, &number, &issuer, &issuer2, &note].map(String::as_str).join(" "));
    if number.is_empty() && note.is_empty() {
        return;
    }
    let reading = documents::read(&number);
    if reading.number.is_none() {
        record.remarks.push(format!("no machine can read the number of a document: {}", shown(&text)));
    }
    let issuer = issuer_of(&[issuer, issuer2], reading.issuer, record);
    let notes: Vec<String> = [some(&kind2), reading.note(), some(&note)].into_iter().flatten().collect();
    record.documents.push(ListedDocument {
        document_type: type_of(&kind, &kind2).to_owned(),
        issuer: issuer.map(str::to_owned),
        is_misused: [&kind2, &number, &note].iter().any(|words| words.to_lowercase().contains("misuse")),
        number: reading.number,
        number_to: None,
        note: some(&notes.join("; ")),
        text,
    });
}

fn type_of(kind: &str, kind2: &str) -> &'static str {
    match documents::document_type(kind) {
        OTHER => documents::document_type(kind2),
        kind => kind,
    }
}

/// The issuer that the list names in a field of its own, else the one in the number's text.
fn issuer_of(fields: &[String], in_text: Option<&'static str>, record: &mut Record) -> Option<&'static str> {
    let mut named = None;
    for field in fields.iter().filter(|field| !field.is_empty()) {
        match countries::code(field) {
            Some(code) => named = named.or(Some(code)),
            None => {
                record.remarks.push(format!("the issuer of a document is not understood: {}", shown(field)))
            }
        }
    }
    if let (Some(named), Some(in_text)) = (named, in_text)
        && named != in_text
    {
        record.remarks.push(format!("a document names two issuers, {named} and {in_text}"));
    }
    named.or(in_text)
}
