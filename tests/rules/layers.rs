//! The layers inside the gateway and the schemas: what may name HTTP, and what may name a family of messages. Checked on
//! the text of the sources, without comments and tests.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The parts of the gateway below its HTTP API. What is not here puts the parts together: `config`, `gateway`, `service`,
/// `standalone`.
const BELOW_HTTP: [&str; 14] = [
    "alarm",
    "audit",
    "base",
    "cases",
    "directory",
    "drafts",
    "error",
    "events",
    "exchange",
    "families",
    "messages",
    "reminders",
    "retention",
    "screening",
];

/// Names that only the HTTP API uses: its module, the crates that it is built with, and their best known types.
const HTTP: [&str; 13] = [
    "http",
    "axum",
    "hyper",
    "tower",
    "tower_http",
    "reqwest",
    "utoipa",
    "rovuma_api",
    "Problem",
    "StatusCode",
    "IntoResponse",
    "ToSchema",
    "Router",
];

/// The modules that put the parts and the HTTP API together.
const ASSEMBLY: [&str; 3] = ["crate::gateway", "crate::service", "crate::standalone"];

/// What of the crate `rovuma-api` may be used below the HTTP API: it knows no HTTP.
const WITHOUT_HTTP: [&str; 2] = ["rovuma_api::page::", "rovuma_api::act_by"];

/// Sources that are generic over families, by path from the root of the repository; a folder stands for all in it.
const NAMES_NO_FAMILY: [&str; 13] = [
    "services/gateway/src/exchange.rs",
    "services/gateway/src/exchange",
    "services/gateway/src/drafts.rs",
    "services/gateway/src/drafts",
    "services/gateway/src/cases.rs",
    "services/gateway/src/cases",
    "services/gateway/src/messages.rs",
    "services/gateway/src/messages",
    "services/gateway/src/reminders.rs",
    "services/gateway/src/retention.rs",
    "services/gateway/src/retention",
    LIMITS,
    "schemas/src/draft",
];

/// The limits of the access policy, which hold for every family and type: they may not even ask for one.
const LIMITS: &str = "deploy/policy/90-limits.cedar";

/// The fewest lines that a rule must have read: a rule that reads nothing finds nothing.
const LINES_MIN: usize = 2_000;

/// One line of a source: `path:number`, and its text.
type Line = (String, String);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository")
}

/// Every file at `path` or below it, but for folders and files of tests.
fn files_at(path: &Path) -> Vec<PathBuf> {
    let is_of_tests = matches!(path.file_name().and_then(|name| name.to_str()), Some("tests" | "tests.rs"));
    if is_of_tests {
        return Vec::new();
    }
    if !path.is_dir() {
        return path.is_file().then(|| path.to_owned()).into_iter().collect();
    }
    let entries = fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|entry| files_at(&entry)).collect()
}

/// The lines of the sources at `paths` under `root` that are compiled into the program: neither lines of comments nor the
/// module of tests at the end. Fails where nothing is at a path.
fn code(root: &Path, paths: &[String]) -> Vec<Line> {
    let mut found = Vec::new();
    for path in paths {
        let before = found.len();
        for file in files_at(&root.join(path)) {
            let text = fs::read_to_string(&file).expect("a source");
            let program = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let lines = program.lines().enumerate();
            let shown = file.strip_prefix(root).unwrap_or(&file).display();
            found.extend(
                lines
                    .filter(|(_, line)| !line.trim().is_empty() && !line.trim().starts_with("//"))
                    .map(|(index, line)| (format!("{shown}:{}", index + 1), line.trim().to_owned())),
            );
        }
        assert!(found.len() > before, "{path} was moved: the rule must know where to");
    }
    found
}

fn offenders(lines: &[Line], is_wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let wrong = lines.iter().filter(|(_, line)| is_wrong(line));
    wrong.map(|(place, line)| format!("{place}: {line}")).collect()
}

/// The identifiers of a line, and the words of its texts.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|sign: char| !sign.is_ascii_alphanumeric() && sign != '_').filter(|word| !word.is_empty())
}

/// The parts of an identifier in lower case: `alert`, `issue` of `AlertIssue` and of `ALERT_ISSUE`.
fn parts(word: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut was_lower = false;
    for sign in word.chars() {
        if sign == '_' || (sign.is_uppercase() && was_lower) {
            parts.push(String::new());
        }
        was_lower = sign.is_lowercase();
        if sign != '_'
            && let Some(part) = parts.last_mut()
        {
            part.push(sign.to_ascii_lowercase());
        }
    }
    parts
}

fn names_http(line: &str) -> bool {
    let line = WITHOUT_HTTP.iter().fold(line.to_owned(), |line, part| line.replace(part, ""));
    words(&line).any(|word| HTTP.contains(&word)) || ASSEMBLY.iter().any(|module| line.contains(module))
}

/// Families whose names are words that other code needs too: a stream's request, a log line's level.
const ORDINARY_WORDS: [&str; 2] = ["request", "info"];

