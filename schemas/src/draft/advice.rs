//! Advice: what was put right, what nobody will find, and free text that seems to contain data which this exchange does not carry.

use std::{collections::HashSet, sync::LazyLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::{
    Locale,
    codes::Labels,
    fault::Detail,
    limits::{FAULTS_SHOWN_MAX, FAULTS_SHOWN_MAX_BYTES},
    names,
    pointer::Pointer,
    words,
};

/// A passage that the author should read again before release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Advice {
    /// The JSON Pointer of the text (RFC 6901).
    pub pointer: String,
    /// The topic: `put_right`, `name_form` or `plate_form`, or what the text seems to be about, as in
    /// `codes/protected_topics.json`: `asylum`, `religion` …
    pub topic: String,
    /// A sentence for the officer.
    pub message: String,
}

/// The file `codes/protected_topics.json`. Its words are in lower case. One written without marks also finds the spelling with
/// them (`muculman` finds *muçulmano*), because officers type either; one written with marks finds only that spelling.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProtectedTopics {
    /// Words that begin the name of a place or an institution: *Rua dos Muçulmanos* says nothing about a person.
    place_words: Vec<String>,
    /// Words for works of art and the like, to which a people gives its name: *escultura maconde*.
    thing_words: Vec<String>,
    topics: Vec<Topic>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Topic {
    code: String,
    sentence: Labels,
    /// Beginnings of words, in all three languages: officers mix them.
    stems: Vec<String>,
    /// Whole words, where the beginning alone would catch others (`dini`, and the name Dinis).
    words: Vec<String>,
    /// Several words in a row, where each alone means something else (`raca negra`).
    phrases: Vec<String>,
}

static PROTECTED: LazyLock<ProtectedTopics> = LazyLock::new(|| {
    // The file is part of this build and a test reads it.
    serde_json::from_str(include_str!("../../codes/protected_topics.json")).expect("well formed")
});

/// The first letters of everything by which a topic is found. Most words of a text begin with none of them, and are compared with
/// nothing else.
static BEGINNINGS: LazyLock<HashSet<[char; BEGINNING]>> = LazyLock::new(|| {
    let listed = PROTECTED.topics.iter().flat_map(|topic| [&topic.stems, &topic.words, &topic.phrases]);
    listed.flatten().map(|listed| beginning(listed)).collect()
});

/// How many letters a beginning has. A test sees that no listed word is shorter.
const BEGINNING: usize = 3;

/// The first letters of a word, filled up with a space where it has fewer.
fn beginning(word: &str) -> [char; BEGINNING] {
    let mut letters = word.chars();
    std::array::from_fn(|_| letters.next().unwrap_or(' '))
}

/// The number of words before a found one among which a place word is looked for: `Rua` in *Rua da Igreja Católica*.
const WORDS_BEFORE: usize = 3;

/// The fields with an officer's own sentences. Names and places are not searched.
const TEXTS: [&str; 14] = [
    "circumstances",
    "statement",
    "note",
    "marks",
    "restriction",
    "description",
    "change",
    "proposal",
    "facts",
    "person_link",
    "text",
    "relevance",
    "condition",
    "legal_assistance",
];

/// The field that has a code in some types and an officer's own sentence in others.
const CODE_OR_TEXT: &str = "reason";

/// What the author should look at again at one place: the same for every language.
#[derive(Clone, Debug)]
pub(crate) struct Remark {
    pub(crate) at: Pointer,
    /// The topic: `put_right`, `name_form` or `plate_form`.
    pub(crate) topic: &'static str,
    /// A whole sentence.
    pub(crate) sentence: Detail,
}

/// The first advice about a draft, as much as an answer shows of its faults: the remarks, then free text about protected topics.
pub(super) fn of(draft: &Value, remarks: Vec<Remark>, locale: Locale) -> Vec<Advice> {
    let mut found: Vec<Advice> = remarks
        .into_iter()
        .take(FAULTS_SHOWN_MAX)
        .map(|remark| Advice {
            pointer: remark.at.to_string(),
            topic: remark.topic.to_owned(),
            message: remark.sentence.get(locale).to_owned(),
        })
        .collect();
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
                search(member, &at.field(name), holds_sentences(name, member), locale, found);
            }
        }
        _ => {}
    }
}

fn holds_sentences(name: &str, member: &Value) -> bool {
    let is_code = || member.as_str().is_some_and(words::is_code);
    TEXTS.contains(&name) || (name == CODE_OR_TEXT && !is_code())
}

/// A word of a text, in lower case: as written, and without marks.
struct Word {
    written: String,
    plain: String,
    may_name_a_topic: bool,
}

impl Word {
    fn new(written: &str) -> Self {
        let plain = if written.is_ascii() { written.to_owned() } else { names::without_marks(written) };
        let may_name_a_topic =
            [written, &plain].into_iter().any(|form| BEGINNINGS.contains(&beginning(form)));
        Self { written: written.to_owned(), plain, may_name_a_topic }
    }

    fn is(&self, listed: &str) -> bool {
        self.written == listed || self.plain == listed
    }

    fn begins_with(&self, stem: &str) -> bool {
        self.written.starts_with(stem) || self.plain.starts_with(stem)
    }

    fn is_one_of(&self, listed: &[String]) -> bool {
        listed.iter().any(|listed| self.is(listed))
    }
}

/// The topics that a text seems to be about, in the order of the file.
fn topics_of(text: &str) -> impl Iterator<Item = &'static Topic> {
    let written: String = text.nfc().collect::<String>().to_lowercase();
    let words: Vec<Word> = written
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(Word::new)
        .collect();
    PROTECTED.topics.iter().filter(move |topic| topic.is_in(&words))
}

