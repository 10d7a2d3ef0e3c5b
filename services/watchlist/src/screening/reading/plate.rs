//! Registration plates: one form a country and period, as data. The forms are public knowledge and are to be confirmed by the
//! authorities; a plate of no form is looked for all the same.

use std::collections::BTreeMap;

use super::{NumberDigit, ReadScan, Reading, Understood};
use crate::screening::number::NumberKind;

/// A form of plates: `L` a letter, `D` a digit, everything else itself.
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
    form("MOZ", "LLLDDDLL", "since 2011"),
    form("MOZ", "MLCDDDD", "before 2011, motorcycle"),
    form("MOZ", "MLLDDDD", "before 2011"),
    form("MOZ", "MLDDDD", "before 2011, trailer"),
    form("TZA", "MCDDDLLL", "motorcycle"),
    form("TZA", "TDDDLLL", "private and commercial"),
    form("TZA", "TDDDCDDDD", "diplomatic"),
    form("TZA", "STKDDDD", "government"),
    form("TZA", "STLDDDD", "government"),
    form("TZA", "STJDDDD", "government"),
    form("TZA", "SUDDDD", "public body"),
    form("TZA", "SUDDDDD", "public body"),
    form("TZA", "SMDDDD", "municipal"),
    form("TZA", "SMDDDDD", "municipal"),
    form("TZA", "SMZDDDD", "government of Zanzibar"),
    form("TZA", "PTDDDD", "police"),
    form("TZA", "DFPDDDD", "donor-funded project"),
    form("TZA", "ZDDDLL", "Zanzibar"),
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
            'L' => c.is_ascii_uppercase(),
            'D' => c.is_ascii_digit(),
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
