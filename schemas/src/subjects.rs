//! The subjects of messages: persons, documents, vehicles and so on, each type with its rules. All families use them.

mod document;
mod firearm;
pub(crate) mod identifier;
mod key;
mod object;
mod person;
mod place;
pub(crate) mod put_right;
mod series;
mod telephone;
mod vehicle;
mod vessel;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use document::{Document, DocumentStatus, DocumentType, MrzLine, SerialNumber};
pub use firearm::{Firearm, FirearmType};
pub use identifier::{Identifier, IdentifierKind};
pub use key::SubjectKey;
pub(crate) use key::{check_given as check_given_keys, check_new as check_new_keys};
pub use object::{Item, ObjectType};
pub use person::{
    BirthDate, BirthPrecision, NormalName, NotThisPerson, Parents, Person, PersonName, PersonRole, Sex,
    StateCode,
};
pub use place::{CrossingCode, Place, PlaceType, Point, SubdivisionCode};
pub use series::NumberSeries;
pub use telephone::{Phone, Telephone, TelephoneKind};
pub use vehicle::{ColourCode, Plate, PlateNumber, Vehicle, VehicleType, Vin, vin_check};
pub use vessel::{Engine, Vessel, VesselType};
pub(crate) use vessel::{ImoNumber, Mmsi};

use crate::{
    CodeLists, FaultCode, Locale, SecondPersonReason,
    draft::{Checker, Remark},
    fault::Finding,
    limits::SUBJECTS_MAX,
    view::View,
    words::listed_code,
};

listed_code!(
    /// A warning of a danger or a need for care; shown before everything else.
    WarningCode, "warnings"
);

/// A kind of subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// A person.
    Person,
    /// A document.
    Document,
    /// A vehicle.
    Vehicle,
    /// A firearm.
    Firearm,
    /// A vessel.
    Vessel,
    /// Any other object.
    Object,
    /// An event or a place.
    Place,
}

impl SubjectKind {
    /// Every kind, in the order of [`Subjects`].
    pub const ALL: [Self; 7] =
        [Self::Person, Self::Document, Self::Vehicle, Self::Firearm, Self::Vessel, Self::Object, Self::Place];

    /// The code of the kind.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Document => "document",
            Self::Vehicle => "vehicle",
            Self::Firearm => "firearm",
            Self::Vessel => "vessel",
            Self::Object => "object",
            Self::Place => "place",
        }
    }

    /// The letter with which the keys of such subjects begin.
    pub const fn letter(self) -> char {
        match self {
            Self::Person => 'p',
            Self::Document => 'd',
            Self::Vehicle => 'v',
            Self::Firearm => 'f',
            Self::Vessel => 's',
            Self::Object => 'o',
            Self::Place => 'l',
        }
    }

    /// The name of the list in [`Subjects`].
    pub const fn field(self) -> &'static str {
        match self {
            Self::Person => "persons",
            Self::Document => "documents",
            Self::Vehicle => "vehicles",
            Self::Firearm => "firearms",
            Self::Vessel => "vessels",
            Self::Object => "objects",
            Self::Place => "places",
        }
    }
}

/// The subjects of a message: a list for each kind, so that a fault's pointer is exact and a kind added later is one more field.
/// At most 64 subjects together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Subjects {
    /// Persons, each with a role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub persons: Vec<Person>,
    /// Documents that the message is about. A person's own documents are listed with the person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub documents: Vec<Document>,
    /// Vehicles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub vehicles: Vec<Vehicle>,
    /// Firearms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub firearms: Vec<Firearm>,
    /// Vessels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub vessels: Vec<Vessel>,
    /// Other objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub objects: Vec<Item>,
    /// Events and places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub places: Vec<Place>,
}

impl Subjects {
    /// The number of subjects of each kind, in `locale`: `1 × vehicle, 1 × place`. It names nobody, so lists may show it.
    pub(crate) fn line(&self, lists: &CodeLists, locale: Locale) -> String {
        let numbers = SubjectKind::ALL.into_iter().map(|kind| (kind, self.number_of(kind)));
        let named = numbers.filter(|(_, number)| *number > 0).map(|(kind, number)| {
            format!("{number} × {}", lists.label("subject_kinds", kind.as_str(), locale))
        });
        named.collect::<Vec<_>>().join(", ")
    }

