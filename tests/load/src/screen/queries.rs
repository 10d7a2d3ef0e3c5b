//! Queries about a listed number: those that must find it, and those that are near it and must not be told to anybody.

mod documents;

use rovuma_schemas::Date;
use rovuma_watchlist::screening::{NumberKind, Scan, ScanKind, ScanSource, SeenVehicle};

use super::{
    list::{List, ListedEntry, Number},
    numbers::{
        self, NumberPlace, changed, confused, dropped, has_vin_digit, is_vin, luhn_digit, transposed, typed,
    },
    random::Random,
};

/// How a query was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Class {
    /// A zone with right digits.
    Zone,
    /// The same, in small letters or with spaces for fillers.
    ZoneTyped,
    /// A zone of a holder whom the list does not name.
    ZoneOtherHolder,
    /// Typed with everything that makes it certain.
    Typed,
    /// Typed, without what makes it certain.
    TypedUncertain,
    /// Typed, and nobody said what it is.
    Unlabelled,
    /// The traveller asks for protection.
    AsksProtection,
    /// The holder is stateless or a refugee.
    Stateless,
    /// A number within a series.
    InSeries,
    /// The number next to a series.
    BesideSeries,
    /// One character is taken for another, and the check digit fits, or there is none.
    Confusable,
    /// The same, and the check digit does not fit.
    ConfusableDigitWrong,
    /// One character is another, and the check digit fits.
    OtherCharacter,
    /// Two neighbours have changed places.
    Transposed,
    /// One character is missing.
    Dropped,
    /// The number is right, and its check digit is not.
    DigitWrong,
    /// Another state's document or plate.
    OtherState,
    /// A document of another type, or the zone of another family.
    OtherType,
    /// A camera read the plate.
    Camera,
    /// Another make of vehicle has the plate.
    OtherMake,
    /// The end of a frame number.
    Suffix,
}

/// The families of documents, which count as one type each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Passport,
    Card,
    Visa,
}

/// A query, and what is true of it by the way in which it was made.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) class: Class,
    pub(super) scan: Scan,
    pub(super) asks_protection: bool,
    /// The number that the text has.
    pub(super) number: String,
    /// What it is compared with; none where nobody said what it is.
    pub(super) place: Option<NumberPlace>,
    /// The state of document or plate, where the query says it.
    pub(super) state: Option<String>,
    pub(super) family: Option<Family>,
    /// Whether a check digit is there and right.
    pub(super) digit: Digit,
    pub(super) is_stateless: bool,
    /// Whether the holder is certainly somebody else than the entry names.
    pub(super) is_other_holder: bool,
}

/// A check digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digit {
    Right,
    Wrong,
    Absent,
}

/// The family of a document's type.
pub(super) fn family(document_type: &str) -> Option<Family> {
    match document_type {
        "passport" | "diplomatic_passport" | "service_passport" => Some(Family::Passport),
        "visa" => Some(Family::Visa),
        "bi_mz" | "nida_tz" | "residence_permit" | "national_id" => Some(Family::Card),
        _ => None,
    }
}

/// The queries about one listed number.
pub(super) fn about(list: &List, at: usize, today: Date, random: &mut Random) -> Vec<Query> {
    let number = &list.numbers[at];
    let entry = &list.entries[number.entry];
    let mut writer = Writer { number, entry, today, random, written: Vec::new() };
    match (number.kind, &number.to) {
        (NumberKind::Document, Some(to)) => writer.series(to),
        (NumberKind::Document, None) => writer.document(),
        (NumberKind::Plate, _) => writer.plate(),
        (NumberKind::Imei, _) => writer.imei(),
        (NumberKind::EngineNumber, _) => writer.engine(),
        _ => writer.frame(),
    }
    writer.written
}

struct Writer<'a> {
    number: &'a Number,
    entry: &'a ListedEntry,
    today: Date,
    random: &'a mut Random,
    written: Vec<Query>,
}

