//! `trust sign`: signs a draft.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use rovuma_envelope::{SignedTrustList, Signer as _, trust::ListContent};
use rovuma_schemas::{Timestamp, audit::AuditAction};
use serde::Serialize;

use super::draft_file;
use crate::{
    app::App,
    exit::{Exit, Outcome},
    files, keys,
    ledger::{self, AuditRecord},
    moments,
};

/// Options of `trust sign`.
#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// The draft to sign; it stays unchanged
    #[arg(long, value_name = "FILE")]
    draft: PathBuf,
    /// The authority's private key
    #[arg(long, value_name = "FILE")]
    authority_key: PathBuf,
    /// When the next list is due at the latest, from now
    #[arg(long, value_name = "SPAN", value_parser = moments::span, default_value = "90d")]
    next_update: Duration,
    /// The file to write the signed list to; an earlier list of the country is replaced, and no other file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// The result of `trust sign`.
#[derive(Serialize)]
struct SignResult {
    file: PathBuf,
    country: String,
    serial: u64,
    issued: Timestamp,
    next_update: Timestamp,
    authority: String,
}

impl fmt::Display for SignResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "trust list of {} signed: serial {}, next update {}",
            self.country, self.serial, self.next_update
        )?;
        write!(f, "{} by {}", self.file.display(), self.authority)
    }
}

/// Refuses a file that is there and is no earlier signed list of the same country: a key, a draft, or a newer list.
fn check_replaceable(out: &Path, content: &ListContent) -> Outcome<()> {
    if fs::symlink_metadata(out).is_err() {
        return Ok(());
    }
    let is_earlier = SignedTrustList::from_json(&files::read(out)?).is_ok_and(|list| {
        let there = list.unverified_content();
        there.country == content.country && there.serial <= content.serial
    });
    if is_earlier { Ok(()) } else { Err(files::already_exists(out)) }
}

impl Sign {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let draft = draft_file::read(&self.draft)?;
        let authority = keys::read_signing_key(&self.authority_key)?;
        let (issued, content) = (app.now(), draft.content().clone());
        check_replaceable(&self.out, &content)?;
        let next_update = issued.plus(self.next_update);
        let act = ledger::act(app, AuditAction::TrustSign)
            .object("trust_list", format!("{}/{}", content.country, content.serial))
            .detail("authority", authority.key_id());
        ledger::audited(app, act, async |_: &mut AuditRecord| {
            let signed =
                draft.sign(&authority, issued, next_update).map_err(|error| draft_file::fault(&error))?;
            files::replace(&self.out, &signed.to_json())
        })
        .await?;
        app.out.show(&SignResult {
            file: self.out,
            country: content.country.to_string(),
            serial: content.serial,
            issued,
            next_update,
            authority: authority.key_id().to_string(),
        })?;
        Ok(Exit::Ok)
    }
}
