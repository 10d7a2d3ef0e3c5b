//! The subjects of an alert, by kind.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::alert::{Document, Firearm, Item, Person, Place, Vehicle, Vessel};

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

/// Who and what an alert is about: a list for each kind, so that a fault's pointer is exact and a
/// kind added later is one more field. At most 64 subjects together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Subjects {
    /// Persons, each with a role.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub persons: Vec<Person>,
    /// Documents that are themselves the matter; a person's own documents stand with the person.
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

/// How many subjects of each kind: fit for lists, as it names nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubjectCounts {
    /// Persons.
    pub persons: usize,
    /// Documents.
    pub documents: usize,
    /// Vehicles.
    pub vehicles: usize,
    /// Firearms.
    pub firearms: usize,
    /// Vessels.
    pub vessels: usize,
    /// Other objects.
    pub objects: usize,
    /// Events and places.
    pub places: usize,
}

impl SubjectCounts {
    /// The number of one kind.
    pub const fn of(&self, kind: SubjectKind) -> usize {
        match kind {
            SubjectKind::Person => self.persons,
            SubjectKind::Document => self.documents,
            SubjectKind::Vehicle => self.vehicles,
            SubjectKind::Firearm => self.firearms,
            SubjectKind::Vessel => self.vessels,
            SubjectKind::Object => self.objects,
            SubjectKind::Place => self.places,
        }
    }

    /// All together.
    pub fn total(&self) -> usize {
        SubjectKind::ALL.into_iter().map(|kind| self.of(kind)).sum()
    }
}

impl Subjects {
    /// How many there are of each kind.
    pub fn counts(&self) -> SubjectCounts {
        SubjectCounts {
            persons: self.persons.len(),
            documents: self.documents.len(),
            vehicles: self.vehicles.len(),
            firearms: self.firearms.len(),
            vessels: self.vessels.len(),
            objects: self.objects.len(),
            places: self.places.len(),
        }
    }

    /// Whether a person is named: as a subject, or as the holder of a document.
    pub fn name_a_person(&self) -> bool {
        !self.persons.is_empty() || self.documents.iter().any(Document::names_its_holder)
    }

    /// Whether one of the persons is a minor.
    pub fn include_a_minor(&self) -> bool {
        self.persons.iter().any(|person| person.minor)
    }
}
