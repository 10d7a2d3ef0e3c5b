//! Words of ours that a filter names. An unknown one is refused, because an empty answer would look as if there were nothing.

use rovuma_runtime::Problem;
use rovuma_schemas::nearest;

/// Maximum characters of the caller's word in a refusal: no word of ours is longer.
const WORD_MAX_CHARS: usize = 64;

/// Maximum known words that a refusal lists when none is near: every message type, and no more, which would not be read.
const LISTED_MAX: usize = 48;

/// 400 `unknown_<parameter>`: the filter `parameter` names `word`, which is not one of `known` and which nothing has. Names the
/// nearest words, or all of them where none is near and they are no more than `LISTED_MAX`.
pub fn unknown_word(parameter: &str, word: &str, known: &[&str]) -> Problem {
    let detail = format!("There is no {parameter} {:?}.{}", shown(word), hint(word, known));
    Problem::bad_request(format!("unknown_{parameter}")).detail(detail)
}

/// A sentence, with a space before it, that names the known words nearest to `word`, or all of them where none is near and
/// they are no more than `LISTED_MAX`.
pub fn hint(word: &str, known: &[&str]) -> String {
    let near = nearest(word, known.iter().copied(), |known| vec![(*known).to_owned()]);
    match (near.is_empty(), known.len()) {
        (false, _) => format!(" The nearest: {}.", near.join(", ")),
        (true, 1..=LISTED_MAX) => format!(" Known: {}.", known.join(", ")),
        (true, _) => String::new(),
    }
}

/// The beginning of a caller's word, as a refusal shows it.
pub fn shown(word: &str) -> String {
    word.chars().take(WORD_MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_word_is_answered_with_the_nearest_or_with_all() {
        let detail =
            |word: &str, known: &[&str]| unknown_word("type", word, known).detail.unwrap_or_default();
        let known = ["alert.issue", "receipt.read"];
        assert_eq!(
            detail("alert.isue", &known),
            "There is no type \"alert.isue\". The nearest: alert.issue."
        );
        assert_eq!(detail("x", &known), "There is no type \"x\". Known: alert.issue, receipt.read.");
        let many: Vec<String> = (0..=LISTED_MAX).map(|number| format!("word-{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(detail("x", &many), "There is no type \"x\".");
        assert!(detail(&"x".repeat(1_000), &known).len() < 200);
        assert_eq!(unknown_word("type", "x", &known).code, "unknown_type");
    }
}
