//! Code lists: codes with labels in Portuguese, Swahili and English, each with its dates.
//!
//! The lists are data in `schemas/codes/*.json`, built in. An installation may replace a shipped list by its own
//! ([`CodeLists::with`]), above all the registry of legal bases.

mod agencies;
mod crossings;
mod nearest;
mod shipped;

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

pub use agencies::{Agency, AgencyDirectory};
pub use crossings::{Crossing, crossings};
pub use nearest::nearest;

use crate::{Date, Locale};

/// A text in the three languages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// Portuguese.
    pub pt: String,
    /// Swahili.
    pub sw: String,
    /// English.
    pub en: String,
}

impl Labels {
    /// The text in `locale`.
    pub fn get(&self, locale: Locale) -> &str {
        match locale {
            Locale::Pt => &self.pt,
            Locale::Sw => &self.sw,
            Locale::En => &self.en,
        }
    }
}

/// One code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeEntry {
    /// The code as it stands in messages.
    pub code: String,
    /// The label that officers read.
    pub labels: Labels,
    /// The first day on which it may be used; always where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Date>,
    /// The last day on which it may be used; without end where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Date>,
    /// Other words by which somebody may look for it, in any language and in lower case: `carro`, `gari` for a vehicle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// The source of the code, where it is another than the list's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

impl CodeEntry {
    /// Whether the code may be used on `day`.
    pub fn in_force(&self, day: Date) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_until.is_none_or(|until| day <= until)
    }
}

/// One code list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeList {
    /// The list's name, as `x-code-list` in the JSON Schemas gives it.
    pub list: String,
    /// The title.
    pub title: Labels,
    /// The source of the codes.
    pub source: String,
    /// A warning to users of the list, for instance that a lawyer must confirm it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Labels>,
    /// The codes, in the order of display.
    pub entries: Vec<CodeEntry>,
}

impl CodeList {
    /// The entry of a code, in force or not.
    pub fn find(&self, code: &str) -> Option<&CodeEntry> {
        self.entries.iter().find(|entry| entry.code == code)
    }

    /// The entries that `text` may mean, the nearest first, at most three: compared with the codes, the labels in all three
    /// languages and the other words, without regard to case and diacritical marks.
    pub fn nearest(&self, text: &str) -> Vec<&CodeEntry> {
        let words = |entry: &&CodeEntry| -> Vec<String> {
            let Labels { pt, sw, en } = &entry.labels;
            let labels = [&entry.code, pt, sw, en].map(String::clone);
            labels.into_iter().chain(entry.also.iter().cloned()).collect()
        };
        nearest(text, self.entries.iter(), words)
    }

    /// The label of a code; the code itself where the list does not have it.
    pub fn label<'a>(&'a self, code: &'a str, locale: Locale) -> &'a str {
        self.find(code).map_or(code, |entry| entry.labels.get(locale))
    }
}

/// All code lists of an installation.
#[derive(Clone, Debug)]
pub struct CodeLists {
    by_name: BTreeMap<String, Arc<CodeList>>,
}

impl CodeLists {
    /// The lists shipped with this version.
    pub fn shipped() -> &'static Self {
        &shipped::LISTS
    }

    /// These lists, with `list` replacing the one of its name.
    #[must_use]
    pub fn with(mut self, list: CodeList) -> Self {
        self.by_name.insert(list.list.clone(), Arc::new(list));
        self
    }

    /// The list of this name.
    pub fn get(&self, name: &str) -> Option<&CodeList> {
        self.by_name.get(name).map(Arc::as_ref)
    }

    /// The lists in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &CodeList> {
        self.by_name.values().map(Arc::as_ref)
    }

    /// The label of a code of a list; the code itself where either is not known.
    pub fn label<'a>(&'a self, list: &str, code: &'a str, locale: Locale) -> &'a str {
        self.get(list).map_or(code, |list| list.label(code, locale))
    }
}
