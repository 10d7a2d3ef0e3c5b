//! An entry of what a list has as a record.

use rovuma_schemas::CodeLists;

use crate::{
    lists::{ListedDocument, ListedVehicle, Record, birth_text},
    screening::{Listed, ListedNumber, ListedSubject, NumberKind},
};

/// How long a VIN is (ISO 3779); what is shorter is a frame number.
const VIN_CHARS: usize = 17;

/// A type of documents that lists name and alerts do not: which identity card it is depends on the country.
const NATIONAL_ID: &str = "national_id";

/// The entry of a record, in this list.
pub(super) fn of(list: &str, record: Record) -> Listed {
    let Record { id, alias_of, names, births, documents, vehicles, .. } = record;
    let numbers = documents.into_iter().filter_map(document).chain(vehicles.into_iter().flat_map(vehicle));
    let subject = ListedSubject {
        names: names.into_iter().map(|name| name.full).collect(),
        births: births.iter().filter_map(birth_text).collect(),
        numbers: numbers.collect(),
        ..ListedSubject::default()
    };
    Listed { list: list.to_owned(), reference: alias_of.unwrap_or(id), alert: None, subjects: vec![subject] }
}

/// Adds to an entry what another line of the list says of the same person or thing.
pub(super) fn join(listed: &mut Listed, more: Listed) {
    let Some(subject) = listed.subjects.first_mut() else {
        listed.subjects = more.subjects;
        return;
    };
    for other in more.subjects {
        add(&mut subject.names, other.names);
        add(&mut subject.births, other.births);
        add(&mut subject.numbers, other.numbers);
    }
}

fn add<T: PartialEq>(known: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !known.contains(&one) {
            known.push(one);
        }
    }
}

/// The number of a document; none where no machine can read it.
fn document(document: ListedDocument) -> Option<ListedNumber> {
    let is_known =
        |code: &str| CodeLists::shipped().get("document_types").is_some_and(|list| list.find(code).is_some());
    let code = document.document_type;
    Some(ListedNumber {
        kind: NumberKind::Document,
        value: document.number?,
        value_to: document.number_to,
        qualifier: document.issuer,
        document_type: (code == NATIONAL_ID || is_known(&code)).then_some(code),
        is_misused: document.is_misused,
        key: None,
    })
}

fn vehicle(vehicle: ListedVehicle) -> impl Iterator<Item = ListedNumber> {
    let number = |kind, value, qualifier| ListedNumber {
        kind,
        value,
        value_to: None,
        qualifier,
        document_type: None,
        is_misused: false,
        key: None,
    };
    let plate = vehicle.plate.map(|plate| number(NumberKind::Plate, plate, vehicle.plate_country));
    let vin = vehicle.vin.map(|vin| {
        let kind = if vin.len() == VIN_CHARS { NumberKind::Vin } else { NumberKind::ChassisNumber };
        number(kind, vin, None)
    });
    plate.into_iter().chain(vin)
}
