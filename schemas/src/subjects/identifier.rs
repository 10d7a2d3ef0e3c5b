//! Identifiers: by what two messages are seen to be about the same person or thing, in a form that is compared.
//!
//! They are read from the JSON of a body, as rules are, so that an incomplete draft has those that its author has written already.

use std::collections::BTreeSet;

use super::{SubjectKey, SubjectKind, Vin, document::sole_issuer, put_right};
use crate::{checks::mrz, names, view::View};

/// A kind of identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentifierKind {
    /// The number of a document, whatever its type, with its issuer.
    Document,
    /// A plate, with the state that registered it.
    Plate,
    /// A vehicle identification number.
    Vin,
    /// A chassis number that is no VIN.
    ChassisNumber,
    /// The number of a vehicle's or a vessel's engine.
    EngineNumber,
    /// The serial number of a firearm.
    FirearmSerial,
    /// The serial number of another object.
    ObjectSerial,
    /// A name, with the birth date.
    NameAndBirth,
}

impl IdentifierKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Document,
        Self::Plate,
        Self::Vin,
        Self::ChassisNumber,
        Self::EngineNumber,
        Self::FirearmSerial,
        Self::ObjectSerial,
        Self::NameAndBirth,
    ];

    /// The code of the kind.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Plate => "plate",
            Self::Vin => "vin",
            Self::ChassisNumber => "chassis_number",
            Self::EngineNumber => "engine_number",
            Self::FirearmSerial => "firearm_serial",
            Self::ObjectSerial => "object_serial",
            Self::NameAndBirth => "name_and_birth",
        }
    }

    /// The kind with this code.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// An identifier of a subject. Two are the same if kind and value are equal and the qualifier of one begins with that of the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifier {
    /// Its kind.
    pub kind: IdentifierKind,
    /// What is compared: a number in capitals and digits alone, in which letters that look like digits are those digits; or the words
    /// of a name in alphabetical order, as documents order them differently.
    pub value: String,
    /// What tells equal values apart: the issuer of a document, the state of a plate, a birth date as far as it is known. Empty where
    /// the message does not say; then nothing tells them apart.
    pub qualifier: String,
    /// The key of the subject, where it has one.
    pub subject: Option<SubjectKey>,
    /// The JSON pointer of the subject in the message.
    pub pointer: String,
}

impl Identifier {
    /// Whether these qualifiers leave equal values the same.
    pub fn qualifiers_agree(one: &str, other: &str) -> bool {
        one.starts_with(other) || other.starts_with(one)
    }
}

/// The identifiers of all subjects, each once.
pub(crate) fn of(subjects: &View<'_>) -> Vec<Identifier> {
    let mut found = IdentifierCollector::default();
    for kind in SubjectKind::ALL {
        for subject in subjects.field(kind.field()).items() {
            match kind {
                SubjectKind::Person => person(&mut found, &subject),
                SubjectKind::Document => document(&mut found, &subject),
                SubjectKind::Vehicle => vehicle(&mut found, &subject),
                SubjectKind::Firearm => {
                    found.number(IdentifierKind::FirearmSerial, &subject, "serial_number")
                }
                SubjectKind::Object => found.number(IdentifierKind::ObjectSerial, &subject, "serial_number"),
                SubjectKind::Vessel => {
                    let number = subject.field("engine").field("serial_number");
                    found.text(IdentifierKind::EngineNumber, &subject, &number);
                }
                // Two alerts from one place are nothing unusual.
                SubjectKind::Place => {}
            }
        }
    }
    found.identifiers
}

/// The identifier of this kind and value, in the form that is compared, without a qualifier; none of an empty value or a kind that is
/// compared otherwise: a name, or a number within a series of documents.
pub(crate) fn of_number(kind: &str, value: &View<'_>) -> Option<Identifier> {
    let kind = match kind {
        // A telephone's serial number.
        "imei" => IdentifierKind::ObjectSerial,
        other => IdentifierKind::from_word(other).filter(|kind| *kind != IdentifierKind::NameAndBirth)?,
    };
    let number = folded(value.text()?);
    let is_vin = kind == IdentifierKind::ChassisNumber && number.parse::<Vin>().is_ok();
    let kind = if is_vin { IdentifierKind::Vin } else { kind };
    let pointer = value.at.to_string();
    let identifier = Identifier { kind, value: number, qualifier: String::new(), subject: None, pointer };
    (!identifier.value.is_empty()).then_some(identifier)
}

#[derive(Default)]
struct IdentifierCollector {
    identifiers: Vec<Identifier>,
    seen: BTreeSet<(IdentifierKind, String, String)>,
}

