//! What a list says: numbers, whose they are, and what is to be done.

use rovuma_schemas::{AgencyCode, CaseId, Timestamp};
use serde::{Deserialize, Serialize};

use super::number::{NumberKind, Series, folded, is_placeholder, normal};

/// An entry of a list: an alert, or a record of an imported list. It holds what screening needs and no narrative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The list.
    pub list: String,
    /// The name by which people call the entry: an alert's short reference, a record's id in its list.
    pub reference: String,
    /// The alert, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertFacts>,
    /// Whom or what it is about.
    pub subjects: Vec<ListedSubject>,
}

/// What an alert says beside its subjects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertFacts {
    /// Its case.
    pub case: CaseId,
    /// The version of its content.
    pub version: u32,
    /// `active` or `suspended`, as the gateway said last; time may have ended it since.
    pub state: String,
    /// `actual`, `exercise` or `test`.
    pub status: String,
    /// The handling code: `H0` to `H3`.
    pub handling: String,
    /// The category.
    pub category: String,
    /// The actions that it asks for.
    pub actions: Vec<String>,
    /// Warnings for whoever approaches.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// When it ends.
    pub ends: Option<Timestamp>,
    /// Until when a second person must confirm it; afterwards nobody acts on it.
    pub confirm_by: Option<Timestamp>,
    /// Why it is not executed here: the code of the reason.
    pub flagged: Option<String>,
    /// The agencies of this installation that have it.
    pub held_by: Vec<AgencyCode>,
}

/// A person or thing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedSubject {
    /// Its key in the alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Names of the person or of a document's holder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Birth dates, `1984`, `1984-05` or `1984-05-03`; of an imported list also `1984~`, about that year, and `1984/1986`, between two.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub births: Vec<String>,
    /// The type of the vehicle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vehicle_type: Option<String>,
    /// The make of the vehicle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make: Option<String>,
    /// The colour of the vehicle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
    /// Its numbers: each is enough to find it.
    pub numbers: Vec<ListedNumber>,
}

/// A number in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedNumber {
    /// Its kind.
    pub kind: NumberKind,
    /// The number as the list has it.
    pub value: String,
    /// The last number of a series that begins with the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_to: Option<String>,
    /// The state that issued the document or registered the plate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qualifier: Option<String>,
    /// The type of a document, a code of `document_types`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_type: Option<String>,
    /// Whether it is the identity of an innocent person, which others misuse.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_misused: bool,
    /// The key of a document of a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl ListedNumber {
    /// The number in the form that is compared; none where it stands for "unknown" or cannot be compared.
    pub(crate) fn normal(&self) -> Option<String> {
        normal(&self.value).filter(|number| !is_placeholder(self.kind, number))
    }

    /// The first and the last number of the series that it begins, or twice the number, as numbers are compared.
    pub(crate) fn ends(&self) -> Option<(String, String)> {
        let from = self.normal()?;
        let from = self.kind.compared(&from).to_owned();
        let to = self.value_to.as_deref().and_then(normal).filter(|_| self.series().is_some());
        Some((from.clone(), to.unwrap_or(from)))
    }

    /// Every number by which it is found: the number itself, and what it is said to end with, where that is no series.
    pub(crate) fn wholes(&self) -> impl Iterator<Item = String> {
        let to = self.value_to.as_deref().and_then(normal).filter(|_| self.series().is_none());
        self.normal().into_iter().chain(to.filter(|to| !is_placeholder(self.kind, to)))
    }

    /// The series in the form in which all characters that look alike are one.
    pub(crate) fn folded_series(&self) -> Option<Series> {
        let to = normal(self.value_to.as_deref()?)?;
        self.series()?;
        Series::new(&folded(&self.normal()?), &folded(&to))
    }

    /// The series that it begins.
    pub(crate) fn series(&self) -> Option<Series> {
        let to = normal(self.value_to.as_deref()?)?;
        Series::new(&self.normal()?, &to)
    }
}

/// The actions, the strongest first.
pub(super) const ACTIONS: [&str; 7] =
    ["protect", "arrest", "seize", "check_and_question", "check_discreetly", "locate", "inform_only"];

impl AlertFacts {
    /// What is to be done here: the strongest action that the alert asks for. Of an alert that is not executed here, only where the
    /// person or thing is.
    pub fn action(&self) -> &'static str {
        if self.flagged.is_some() { "locate" } else { self.asked_action() }
    }

    /// The strongest action that the alert asks for.
    fn asked_action(&self) -> &'static str {
        let is_asked = |action: &&&str| self.actions.iter().any(|asked| asked == **action);
        ACTIONS.iter().find(is_asked).copied().unwrap_or("inform_only")
    }

    /// Whether the booth must not notice it: the check is discreet.
    pub fn is_discreet(&self) -> bool {
        self.asked_action() == "check_discreetly" || self.category == "person_check"
    }

    /// Whether officers of this agency see the alert: the agency has it, and it is not for few eyes.
    pub fn is_seen_by(&self, agency: &AgencyCode) -> bool {
        self.held_by.contains(agency) && self.handling != "H3"
    }

    /// The agencies of this installation that can report a hit to its owner: those to which the owner sent it.
    pub fn reporters(&self) -> impl Iterator<Item = &AgencyCode> {
        self.held_by.iter().filter(|agency| **agency != self.case.owner)
    }
}

impl Listed {
    /// One entry of an alert in the views of several agencies: the newest content, the latest end, every flag, and all that have it. None of
    /// no view.
    pub fn of_views(views: Vec<Self>) -> Option<Self> {
        let version = |listed: &Self| listed.alert.as_ref().map(|alert| alert.version);
        let facts: Vec<AlertFacts> = views.iter().filter_map(|view| view.alert.clone()).collect();
        let mut whole = views.into_iter().rev().max_by_key(version)?;
        let newest = version(&whole);
        let Some(alert) = whole.alert.as_mut() else { return Some(whole) };
        for other in facts {
            alert.flagged = alert.flagged.take().or(other.flagged);
            alert.held_by.extend(other.held_by);
            alert.ends = alert.ends.zip(other.ends).map(|(one, another)| one.max(another));
            if Some(other.version) == newest {
                // Whoever has the confirmation knows more.
                if other.state == "active" {
                    alert.state = other.state;
                }
                alert.confirm_by =
                    alert.confirm_by.zip(other.confirm_by).map(|(one, another)| one.max(another));
            }
        }
        alert.held_by.sort_unstable();
        alert.held_by.dedup();
        Some(whole)
    }

    /// Every number, with its subject.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = (&ListedSubject, &ListedNumber)> {
        self.subjects.iter().flat_map(|subject| subject.numbers.iter().map(move |number| (subject, number)))
    }

    /// Whether it can be found by a number.
    pub(crate) fn has_numbers(&self) -> bool {
        self.numbers().any(|(_, number)| number.normal().is_some())
    }

    /// Whether one of its numbers, or of its series, is this one.
    pub(crate) fn has(&self, normal: &str) -> bool {
        self.numbers().any(|(_, number)| {
            number.wholes().any(|whole| whole == normal)
                || number.series().is_some_and(|series| series.has(normal))
        })
    }

    /// Whether it is in force at `now`. An alert ends by time alone, whatever the line does.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        self.alert.as_ref().is_none_or(|alert| {
            alert.state == "active"
                && alert.ends.is_none_or(|ends| now < ends)
                && alert.confirm_by.is_none_or(|limit| now < limit)
        })
    }
}
