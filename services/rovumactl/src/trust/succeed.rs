//! `trust announce` and `trust succeed`: pass the authority from one key to the next.

use std::path::PathBuf;

use clap::Args;
use rovuma_envelope::Signer as _;
use rovuma_schemas::audit::AuditAction;

use super::draft_file;
use crate::{
    app::App,
    exit::Outcome,
    keys,
    ledger::{self, AuditRecord},
};

/// Options of `trust announce`.
#[derive(Debug, Args)]
pub(crate) struct Announce {
    /// The draft to change
    #[arg(long, value_name = "FILE")]
    draft: PathBuf,
    /// The authority key that will follow: its public half (JWK)
    #[arg(long, value_name = "FILE")]
    next: PathBuf,
}

impl Announce {
    pub(crate) fn run(self, app: &App) -> Outcome {
        let next = keys::read_public_key(&self.next)?;
        let what = format!("next authority named: {}", next.key_id());
        draft_file::change(app, &self.draft, what, |draft| {
            draft.name_next_authority(next);
            Ok(())
        })
    }
}

/// Options of `trust succeed`.
#[derive(Debug, Args)]
pub(crate) struct Succeed {
    /// The draft to change; sign it with the new key afterwards
    #[arg(long, value_name = "FILE")]
    draft: PathBuf,
    /// The present authority's private key
    #[arg(long, value_name = "FILE")]
    old_key: PathBuf,
    /// The next authority's private key
    #[arg(long, value_name = "FILE")]
    new_key: PathBuf,
}

impl Succeed {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let old = keys::read_signing_key(&self.old_key)?;
        let new = keys::read_signing_key(&self.new_key)?;
        let what = format!("authority handed over from {} to {}", old.key_id(), new.key_id());
        let act = ledger::act(app, AuditAction::KeyRotate)
            .object("authority", old.key_id().to_string())
            .detail("to", new.key_id());
        ledger::audited(app, act, async |_: &mut AuditRecord| {
            draft_file::change(app, &self.draft, what, |draft| {
                draft.hand_over(&old, &new, app.now()).map_err(|error| draft_file::fault(&error))
            })
        })
        .await
    }
}
