//! `trust add-agency` and `trust end-agency`: add and end agencies in a draft.

use std::{collections::BTreeMap, path::PathBuf};

use clap::Args;
use rovuma_envelope::trust::{Accepts, NewAgency, SendRule};
use rovuma_schemas::{AgencyCode, Timestamp};

use super::draft_file;
use crate::{app::App, exit::Outcome, moments};

/// Options of `trust add-agency`.
#[derive(Debug, Args)]
pub(crate) struct AddAgency {
    /// The agency's code: mz.prm
    agency: AgencyCode,
    /// The draft to change
    #[arg(long, value_name = "FILE")]
    draft: PathBuf,
    /// Its name in one language: pt="Polícia da República de Moçambique"; once for each language
    #[arg(long = "name", value_name = "LANG=NAME", value_parser = language_and_name, required = true)]
    names: Vec<(String, String)>,
    /// The organisation that it belongs to
    #[arg(long)]
    parent: Option<String>,
    /// The first instant at which it may create messages [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    from: Option<Timestamp>,
    /// The instant from which on it may not
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    until: Option<Timestamp>,
    /// A message type or family it may send [default: every type that agencies send]
    #[arg(long, value_name = "RULE")]
    may_send: Vec<SendRule>,
}

fn language_and_name(text: &str) -> Result<(String, String), String> {
    let fault = || "give it as <language>=<name>, pt=\"Polícia\"".to_owned();
    let (language, name) = text.split_once('=').ok_or_else(fault)?;
    let code = language.len() == 2 && language.bytes().all(|letter| letter.is_ascii_lowercase());
    if code && !name.trim().is_empty() { Ok((language.to_owned(), name.to_owned())) } else { Err(fault()) }
}

impl AddAgency {
    pub(crate) fn run(self, app: &App) -> Outcome {
        let what = format!("agency {} added, without keys", self.agency);
        let new = NewAgency {
            code: self.agency,
            names: BTreeMap::from_iter(self.names),
            parent: self.parent,
            valid_from: self.from.unwrap_or_else(|| app.now()),
            valid_until: self.until,
            may_send: self.may_send,
            accepts: Accepts::this_build(),
        };
        draft_file::change(app, &self.draft, what, |draft| {
            draft.add_agency(new).map_err(|error| draft_file::fault(&error))
        })
    }
}

/// Options of `trust end-agency`.
#[derive(Debug, Args)]
pub(crate) struct EndAgency {
    /// The agency's code
    agency: AgencyCode,
    /// The draft to change
    #[arg(long, value_name = "FILE")]
    draft: PathBuf,
    /// The instant at which it ends [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    at: Option<Timestamp>,
}

impl EndAgency {
    pub(crate) fn run(self, app: &App) -> Outcome {
        let at = self.at.unwrap_or_else(|| app.now());
        let what = format!("agency {} ends {at}", self.agency);
        draft_file::change(app, &self.draft, what, |draft| {
            draft.end_agency(&self.agency, at).map_err(|error| draft_file::fault(&error))
        })
    }
}
