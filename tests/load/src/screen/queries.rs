//! Queries about a listed number: those that must find it, and those that are near it and must not be told to anybody.

use rovuma_schemas::{Date, mrz::check_digit};
use rovuma_watchlist::screening::{NumberKind, Scan, ScanKind, ScanSource, SeenVehicle};

use super::{
    list::{Entry, Holder, List, Number},
    numbers::{
        self, Place, changed, confused, dropped, has_vin_digit, is_vin, luhn_digit, transposed, typed,
    },
    random::Random,
    zone::{Counting, Zone, ZoneForm},
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
    pub(super) place: Option<Place>,
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
    entry: &'a Entry,
    today: Date,
    random: &'a mut Random,
    written: Vec<Query>,
}

/// What a zone says beside its number.
struct Bent<'a> {
    class: Class,
    text: &'a str,
    /// The number over which digits are counted, where it is another than the text.
    printed: Option<&'a str>,
    state: &'a str,
    family: Family,
    nationality: Option<&'a str>,
    holder: Option<Holder>,
}

impl Writer<'_> {
    fn document(&mut self) {
        let value = self.number.value.clone();
        let (alike, swapped) = (confused(&value, self.random), transposed(&value, self.random));
        let (other, shorter) = (changed(&value, self.random), dropped(&value, self.random));
        self.typed_document(Class::Typed, &value, self.number.state, true);
        self.typed_document(Class::TypedUncertain, &value, self.number.state, false);
        self.typed_document(Class::TypedUncertain, &value, None, true);
        self.unlabelled();
        self.typed_document(Class::AsksProtection, &value, self.number.state, true);
        for (class, text) in [
            (Class::Confusable, alike.as_ref()),
            (Class::OtherCharacter, Some(&other)),
            (Class::Transposed, swapped.as_ref()),
            (Class::Dropped, Some(&shorter)),
        ] {
            if let Some(text) = text {
                self.typed_document(class, text, self.number.state, true);
            }
        }
        self.typed_document(Class::OtherState, &value, Some(self.other_state()), true);
        self.national(alike.as_deref(), &other);
        let Some(family) = self.number.document_type.and_then(family) else { return };
        let state = self.number.state.unwrap_or("UTO");
        let plain = Bent {
            class: Class::Zone,
            text: &value,
            printed: None,
            state,
            family,
            nationality: None,
            holder: None,
        };
        self.zones(&plain);
        self.zones(&Bent { class: Class::ZoneTyped, ..plain });
        let stranger = Holder { surname: "STRANGER", given: "NOBODY ELSE", year: 1949, month: 3, day: 29 };
        self.zones(&Bent { class: Class::ZoneOtherHolder, holder: Some(stranger), ..plain });
        self.zones(&Bent { class: Class::AsksProtection, ..plain });
        for nationality in ["XXA", "XXB", "XXC"] {
            self.zones(&Bent { class: Class::Stateless, nationality: Some(nationality), ..plain });
        }
        let wrong = changed(&value, self.random);
        self.zones(&Bent { class: Class::DigitWrong, printed: Some(&wrong), ..plain });
        if let Some(alike) = &alike {
            self.zones(&Bent { class: Class::Confusable, text: alike, ..plain });
            self.zones(&Bent {
                class: Class::ConfusableDigitWrong,
                text: alike,
                printed: Some(&value),
                ..plain
            });
        }
        if value.len() < 9 {
            // The filler behind a short number is read as K.
            let with_k = format!("{value}K");
            self.zones(&Bent { class: Class::Confusable, text: &with_k, ..plain });
        }
        self.zones(&Bent { class: Class::OtherCharacter, text: &other, ..plain });
        if let Some(swapped) = &swapped {
            self.zones(&Bent { class: Class::Transposed, text: swapped, ..plain });
        }
        self.zones(&Bent { class: Class::Dropped, text: &shorter, ..plain });
        let other_state = self.other_state();
        self.zones(&Bent { class: Class::OtherState, state: other_state, ..plain });
        let others = [Family::Passport, Family::Card, Family::Visa];
        for other in others.into_iter().filter(|other| *other != family) {
            self.zones(&Bent { class: Class::OtherType, family: other, ..plain });
        }
    }

    /// The number as the officer says which kind of national number it is.
    fn national(&mut self, alike: Option<&str>, other: &str) {
        let (kind, state) = match self.number.document_type {
            Some("nida_tz") => (ScanKind::Nida, "TZA"),
            Some("bi_mz") => (ScanKind::Bi, "MOZ"),
            _ => return,
        };
        let value = self.number.value.clone();
        // What has another form than such a number is refused, and so finds nothing: that is right.
        for (class, text) in [
            (Class::Typed, Some(value.as_str())),
            (Class::Confusable, alike.filter(|text| has_form(kind, text))),
            (Class::OtherCharacter, Some(other)),
        ] {
            let Some(text) = text else { continue };
            let scan = Scan { kind: Some(kind), confirmed: true, ..self.typed_scan(text) };
            self.write(Query {
                state: Some(state.to_owned()),
                family: Some(Family::Card),
                ..self.query(class, scan, text, Some(Place::Document))
            });
        }
    }

    fn series(&mut self, to: &str) {
        let value = self.number.value.clone();
        let (Some((prefix, first)), Some((_, last))) = (numbers::counted(&value), numbers::counted(to))
        else {
            return;
        };
        let width = value.len() - prefix.len();
        let inside = first + self.random.below(usize::try_from(last - first).unwrap_or(1) + 1) as u128;
        let of = |number: u128| format!("{prefix}{number:0width$}");
        let (inside, beside) = (of(inside), of(last + 1));
        for text in [&inside, &value, &to.to_owned()] {
            self.typed_document(Class::InSeries, text, self.number.state, true);
        }
        if beside.len() == value.len() {
            self.typed_document(Class::BesideSeries, &beside, self.number.state, true);
        }
        self.typed_document(Class::OtherState, &inside, Some(self.other_state()), true);
        let state = self.number.state.unwrap_or("UTO");
        let plain = Bent {
            class: Class::InSeries,
            text: &inside,
            printed: None,
            state,
            family: Family::Passport,
            nationality: None,
            holder: None,
        };
        self.zones(&plain);
        if let Some(alike) = confused(&inside, self.random) {
            self.zones(&Bent { class: Class::Confusable, text: &alike, ..plain });
        }
        if beside.len() == value.len() {
            self.zones(&Bent { class: Class::BesideSeries, text: &beside, ..plain });
        }
    }

    fn plate(&mut self) {
        let (value, state) = (self.number.value.clone(), self.number.state);
        let plate = |writer: &mut Self, class, text: &str, state: Option<&str>, change: fn(&mut Scan)| {
            let mut scan = Scan {
                kind: Some(ScanKind::Plate),
                state: state.map(str::to_owned),
                ..writer.typed_scan(text)
            };
            change(&mut scan);
            let query = writer.query(class, scan, text, Some(Place::Plate));
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
            self.write(self.query(class, scan, &text, Some(Place::Engine)));
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
            self.write(Query { digit, ..self.query(class, scan, &text, Some(Place::Object)) });
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
        self.write(Query { digit, ..self.query(class, scan, text, Some(Place::Frame)) });
    }

    fn typed_document(&mut self, class: Class, text: &str, state: Option<&str>, confirmed: bool) {
        let scan = Scan {
            kind: Some(ScanKind::Document),
            state: state.map(str::to_owned),
            document_type: self.number.document_type.map(str::to_owned),
            confirmed,
            ..self.typed_scan(text)
        };
        self.write(Query {
            state: state.map(str::to_owned),
            family: self.number.document_type.and_then(family),
            ..self.query(class, scan, text, Some(Place::Document))
        });
    }

    /// The zone in each form and convention that the number fits.
    fn zones(&mut self, bent: &Bent<'_>) {
        let forms: &[ZoneForm] = match bent.family {
            Family::Passport => &[ZoneForm::Td3],
            Family::Card => &[ZoneForm::Td1, ZoneForm::Td2],
            Family::Visa => &[ZoneForm::MrvA, ZoneForm::MrvB],
        };
        for form in forms.iter().filter(|form| bent.text.len() <= form.number_max()) {
            let countings: &[Counting] = if bent.text.len() > 9 {
                &[Counting::Joined, Counting::WithFiller]
            } else {
                &[Counting::Joined]
            };
            for counting in countings {
                self.zone(bent, *form, *counting);
            }
        }
    }

    fn zone(&mut self, bent: &Bent<'_>, form: ZoneForm, counting: Counting) {
        let holder = bent.holder.or(self.entry.holder).unwrap_or_else(|| Holder::draw(self.random));
        let state = if bent.state == "DEU" { "D" } else { bent.state };
        let code = match bent.family {
            Family::Passport => *self.random.pick(&["P", "PD", "PS", "PP"]),
            Family::Card => *self.random.pick(&["I", "ID", "AC", "C", "IP"]),
            Family::Visa => "V",
        };
        let printed = bent.printed.filter(|printed| printed.len() == bent.text.len());
        let zone = Zone {
            form,
            counting,
            code,
            issuer: state,
            number: bent.text,
            printed,
            surname: holder.surname,
            given: holder.given,
            nationality: bent.nationality.unwrap_or(state),
            birth: &format!("{:02}{:02}{:02}", holder.year % 100, holder.month, holder.day),
            sex: *self.random.pick(&['F', 'M', '<']),
            expiry: &format!("{:02}0{}15", (self.today.year() + 4) % 100, self.random.between(1, 9)),
        };
        let lines = zone.lines();
        let mut text = lines.join(if self.random.happens(50) { "\r\n" } else { "\n" });
        if bent.class == Class::ZoneTyped {
            text = if self.random.happens(50) { text.to_ascii_lowercase() } else { text.replace('<', " ") };
            // Spaces at the end of a line are lost on the way, and with them the line's length.
            let ends_in_space = text.lines().any(|line| line.ends_with(' ') || line.starts_with(' '));
            if ends_in_space {
                text = lines.join("\n").to_ascii_lowercase();
            }
        }
        let digit = if is_counted_alike(&zone) { Digit::Right } else { Digit::Wrong };
        // Two numbers may have one check digit: G and 6 always do.
        let class = match (bent.class, digit) {
            (Class::DigitWrong, Digit::Right) => return,
            (Class::ConfusableDigitWrong, Digit::Right) => Class::Confusable,
            (class, _) => class,
        };
        let kind = self.random.happens(50).then_some(ScanKind::Mrz);
        let scan = Scan { text, kind, source: ScanSource::Reader, ..Scan::default() };
        let is_other_holder = bent.holder.is_some() && self.entry.holder.is_some();
        self.write(Query {
            state: Some(bent.state.to_owned()),
            family: Some(bent.family),
            digit,
            is_stateless: bent.nationality.is_some(),
            is_other_holder,
            ..self.query(class, scan, bent.text, Some(Place::Document))
        });
    }

    fn typed_scan(&mut self, text: &str) -> Scan {
        Scan { text: typed(text, self.random), ..Scan::default() }
    }

    fn query(&self, class: Class, scan: Scan, number: &str, place: Option<Place>) -> Query {
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

/// Whether the digit that a zone prints fits the number that it has.
fn is_counted_alike(zone: &Zone<'_>) -> bool {
    let counted = |number: &str| match (number.len() > 9, zone.counting) {
        (false, _) => check_digit(&format!("{number:<<9}")),
        (true, Counting::Joined) => check_digit(number),
        (true, Counting::WithFiller) => check_digit(&format!("{}<{}", &number[..9], &number[9..])),
    };
    // A digit that fits in the other convention fits as well: a reader cannot know which was meant.
    let other = || {
        (zone.number.len() > 9).then(|| {
            [check_digit(zone.number), check_digit(&format!("{}<{}", &zone.number[..9], &zone.number[9..]))]
        })
    };
    let printed = counted(zone.printed.unwrap_or(zone.number));
    counted(zone.number) == printed || other().is_some_and(|both| both.contains(&printed))
}

fn vin_digit(text: &str) -> Digit {
    match is_vin(text) && has_vin_digit(text) {
        false => Digit::Absent,
        true if text.chars().nth(8) == Some(numbers::vin_digit(text)) => Digit::Right,
        true => Digit::Wrong,
    }
}

/// Whether a text has the form of such a number: one with another is refused.
fn has_form(kind: ScanKind, text: &str) -> bool {
    let (digits, rest) = match (kind, text.len()) {
        (ScanKind::Nida, 20) | (ScanKind::Bi, 9) => (text, ""),
        (ScanKind::Bi, 13) => text.split_at(12),
        _ => return false,
    };
    digits.bytes().all(|b| b.is_ascii_digit()) && rest.bytes().all(|b| b.is_ascii_uppercase())
}
