//! Arabic names in the characters of a machine readable zone: the letters of the Arabic language by the table of ICAO Doc 9303 part
//! 3 section 6. Letters that other languages add to the script are left to a person.

/// Whether a character is of the Arabic script.
pub(super) const fn is_arabic(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' | '\u{8a0}'..='\u{8ff}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
}

/// Adds the letter at `at` of a name. `None` where it is none of the table's.
pub(super) fn push(plain: &mut String, name: &[char], at: usize) -> Option<()> {
    let letter = *name.get(at)?;
    match letter {
        // A letter written longer, vowel signs and other marks are not encoded; a comma and the like part words.
        '\u{640}' | '\u{64b}'..='\u{650}' | '\u{652}'..='\u{65f}' | '\u{670}' => {}
        '\u{60c}' | '\u{61b}' | '\u{61f}' => plain.push(' '),
        // The sign that doubles a letter.
        '\u{651}' => plain.push_str(table(previous_letter(name, at)?)?),
        // Teh marbuta is written otherwise at the end of a part of the name.
        '\u{629}' => plain.push_str(if ends_part(name, at) { "XAH" } else { "XTA" }),
        _ => plain.push_str(table(letter)?),
    }
    Some(())
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{640}' | '\u{64b}'..='\u{65f}' | '\u{670}')
}

fn previous_letter(name: &[char], at: usize) -> Option<char> {
    name[..at].iter().rev().copied().find(|c| !is_mark(*c))
}

fn ends_part(name: &[char], at: usize) -> bool {
    name[at + 1..].iter().find(|c| !is_mark(**c)).is_none_or(|next| !next.is_alphabetic())
}

const fn table(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ء' => "XE",
        'آ' => "XAA",
        'أ' => "XAE",
        'ؤ' => "U",
        'إ' => "I",
        'ئ' => "XI",
        'ا' => "A",
        'ب' => "B",
        'ت' => "T",
        'ث' => "XTH",
        'ج' => "J",
        'ح' => "XH",
        'خ' => "XKH",
        'د' => "D",
        'ذ' => "XDH",
        'ر' => "R",
        'ز' => "Z",
        'س' => "S",
        'ش' => "XSH",
        'ص' => "XSS",
        'ض' => "XDZ",
        'ط' => "XTT",
        'ظ' => "XZZ",
        'ع' => "E",
        'غ' => "G",
        'ف' => "F",
        'ق' => "Q",
        'ك' => "K",
        'ل' => "L",
        'م' => "M",
        'ن' => "N",
        'ه' => "H",
        'و' => "W",
        'ى' => "XAY",
        'ي' => "Y",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::names::normalise;

    #[rstest]
    #[case("محمود عبد الرحيم", Some("MXHMWD EBD ALRXHYM"))]
    #[case("فاطمة", Some("FAXTTMXAH"))]
    #[case("فاطمة الزهراء", Some("FAXTTMXAH ALZHRAXE"))]
    #[case("مُحَمَّد", Some("MXHMMD"))]
    #[case("سعيـــد", Some("SEYD"))]
    // Letters of Persian and Urdu.
    #[case("پرویز", None)]
    #[case("ٹیپو", None)]
    fn arabic_letters_are_those_of_the_table(#[case] printed: &str, #[case] expected: Option<&str>) {
        assert_eq!(normalise(printed).as_deref(), expected);
    }
}
