//! The sentences of faults, kept as data in `codes/faults.json`.

use std::{collections::BTreeMap, sync::LazyLock};

use crate::{Locale, codes::Labels, fault::FaultCode};

/// By code: the sentence in each language, with `{detail}` where the detail goes.
static SENTENCES: LazyLock<BTreeMap<String, Labels>> = LazyLock::new(|| {
    // The file is part of this build and a test reads it.
    serde_json::from_str(include_str!("../../codes/faults.json")).expect("faults.json is well formed")
});

/// The sentence of `code` in `locale`.
pub(super) fn sentence(code: FaultCode, locale: Locale, detail: &str) -> String {
    SENTENCES
        .get(code.as_str())
        .map_or_else(|| code.to_string(), |labels| labels.get(locale).replace("{detail}", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_sentence_and_there_is_no_other() {
        let known: Vec<&str> = FaultCode::ALL.iter().map(|code| code.as_str()).collect();
        let written: Vec<&str> = SENTENCES.keys().map(String::as_str).collect();
        for code in &known {
            assert!(written.contains(code), "no sentence for {code}");
        }
        for code in &written {
            assert!(known.contains(code), "a sentence for no code: {code}");
        }
    }

    #[test]
    fn the_detail_stands_in_all_three_languages_or_in_none() {
        for (code, labels) in SENTENCES.iter() {
            let with = Locale::ALL.iter().filter(|locale| labels.get(**locale).contains("{detail}")).count();
            assert!(with == 0 || with == 3, "{code}: the detail stands in {with} of 3 languages");
        }
    }
}
