//! Sentences that people read, in the three languages, kept as data in `schemas/sentences/*.json`.
//!
//! A file maps each key to its sentence in Portuguese, Swahili and English. `{name}` in a sentence is a
//! placeholder: an argument of that name takes its place. The sentences of faults are found by their
//! code ([`FaultCode`](crate::FaultCode)). A crate with a page or report declares the keys of its file
//! with [`sentences!`](crate::sentences!), which makes a method of each key: a key or an argument that
//! is missing in the code does not compile, and one that is missing in the file fails the test that the
//! macro adds.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use thiserror::Error;

use crate::{Labels, Locale};

/// The sentences of faults in drafts and messages, by fault code.
pub const FAULTS: &str = include_str!("../sentences/faults.json");
/// The phrases that say what a field wants.
pub(crate) const HINTS: &str = include_str!("../sentences/hints.json");
/// The forms of texts, by the name of their definition in the JSON Schemas.
pub(crate) const FORMS: &str = include_str!("../sentences/forms.json");
/// The sentences of the report in an evidence bundle.
pub const EVIDENCE_REPORT: &str = include_str!("../sentences/evidence_report.json");
/// The sentences with which the command line shows a message or a draft.
pub const MESSAGE_VIEW: &str = include_str!("../sentences/message_view.json");
/// The sentences with which the command line shows a case.
pub const CASE_VIEW: &str = include_str!("../sentences/case_view.json");
/// The words with which the command line shows figures about requests.
pub const FIGURES: &str = include_str!("../sentences/figures.json");
/// The words with which the command line shows a verdict of the watchlist.
pub const SCREENING: &str = include_str!("../sentences/screening.json");
/// The sentences of the log-in page.
pub const LOGIN_PAGE: &str = include_str!("../sentences/login_page.json");

/// The sentences of one file: each has all three languages, with the same placeholders in each.
#[derive(Clone, Debug)]
pub struct Sentences {
    by_key: BTreeMap<String, Labels>,
}

/// Why a file of sentences cannot be used.
#[derive(Debug, Error)]
pub enum SentencesFault {
    /// It is not JSON, a key stands twice, or a sentence lacks a language.
    #[error("the sentences cannot be read")]
    Json(#[from] serde_json::Error),
    /// A language is empty or has white space around it.
    #[error("sentence {key}: the text in {locale} is empty or has white space around it")]
    Untidy {
        /// The sentence.
        key: String,
        /// The language.
        locale: Locale,
    },
    /// A brace that opens or closes no placeholder.
    #[error("sentence {key}: the text in {locale} has a brace that belongs to no placeholder")]
    StrayBrace {
        /// The sentence.
        key: String,
        /// The language.
        locale: Locale,
    },
    /// A language has other placeholders than Portuguese.
    #[error("sentence {key}: placeholders {expected:?} in pt, {got:?} in {locale}")]
    Placeholders {
        /// The sentence.
        key: String,
        /// The language.
        locale: Locale,
        /// The placeholders in Portuguese.
        expected: Vec<String>,
        /// The placeholders in this language.
        got: Vec<String>,
    },
    /// The program declares a sentence that the file does not have.
    #[error("there is no sentence {key}")]
    Missing {
        /// The sentence.
        key: String,
    },
    /// The file has a sentence that the program does not declare.
    #[error("no program uses the sentence {key}")]
    Unused {
        /// The sentence.
        key: String,
    },
    /// The program declares other arguments than the sentence has placeholders.
    #[error("sentence {key}: the program gives {expected:?}, the sentence takes {got:?}")]
    Arguments {
        /// The sentence.
        key: String,
        /// The arguments that the program gives.
        expected: Vec<String>,
        /// The placeholders of the sentence.
        got: Vec<String>,
    },
}

impl Sentences {
    /// Reads a file and checks every sentence in it.
    ///
    /// # Errors
    /// [`SentencesFault`] for the first sentence that is not complete.
    pub fn parse(json: &str) -> Result<Self, SentencesFault> {
        let UniqueKeys(by_key) = serde_json::from_str(json)?;
        for (key, labels) in &by_key {
            let expected = placeholders(key, labels, Locale::Pt)?;
            for locale in Locale::ALL {
                let got = placeholders(key, labels, locale)?;
                if got != expected {
                    let (key, expected, got) = (key.clone(), owned(expected), owned(got));
                    return Err(SentencesFault::Placeholders { key, locale, expected, got });
                }
            }
        }
        Ok(Self { by_key })
    }

