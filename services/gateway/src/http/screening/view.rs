//! Alerts, and hits on them, as a watchlist sees them. Each field that is shown is named here: whatever a later version adds to an alert is not shown by itself.

use std::collections::BTreeSet;

use rovuma_api::answers::gateway::{HitOnAlert, ScreenedAlert, ScreenedIdentifier, ScreenedSubject};
use rovuma_schemas::{
    SubjectKind, Subjects,
    alert::Issue,
    subjects::{BirthDate, Document, Firearm, Item, Person, PersonName, Sex, Vehicle, Vessel},
};

use crate::screening::{ScreenedCase, hits::ReportedHit};

/// The type of objects whose serial number is an IMEI.
const TELEPHONE: &str = "telephone";

pub(super) fn alert(found: ScreenedCase) -> ScreenedAlert {
    let ScreenedCase { row, alert, content, flagged_reason } = found;
    ScreenedAlert {
        case: row.case,
        state: alert.state.as_str().to_owned(),
        short_reference: row.short_reference,
        status: row.status,
        version: alert.version.unwrap_or_default(),
        handling: alert.content.handling.map(|code| code.as_str().to_owned()),
        category: alert.content.category.map(|category| category.as_str().to_owned()),
        actions: content.iter().flat_map(|issue| &issue.actions).map(ToString::to_string).collect(),
        warnings: content.as_deref().map(warnings).unwrap_or_default(),
        ends: alert.ends,
        confirm_by: alert.confirm_by,
        flagged_reason,
        subjects: content.map(|issue| subjects(issue.subjects)).unwrap_or_default(),
    }
}

/// The hit; none while its notice has not arrived.
pub(super) fn hit(reported: ReportedHit) -> Option<HitOnAlert> {
    let ReportedHit { row, hit, value } = reported;
    let found = hit.found?;
    Some(HitOnAlert {
        case: row.case,
        state: hit.progress.progress.as_str().to_owned(),
        stands: !hit.progress.must_release,
        alert: found.alert,
        subject: found.subject,
        matched: found.matched,
        value,
        found_at: found.found_at,
        post: found.post,
        direction: found.direction,
        possible_misuse: found.is_possible_misuse,
    })
}

/// The warnings of the alert and of its persons, each once, in the order in which they stand there.
fn warnings(issue: &Issue) -> Vec<String> {
    let of_persons = issue.subjects.persons.iter().flat_map(|person| &person.warnings);
    let mut seen = BTreeSet::new();
    let all = issue.warnings.iter().chain(of_persons).map(ToString::to_string);
    all.filter(|warning| seen.insert(warning.clone())).collect()
}

fn subjects(subjects: Subjects) -> Vec<ScreenedSubject> {
    // Nobody is looked for at a place's name.
    let Subjects { persons, documents, vehicles, firearms, vessels, objects, places: _ } = subjects;
    let things = vehicles.into_iter().map(vehicle).chain(firearms.into_iter().map(firearm));
    let things = things.chain(vessels.into_iter().map(vessel)).chain(objects.into_iter().map(object));
    persons.into_iter().map(person).chain(documents.into_iter().map(document)).chain(things).collect()
}

fn new(kind: SubjectKind) -> ScreenedSubject {
    ScreenedSubject { kind: kind.as_str().to_owned(), ..ScreenedSubject::default() }
}

fn person(person: Person) -> ScreenedSubject {
    let printed = |name: PersonName| name.printed.to_string();
    let own = |document: Document| {
        let key = document.key.clone();
        Some(ScreenedIdentifier { key, ..identifier_of(&document)? })
    };
    ScreenedSubject {
        key: person.key,
        role: Some(person.role.to_string()),
        names: person.name.into_iter().chain(person.aliases).map(printed).collect(),
        birth: person.birth.as_ref().map(birth),
        sex: person.sex.map(|sex| sex_word(sex).to_owned()),
        identifiers: person.documents.into_iter().filter_map(own).collect(),
        ..new(SubjectKind::Person)
    }
}

