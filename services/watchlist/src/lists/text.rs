//! Small operations on text that several lists need.

use super::limits::SHOWN_MAX_CHARS;

/// The text with one space between words and none at its ends. Control characters, which no value needs, count as
/// white space.
pub(crate) fn collapsed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let is_between = |letter: char| letter.is_whitespace() || letter.is_control();
    for word in text.split(is_between).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// At most `max` letters of the text, with `…` where it was cut.
pub(crate) fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
    }
}

/// The text in quotes for a message: one line of bounded length without control characters.
pub(crate) fn shown(text: &str) -> String {
    format!("\"{}\"", cut(&collapsed(text), SHOWN_MAX_CHARS))
}

/// Nothing when the text is empty.
pub(crate) fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The letter in lower case without its accent, so that words are known however they are written.
pub(crate) fn fold(letter: char) -> impl Iterator<Item = char> {
    letter.to_lowercase().map(|letter| match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'ç' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ñ' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'ý' | 'ÿ' => 'y',
        other => other,
    })
}

/// The capital letters and digits of a number, plate or VIN. Nothing when it has letters of another script, because
/// no reader of documents prints those.
pub(crate) fn letters_and_digits(text: &str) -> Option<String> {
    if text.chars().any(|c| c.is_alphanumeric() && !c.is_ascii()) {
        return None;
    }
    Some(text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_letters() {
        assert_eq!(cut("ção", 2), "çã…");
        assert_eq!(cut("ção", 3), "ção");
    }

    #[test]
    fn what_is_shown_is_one_line() {
        assert_eq!(shown("a\n\t b\u{0}c\u{1B}"), "\"a b c\"");
        assert_eq!(shown(&"x".repeat(500)).chars().count(), SHOWN_MAX_CHARS + 3);
    }

    #[test]
    fn numbers_of_other_scripts_are_no_keys() {
        assert_eq!(letters_and_digits("b/002.210"), Some("B002210".to_owned()));
        assert_eq!(letters_and_digits("А123"), None, "a Cyrillic letter that looks like a Latin one");
    }
}
