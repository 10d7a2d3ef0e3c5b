//! Writes libFuzzer dictionaries with the words that the parsers know.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

/// Maximum length of a word: a longer text is a sentence.
const WORD_MAX: usize = 48;

/// Writes `json.dict` from the schemas and `http.dict` from the OpenAPI documents.
pub(crate) fn write(folder: &Path) {
    fs::create_dir_all(folder).expect("a folder");
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let (mut json, mut http) = (BTreeSet::new(), BTreeSet::new());
    words_of(&schemas.join("json"), &mut json);
    words_of(&schemas.join("openapi"), &mut http);
    let quoted = json.iter().map(|word| format!("\\\"{word}\\\""));
    let shapes =
        ["null", "true", "{}", "[]", "1e999", "-1", "18446744073709551615", "\\\\u0000", "\\\\ud800"];
    write_to(&folder.join("json.dict"), quoted.chain(shapes.map(str::to_owned)));
    let methods = ["GET ", "POST ", "PUT ", "PATCH ", "DELETE ", "HEAD "].map(str::to_owned);
    let headers = [
        "\\x0aas: ",
        "\\x0acontent-type: application/json",
        "\\x0aif-match: \\\"1\\\"",
        "\\x0aidempotency-key: ",
        "\\x0aaccept-language: pt-MZ;q=0.8,sw",
        "\\x0alast-event-id: 1",
        "\\x0a\\x0a",
        "?",
        "&",
        "cursor=",
        "limit=",
        "content-type: application/x-www-form-urlencoded",
        "authorization: Basic ",
        "{draft}",
        "{submitted}",
        "{sent}",
        "{received}",
        "{user}",
        "{secret}",
        "%3Cfuzz%3E",
        "@mz.prm",
        "@mz.node",
        "@mz.senami",
    ];
    write_to(&folder.join("http.dict"), http.into_iter().chain(methods).chain(headers.map(str::to_owned)));
}

fn write_to(path: &Path, words: impl Iterator<Item = String>) {
    let lines: Vec<String> = words.map(|word| format!("\"{word}\"")).collect();
    fs::write(path, lines.join("\n") + "\n").expect("written");
}

fn words_of(folder: &Path, words: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            words_of(&path, words);
        } else if let Ok(value) = serde_json::from_slice(&fs::read(&path).expect("a file")) {
            collect(&value, words);
        }
    }
}

fn collect(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == "description" || name == "summary" {
                    continue;
                }
                keep(name, words);
                collect(member, words);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        Value::String(text) => keep(text, words),
        _ => {}
    }
}

fn keep(word: &str, words: &mut BTreeSet<String>) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./{}".contains(&byte);
    if (2..=WORD_MAX).contains(&word.len()) && word.bytes().all(plain) && !word.starts_with("#") {
        words.insert(word.to_owned());
    }
}