    /// Checks that the file has exactly the sentences of `declared`: keys, each with its arguments.
    ///
    /// # Errors
    /// [`SentencesFault::Missing`], [`SentencesFault::Unused`] or [`SentencesFault::Arguments`].
    pub fn check_keys(&self, declared: &[(&str, &[&str])]) -> Result<(), SentencesFault> {
        for (key, arguments) in declared {
            let key = (*key).to_owned();
            let Some(labels) = self.by_key.get(&key) else { return Err(SentencesFault::Missing { key }) };
            let expected: BTreeSet<&str> = arguments.iter().copied().collect();
            let got = placeholders(&key, labels, Locale::Pt)?;
            if got != expected {
                let (expected, got) = (owned(expected), owned(got));
                return Err(SentencesFault::Arguments { key, expected, got });
            }
        }
        let is_declared = |key: &String| declared.iter().any(|(known, _)| known == key);
        match self.by_key.keys().find(|key| !is_declared(key)) {
            None => Ok(()),
            Some(key) => Err(SentencesFault::Unused { key: key.clone() }),
        }
    }

    /// The keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.by_key.keys().map(String::as_str)
    }

    /// The sentence as the file has it, placeholders and all; the key itself where the file lacks it.
    pub fn get<'a>(&'a self, key: &'a str, locale: Locale) -> &'a str {
        self.by_key.get(key).map_or(key, |labels| labels.get(locale))
    }

    /// The sentence with its arguments in it. A placeholder without an argument stays as it is.
    pub fn fill(&self, key: &str, locale: Locale, arguments: &[(&str, &dyn fmt::Display)]) -> String {
        let mut filled = String::new();
        // One pass: an argument that itself contains a placeholder is text and nothing else.
        for part in parts(self.get(key, locale)) {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Placeholder(name) => match arguments.iter().find(|(known, _)| *known == name) {
                    Some((_, value)) => filled.push_str(&value.to_string()),
                    None => filled.push_str(&format!("{{{name}}}")),
                },
            }
        }
        filled
    }
}

/// The placeholders of one sentence in one language.
fn placeholders<'a>(
    key: &str,
    labels: &'a Labels,
    locale: Locale,
) -> Result<BTreeSet<&'a str>, SentencesFault> {
    let text = labels.get(locale);
    if text.is_empty() || text.trim() != text {
        return Err(SentencesFault::Untidy { key: key.to_owned(), locale });
    }
    let mut names = BTreeSet::new();
    for part in parts(text) {
        match part {
            Part::Text(text) if text.contains(['{', '}']) => {
                return Err(SentencesFault::StrayBrace { key: key.to_owned(), locale });
            }
            Part::Text(_) => {}
            Part::Placeholder(name) => {
                names.insert(name);
            }
        }
    }
    Ok(names)
}

fn owned(names: BTreeSet<&str>) -> Vec<String> {
    names.into_iter().map(str::to_owned).collect()
}

enum Part<'a> {
    Text(&'a str),
    /// The name between the braces: lower case letters and `_`.
    Placeholder(&'a str),
}

/// The parts of a sentence in their order.
fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    let is_name = |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let placeholder = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        if let Some((name, after)) = placeholder.filter(|(name, _)| is_name(name)) {
            rest = after;
            return Some(Part::Placeholder(name));
        }
        // The search begins behind the first character: a stray brace there is text.
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let end = rest[first..].find('{').map_or(rest.len(), |at| first + at);
        let (part, after) = rest.split_at(end);
        rest = after;
        Some(Part::Text(part))
    })
}

/// A JSON object in which no key stands twice: of two sentences serde would silently take the last.
struct UniqueKeys(BTreeMap<String, Labels>);

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = UniqueKeys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of sentences by key")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<UniqueKeys, M::Error> {
                let mut by_key = BTreeMap::new();
                while let Some((key, labels)) = map.next_entry::<String, Labels>()? {
                    if by_key.contains_key(&key) {
                        return Err(M::Error::custom(format!("the key {key} stands twice")));
                    }
                    by_key.insert(key, labels);
                }
                Ok(UniqueKeys(by_key))
            }
        }

        deserializer.deserialize_map(Keys)
    }
}

