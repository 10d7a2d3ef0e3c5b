//! Queries about a document's number, typed and as a zone has it.

use rovuma_schemas::mrz::check_digit;
use rovuma_watchlist::screening::{Scan, ScanKind, ScanSource};

use super::{Class, Digit, Family, Query, Writer, family};
use crate::screen::{
    list::Holder,
    numbers::{self, NumberPlace, changed, confused, dropped, transposed},
    zone::{Counting, Zone, ZoneForm},
};

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
    pub(super) fn document(&mut self) {
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
                ..self.query(class, scan, text, Some(NumberPlace::Document))
            });
        }
    }

    pub(super) fn series(&mut self, to: &str) {
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
            ..self.query(class, scan, text, Some(NumberPlace::Document))
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
            ..self.query(class, scan, bent.text, Some(NumberPlace::Document))
        });
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

/// Whether a text has the form of such a number: one with another is refused.
fn has_form(kind: ScanKind, text: &str) -> bool {
    let (digits, rest) = match (kind, text.len()) {
        (ScanKind::Nida, 20) | (ScanKind::Bi, 9) => (text, ""),
        (ScanKind::Bi, 13) => text.split_at(12),
        _ => return false,
    };
    digits.bytes().all(|b| b.is_ascii_digit()) && rest.bytes().all(|b| b.is_ascii_uppercase())
}
