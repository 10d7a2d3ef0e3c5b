//! The forms of texts, for the sentences of faults: the form in words, and the text that was probably meant.

use std::sync::LazyLock;

use crate::{
    AgencyCode, Date, Locale, Sentences,
    fault::{Detail, shown},
    names, sentences,
    subjects::{ImoNumber, Mmsi, NormalName, PlateNumber, SerialNumber, SubdivisionCode, Vin, put_right},
};

/// The form of each definition of the schemas that has one, in words.
static FORMS: LazyLock<Sentences> = LazyLock::new(|| {
    // The file is part of this build, and a test reads it.
    Sentences::parse(sentences::FORMS).expect("every form is complete")
});

/// The form of a definition in words. Forms that no officer types, such as digests, are not described.
pub(super) fn of(definition: &str) -> Detail {
    if is_described(definition) {
        Detail::each(|_, locale| FORMS.get(definition, locale).to_owned())
    } else {
        Detail::each(|hints, _| hints.form_in_schema().to_owned())
    }
}

/// The form of a definition in words, where it is described.
pub(crate) fn in_words(definition: &str, locale: Locale) -> Option<String> {
    is_described(definition).then(|| FORMS.get(definition, locale).to_owned())
}

/// Whether the form of a definition is described.
pub(super) fn is_described(definition: &str) -> bool {
    FORMS.keys().any(|key| key == definition)
}

/// The detail of a fault about `text`, which does not have the form of `definition`: the form, and the text that was probably
/// meant, or its length where that is what is wrong.
pub(super) fn detail(definition: &str, unverified_text: &str) -> Detail {
    let form = |locale| FORMS.get(definition, locale).to_owned();
    match guess(definition, unverified_text) {
        Some(guess) => Detail::each(|hints, locale| hints.form_guess(form(locale), shown(&guess))),
        None if definition == "Vin" => {
            let count = unverified_text.trim().chars().count();
            Detail::each(|hints, locale| hints.form_length(form(locale), count))
        }
        None => of(definition),
    }
}

/// The text that was probably meant, where it can be guessed. It has the form of the definition.
fn guess(definition: &str, text: &str) -> Option<String> {
    let has_form = |guess: String, fits: bool| fits.then_some(guess);
    match definition {
        "AgencyCode" => {
            let lower = text.trim().to_lowercase();
            let fits = lower.parse::<AgencyCode>().is_ok();
            has_form(lower, fits)
        }
        "Date" => day(text).map(|day| day.to_string()),
        "Vin" => {
            let guess = put_right::vin_digits(text);
            let fits = guess.parse::<Vin>().is_ok();
            has_form(guess, fits)
        }
        "PlateNumber" => {
            // A letter that no plate has means another one, which only the author knows: left out, it would name another vehicle.
            let text = names::without_marks(text);
            if text.chars().any(|c| c.is_alphanumeric() && !c.is_ascii()) {
                return None;
            }
            let parts = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
            let guess = parts.collect::<Vec<_>>().join(" ").to_uppercase();
            let fits = guess.parse::<PlateNumber>().is_ok();
            has_form(guess, fits)
        }
        "NormalName" => names::normalise(text).filter(|guess| guess.parse::<NormalName>().is_ok()),
        "ImoNumber" => digits(text).filter(|guess| guess.parse::<ImoNumber>().is_ok()),
        "Mmsi" => digits(text).filter(|guess| guess.parse::<Mmsi>().is_ok()),
        "SerialNumber" => {
            let guess = text.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned();
            let fits = guess.parse::<SerialNumber>().is_ok();
            has_form(guess, fits)
        }
        "SubdivisionCode" => {
            let guess = text.trim().to_uppercase();
            let fits = guess.parse::<SubdivisionCode>().is_ok();
            has_form(guess, fits)
        }
        _ => None,
    }
}

fn digits(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}

/// A day as people write it: `31/12/2030` (the day first, as in both countries), `2030.12.31`, `20301231`.
fn day(text: &str) -> Option<Date> {
    let parts: Vec<&str> =
        text.trim().split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    let (year, month, day) = match parts.as_slice() {
        [whole] if whole.len() == 8 => (&whole[..4], &whole[4..6], &whole[6..]),
        [year, month, day] if year.len() == 4 => (*year, *month, *day),
        [day, month, year] if year.len() == 4 => (*year, *month, *day),
        _ => return None,
    };
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::Value;

    use super::*;
    use crate::{Locale, MessageType, schema};

    #[rstest]
    #[case("Date", "31/12/2030", Some("2030-12-31"))]
    #[case("Date", "1-2-2030", Some("2030-02-01"))]
    #[case("Date", "2030.12.31", Some("2030-12-31"))]
    #[case("Date", "20301231", Some("2030-12-31"))]
    #[case("Date", "31/02/2030", None)]
    #[case("Date", "12/31/2030", None)]
    #[case("Date", "31/12/30", None)]
    #[case("AgencyCode", "TZ.TPF", Some("tz.tpf"))]
    #[case("AgencyCode", "Tanzania Police Force", None)]
    #[case("Vin", "MD2A21EZ0EWAO00OO", Some("MD2A21EZ0EWA00000"))]
    #[case("Vin", "md2a 21ez-0ewa00000", Some("MD2A21EZ0EWA00000"))]
    #[case("Vin", "MD2A21EZ0EWA0000", None)]
    #[case("PlateNumber", "(abc.123/mp)", Some("ABC 123 MP"))]
    #[case("PlateNumber", "sem matrícula nenhuma", None)]
    #[case("PlateNumber", "ÁBC 123", Some("ABC 123"))]
    #[case("PlateNumber", "\u{391}\u{392}\u{421} 123", None)]
    #[case("NormalName", "João da Silva", Some("JOAO DA SILVA"))]
    #[case("ImoNumber", "IMO 9074729", Some("9074729"))]
    #[case("Mmsi", "677 000 000", Some("677000000"))]
    #[case("SerialNumber", " 15AB12345.", Some("15AB12345"))]
    #[case("SubdivisionCode", "mz-p", Some("MZ-P"))]
    #[case("MrzLine", "P<MOZ", None)]
    fn what_was_meant_is_guessed_where_it_is_plain(
        #[case] definition: &str,
        #[case] text: &str,
        #[case] expected: Option<&str>,
    ) {
        assert_eq!(guess(definition, text).as_deref(), expected);
    }

    #[test]
    fn the_number_of_characters_of_a_vin_is_told() {
        let detail = detail("Vin", "MD2A21EZ0EWA0000");
        assert!(detail.get(Locale::En).ends_with("this text has 16 characters"), "{detail:?}");
    }

    /// Codes of lists are checked by their rule, which names the list.
    #[test]
    fn every_form_in_a_draft_is_described_and_no_other() {
        // Objects that officers may write as a text.
        let mut wanted: Vec<&str> = vec!["BirthDate", "CaseId"];
        for kind in MessageType::operational() {
            let definitions = schema::draft(kind)["$defs"].as_object().expect("definitions");
            let has_form = |definition: &Value| {
                (definition.get("pattern").is_some() || definition.get("format").is_some())
                    && definition.get("x-code-list").is_none()
            };
            wanted
                .extend(definitions.iter().filter(|(_, each)| has_form(each)).map(|(name, _)| name.as_str()));
        }
        wanted.sort_unstable();
        wanted.dedup();
        assert_eq!(FORMS.keys().collect::<Vec<_>>(), wanted);
    }
}
