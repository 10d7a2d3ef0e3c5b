//! A person as a subject.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Date, FaultCode, Line, Text,
    draft::{Checker, Remark},
    fault::{Detail, shown},
    names,
    subjects::{Document, SubjectKey, Telephone, WarningCode, document},
    view::View,
    words::{listed_code, shaped_text},
};

listed_code!(
    /// A person's role in the matter: wanted, witness, victim…
    PersonRole, "person_roles"
);
listed_code!(
    /// A state, organisation or status of a person: three-letter codes of ICAO Doc 9303 part 3
    /// section 5, which cover stateless persons and UN holders.
    StateCode, "states"
);
shaped_text!(
    /// A name in the characters of a machine readable zone: A–Z, single spaces (ICAO Doc 9303
    /// part 3 section 6).
    NormalName, "a name in capital letters A to Z",
    |text| {
        (1..=200).contains(&text.len())
            && text.split(' ').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_uppercase()))
    },
    { "type": "string", "maxLength": 200, "pattern": "^[A-Z]+( [A-Z]+)*$" }
);

/// A name as a document prints it, and in the normalised form that is compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonName {
    /// The whole name as printed, in the document's order.
    pub printed: Line,
    /// The family name or names, where the document separates them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surname: Option<Line>,
    /// The given names, where the document separates them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Line>,
    /// The printed name in the characters of a machine readable zone; computed where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalised: Option<NormalName>,
}

impl PersonName {
    /// Fills in the normalised form where it is absent and the printed name has one.
    pub(crate) fn normalise(&mut self) {
        if self.normalised.is_none() {
            self.normalised = names::normalise(self.printed.as_str()).and_then(|form| form.parse().ok());
        }
    }
}

/// The precision of a birth date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(extend("x-code-list" = "birth_precision"))]
pub enum BirthPrecision {
    /// To the day.
    Day,
    /// To the month.
    Month,
    /// To the year.
    Year,
    /// An estimated year.
    About,
}

/// A birth date, as exact as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BirthDate {
    /// The precision, which decides which of the parts below are present.
    pub precision: BirthPrecision,
    /// The year.
    #[schemars(range(min = 1880, max = 2200))]
    pub year: i16,
    /// The month, with precision `month` and `day`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 12))]
    pub month: Option<i8>,
    /// The day, with precision `day`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 31))]
    pub day: Option<i8>,
}

/// Sex as travel documents give it (ICAO Doc 9303 part 4: F, M, X).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-code-list" = "sex"))]
pub enum Sex {
    /// Female.
    F,
    /// Male.
    M,
    /// Unspecified.
    X,
}

/// The parents' names as the person's own document prints them: after the document's number, what best tells namesakes apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Parents {
    /// The father's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub father: Option<Line>,
    /// The mother's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mother: Option<Line>,
}

/// An innocent person who is easily taken for this one: a namesake, or the rightful holder of a document that is misused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotThisPerson {
    /// How to tell the two apart, in the message's language.
    pub how_to_tell: Text,
    /// The innocent person's name, where it helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Line>,
    /// The innocent person's birth date, where it helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth: Option<BirthDate>,
}

/// A person. There is no field for religion, ethnicity, political opinion or an asylum claim, and
/// there must never be one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    /// The key by which other messages name this subject; the gateway assigns one at release where the author gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<SubjectKey>,
    /// The person's role in the matter.
    pub role: PersonRole,
    /// The best documented name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<PersonName>,
    /// Other names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub aliases: Vec<PersonName>,
    /// The birth date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth: Option<BirthDate>,
    /// The place of birth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_place: Option<Line>,
    /// The sex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// The nationalities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("uniqueItems" = true))]
    pub nationalities: Vec<StateCode>,
    /// The parents' names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parents: Option<Parents>,
    /// Telephone numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub telephones: Vec<Telephone>,
    /// The documents known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub documents: Vec<Document>,
    /// Height in centimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 20, max = 250))]
    pub height_cm: Option<u16>,
    /// Scars, tattoos and other marks, and how the person looks and dresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub marks: Vec<Line>,
    /// Warnings about this person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("uniqueItems" = true))]
    pub warnings: Vec<WarningCode>,
    /// Whether the person is under 18.
    pub minor: bool,
    /// Innocent persons who are easily taken for this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub not_this_person: Vec<NotThisPerson>,
    /// How the person is connected to the matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text>,
}

