//! Reading the examples.

use std::{fs, path::PathBuf};

use rovuma_schemas::{
    Agency, AgencyCode, AgencyDirectory, AlertDraft, CodeLists, Fault, FaultCode, Locale, Message,
    ParseFault, Timestamp, ValidDraft, ValidationContext,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// The time at which examples are checked.
pub fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().expect("an instant")
}

/// Name and text of every file of `schemas/examples/<folder>`.
pub fn read_folder(folder: &str) -> Vec<(String, String)> {
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

/// A valid example: what a client posts, or a whole message.
pub enum Example {
    Draft(Vec<u8>),
    Message(Vec<u8>),
}

impl Example {
    pub fn read(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).expect("JSON");
        match value.get("header") {
            Some(_) => Self::Message(text.into()),
            None => Self::Draft(text.into()),
        }
    }
}

/// An invalid example: the one fault that it has, and what has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvalidExample {
    pub rule: FaultCode,
    pub pointer: String,
    draft: Option<Box<RawValue>>,
    message: Option<Box<RawValue>>,
    text: Option<String>,
    times: Option<usize>,
    agencies: Option<Vec<Agency>>,
}

impl InvalidExample {
    pub fn faults(&self) -> Vec<Fault> {
        let directory = self.agencies.clone().map(AgencyDirectory::new);
        let agencies = directory.as_ref().unwrap_or(AgencyDirectory::shipped());
        let checked = |bytes: &[u8]| check_draft(bytes, agencies, Locale::En).err().unwrap_or_default();
        match (&self.draft, &self.message, &self.text) {
            (Some(draft), None, None) => checked(draft.get().as_bytes()),
            (None, Some(message), None) => match Message::parse(message.get().as_bytes()) {
                Err(ParseFault::Schema(faults)) => faults,
                other => panic!("{other:?}"),
            },
            (None, None, Some(text)) => checked(text.repeat(self.times.unwrap_or(1)).as_bytes()),
            _ => panic!("one of draft, message, text"),
        }
    }
}

/// Checks a draft as if the agency on the other side of the border sent it.
pub fn check_draft(
    draft: &[u8],
    agencies: &AgencyDirectory,
    locale: Locale,
) -> Result<ValidDraft, Vec<Fault>> {
    let to_mozambique = String::from_utf8_lossy(draft)
        .split_once("\"recipients\"")
        .is_some_and(|(_, rest)| rest.split_once("\"mz.").is_some_and(|(before, _)| before.len() < 12));
    let sender: AgencyCode = if to_mozambique { "tz.tpf" } else { "mz.prm" }.parse().expect("an agency");
    let context = ValidationContext { now: now(), sender: &sender, agencies, lists: CodeLists::shipped() };
    AlertDraft::parse(draft, &context, locale)
}
