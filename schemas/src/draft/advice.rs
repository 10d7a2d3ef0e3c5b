//! Advice about free text that seems to contain data which this exchange does not carry.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Locale,
    codes::Labels,
    limits::{FAULTS_SHOWN_MAX, FAULTS_SHOWN_MAX_BYTES},
    pointer::Pointer,
};

/// A passage that the author should read again before release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Advice {
    /// The JSON Pointer of the text (RFC 6901).
    pub pointer: String,
    /// The topic that the text seems to be about: `asylum`, `religion`, `ethnicity`, `politics`.
    pub topic: String,
    /// A sentence for the officer.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Topic {
    code: String,
    sentence: Labels,
    /// Beginnings of words in lower case, in all three languages: officers mix them.
    stems: Vec<String>,
    /// Whole words, where the beginning alone would catch others (`dini`, and the name Dinis).
    words: Vec<String>,
}

static TOPICS: LazyLock<Vec<Topic>> = LazyLock::new(|| {
    // The file is part of this build and a test reads it.
    serde_json::from_str(include_str!("../../codes/protected_topics.json")).expect("well formed")
});

/// The fields with an officer's own sentences. Names and places are not searched.
const TEXTS: [&str; 6] = ["circumstances", "statement", "note", "marks", "restriction", "description"];

/// The first advice about a draft: as much as an answer shows of its faults.
pub(super) fn of(draft: &Value, locale: Locale) -> Vec<Advice> {
    let mut found = Vec::new();
    search(draft, &Pointer::default(), false, locale, &mut found);
    found
}

fn search(value: &Value, at: &Pointer, is_text: bool, locale: Locale, found: &mut Vec<Advice>) {
    let size_bytes: usize = found.iter().map(|advice| advice.pointer.len()).sum();
    if found.len() >= FAULTS_SHOWN_MAX || size_bytes >= FAULTS_SHOWN_MAX_BYTES {
        return;
    }
    match value {
        Value::String(text) if is_text => found.extend(topics_of(text).map(|topic| Advice {
            pointer: at.to_string(),
            topic: topic.code.clone(),
            message: topic.sentence.get(locale).to_owned(),
        })),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                search(item, &at.item(index), is_text, locale, found);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                search(member, &at.field(name), TEXTS.contains(&name.as_str()), locale, found);
            }
        }
        _ => {}
    }
}

fn topics_of(text: &str) -> impl Iterator<Item = &'static Topic> {
    let text = text.to_lowercase();
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    TOPICS.iter().filter(move |topic| {
        let named = |word: &String| {
            topic.words.contains(word) || topic.stems.iter().any(|stem| word.starts_with(stem.as_str()))
        };
        words.iter().any(named)
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Pediu asilo em Nampula.", &["asylum"])]
    #[case("Wakimbizi wa kabila hilo", &["asylum", "ethnicity"])]
    #[case("A politician's car; he is Christian.", &["religion", "politics"])]
    #[case("Guarda-lama traseiro partido; política", &["politics"])]
    #[case("Dinis levava madini", &[])]
    #[case("Motorizada vermelha, raspada do lado direito.", &[])]
    fn words_are_found_by_their_beginnings(#[case] text: &str, #[case] expected: &[&str]) {
        let topics: Vec<&str> = topics_of(text).map(|topic| topic.code.as_str()).collect();
        assert_eq!(topics, expected);
    }
}
