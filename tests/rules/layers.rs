//! The layers inside the gateway and the schemas: what may name HTTP, and what may name a family of messages. Checked on
//! the text of the sources, comments and tests left out.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The parts of the gateway below its HTTP API.
const BELOW_HTTP: [&str; 9] =
    ["alarm", "base", "cases", "directory", "drafts", "events", "exchange", "families", "messages"];

/// What belongs to HTTP. Of the crate `rovuma-api` only `page`, which knows no HTTP, may be used below it.
const HTTP: [&str; 5] = ["http::", "axum", "Problem", "rovuma_api::", "StatusCode"];

/// Sources that are generic over families, by path from the root of the repository; a folder stands for all in it.
const NAMES_NO_FAMILY: [&str; 9] = [
    "services/gateway/src/exchange.rs",
    "services/gateway/src/exchange",
    "services/gateway/src/drafts.rs",
    "services/gateway/src/drafts",
    "services/gateway/src/cases.rs",
    "services/gateway/src/messages.rs",
    "services/gateway/src/messages",
    "deploy/policy/90-limits.cedar",
    "schemas/src/draft",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file at `path` or below it.
fn files_at(path: &Path) -> Vec<PathBuf> {
    if !path.is_dir() {
        return path.is_file().then(|| path.to_owned()).into_iter().collect();
    }
    let entries = fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|entry| files_at(&entry)).collect()
}

/// The lines of a source that are compiled into the program, each with its number: neither comments nor the tests at
/// its end.
fn code(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).expect("a source");
    if path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs") {
        return Vec::new();
    }
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned());
    let numbered = lines.enumerate().map(|(index, line)| (index + 1, line));
    numbered.take_while(|(_, line)| line.trim() != "#[cfg(test)]" || line.starts_with(' ')).collect()
}

/// Every line of these files in which `is_wrong`.
fn offenders(files: &[PathBuf], is_wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let of_file = |path: &PathBuf| {
        let found = code(path).into_iter().filter(|(_, line)| is_wrong(line));
        found
            .map(|(number, line)| format!("{}:{number}: {}", path.display(), line.trim()))
            .collect::<Vec<_>>()
    };
    files.iter().flat_map(of_file).collect()
}

fn names_http(line: &str) -> bool {
    let line = line.replace("rovuma_api::page::", "");
    HTTP.iter().any(|word| line.contains(word))
}

/// The families, as the gateway's folder or the schemas' folder has them.
fn families() -> Vec<String> {
    let folder = root().join("schemas/src/families");
    let names = files_at(&folder).into_iter().filter(|path| path.parent() == Some(folder.as_path()));
    let names: Vec<String> =
        names.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect();
    assert!(names.contains(&"alert".to_owned()), "{names:?}");
    names
}

/// Whether a line names a family: as a word (`alert.issue`), or at the beginning of a type's name (`AlertIssue`).
fn names_family(line: &str, families: &[String]) -> bool {
    families.iter().any(|family| {
        let (first, rest) = family.split_at(1);
        let variant = first.to_uppercase() + rest;
        line.contains(&format!("{family}.")) && line.contains(&format!("\"{family}."))
            || line.contains(&format!("{family}::"))
            || line.contains(&format!("Family::{variant}"))
            || line.contains(&format!("MessageType::{variant}"))
            || line.contains(&format!("OperationalBody::{variant}"))
    })
}

#[test]
fn nothing_below_the_http_api_knows_http() {
    let source = root().join("services/gateway/src");
    let mut files = Vec::new();
    for part in BELOW_HTTP {
        files.extend(files_at(&source.join(format!("{part}.rs"))));
        files.extend(files_at(&source.join(part)));
    }
    assert!(files.len() > 40, "the gateway's parts were moved: {files:?}");
    let offenders = offenders(&files, names_http);
    assert!(offenders.is_empty(), "HTTP below the HTTP API:\n{}", offenders.join("\n"));
}

#[test]
fn what_is_generic_names_no_family() {
    let families = families();
    let mut files = Vec::new();
    for path in NAMES_NO_FAMILY {
        let found = files_at(&root().join(path));
        assert!(!found.is_empty(), "{path} was moved");
        files.extend(found);
    }
    let offenders = offenders(&files, |line| names_family(line, &families));
    assert!(offenders.is_empty(), "a family is named where all are alike:\n{}", offenders.join("\n"));
}

#[test]
fn the_readers_see_what_they_look_for() {
    assert!(names_http("use crate::http::error::ApiError;"));
    assert!(names_http("    Err(Problem::not_found())"));
    assert!(!names_http("use rovuma_api::page::Window;"));
    let families = ["alert".to_owned()];
    for line in [
        "        Body::Operational(OperationalBody::AlertIssue(alert)) => {",
        "    action == Action::\"alert.release\"",
        "        .detail(\"type\", MessageType::AlertIssue)",
        "use rovuma_schemas::alert::Category;",
    ] {
        assert!(names_family(line, &families), "{line}");
    }
    assert!(!names_family("alarm::raise(tx, agency, AlarmKind::Conflict)", &families));
}