impl IdentifierCollector {
    fn add(&mut self, kind: IdentifierKind, subject: &View<'_>, value: String, qualifier: String) {
        if value.is_empty() || !self.seen.insert((kind, value.clone(), qualifier.clone())) {
            return;
        }
        let (key, pointer) = (subject.field("key").parsed(), subject.at.to_string());
        self.identifiers.push(Identifier { kind, value, qualifier, subject: key, pointer });
    }

    fn number(&mut self, kind: IdentifierKind, subject: &View<'_>, field: &str) {
        self.text(kind, subject, &subject.field(field));
    }

    fn text(&mut self, kind: IdentifierKind, subject: &View<'_>, number: &View<'_>) {
        if let Some(text) = number.text() {
            self.add(kind, subject, folded(text), String::new());
        }
    }
}

/// A number without what hides that it is another's: capitals and digits alone, and a digit for each letter that looks like one.
fn folded(number: &str) -> String {
    let characters = number.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase());
    characters.map(put_right::as_digit).collect()
}

fn document(found: &mut IdentifierCollector, document: &View<'_>) {
    let by_type = document.field("type").text().and_then(sole_issuer).unwrap_or_default();
    let issuer = document.field("issuer").text().unwrap_or(by_type).to_ascii_uppercase();
    for number in ["number", "number_to"] {
        if let Some(number) = document.field(number).text() {
            found.add(IdentifierKind::Document, document, folded(number), issuer.clone());
        }
    }
    let lines: Vec<&str> = document.field("mrz").items().iter().filter_map(View::text).collect();
    if let Ok(zone) = mrz::read(&lines) {
        found.add(IdentifierKind::Document, document, folded(&zone.number), zone.issuer);
    }
}

fn vehicle(found: &mut IdentifierCollector, vehicle: &View<'_>) {
    let plate = vehicle.field("plate");
    if let Some(number) = plate.field("number").text() {
        let country = plate.field("country").text().unwrap_or_default().to_ascii_uppercase();
        found.add(IdentifierKind::Plate, vehicle, folded(number), country);
    }
    found.number(IdentifierKind::Vin, vehicle, "vin");
    if let Some(number) = vehicle.field("chassis_number").text().map(folded) {
        // Many type a VIN where the form asks for a chassis number.
        let is_vin = number.parse::<Vin>().is_ok();
        let kind = if is_vin { IdentifierKind::Vin } else { IdentifierKind::ChassisNumber };
        found.add(kind, vehicle, number, String::new());
    }
    found.number(IdentifierKind::EngineNumber, vehicle, "engine_number");
}

fn person(found: &mut IdentifierCollector, person: &View<'_>) {
    if let Some(birth) = birth(&person.field("birth")) {
        let aliases = person.field("aliases").items();
        for name in [person.field("name")].iter().chain(&aliases) {
            let printed = name.field("printed").text().and_then(names::normalise);
            let given = name.field("normalised").text().and_then(names::normalise);
            for form in [printed, given].into_iter().flatten() {
                let mut words: Vec<&str> = form.split(' ').collect();
                words.sort_unstable();
                found.add(IdentifierKind::NameAndBirth, person, words.join(" "), birth.clone());
            }
        }
    }
    for own in person.field("documents").items() {
        document(found, &own);
    }
}

