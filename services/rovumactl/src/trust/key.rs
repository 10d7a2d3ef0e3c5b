//! `trust add-key`, `trust remove-key` and `trust rotate`: add, take out and rotate an agency's keys in a draft.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use rovuma_envelope::{
    KeyId, PublicKey, SealingRecipient, SignedTrustList,
    trust::{KeyTerm, ListedAgency},
};
use rovuma_schemas::{AgencyCode, Timestamp};

use super::{draft_file, pins};
use crate::{
    app::App,
    exit::{Failure, Outcome},
    files, keys, moments,
};

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

/// A key of a list, as users name it.
pub(super) enum NamedKey {
    Signing(KeyId),
    Sealing(SealingRecipient),
}

impl NamedKey {
    /// Parses a key id, or an age recipient.
    pub(super) fn parse(text: &str) -> Outcome<Self> {
        if text.starts_with("age1") {
            let recipient = text.parse::<SealingRecipient>();
            return recipient.map(Self::Sealing).map_err(|error| Failure::usage(error.to_string()));
        }
        let kid = text.parse::<KeyId>();
        kid.map(Self::Signing).map_err(|error| Failure::usage(format!("{text:?} is {error}")))
    }

    fn is_in(&self, agency: &ListedAgency) -> bool {
        match self {
            Self::Signing(kid) => agency.signing_keys.iter().any(|entry| entry.kid == *kid),
            Self::Sealing(recipient) => agency.sealing_keys.iter().any(|entry| entry.recipient == *recipient),
        }
    }
}

/// Options of `trust remove-key`.
#[derive(Debug, Args)]
pub(crate) struct RemoveKey {
    /// The agency whose key it is
    agency: AgencyCode,
    /// The key: its key id, or an age recipient
    // A key id is base64url, so one in 64 begins with a hyphen.
    #[arg(allow_hyphen_values = true)]
    key: String,
    /// The draft to change
    #[arg(long, value_name = "FILE")]
    draft: PathBuf,
    /// The signed list that the draft follows, which must not have the key; needed from serial 2 on
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
}

impl RemoveKey {
    pub(crate) fn run(self, app: &App) -> Outcome {
        let key = NamedKey::parse(&self.key)?;
        self.check_previous(&key)?;
        let what = format!("key {} of {} taken out", self.key, self.agency);
        draft_file::change(app, &self.draft, what, |draft| {
            match &key {
                NamedKey::Signing(kid) => draft.remove_signing_key(&self.agency, kid),
                NamedKey::Sealing(recipient) => draft.remove_sealing_key(&self.agency, recipient),
            }
            .map_err(|error| draft_file::fault(&error))
        })
    }

    /// Refuses a key that a signed list has had: what it signed could not be verified any more.
    fn check_previous(&self, key: &NamedKey) -> Outcome<()> {
        let serial = draft_file::read(&self.draft)?.content().serial;
        let Some(previous) = &self.previous else {
            if serial > 1 {
                return Err(Failure::usage(format!(
                    "the draft has serial {serial}: a list before it was signed"
                ))
                .next("give --previous with that list: a key that it has cannot be taken out"));
            }
            return Ok(());
        };
        let signed = SignedTrustList::from_json(&files::read(previous)?)
            .map_err(|error| pins::refused(previous, &error))?;
        let content = signed.unverified_content();
        if content.serial.saturating_add(1) != serial {
            return Err(Failure::usage(format!(
                "{} has serial {}, so the draft of serial {serial} does not follow it",
                previous.display(),
                content.serial
            )));
        }
        if content.agencies.iter().any(|agency| key.is_in(agency)) {
            return Err(Failure::usage(format!("{} has the key {}", previous.display(), self.key))
                .next("what it signed is verified by it still: revoke it instead, rovumactl trust revoke"));
        }
        Ok(())
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