/// The age at which a person is no longer a minor, in both countries.
const AGE_OF_MAJORITY: i16 = 18;

/// Checks the rules about one person.
pub(super) fn check(checker: &mut Checker<'_>, person: &View<'_>) {
    identity(checker, person);
    birth(checker, person);
    parents(checker, person);
    for other in person.field("not_this_person").items() {
        let birth = other.field("birth");
        if birth.is_there() && span(&birth).is_none() {
            checker.fault(&birth.at, FaultCode::BirthDateIncoherent);
        }
    }
    person.field("documents").items().iter().for_each(|document| document::check(checker, document));
}

/// Adds a remark about each name of one person, and of the holders of their documents, that nobody may find.
pub(super) fn remark(person: &View<'_>, remarks: &mut Vec<Remark>) {
    let mut names = person.field("aliases").items();
    names.insert(0, person.field("name"));
    remark_names(&names, remarks);
    for document in person.field("documents").items() {
        remark_names(&[document.field("holder")], remarks);
    }
}

/// Adds a remark about each of one person's names that is in other letters than Latin, where no Latin form is given: documents and
/// registers on the other side have it in Latin letters only.
pub(super) fn remark_names(names: &[View<'_>], remarks: &mut Vec<Remark>) {
    let printed = |name: &View<'_>| name.field("printed").text().map(str::to_owned);
    let is_found = |name: &View<'_>| {
        let printed = printed(name);
        printed.is_some_and(|printed| !names::has_foreign_letters(&printed))
            || name.field("normalised").is_there()
    };
    if names.iter().any(is_found) {
        return;
    }
    for name in names {
        let Some(text) = printed(name) else { continue };
        let (given, form) = (shown(&text), names::normalise(&text));
        let sentence = Detail::each(|hints, _| match &form {
            Some(form) => hints.name_by_table(&given, shown(form)),
            None => hints.name_without_form(&given),
        });
        remarks.push(Remark { at: name.field("printed").at, topic: "name_form", sentence });
    }
}

/// Checks that the person can be identified: a role alone identifies nobody.
fn identity(checker: &mut Checker<'_>, person: &View<'_>) {
    let listed = |name| !person.field(name).items().is_empty();
    let told = person.field("name").is_there() || listed("aliases") || listed("documents") || listed("marks");
    if !told {
        checker.fault(&person.at, FaultCode::PersonWithoutIdentity);
    }
}

/// Checks that at least one parent is named where parents are given.
fn parents(checker: &mut Checker<'_>, person: &View<'_>) {
    let parents = person.field("parents");
    let is_empty =
        parents.is_there() && !["father", "mother"].iter().any(|one| parents.field(one).is_there());
    if is_empty {
        checker.fault(&parents.field("father").at, FaultCode::MissingField);
    }
}

fn birth(checker: &mut Checker<'_>, person: &View<'_>) {
    let birth = person.field("birth");
    if !birth.is_there() {
        return;
    }
    let Some((first, last)) = span(&birth) else {
        checker.fault(&birth.at, FaultCode::BirthDateIncoherent);
        return;
    };
    let today = checker.context.today();
    if first > today {
        checker.fault(&birth.at, FaultCode::DateInFuture);
        return;
    }
    let exact = birth.field("precision").text() != Some("about");
    let minor = person.field("minor");
    let contradicts = match minor.truth() {
        Some(true) => last.plus_years(AGE_OF_MAJORITY) <= today,
        Some(false) => first.plus_years(AGE_OF_MAJORITY) > today,
        None => false,
    };
    if exact && contradicts {
        checker.fault(&minor.at, FaultCode::MinorContradictsBirth);
    }
}

/// The first and the last day that the birth date can mean; `None` where its parts contradict its precision or there is no such
/// day.
fn span(birth: &View<'_>) -> Option<(Date, Date)> {
    let year = i16::try_from(birth.field("year").integer()?).ok()?;
    let part = |name| birth.field(name).integer().and_then(|part| i8::try_from(part).ok());
    match (birth.field("precision").text()?, part("month"), part("day")) {
        ("day", Some(month), Some(day)) => Date::new(year, month, day).map(|date| (date, date)),
        ("month", Some(month), None) => Some((Date::new(year, month, 1)?, Date::new(year, month, 28)?)),
        ("year" | "about", None, None) => Some((Date::new(year, 1, 1)?, Date::new(year, 12, 31)?)),
        _ => None,
    }
}
