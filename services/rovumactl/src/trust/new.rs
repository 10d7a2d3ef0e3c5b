//! `trust new` and `trust revise`: begin a draft.

use std::path::PathBuf;

use clap::Args;
use rovuma_envelope::TrustListDraft;
use rovuma_schemas::CountryCode;

use super::{draft_file, pins};
use crate::{app::App, exit::Outcome, keys};

/// Options of `trust new`.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The country, two lower-case letters
    #[arg(long)]
    country: CountryCode,
    /// The country's authority key: its public half (JWK)
    #[arg(long, value_name = "FILE")]
    authority: PathBuf,
    /// The file to write the draft to
    #[arg(long, value_name = "FILE")]
    draft: PathBuf,
}

impl New {
    pub(crate) fn run(self, app: &App) -> Outcome {
        let authority = keys::read_authority(&self.authority)?;
        let draft = TrustListDraft::create(self.country, authority, app.now());
        draft_file::create(app, &self.draft, &draft, format!("first list of {} begun", self.country))
    }
}

/// Options of `trust revise`.
#[derive(Debug, Args)]
pub(crate) struct Revise {
    /// The signed list in force
    list: PathBuf,
    /// The authority key pinned for that country (JWK)
    #[arg(long, value_name = "FILE")]
    authority: PathBuf,
    /// The file to write the draft to
    #[arg(long, value_name = "FILE")]
    draft: PathBuf,
}

impl Revise {
    pub(crate) fn run(self, app: &App) -> Outcome {
        let list = pins::verify_list(&self.list, &self.authority)?;
        let draft = TrustListDraft::revise(&list);
        let what = format!("list after serial {} of {} begun", list.serial(), list.country());
        draft_file::create(app, &self.draft, &draft, what)
    }
}
