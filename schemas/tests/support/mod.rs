//! Reads the examples.

use std::{fs, path::PathBuf};

use rovuma_schemas::{
    AgencyCode, AgencyDirectory, CodeLists, Fault, Locale, Timestamp, ValidDraft, ValidationContext,
};
use serde_json::Value;

/// The time at which examples are checked.
pub(crate) fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().expect("an instant")
}

/// Name and text of every file of `schemas/examples/<folder>`.
pub(crate) fn read_folder(folder: &str) -> Vec<(String, String)> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "examples", folder].iter().collect();
    let mut files: Vec<_> = fs::read_dir(path)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(path).expect("a text"))
        })
        .collect();
    files.sort();
    files
}

/// Checks a draft as if the agency on the other side of the border sent it.
pub(crate) fn check_draft(
    draft: &[u8],
    agencies: &AgencyDirectory,
    locale: Locale,
) -> Result<ValidDraft, Vec<Fault>> {
    let unread: Value = serde_json::from_slice(draft).unwrap_or_default();
    let to_mozambique = unread["recipients"][0].as_str().is_some_and(|first| first.starts_with("mz."));
    let sender: AgencyCode = if to_mozambique { "tz.tpf" } else { "mz.prm" }.parse().expect("an agency");
    let context = ValidationContext { now: now(), sender: &sender, agencies, lists: CodeLists::shipped() };
    ValidDraft::parse(draft, &context, locale)
}