    fn number_of(&self, kind: SubjectKind) -> usize {
        match kind {
            SubjectKind::Person => self.persons.len(),
            SubjectKind::Document => self.documents.len(),
            SubjectKind::Vehicle => self.vehicles.len(),
            SubjectKind::Firearm => self.firearms.len(),
            SubjectKind::Vessel => self.vessels.len(),
            SubjectKind::Object => self.objects.len(),
            SubjectKind::Place => self.places.len(),
        }
    }

    /// Fills in the normalised form of every name that lacks it.
    pub(crate) fn normalise_names(&mut self) {
        let documents = &mut self.documents;
        for person in &mut self.persons {
            person.name.iter_mut().chain(&mut person.aliases).for_each(PersonName::normalise);
            person.documents.iter_mut().flat_map(|own| &mut own.holder).for_each(PersonName::normalise);
        }
        documents.iter_mut().flat_map(|document| &mut document.holder).for_each(PersonName::normalise);
    }
}

/// Checks the rules about all subjects of a draft's body, and about each.
pub(crate) fn check(checker: &mut Checker<'_>, subjects: &View<'_>) {
    checker.found.extend(too_many(subjects));
    key::check(checker, subjects);
    for kind in SubjectKind::ALL {
        for subject in subjects.field(kind.field()).items() {
            match kind {
                SubjectKind::Person => person::check(checker, &subject),
                SubjectKind::Document => document::check(checker, &subject),
                SubjectKind::Vehicle => vehicle::check(checker, &subject),
                SubjectKind::Firearm => firearm::check(checker, &subject),
                SubjectKind::Vessel => vessel::check(checker, &subject),
                // An object has no rule beyond its schema.
                SubjectKind::Object => {}
                SubjectKind::Place => place::check(checker, &subject),
            }
        }
    }
}

/// Adds remarks about the names and plates of a draft's subjects that nobody may find as they are.
pub(crate) fn remark(subjects: &View<'_>, remarks: &mut Vec<Remark>) {
    for person in subjects.field("persons").items() {
        person::remark(&person, remarks);
    }
    for document in subjects.field("documents").items() {
        person::remark_names(&[document.field("holder")], remarks);
    }
    for vehicle in subjects.field("vehicles").items() {
        vehicle::remark(&vehicle, remarks);
    }
}

/// The fault of a draft or a received message that has too many subjects.
pub(crate) fn too_many(subjects: &View<'_>) -> Option<Finding> {
    let total: usize = SubjectKind::ALL.iter().map(|kind| subjects.field(kind.field()).items().len()).sum();
    (total > SUBJECTS_MAX)
        .then(|| Finding::with(&subjects.at, FaultCode::TooManySubjects, SUBJECTS_MAX.to_string()))
}

/// Whether a person is named: as a subject, or as the holder of a document.
pub(crate) fn name_a_person(subjects: &View<'_>) -> bool {
    let names_its_holder =
        |document: View<'_>| document.field("holder").is_there() || !document.field("mrz").items().is_empty();
    !subjects.field("persons").items().is_empty()
        || subjects.field("documents").items().into_iter().any(names_its_holder)
}

/// Refuses a body that names a person in its subjects and does not say how the persons are linked with the purpose (domain 3.3).
pub(crate) fn check_person_link(checker: &mut Checker<'_>, body: &View<'_>) {
    let link = body.field("person_link");
    if name_a_person(&body.field("subjects")) && !link.is_there() {
        checker.fault(&link.at, FaultCode::PersonLinkMissing);
    }
}

/// Whether one of the persons is a minor.
pub(crate) fn include_a_minor(subjects: &View<'_>) -> bool {
    subjects.field("persons").items().iter().any(|person| person.field("minor").truth() == Some(true))
}

/// The reasons for which a second person must release what says this of its own accord (domain 5).
pub(crate) fn second_person(subjects: &View<'_>) -> Vec<SecondPersonReason> {
    let reasons = [
        (include_a_minor(subjects), SecondPersonReason::Minor),
        (name_a_person(subjects), SecondPersonReason::Person),
    ];
    reasons.into_iter().filter_map(|(holds, reason)| holds.then_some(reason)).collect()
}
