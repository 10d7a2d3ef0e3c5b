//! Draft lists on disk.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use rovuma_envelope::{
    TrustListDraft,
    trust::{ContentFault, DraftFault, ListContent},
};
use serde::Serialize;

use crate::{
    app::App,
    exit::{Exit, Failure, Outcome},
    files,
};

/// The result of every command that changes a draft.
#[derive(Serialize)]
pub(super) struct DraftSummary {
    draft: PathBuf,
    country: String,
    serial: u64,
    agencies: usize,
    what: String,
}

impl fmt::Display for DraftSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        write!(
            f,
            "draft {} of {}: serial {}, {} agencies; not signed yet",
            self.draft.display(),
            self.country,
            self.serial,
            self.agencies
        )
    }
}

pub(super) fn read(path: &Path) -> Outcome<TrustListDraft> {
    let content: ListContent = serde_json::from_slice(&files::read(path)?).map_err(|error| {
        Failure::usage(format!("{} is not a draft of a trust list: {error}", path.display()))
            .next("begin one with rovumactl trust new, or trust revise for a signed list")
    })?;
    Ok(TrustListDraft::resume(content))
}

/// Writes a draft to a new file, and shows the result.
pub(super) fn create(app: &App, path: &Path, draft: &TrustListDraft, what: String) -> Outcome {
    files::create_public(path, &text(draft)?)?;
    show_summary(app, path, draft, what)
}

/// Reads a draft, changes it, writes it back, and shows the result.
pub(super) fn change(
    app: &App,
    path: &Path,
    what: String,
    act: impl FnOnce(&mut TrustListDraft) -> Outcome<()>,
) -> Outcome {
    let mut draft = read(path)?;
    act(&mut draft)?;
    files::replace(path, &text(&draft)?)?;
    show_summary(app, path, &draft, what)
}

fn show_summary(app: &App, path: &Path, draft: &TrustListDraft, what: String) -> Outcome {
    let content = draft.content();
    app.out.show(&DraftSummary {
        draft: path.to_owned(),
        country: content.country.to_string(),
        serial: content.serial,
        agencies: content.agencies.len(),
        what,
    })?;
    Ok(Exit::Ok)
}

fn text(draft: &TrustListDraft) -> Outcome<String> {
    serde_json::to_string_pretty(draft.content())
        .map(|text| format!("{text}\n"))
        .map_err(|error| Failure::local(format!("cannot write the draft: {error}")))
}

/// Turns an error about a draft into a failure that says what to do next.
pub(super) fn fault(error: &DraftFault) -> Failure {
    let failure = Failure::usage(error.to_string());
    match error {
        DraftFault::UnknownAgency { .. } => failure.next("add it first: rovumactl trust add-agency"),
        DraftFault::UnknownKey { .. } => failure.next("rovumactl trust show lists the keys of every agency"),
        DraftFault::Content(ContentFault::KeyTwice { .. }) => failure.next(
            "rovumactl trust show lists the keys of every agency; trust remove-key takes one out of a draft",
        ),
        DraftFault::NotTheAuthority { .. } => {
            failure.next("sign with the list's authority key, or hand over first: rovumactl trust succeed")
        }
        _ => failure,
    }
}