fn birth(birth: &BirthDate) -> String {
    let part = |part: Option<i8>| part.map(|number| format!("-{number:02}")).unwrap_or_default();
    let day = birth.day.filter(|_| birth.month.is_some());
    format!("{:04}{}{}", birth.year, part(birth.month), part(day))
}

const fn sex_word(sex: Sex) -> &'static str {
    match sex {
        Sex::F => "F",
        Sex::M => "M",
        Sex::X => "X",
    }
}

fn document(document: Document) -> ScreenedSubject {
    ScreenedSubject {
        identifiers: identifier_of(&document).into_iter().collect(),
        key: document.key,
        names: document.holder.into_iter().map(|name| name.printed.to_string()).collect(),
        ..new(SubjectKind::Document)
    }
}

/// The number of a document, or the two ends of a series.
fn identifier_of(document: &Document) -> Option<ScreenedIdentifier> {
    let (value, qualifier) = document.number_and_issuer()?;
    let value_to = document.number_to.as_ref().map(ToString::to_string);
    Some(ScreenedIdentifier {
        kind: if value_to.is_some() { "document_series" } else { "document" }.to_owned(),
        value,
        value_to,
        qualifier,
        document_type: Some(document.document_type.to_string()),
        document_status: document.status.as_ref().map(ToString::to_string),
        key: None,
    })
}

fn number(kind: &str, value: Option<impl ToString>) -> Option<ScreenedIdentifier> {
    let value = value?.to_string();
    Some(ScreenedIdentifier { kind: kind.to_owned(), value, ..ScreenedIdentifier::default() })
}

fn vehicle(vehicle: Vehicle) -> ScreenedSubject {
    let plate = vehicle.plate.and_then(|plate| {
        let qualifier = Some(plate.country.to_string());
        Some(ScreenedIdentifier { qualifier, ..number("plate", Some(plate.number))? })
    });
    let numbers = [
        plate,
        number("vin", vehicle.vin),
        number("chassis_number", vehicle.chassis_number),
        number("engine_number", vehicle.engine_number),
    ];
    ScreenedSubject {
        key: vehicle.key,
        vehicle_type: Some(vehicle.vehicle_type.to_string()),
        make: vehicle.make.map(|make| make.to_string()),
        model: vehicle.model.map(|model| model.to_string()),
        colour: vehicle.colour.map(|colour| colour.to_string()),
        identifiers: numbers.into_iter().flatten().collect(),
        ..new(SubjectKind::Vehicle)
    }
}

fn firearm(firearm: Firearm) -> ScreenedSubject {
    ScreenedSubject {
        key: firearm.key,
        make: firearm.make.map(|make| make.to_string()),
        model: firearm.model.map(|model| model.to_string()),
        identifiers: number("firearm_serial", firearm.serial_number).into_iter().collect(),
        ..new(SubjectKind::Firearm)
    }
}

fn vessel(vessel: Vessel) -> ScreenedSubject {
    let (make, serial) = vessel.engine.map_or((None, None), |engine| (engine.make, engine.serial_number));
    ScreenedSubject {
        key: vessel.key,
        names: vessel.name.into_iter().map(|name| name.to_string()).collect(),
        make: make.map(|make| make.to_string()),
        colour: vessel.colour.map(|colour| colour.to_string()),
        identifiers: number("engine_number", serial).into_iter().collect(),
        ..new(SubjectKind::Vessel)
    }
}

fn object(object: Item) -> ScreenedSubject {
    let serial = object.serial_number.map(|serial| serial.to_string());
    // Some give a telephone's serial number of its maker in place of its IMEI.
    let digits = serial.iter().flat_map(|serial| serial.chars()).filter(char::is_ascii_alphanumeric);
    let is_imei = object.object_type.as_str() == TELEPHONE
        && digits.clone().all(|c| c.is_ascii_digit())
        && (14..=16).contains(&digits.count());
    ScreenedSubject {
        key: object.key,
        make: object.make.map(|make| make.to_string()),
        model: object.model.map(|model| model.to_string()),
        identifiers: number(if is_imei { "imei" } else { "object_serial" }, serial).into_iter().collect(),
        ..new(SubjectKind::Object)
    }
}
