//! `trust revoke`: revokes a key in a draft.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rovuma_envelope::trust::{Revocation, RevocationReason};
use rovuma_schemas::{AgencyCode, Timestamp, audit::AuditAction};

use super::{draft_file, key::NamedKey};
use crate::{
    app::App,
    exit::Outcome,
    ledger::{self, AuditRecord},
    moments,
};

/// Options of `trust revoke`.
#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// The agency whose key it is
    agency: AgencyCode,
    /// The key: its key id, or an age recipient
    // A key id is base64url, so one in 64 begins with a hyphen.
    #[arg(allow_hyphen_values = true)]
    key: String,
    /// The draft to change
    #[arg(long, value_name = "FILE")]
    draft: PathBuf,
    /// The reason
    #[arg(long, value_enum)]
    reason: RevokeReason,
    /// The instant from which on it is revoked [default: now]; a compromised key is not believed at all
    #[arg(long, value_name = "INSTANT", value_parser = moments::instant)]
    at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RevokeReason {
    /// somebody else may have it: nothing it signed is believed any more
    Compromised,
    /// another key took its place
    Superseded,
    /// the agency or unit that used it is no more
    Ceased,
    /// no reason given
    Unspecified,
}

impl RevokeReason {
    const fn word(self) -> (RevocationReason, &'static str) {
        match self {
            Self::Compromised => (RevocationReason::Compromised, "compromised"),
            Self::Superseded => (RevocationReason::Superseded, "superseded"),
            Self::Ceased => (RevocationReason::Ceased, "ceased"),
            Self::Unspecified => (RevocationReason::Unspecified, "unspecified"),
        }
    }
}

impl Revoke {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let key = NamedKey::parse(&self.key)?;
        let (reason, word) = self.reason.word();
        let revocation = Revocation { at: self.at.unwrap_or_else(|| app.now()), reason };
        let act = ledger::act(app, AuditAction::KeyRevoke)
            .agency(&self.agency)
            .object("key", self.key.clone())
            .detail("reason", word);
        let what = format!("key {} of {} revoked: {word}", self.key, self.agency);
        ledger::audited(app, act, async |_: &mut AuditRecord| {
            draft_file::change(app, &self.draft, what, |draft| {
                match &key {
                    NamedKey::Signing(kid) => draft.revoke_signing_key(&self.agency, kid, revocation),
                    NamedKey::Sealing(recipient) => {
                        draft.revoke_sealing_key(&self.agency, recipient, revocation)
                    }
                }
                .map_err(|error| draft_file::fault(&error))
            })
        })
        .await
    }
}
