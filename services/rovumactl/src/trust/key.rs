//! `trust add-key` and `trust rotate`: add and rotate an agency's keys in a draft.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use rovuma_envelope::{PublicKey, SealingRecipient, trust::KeyTerm};
use rovuma_schemas::{AgencyCode, Timestamp};

use super::draft_file;
use crate::{app::App, exit::Outcome, keys, moments};

/// An agency's new key and its term.
#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    /// The agency whose key it is
    agency: AgencyCode,
    /// The draft to change
    #[arg(long, value_name = "FILE")]
    draft: PathBuf,
    #[command(flatten)]
    key: KeySource,
    /// The first instant at which it is valid [default: now]
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    from: Option<Timestamp>,
    /// How long it is valid
    #[arg(long, value_name = "SPAN", value_parser = moments::span, default_value = "730d")]
    valid_for: Duration,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct KeySource {
    /// A signing key: its public half (JWK)
    #[arg(long, value_name = "FILE")]
    signing: Option<PathBuf>,
    /// A sealing key: an age recipient (age1…) or a file with one
    #[arg(long, value_name = "AGE1|FILE")]
    sealing: Option<String>,
}

enum NewKey {
    Signing(PublicKey),
    Sealing(SealingRecipient),
}

impl KeyArgs {
    fn term(&self, app: &App) -> KeyTerm {
        let not_before = self.from.unwrap_or_else(|| app.now());
        KeyTerm { not_before, not_after: not_before.plus(self.valid_for) }
    }

    fn read(&self) -> Outcome<(NewKey, String)> {
        if let Some(text) = &self.key.sealing {
            let recipient = keys::read_recipient(text)?;
            let name = format!("sealing key {recipient}");
            return Ok((NewKey::Sealing(recipient), name));
        }
        // clap requires one of the two options, so one is there.
        let key = keys::read_public_key(self.key.signing.as_deref().unwrap_or("-".as_ref()))?;
        Ok((NewKey::Signing(key), format!("signing key {}", key.key_id())))
    }
}

/// Options of `trust add-key`.
#[derive(Debug, Args)]
pub(crate) struct AddKey {
    #[command(flatten)]
    key: KeyArgs,
}

impl AddKey {
    pub(crate) fn run(self, app: &App) -> Outcome {
        let (key, name) = self.key.read()?;
        let (agency, term) = (&self.key.agency, self.key.term(app));
        let what = format!("{name} of {agency} added, valid until {}", term.not_after);
        draft_file::change(app, &self.key.draft, what, |draft| {
            match key {
                NewKey::Signing(key) => draft.add_signing_key(agency, key, term),
                NewKey::Sealing(recipient) => draft.add_sealing_key(agency, recipient, term),
            }
            .map_err(|error| draft_file::fault(&error))
        })
    }
}

/// Options of `trust rotate`.
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    #[command(flatten)]
    key: KeyArgs,
    /// How long after the new key begins the present ones end
    #[arg(long, value_name = "SPAN", value_parser = moments::span, default_value = "14d")]
    overlap: Duration,
}

impl Rotate {
    pub(crate) fn run(self, app: &App) -> Outcome {
        let (key, name) = self.key.read()?;
        let (agency, term) = (&self.key.agency, self.key.term(app));
        let end = term.not_before.plus(self.overlap);
        let what = format!("{name} of {agency} added; the ones before it end {end}");
        draft_file::change(app, &self.key.draft, what, |draft| {
            match key {
                NewKey::Signing(key) => draft.rotate_signing_key(agency, key, term, self.overlap),
                NewKey::Sealing(recipient) => draft.rotate_sealing_key(agency, recipient, term, self.overlap),
            }
            .map_err(|error| draft_file::fault(&error))
        })
    }
}