impl Topic {
    fn is_in(&self, words: &[Word]) -> bool {
        let mut places = (0..words.len()).filter(|at| words[*at].may_name_a_topic);
        places.any(|at| self.is_at(&words[at..]) && !names_a_thing(words, at))
    }

    /// Whether the topic is named where `words` begin.
    fn is_at(&self, words: &[Word]) -> bool {
        let phrase_is_here = |phrase: &String| {
            let parts: Vec<&str> = phrase.split(' ').collect();
            words.len() >= parts.len() && parts.iter().zip(words).all(|(part, word)| word.is(part))
        };
        words.first().is_some_and(|word| {
            word.is_one_of(&self.words) || self.stems.iter().any(|stem| word.begins_with(stem))
        }) || self.phrases.iter().any(phrase_is_here)
    }
}

/// Whether the word at `at` belongs to the name of a place or of a thing, and so says nothing about a person.
fn names_a_thing(words: &[Word], at: usize) -> bool {
    let before = &words[at.saturating_sub(WORDS_BEFORE)..at];
    let beside = [at.checked_sub(1), at.checked_add(1)];
    before.iter().any(|word| word.is_one_of(&PROTECTED.place_words))
        || beside
            .into_iter()
            .flatten()
            .filter_map(|place| words.get(place))
            .any(|word| word.is_one_of(&PROTECTED.thing_words))
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
    // Officers leave marks out, or write them as signs of their own.
    #[case("É muculmano; sera de outra etnia", &["religion", "ethnicity"])]
    #[case("E\u{301} muc\u{327}ulmano", &["religion"])]
    #[case("A vítima é cristã.", &["religion"])]
    // Peoples and races.
    #[case("O suspeito é macua.", &["ethnicity"])]
    #[case("Fala maconde e é de raça negra", &["ethnicity"])]
    #[case("homem de raca negra", &["ethnicity"])]
    #[case("Ni Mmakonde kutoka Mtwara", &["ethnicity"])]
    #[case("a Maasai herdsman", &["ethnicity"])]
    // Parties and trade unions.
    #[case("É membro da Renamo.", &["politics"])]
    #[case("mwanachama wa CCM", &["politics"])]
    #[case("he is a member of the party", &["politics"])]
    #[case("É membro do sindicato dos ferroviários", &["trade_union"])]
    #[case("kiongozi wa chama cha wafanyakazi", &["trade_union"])]
    // Health and sexual life.
    #[case("É seropositivo e toma anti-retrovirais", &["health"])]
    #[case("ana virusi vya UKIMWI", &["health"])]
    #[case("She has HIV", &["health"])]
    #[case("Conhecido como homossexual", &["sexual_life"])]
    #[case("anafanya ushoga", &["sexual_life"])]
    fn protected_topics_are_found(#[case] text: &str, #[case] expected: &[&str]) {
        let topics: Vec<&str> = topics_of(text).map(|topic| topic.code.as_str()).collect();
        assert_eq!(topics, expected);
    }

    #[rstest]
    #[case("Dinis levava madini")]
    #[case("Motorizada vermelha, raspada do lado direito.")]
    // Places and buildings.
    #[case("Visto na Rua da Igreja, perto da mesquita")]
    #[case("Fugiu pela Rua dos Muçulmanos e pela Avenida da Frelimo")]
    #[case("na Escola Católica de Pemba; Msikiti wa Mtwara")]
    #[case("near the mosque and the church")]
    #[case("Na crista do monte; refugiou-se em casa")]
    // Things.
    #[case("Uma escultura maconde de pau-preto")]
    #[case("two Makonde carvings")]
    // Offences, breeds and common words.
    #[case("Vítima de violência sexual e abuso sexual de menor")]
    #[case("Victim of sexual assault")]
    #[case("Levou um cão de raça; saco de cor negra")]
    #[case("Podemos confirmar o sindicato do crime")]
    #[case("Alisukuma pikipiki ya 125 ccm; gari haya mawili")]
    #[case("Vila de Sena; partiu o para-brisas")]
    fn other_texts_raise_no_alarm(#[case] text: &str) {
        let topics: Vec<&str> = topics_of(text).map(|topic| topic.code.as_str()).collect();
        assert!(topics.is_empty(), "{text}: {topics:?}");
    }

    #[test]
    fn a_reason_is_searched_where_it_is_a_sentence_and_not_where_it_is_a_code() {
        let reasons = serde_json::json!({ "body": { "reason": "no_longer_justified" }, "terms": { "emergency": { "reason": "Pediu asilo." } } });
        let advice = of(&reasons, Vec::new(), Locale::Pt);
        assert_eq!(
            advice.iter().map(|one| one.pointer.as_str()).collect::<Vec<_>>(),
            ["/terms/emergency/reason"]
        );
    }

    /// A stem of two letters would be looked for only in words that are as short.
    #[test]
    fn every_listed_word_is_found_by_its_beginning() {
        for topic in &PROTECTED.topics {
            for stem in &topic.stems {
                assert!(stem.chars().count() >= BEGINNING, "{stem:?}");
            }
            let words = topic.stems.iter().chain(&topic.words).chain(&topic.phrases);
            for listed in words {
                let found = topics_of(listed).any(|found| found.code == topic.code);
                assert!(found, "{listed:?} is not found");
            }
        }
    }

    #[test]
    fn the_file_has_lower_case_words_only() {
        let listed = PROTECTED.topics.iter().flat_map(|topic| [&topic.stems, &topic.words, &topic.phrases]);
        for word in listed.chain([&PROTECTED.place_words, &PROTECTED.thing_words]).flatten() {
            assert_eq!(word, &word.to_lowercase());
            assert!(!word.is_empty() && word.trim() == word, "{word:?}");
        }
    }
}
