//! Finds what a mistyped word may have meant.

use strsim::levenshtein;

use crate::names;

/// Maximum suggestions: more are no help.
const SUGGESTIONS_MAX: usize = 3;

/// Maximum characters of a word that is compared: no code, label or agency's short name is longer, and each comparison takes time
/// with the square of the length.
const COMPARED_MAX_CHARS: usize = 48;

/// Letters that must agree for each letter that differs.
const LETTERS_FOR_EACH_CHANGE: usize = 4;

/// How near a word is; the first is the nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    /// The same but for case, marks and separators.
    Same,
    /// One begins with the other.
    Beginning,
    /// One is a word of the other.
    Word,
    /// So many letters differ.
    Changed(usize),
}

/// The candidates that `text` may mean, the nearest first; `words` are those by which each is known. Where the text names
/// candidates exactly, there are no others.
pub fn nearest<C>(
    text: &str,
    candidates: impl Iterator<Item = C>,
    words: impl Fn(&C) -> Vec<String>,
) -> Vec<C> {
    if text.chars().nth(COMPARED_MAX_CHARS).is_some() {
        return Vec::new();
    }
    let wanted = comparable(text);
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<(Nearness, C)> = candidates
        .filter_map(|candidate| {
            let nearness =
                words(&candidate).iter().filter_map(|word| nearness(&wanted, &comparable(word))).min();
            nearness.map(|nearness| (nearness, candidate))
        })
        .collect();
    found.sort_by_key(|(nearness, _)| *nearness);
    let exact_only = found.first().is_some_and(|(nearness, _)| *nearness == Nearness::Same);
    let fits = |nearness: &Nearness| !exact_only || *nearness == Nearness::Same;
    let fitting = found.into_iter().filter(|(nearness, _)| fits(nearness));
    fitting.take(SUGGESTIONS_MAX).map(|(_, candidate)| candidate).collect()
}

/// A word in lower case, without marks, separators as single spaces.
fn comparable(word: &str) -> String {
    let plain = names::without_marks(word).to_lowercase();
    let parts = plain.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" ")
}

fn nearness(wanted: &str, word: &str) -> Option<Nearness> {
    // Two letters begin too many words.
    const BEGINNING_MIN: usize = 3;
    let begins = |long: &str, short: &str| short.len() >= BEGINNING_MIN && long.starts_with(short);
    if wanted == word {
        return Some(Nearness::Same);
    }
    if begins(word, wanted) || begins(wanted, word) {
        return Some(Nearness::Beginning);
    }
    let has_word =
        |text: &str, word: &str| word.len() >= BEGINNING_MIN && text.split(' ').any(|part| part == word);
    if has_word(word, wanted) || has_word(wanted, word) {
        return Some(Nearness::Word);
    }
    let limit = (wanted.chars().count() / LETTERS_FOR_EACH_CHANGE).max(1);
    let changes = levenshtein(wanted, word);
    (changes <= limit).then_some(Nearness::Changed(changes))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::CodeLists;

    #[rstest]
    #[case("colours", "branco", "white")]
    #[case("colours", "White", "white")]
    #[case("colours", "vermelha", "red")]
    #[case("colours", "nyekundu", "red")]
    #[case("colours", "gray", "grey")]
    #[case("states", "MZ", "MOZ")]
    #[case("states", "Moçambique", "MOZ")]
    #[case("states", "mocambique", "MOZ")]
    #[case("states", "Msumbiji", "MOZ")]
    #[case("states", "tza", "TZA")]
    #[case("states", "DEU", "D")]
    #[case("vehicle_types", "carro", "car")]
    #[case("vehicle_types", "Pikipiki", "motorcycle")]
    #[case("vehicle_types", "motocicleta", "motorcycle")]
    #[case("categories", "car", "vehicle")]
    #[case("categories", "veiculo", "vehicle")]
    #[case("categories", "stolen vehicle", "vehicle")]
    fn a_word_of_an_officer_leads_to_the_code(#[case] list: &str, #[case] text: &str, #[case] code: &str) {
        let found = CodeLists::shipped().get(list).expect("the list").nearest(text);
        assert_eq!(found.first().map(|entry| entry.code.as_str()), Some(code), "{text}: {found:?}");
    }

    #[rstest]
    #[case("ultraviolet")]
    #[case("")]
    #[case("—")]
    #[case("x")]
    fn what_is_near_nothing_gets_no_suggestion(#[case] text: &str) {
        assert!(CodeLists::shipped().get("colours").expect("the list").nearest(text).is_empty(), "{text}");
    }

    #[test]
    fn long_texts_are_not_compared() {
        let list = CodeLists::shipped().get("colours").expect("the list");
        assert!(list.nearest(&"white".repeat(1_000)).is_empty());
    }
}