fn names_family(line: &str, families: &[String]) -> bool {
    let (ordinary, own): (Vec<&String>, Vec<&String>) =
        families.iter().partition(|family| ORDINARY_WORDS.contains(&family.as_str()));
    let is_named = words(line).flat_map(parts).any(|part| own.iter().any(|family| **family == part));
    is_named || ordinary.iter().any(|family| names_ordinary(line, family))
}

/// Whether a line names a family that is called by an ordinary word: its module, its variant, its types or its cases.
fn names_ordinary(line: &str, family: &str) -> bool {
    let variant = family[..1].to_uppercase() + &family[1..];
    let forms = [
        format!("families::{family}"),
        format!("Family::{variant}"),
        format!("CaseDetails::{variant}"),
        format!("\"{family}\""),
        format!("\"{family}."),
        format!("'{family}'"),
    ];
    forms.iter().any(|form| line.contains(form))
}

/// Whether a line of the limits distinguishes families or types.
fn asks_for_family(line: &str) -> bool {
    line.contains("resource.family") || line.contains("resource.type")
}

/// The families, as the schemas' folder has them.
fn families() -> Vec<String> {
    let folder = root().join("schemas/src/families");
    let names = files_at(&folder).into_iter().filter(|path| path.parent() == Some(folder.as_path()));
    let names: Vec<String> =
        names.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect();
    assert!(names.contains(&"alert".to_owned()), "{names:?}");
    names
}

/// The code of the gateway's parts below its HTTP API.
fn below_http(root: &Path) -> Vec<Line> {
    let source = "services/gateway/src";
    let mut paths = Vec::new();
    for part in BELOW_HTTP {
        paths.push(format!("{source}/{part}.rs"));
        let folder = format!("{source}/{part}");
        if root.join(&folder).is_dir() {
            paths.push(folder);
        }
    }
    code(root, &paths)
}

/// The code that handles all families alike.
fn generic(root: &Path) -> Vec<Line> {
    code(root, &NAMES_NO_FAMILY.map(str::to_owned))
}

#[test]
fn nothing_below_the_http_api_knows_http() {
    let lines = below_http(root());
    assert!(lines.len() > LINES_MIN, "only {} lines were read", lines.len());
    let offenders = offenders(&lines, names_http);
    assert!(offenders.is_empty(), "HTTP below the HTTP API:\n{}", offenders.join("\n"));
}

#[test]
fn what_is_generic_names_no_family() {
    let families = families();
    let lines = generic(root());
    assert!(lines.len() > LINES_MIN, "only {} lines were read", lines.len());
    let mut found = offenders(&lines, |line| names_family(line, &families));
    found.extend(offenders(&code(root(), &[LIMITS.to_owned()]), asks_for_family));
    assert!(found.is_empty(), "a family is named where all are alike:\n{}", found.join("\n"));
}

/// The rules read a copy of the sources with one wrong line in each part, and find every one of them.
#[test]
fn a_wrong_line_in_any_part_is_found() {
    let copy = tempfile::tempdir().expect("a folder");
    let plant = |path: &str, line: &str| {
        let place = copy.path().join(path);
        let original = fs::read_to_string(root().join(path)).expect("a source");
        fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
        fs::write(place, format!("{line}\n{original}")).expect("a source");
    };
    for part in BELOW_HTTP {
        plant(&format!("services/gateway/src/{part}.rs"), "use crate::http as web;");
    }
    let found = offenders(&below_http(copy.path()), |line| line == "use crate::http as web;");
    assert_eq!((found.len(), names_http("use crate::http as web;")), (BELOW_HTTP.len(), true), "{found:?}");

    for path in NAMES_NO_FAMILY {
        let file = files_at(&root().join(path)).into_iter().min().expect("a source");
        let file =
            file.strip_prefix(root()).expect("a path in the repository").to_string_lossy().into_owned();
        plant(&file, "let wrong = MessageType::AlertIssue;");
    }
    let found = offenders(&generic(copy.path()), |line| names_family(line, &["alert".to_owned()]));
    assert_eq!(found.len(), NAMES_NO_FAMILY.len(), "{found:?}");
}

#[test]
fn the_readers_see_what_they_look_for() {
    for line in [
        "use crate::http::error::ApiError;",
        "use crate::{http as web};",
        "use rovuma_api as api;",
        "    Err(Problem::not_found())",
        "#[derive(utoipa::ToSchema)]",
        "use crate::gateway::Gateway;",
        "let address = \"https://example\"; axum::serve(address)",
    ] {
        assert!(names_http(line), "{line}");
    }
    assert!(!names_http("use rovuma_api::page::Window;"));
    let families = ["alert".to_owned()];
    for line in [
        "Body::Operational(OperationalBody::AlertIssue(alert)) => {",
        "resource.family == \"alert\"",
        "action like \"alert*\"",
        ".detail(\"type\", MessageType::AlertIssue)",
        "use MessageType as T; T::AlertIssue",
        "use rovuma_schemas::families::{alert, Families};",
        "const ALERT_KIND: &str = \"x\";",
        "name.starts_with(\"alert\")",
    ] {
        assert!(names_family(line, &families), "{line}");
    }
    assert!(!names_family("alarm::raise(tx, agency, AlarmKind::Conflict)", &families));
    assert!(asks_for_family("when { resource.family == context.family }"));
}
