//! `alert.issue`: what an alert says.

mod category;
mod document;
mod firearm;
mod object;
mod person;
mod place;
mod subjects;
mod vehicle;
mod vessel;

pub use category::{Category, CategoryRule, Needs};
pub use document::{Document, DocumentStatus, DocumentType};
pub use firearm::{Firearm, FirearmType};
pub use object::{Item, ObjectType};
pub use person::{BirthDate, BirthPrecision, Person, PersonName, PersonRole, Sex, StateCode};
pub use place::{CrossingCode, Place, PlaceType, Point, SubdivisionCode};
pub use subjects::{SubjectCounts, SubjectKind, Subjects};
pub use vehicle::{ColourCode, Plate, Vehicle, VehicleType};
pub use vessel::{Engine, Vessel, VesselType};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Date, Line, Text, Timestamp, words::listed_code};

listed_code!(
    /// The offence that an alert is about.
    OffenceCode, "offences"
);
listed_code!(
    /// What the recipient is asked to do.
    ActionCode, "actions"
);
listed_code!(
    /// A danger or a need for care; shown before everything else.
    WarningCode, "warnings"
);

/// The decision that an alert rests on: a warrant, a court's or a prosecutor's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// Its reference at the body that took it.
    pub reference: Line,
    /// The body that took it.
    pub authority: Line,
    /// When it was taken.
    pub date: Date,
}

/// How long an alert stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Validity {
    /// From when; from its release where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Until when; in a draft the category's default where absent. A released alert always has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// The body of `alert.issue`. The alert's id is the message's id; this is its first version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alert {
    /// What kind of alert it is; decides what else it needs.
    pub category: Category,
    /// The offences behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("uniqueItems" = true))]
    pub offences: Vec<OffenceCode>,
    /// What the recipient is asked to do.
    #[schemars(length(min = 1, max = 16), extend("uniqueItems" = true))]
    pub actions: Vec<ActionCode>,
    /// Warnings that concern the whole alert; those about one person stand with the person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("uniqueItems" = true))]
    pub warnings: Vec<WarningCode>,
    /// The decision that it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// What happened, where and when, in the message's language.
    pub circumstances: Text,
    /// How long it stands.
    #[serde(default)]
    pub validity: Validity,
    /// Who and what it is about.
    #[serde(default)]
    pub subjects: Subjects,
}

impl Alert {
    /// When it ends if it is released at `created`: as it says, otherwise by its category. A document
    /// alert ends with the last of its documents, at most after the category's time; where that is
    /// past already, as forgers use expired documents too, after the category's time.
    pub fn end(&self, created: Timestamp) -> Timestamp {
        let longest = self.category.rule().validity.after(created);
        let by_documents = match self.category {
            Category::Document => self.documents_end().filter(|end| *end > created),
            _ => None,
        };
        self.validity.until.unwrap_or_else(|| by_documents.map_or(longest, |end| end.min(longest)))
    }

    /// The end of the day on which the last document expires; `None` where one has no known expiry.
    fn documents_end(&self) -> Option<Timestamp> {
        let days: Option<Vec<Date>> =
            self.subjects.documents.iter().map(|document| document.expires).collect();
        days?.into_iter().max().map(|day| day.plus_days(1).start())
    }
}
