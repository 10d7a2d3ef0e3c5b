//! Registration plates: one form a country and period, as data. The forms are public knowledge and are to be confirmed by the
//! authorities; a plate of no form is looked for all the same.

use std::collections::BTreeMap;

use super::{NumberDigit, ReadScan, Reading, Understood};
use crate::screening::number::NumberKind;

/// A form of plates: `a` a letter, `9` a digit, capitals themselves.
#[derive(Debug)]
pub(crate) struct PlateForm {
    /// The state that issues it.
    pub(crate) state: &'static str,
    /// The form.
    form: &'static str,
    /// What it is for.
    pub(crate) name: &'static str,
}

const fn form(state: &'static str, form: &'static str, name: &'static str) -> PlateForm {
    PlateForm { state, form, name }
}

/// The forms. The more particular come first: a motorcycle of Tanzania, `MC 123 ABC`, would otherwise pass for another.
const FORMS: [PlateForm; 18] = [
    form("MOZ", "aaa999aa", "since 2011"),
    form("MOZ", "MaC9999", "before 2011, motorcycle"),
    form("MOZ", "Maa9999", "before 2011"),
    form("MOZ", "Ma9999", "before 2011, trailer"),
    form("TZA", "MC999aaa", "motorcycle"),
    form("TZA", "T999aaa", "private and commercial"),
    form("TZA", "T999CD999", "diplomatic"),
    form("TZA", "STK9999", "government"),
    form("TZA", "STL9999", "government"),
    form("TZA", "STJ9999", "government"),
    form("TZA", "SU9999", "public body"),
    form("TZA", "SU99999", "public body"),
    form("TZA", "SM9999", "municipal"),
    form("TZA", "SM99999", "municipal"),
    form("TZA", "SMZ9999", "government of Zanzibar"),
    form("TZA", "PT9999", "police"),
    form("TZA", "DFP9999", "donor-funded project"),
    form("TZA", "Z999aa", "Zanzibar"),
];

/// The provinces in the second letter of plates of Mozambique before 2011, as far as they are known.
const PROVINCES: [(char, &str); 11] = [
    ('B', "Manica"),
    ('C', "Gaza"),
    ('I', "Inhambane"),
    ('L', "Maputo"),
    ('M', "Maputo"),
    ('N', "Nampula"),
    ('P', "Cabo Delgado"),
    ('Q', "Zambézia"),
    ('S', "Sofala"),
    ('T', "Tete"),
    ('A', "Niassa"),
];

/// The forms that a number has.
pub(crate) fn forms(number: &str) -> Vec<&'static PlateForm> {
    FORMS.iter().filter(|form| fits(form.form, number)).collect()
}

fn fits(form: &str, number: &str) -> bool {
    form.len() == number.len()
        && form.chars().zip(number.chars()).all(|(place, c)| match place {
            'a' => c.is_ascii_uppercase(),
            '9' => c.is_ascii_digit(),
            fixed => fixed == c,
        })
}

/// Reads a plate. One of no known form is a plate all the same.
pub(super) fn read(number: &str, state: Option<String>) -> ReadScan {
    let forms = forms(number);
    let mut understood = Understood { kind: "plate".to_owned(), ..Understood::default() };
    let mut reading =
        Reading { is_kind_known: true, digit: NumberDigit::None, ..Reading::new(NumberKind::Plate, number) };
    let mut fields = BTreeMap::from([("plate".to_owned(), number.to_owned())]);
    let fitting = forms.iter().find(|form| state.as_deref().is_none_or(|state| state == form.state));
    if let Some(form) = fitting {
        fields.insert("plate_form".to_owned(), form.name.to_owned());
        if form.name.starts_with("before 2011")
            && let Some(letter) = number.chars().nth(1)
            && let Some((_, province)) = PROVINCES.iter().find(|(known, _)| *known == letter)
        {
            fields.insert("province".to_owned(), (*province).to_owned());
        }
    } else {
        understood.warnings.push("plate_form_unknown".to_owned());
    }
    match (&state, fitting) {
        (Some(state), _) => reading.state = Some(state.clone()),
        (None, Some(form)) => {
            (reading.state, reading.is_state_guessed) = (Some(form.state.to_owned()), true);
            understood.warnings.push("country_guessed".to_owned());
        }
        (None, None) => {}
    }
    if let Some(state) = &reading.state {
        fields.insert("state".to_owned(), state.clone());
    }
    understood.fields = fields;
    ReadScan { understood, readings: vec![reading] }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn every_form_has_its_plates() {
        for form in &FORMS {
            // V stands in no form, so that no other letter takes its place.
            let plate = form.form.replace('9', "1").replace('a', "V");
            assert!(forms(&plate).iter().any(|found| found.form == form.form), "{plate}");
        }
    }

    #[rstest]
    #[case("DFP1234", Some("donor-funded project"))]
    #[case("T012CD345", Some("diplomatic"))]
    #[case("STL1234", Some("government"))]
    #[case("STA1234", None)]
    #[case("1FP1234", None)]
    #[case("MLC1234", Some("before 2011, motorcycle"))]
    #[case("MC123ABC", Some("motorcycle"))]
    fn letters_of_a_form_are_themselves(#[case] plate: &str, #[case] expected: Option<&str>) {
        assert_eq!(forms(plate).first().map(|form| form.name), expected);
    }
}
