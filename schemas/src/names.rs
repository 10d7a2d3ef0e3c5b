//! Names in the characters of a machine readable zone.

mod arabic;

use unicode_normalization::{
    UnicodeNormalization,
    char::{decompose_compatible, is_combining_mark},
};

/// The text without diacritical marks: `Nguyễn` is `Nguyen`.
pub(crate) fn without_marks(text: &str) -> String {
    text.nfd().filter(|c| !is_combining_mark(*c)).collect()
}

/// The name in capitals A–Z and single spaces, as ICAO Doc 9303 part 3 section 6 transliterates it: Latin letters with marks by its
/// table, others by the letter under the marks; Arabic letters by its table; apostrophes left out, every other mark a space.
///
/// `None` where the name has a letter that cannot be transliterated so, or no letter at all: a form that lacks a letter would
/// be another name.
pub fn normalise(printed: &str) -> Option<String> {
    let mut plain = String::with_capacity(printed.len());
    let composed: Vec<char> = printed.nfc().flat_map(char::to_uppercase).collect();
    for (at, letter) in composed.iter().copied().enumerate() {
        match letter {
            _ if is_apostrophe(letter) => {}
            _ if arabic::is_arabic(letter) => arabic::push(&mut plain, &composed, at)?,
            _ => push_latin(&mut plain, letter)?,
        }
    }
    let name = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    (!name.is_empty()).then_some(name)
}

/// Whether a name has a letter that is not Latin, so that documents print it in another form too.
pub(crate) fn has_foreign_letters(printed: &str) -> bool {
    let letters = printed.chars().filter(|c| c.is_alphabetic() && !is_apostrophe(*c));
    letters.flat_map(char::to_uppercase).any(|letter| {
        let mut is_foreign = false;
        decompose_compatible(letter, |part| {
            let is_latin = part.is_ascii_alphabetic() || is_apostrophe(part) || table(part).is_some();
            is_foreign |= !is_latin && !is_combining_mark(part);
        });
        is_foreign
    })
}

const fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '‘' | 'ʼ' | 'ʻ' | '`')
}

/// Adds a capital, transliterated. `None` where it is a letter without a transliteration.
fn push_latin(plain: &mut String, letter: char) -> Option<()> {
    if let Some(letters) = table(letter) {
        plain.push_str(letters);
        return Some(());
    }
    let mut complete = true;
    decompose_compatible(letter, |part| match part {
        'A'..='Z' => plain.push(part),
        'a'..='z' => plain.push(part.to_ascii_uppercase()),
        _ if is_combining_mark(part) => {}
        _ => match table(part) {
            Some(letters) => plain.push_str(letters),
            None if part.is_alphabetic() => complete = false,
            None => plain.push(' '),
        },
    });
    complete.then_some(())
}

/// The letters of Doc 9303's table that are not the letter under their mark, or have no mark; and letters of African alphabets
/// that the table lacks.
const fn table(letter: char) -> Option<&'static str> {
    Some(match letter {
        'Ä' | 'Æ' => "AE",
        'Å' => "AA",
        'Ö' | 'Ø' | 'Œ' => "OE",
        'Ü' => "UE",
        'ẞ' => "SS",
        'Þ' => "TH",
        'Ĳ' => "IJ",
        'Ð' | 'Đ' | 'Ɖ' | 'Ɗ' => "D",
        'Ħ' => "H",
        'ı' | 'İ' | 'Ɩ' => "I",
        'ĸ' | 'Ƙ' => "K",
        'Ł' | 'Ŀ' => "L",
        'Ŋ' | 'Ɲ' => "N",
        'Ŧ' => "T",
        'Ɓ' => "B",
        'Ɛ' | 'Ǝ' => "E",
        'Ɣ' => "G",
        'Ɔ' => "O",
        'Ʋ' => "V",
        'Ƴ' => "Y",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("João Conceição", Some("JOAO CONCEICAO"))]
    #[case("Ng'ombe wa-Nyerere", Some("NGOMBE WA NYERERE"))]
    #[case("  Amina   binti Juma ", Some("AMINA BINTI JUMA"))]
    #[case("Müller-Groß", Some("MUELLER GROSS"))]
    #[case("Nguyễn Văn Đức", Some("NGUYEN VAN DUC"))]
    #[case("Trần Thị Hường", Some("TRAN THI HUONG"))]
    #[case("Łukasz Žižek Šťastný", Some("LUKASZ ZIZEK STASTNY"))]
    #[case("Ŵilliam Ķalniņš Ģirts", Some("WILLIAM KALNINS GIRTS"))]
    #[case("Ɓaɗo Ŋgugi", Some("BADO NGUGI"))]
    #[case("J\u{6f}a\u{303}o Mu\u{308}ller", Some("JOAO MUELLER"))]
    #[case("ＡＢＣ ﬁ", Some("ABC FI"))]
    #[case("محمد", Some("MXHMD"))]
    #[case("Juma محمد", Some("JUMA MXHMD"))]
    #[case("Иван", None)]
    #[case("Juma Иванов", None)]
    #[case("王小明", None)]
    #[case("---", None)]
    #[case("", None)]
    fn names_lose_no_letter(#[case] printed: &str, #[case] expected: Option<&str>) {
        assert_eq!(normalise(printed).as_deref(), expected);
    }

    #[rstest]
    #[case("Nguyễn Văn Đức", false)]
    #[case("Müller", false)]
    #[case("Ng'ombe Ngʼombe 2", false)]
    #[case("محمد", true)]
    #[case("Juma Иванов", true)]
    fn letters_of_other_scripts_are_noticed(#[case] printed: &str, #[case] expected: bool) {
        assert_eq!(has_foreign_letters(printed), expected);
    }

    proptest! {
        #[test]
        fn only_capitals_and_single_spaces_remain(printed in ".{0,60}") {
            if let Some(plain) = normalise(&printed) {
                prop_assert!(plain.chars().all(|c| c == ' ' || c.is_ascii_uppercase()));
                prop_assert_eq!(normalise(&plain), Some(plain.clone()));
            }
        }

        /// Each letter of a Latin name leaves at least one letter, in its place.
        #[test]
        fn no_letter_is_lost(letters in proptest::collection::vec("[a-zà-öø-ÿĀ-ſẠ-ỹ]", 1..20)) {
            let name: String = letters.concat();
            let plain = normalise(&name);
            let each: Option<Vec<String>> = letters.iter().map(|letter| normalise(letter)).collect();
            let each = each.unwrap_or_else(|| panic!("a letter of {name} has no form"));
            prop_assert!(each.iter().all(|one| !one.is_empty()));
            prop_assert_eq!(plain, Some(each.concat()));
        }

        /// A name with a letter that has no form has none either, whatever stands around it.
        #[test]
        fn a_letter_without_form_is_never_passed_over(before in "[A-Za-z ]{0,9}", letter in "[а-яא-ת一-龥α-ωกขค]", after in "[A-Za-z ]{0,9}") {
            let name = format!("{before}{letter}{after}");
            prop_assert_eq!(normalise(&name), None);
        }
    }
}