impl Writer<'_> {
    fn plate(&mut self) {
        let (value, state) = (self.number.value.clone(), self.number.state);
        let plate = |writer: &mut Self, class, text: &str, state: Option<&str>, change: fn(&mut Scan)| {
            let mut scan = Scan {
                kind: Some(ScanKind::Plate),
                state: state.map(str::to_owned),
                ..writer.typed_scan(text)
            };
            change(&mut scan);
            let query = writer.query(class, scan, text, Some(NumberPlace::Plate));
            writer.write(Query { state: state.map(str::to_owned), ..query });
        };
        let as_typed: fn(&mut Scan) = |_| {};
        plate(self, Class::Typed, &value, state, as_typed);
        plate(self, Class::Typed, &value, state, |scan| {
            (scan.source, scan.confirmed) = (ScanSource::Camera, true);
        });
        plate(self, Class::TypedUncertain, &value, None, as_typed);
        self.unlabelled();
        plate(self, Class::Camera, &value, state, |scan| scan.source = ScanSource::Camera);
        plate(self, Class::OtherState, &value, Some(self.other_state()), as_typed);
        plate(self, Class::AsksProtection, &value, state, as_typed);
        let make = |make: &str| Some(SeenVehicle { make: Some(make.to_owned()), ..SeenVehicle::default() });
        for (class, seen) in
            [(Class::Typed, self.entry.make), (Class::OtherMake, self.entry.make.map(|_| "Velocette"))]
        {
            plate(self, class, &value, state, as_typed);
            if let (Some(seen), Some(last)) = (seen, self.written.last_mut()) {
                last.scan.vehicle = make(seen);
            } else {
                self.written.pop();
            }
        }
        let (alike, swapped) = (confused(&value, self.random), transposed(&value, self.random));
        let (other, shorter) = (changed(&value, self.random), dropped(&value, self.random));
        for (class, text) in [
            (Class::Confusable, alike),
            (Class::OtherCharacter, Some(other)),
            (Class::Transposed, swapped),
            (Class::Dropped, Some(shorter)),
        ] {
            if let Some(text) = text {
                plate(self, class, &text, state, as_typed);
            }
        }
    }

    fn frame(&mut self) {
        let value = self.number.value.clone();
        self.typed_frame(Class::Typed, &value);
        self.unlabelled();
        self.typed_frame(Class::AsksProtection, &value);
        if let Some(alike) = confused(&value, self.random) {
            let is_digit_wrong = vin_digit(&alike) == Digit::Wrong;
            let class = if is_digit_wrong { Class::ConfusableDigitWrong } else { Class::Confusable };
            self.typed_frame(class, &alike);
        }
        let mut other = changed(&value, self.random);
        if is_vin(&other) && is_vin(&value) {
            other = numbers::with_vin_digit(&other);
        }
        // Where the check digit itself was changed, it is the same number again.
        if other != value {
            self.typed_frame(Class::OtherCharacter, &other);
        }
        if let Some(swapped) = transposed(&value, self.random) {
            self.typed_frame(Class::Transposed, &swapped);
        }
        let shorter = dropped(&value, self.random);
        self.typed_frame(Class::Dropped, &shorter);
        let length = self.random.between(6, value.len() - 1);
        self.typed_frame(Class::Suffix, &value[value.len() - length..]);
    }

    fn engine(&mut self) {
        let value = self.number.value.clone();
        let (alike, other) = (confused(&value, self.random), changed(&value, self.random));
        self.unlabelled();
        for (class, text) in
            [(Class::Typed, Some(value)), (Class::Confusable, alike), (Class::OtherCharacter, Some(other))]
        {
            let Some(text) = text else { continue };
            let scan = Scan { kind: Some(ScanKind::EngineNumber), confirmed: true, ..self.typed_scan(&text) };
            self.write(self.query(class, scan, &text, Some(NumberPlace::Engine)));
        }
    }

    fn imei(&mut self) {
        let value = self.number.value.clone();
        let digits = value[..14].to_owned();
        let with_digit = |digits: &str| format!("{digits}{}", luhn_digit(digits));
        let other = with_digit(&changed(&digits, self.random));
        let swapped = transposed(&digits, self.random).map(|digits| with_digit(&digits));
        let wrong = format!("{digits}{}", (value.as_bytes()[14] - b'0' + 1) % 10);
        self.unlabelled();
        for (class, text, digit) in [
            (Class::Typed, Some(value.clone()), Digit::Right),
            (Class::TypedUncertain, Some(digits.clone()), Digit::Absent),
            (Class::TypedUncertain, Some(format!("{digits}07")), Digit::Absent),
            (Class::AsksProtection, Some(value), Digit::Right),
            (Class::DigitWrong, Some(wrong), Digit::Wrong),
            (Class::OtherCharacter, Some(other), Digit::Right),
            (Class::Transposed, swapped, Digit::Right),
        ] {
            let Some(text) = text else { continue };
            let scan = Scan { kind: Some(ScanKind::Imei), ..self.typed_scan(&text) };
            self.write(Query { digit, ..self.query(class, scan, &text, Some(NumberPlace::Object)) });
        }
    }

    /// The number alone: the service must find out what it is.
    fn unlabelled(&mut self) {
        let value = self.number.value.clone();
        let scan = self.typed_scan(&value);
        self.write(self.query(Class::Unlabelled, scan, &value, None));
    }

    fn typed_frame(&mut self, class: Class, text: &str) {
        let kind = *self.random.pick(&[ScanKind::Vin, ScanKind::ChassisNumber]);
        let scan = Scan { kind: Some(kind), ..self.typed_scan(text) };
        let digit = vin_digit(text);
        self.write(Query { digit, ..self.query(class, scan, text, Some(NumberPlace::Frame)) });
    }

    fn typed_scan(&mut self, text: &str) -> Scan {
        Scan { text: typed(text, self.random), ..Scan::default() }
    }

    fn query(&self, class: Class, scan: Scan, number: &str, place: Option<NumberPlace>) -> Query {
        Query {
            class,
            scan,
            asks_protection: class == Class::AsksProtection,
            number: number.to_owned(),
            place,
            state: None,
            family: None,
            digit: Digit::Absent,
            is_stateless: false,
            is_other_holder: false,
        }
    }

    fn write(&mut self, query: Query) {
        self.written.push(query);
    }

    /// A state that did not issue the document or plate.
    fn other_state(&self) -> &'static str {
        if self.number.state == Some("MOZ") { "TZA" } else { "MOZ" }
    }
}

fn vin_digit(text: &str) -> Digit {
    match is_vin(text) && has_vin_digit(text) {
        false => Digit::Absent,
        true if text.chars().nth(8) == Some(numbers::vin_digit(text)) => Digit::Right,
        true => Digit::Wrong,
    }
}