/// Declares a type with one method for each sentence of a file. The methods of sentences with
/// placeholders take the arguments by name and give a `String`; the others give a `&'static str`.
/// A test is added that reads the file and compares its keys and placeholders with the declaration.
/// At most one such type in a module.
///
/// ```
/// rovuma_schemas::sentences! {
///     /// The sentences of the log-in page that this example uses.
///     struct Example in r#"{
///         "title": {"pt": "Entrar", "sw": "Ingia", "en": "Log in"},
///         "blocked": {"pt": "Daqui a {minutes} min.", "sw": "Baada ya dakika {minutes}.", "en": "In {minutes} min."}
///     }"#;
///     title,
///     blocked(minutes),
/// }
///
/// let sentences = Example::of(rovuma_schemas::Locale::En);
/// assert_eq!(sentences.title(), "Log in");
/// assert_eq!(sentences.blocked(5), "In 5 min.");
/// ```
#[macro_export]
macro_rules! sentences {
    (
        $(#[$meta:meta])*
        $vis:vis struct $type:ident in $json:expr;
        $($key:ident $(($($argument:ident),+))?),+ $(,)?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        $vis struct $type {
            locale: $crate::Locale,
        }

        impl $type {
            /// The sentences in `locale`.
            $vis const fn of(locale: $crate::Locale) -> Self {
                Self { locale }
            }

            fn parse() -> Result<$crate::Sentences, $crate::SentencesFault> {
                let sentences = $crate::Sentences::parse($json)?;
                sentences.check_keys(&[$((stringify!($key), &[$($(stringify!($argument)),+)?]),)+])?;
                Ok(sentences)
            }

            fn all() -> &'static $crate::Sentences {
                static ALL: std::sync::LazyLock<$crate::Sentences> = std::sync::LazyLock::new(|| {
                    // The file is part of this build, and the test below reads it.
                    $type::parse().expect("every sentence is complete")
                });
                &ALL
            }

            $($crate::sentences!(@method $vis $key $(($($argument),+))?);)+
        }

        #[cfg(test)]
        #[test]
        fn the_file_of_sentences_has_every_declared_key_and_no_other() {
            $type::parse().expect("every sentence is complete");
        }
    };
    (@method $vis:vis $key:ident) => {
        $vis fn $key(self) -> &'static str {
            Self::all().get(stringify!($key), self.locale)
        }
    };
    (@method $vis:vis $key:ident($($argument:ident),+)) => {
        $vis fn $key(self, $($argument: impl std::fmt::Display),+) -> String {
            Self::all().fill(stringify!($key), self.locale, &[$((stringify!($argument), &$argument)),+])
        }
    };
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn file(pt: &str, sw: &str, en: &str) -> String {
        serde_json::json!({ "key": { "pt": pt, "sw": sw, "en": en } }).to_string()
    }

    #[test]
    fn arguments_take_the_place_of_placeholders_once() {
        let sentences = Sentences::parse(&file("{a} e {b}: {a}", "{b} na {a}", "{a} and {b}")).expect("good");
        sentences.check_keys(&[("key", &["a", "b"])]).expect("exactly these");
        let fill = |locale| sentences.fill("key", locale, &[("a", &"{b}"), ("b", &7)]);
        assert_eq!(fill(Locale::Pt), "{b} e 7: {b}");
        assert_eq!(fill(Locale::Sw), "7 na {b}");
        assert_eq!(sentences.fill("key", Locale::En, &[("a", &1)]), "1 and {b}");
        assert_eq!(sentences.get("another", Locale::En), "another");
    }

    #[rstest]
    #[case(&file("{a}", "{b}", "{a}"), "sentence key: placeholders [\"a\"] in pt, [\"b\"] in sw")]
    #[case(&file("x", "x", "{a}"), "sentence key: placeholders [] in pt, [\"a\"] in en")]
    #[case(&file("x", "", "x"), "sentence key: the text in sw is empty or has white space around it")]
    #[case(&file("x", "x", "x "), "sentence key: the text in en is empty or has white space around it")]
    #[case(&file("x", "x", "{A}"), "sentence key: the text in en has a brace that belongs to no placeholder")]
    #[case(&file("{", "x", "x"), "sentence key: the text in pt has a brace that belongs to no placeholder")]
    #[case(&file("{a", "x", "x"), "sentence key: the text in pt has a brace that belongs to no placeholder")]
    #[case(&file("}", "x", "x"), "sentence key: the text in pt has a brace that belongs to no placeholder")]
    #[case(r#"{"key": {"pt": "x", "en": "x"}}"#, "the sentences cannot be read")]
    #[case(r#"{"key": {"pt": "x", "sw": "x", "en": "x", "fr": "x"}}"#, "the sentences cannot be read")]
    #[case(
        r#"{"k": {"pt": "x", "sw": "x", "en": "x"}, "k": {"pt": "x", "sw": "x", "en": "x"}}"#,
        "the sentences cannot be read"
    )]
    fn incomplete_sentences_are_refused(#[case] json: &str, #[case] expected: &str) {
        assert_eq!(Sentences::parse(json).expect_err("refused").to_string(), expected);
    }

    #[rstest]
    #[case(&[], "no program uses the sentence key")]
    #[case(&[("key", &[] as &[&str])], "sentence key: the program gives [], the sentence takes [\"a\"]")]
    #[case(&[("key", &["a", "b"] as &[&str])], "sentence key: the program gives [\"a\", \"b\"], the sentence takes [\"a\"]")]
    #[case(&[("key", &["a"] as &[&str]), ("more", &[])], "there is no sentence more")]
    fn other_keys_or_arguments_are_refused(#[case] declared: &[(&str, &[&str])], #[case] expected: &str) {
        let sentences = Sentences::parse(&file("{a}", "{a}", "{a}")).expect("good");
        assert_eq!(sentences.check_keys(declared).expect_err("refused").to_string(), expected);
    }
}
