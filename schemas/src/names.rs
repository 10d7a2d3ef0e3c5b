//! Names in the characters of a machine readable zone.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The text without diacritical marks: `Nguyễn` is `Nguyen`.
pub(crate) fn without_marks(text: &str) -> String {
    text.nfd().filter(|c| !is_combining_mark(*c)).collect()
}

/// The name in capitals A–Z and single spaces: diacritics as ICAO Doc 9303 part 3 section 6.A
/// transliterates them, apostrophes left out, every other mark a space. Letters that the table does
/// not have are left out, so the result can be empty.
pub fn normalise(printed: &str) -> String {
    let mut plain = String::with_capacity(printed.len());
    for letter in printed.chars().flat_map(char::to_uppercase) {
        match letter {
            'A'..='Z' => plain.push(letter),
            '\'' | '’' | 'ʼ' | '`' => {}
            other => {
                plain.push_str(transliterate(other).unwrap_or(if other.is_alphabetic() { "" } else { " " }))
            }
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The letters of the languages of the region and of travel documents often seen here.
const fn transliterate(letter: char) -> Option<&'static str> {
    Some(match letter {
        'À' | 'Á' | 'Â' | 'Ã' | 'Ā' | 'Ă' | 'Ą' => "A",
        'Ä' | 'Æ' => "AE",
        'Å' => "AA",
        'Ç' | 'Ć' | 'Ĉ' | 'Č' => "C",
        'Ð' | 'Ď' | 'Đ' => "D",
        'È' | 'É' | 'Ê' | 'Ë' | 'Ē' | 'Ė' | 'Ę' | 'Ě' => "E",
        'Ĝ' | 'Ğ' | 'Ġ' => "G",
        'Ì' | 'Í' | 'Î' | 'Ï' | 'Ĩ' | 'Ī' | 'İ' | 'ı' => "I",
        'Ł' | 'Ľ' => "L",
        'Ń' | 'Ň' | 'Ñ' => "N",
        'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ō' | 'Ő' => "O",
        'Ö' | 'Ø' | 'Œ' => "OE",
        'Ŕ' | 'Ř' => "R",
        'Ś' | 'Ş' | 'Š' | 'Ș' => "S",
        'ẞ' | 'ß' => "SS",
        'Ţ' | 'Ť' | 'Ț' => "T",
        'Þ' => "TH",
        'Ù' | 'Ú' | 'Û' | 'Ũ' | 'Ū' | 'Ů' | 'Ű' => "U",
        'Ü' => "UE",
        'Ý' | 'Ÿ' => "Y",
        'Ź' | 'Ż' | 'Ž' => "Z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("João Conceição", "JOAO CONCEICAO")]
    #[case("Ng'ombe wa-Nyerere", "NGOMBE WA NYERERE")]
    #[case("  Amina   binti Juma ", "AMINA BINTI JUMA")]
    #[case("Müller-Groß", "MUELLER GROSS")]
    #[case("محمد", "")]
    fn names_lose_what_a_zone_cannot_hold(#[case] printed: &str, #[case] expected: &str) {
        assert_eq!(normalise(printed), expected);
    }

    proptest! {
        #[test]
        fn only_capitals_and_single_spaces_remain(printed in ".{0,60}") {
            let plain = normalise(&printed);
            prop_assert!(plain.chars().all(|c| c == ' ' || c.is_ascii_uppercase()));
            prop_assert_eq!(normalise(&plain), plain.clone());
        }
    }
}