/// A birth date as far as it is known: `1984`, `1984-05`, `1984-05-03`. A name without one identifies nobody.
fn birth(birth: &View<'_>) -> Option<String> {
    let year = birth.field("year").integer()?;
    let part = |name: &str| birth.field(name).integer().map(|number| format!("-{number:02}"));
    let month = part("month").unwrap_or_default();
    let day = part("day").filter(|_| !month.is_empty()).unwrap_or_default();
    Some(format!("{year:04}{month}{day}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn identifiers(subjects: &Value) -> Vec<Identifier> {
        of(&View::root(subjects))
    }

    fn words(subjects: &Value) -> Vec<String> {
        let word = |one: Identifier| format!("{} {}|{}", one.kind.as_str(), one.value, one.qualifier);
        identifiers(subjects).into_iter().map(word).collect()
    }

    fn one(kind: &str, subject: Value) -> Value {
        json!({ kind: [subject] })
    }

    #[rstest]
    #[case("vehicles", json!({ "plate": { "number": "AAA 000 CD", "country": "MOZ" } }), "plate AAA000CD|MOZ")]
    #[case("vehicles", json!({ "vin": "MD2A21EZ0EWA00000" }), "vin MD2A21EZ0EWA00000|")]
    #[case("vehicles", json!({ "chassis_number": "MD2-417 b" }), "chassis_number MD2417B|")]
    #[case("vehicles", json!({ "chassis_number": "md2a21ez0ewaoooo0" }), "vin MD2A21EZ0EWA00000|")]
    #[case("vehicles", json!({ "engine_number": "DUZ.4I7" }), "engine_number DUZ417|")]
    #[case("vessels", json!({ "engine": { "serial_number": "DUZ 417" } }), "engine_number DUZ417|")]
    #[case("firearms", json!({ "serial_number": "AK/1O" }), "firearm_serial AK10|")]
    #[case("objects", json!({ "serial_number": "35-2099" }), "object_serial 352099|")]
    #[case("documents", json!({ "type": "passport", "number": "15EX0-0042", "issuer": "MOZ" }), "document 15EX00042|MOZ")]
    #[case("documents", json!({ "type": "passport", "number": "15EX00042" }), "document 15EX00042|")]
    #[case("documents", json!({ "type": "bi_mz", "number": "110100123456B" }), "document 110100123456B|MOZ")]
    #[case("documents", json!({ "type": "nida_tz", "number": "19840503-11101-00001-22" }), "document 19840503111010000122|TZA")]
    #[case("persons", json!({ "documents": [{ "number": "AB 123", "issuer": "TZA" }] }), "document AB123|TZA")]
    #[case("persons", json!({ "name": { "printed": "João da Conceição" }, "birth": { "year": 1984, "month": 5, "day": 3 } }),
        "name_and_birth CONCEICAO DA JOAO|1984-05-03")]
    #[case("persons", json!({ "aliases": [{ "printed": "Zé" }], "birth": { "year": 1984 } }), "name_and_birth ZE|1984")]
    fn each_kind_is_read(#[case] list: &str, #[case] subject: Value, #[case] expected: &str) {
        assert_eq!(words(&one(list, subject)), [expected]);
    }

    #[rstest]
    #[case("persons", json!({ "name": { "printed": "Amina Juma" } }))]
    #[case("persons", json!({ "name": { "printed": "Иван" }, "birth": { "year": 1984 } }))]
    #[case("persons", json!({ "birth": { "year": 1984 } }))]
    #[case("places", json!({ "name": "Mueda" }))]
    #[case("vessels", json!({ "name": "Amina" }))]
    #[case("vehicles", json!({ "plate": "AAA", "vin": 7, "engine_number": "-" }))]
    #[case("documents", json!({ "mrz": ["P<UTO", 7] }))]
    fn what_identifies_nothing_is_left_out(#[case] list: &str, #[case] subject: Value) {
        assert_eq!(words(&one(list, subject)), [""; 0]);
    }

    /// The specimen of Doc 9303 part 4.
    #[test]
    fn a_machine_readable_zone_gives_the_number_that_the_field_beside_it_gives() {
        let lines = json!([
            "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
            "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
        ]);
        let by_zone = identifiers(&one("documents", json!({ "type": "passport", "mrz": lines })));
        let typed = json!({ "type": "visa", "number": "L898902C3", "issuer": "UTO" });
        let by_field = identifiers(&one("documents", typed.clone()));
        let compared = |one: &Identifier| (one.kind, one.value.clone(), one.qualifier.clone());
        assert_eq!(compared(&by_zone[0]), compared(&by_field[0]));
        let both = json!({ "number": "L898902C3", "issuer": "UTO", "mrz": lines });
        assert_eq!(identifiers(&one("documents", both)).len(), 1, "the same number is there once");
    }

    #[rstest]
    #[case("1984-05-03", "1984-05-03", true)]
    #[case("1984-05-03", "1984", true)]
    #[case("1984", "1984-05", true)]
    #[case("1984-05-03", "1984-05-04", false)]
    #[case("1984", "1985", false)]
    #[case("", "MOZ", true)]
    #[case("MOZ", "TZA", false)]
    fn what_one_message_does_not_say_does_not_tell_them_apart(
        #[case] here: &str,
        #[case] there: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(Identifier::qualifiers_agree(here, there), expected);
        assert_eq!(Identifier::qualifiers_agree(there, here), expected);
    }

    #[test]
    fn a_subject_is_named_by_its_key_and_its_place() {
        let subjects = json!({ "persons": [{ "key": "p1" , "documents": [
            { "key": "d2", "number": "AB123", "issuer": "TZA" }, { "number": "AB124" }
        ] }] });
        let found = identifiers(&subjects);
        let named: Vec<_> = found
            .iter()
            .map(|one| (one.subject.as_ref().map(SubjectKey::as_str), one.pointer.as_str()))
            .collect();
        assert_eq!(named, [(Some("d2"), "/persons/0/documents/0"), (None, "/persons/0/documents/1")]);
    }

    #[test]
    fn every_kind_has_a_word_of_its_own() {
        for kind in IdentifierKind::ALL {
            assert_eq!(IdentifierKind::from_word(kind.as_str()), Some(kind));
        }
    }
}
