//! `trust show`: shows a list or a draft.

use std::{fmt, path::PathBuf};

use clap::Args;
use rovuma_envelope::{
    SignedTrustList,
    trust::{ListContent, ListedAgency, Revocation, RevocationReason},
};
use rovuma_schemas::Timestamp;
use serde::Serialize;

use super::{draft_file, pins};
use crate::{
    app::App,
    exit::{Exit, Outcome},
    files,
    output::safe,
};

/// Options of `trust show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A signed list or a draft
    file: PathBuf,
    /// The authority key pinned for its country (JWK); without it nothing is verified
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
}

/// Whether the content shown is verified.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum ListStanding {
    Draft,
    Unverified,
    Verified,
}

/// The content to show.
#[derive(Serialize)]
struct ListDetails {
    standing: ListStanding,
    list: ListContent,
}

impl Show {
    pub(crate) fn run(self, app: &App) -> Outcome {
        let shown = match &self.authority {
            Some(authority) => {
                let list = pins::verify_list(&self.file, authority)?;
                ListDetails { standing: ListStanding::Verified, list: list.content().clone() }
            }
            None => self.unverified()?,
        };
        app.out.show(&shown)?;
        Ok(Exit::Ok)
    }

    fn unverified(&self) -> Outcome<ListDetails> {
        if let Ok(signed) = SignedTrustList::from_json(&files::read(&self.file)?) {
            return Ok(ListDetails {
                standing: ListStanding::Unverified,
                list: signed.unverified_content().clone(),
            });
        }
        let draft = draft_file::read(&self.file)?;
        Ok(ListDetails { standing: ListStanding::Draft, list: draft.content().clone() })
    }
}

impl fmt::Display for ListDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = &self.list;
        let standing = match self.standing {
            ListStanding::Draft => "DRAFT, not signed",
            ListStanding::Unverified => "signature NOT VERIFIED: give --authority",
            ListStanding::Verified => "verified",
        };
        writeln!(f, "trust list of {}, serial {} ({standing})", list.country, list.serial)?;
        writeln!(f, "issued {}  next update {}", list.issued, list.next_update)?;
        writeln!(f, "authority {}", list.authority.key_id())?;
        if let Some(next) = &list.next_authority {
            writeln!(f, "next authority {}", next.key_id())?;
        }
        list.agencies.iter().try_for_each(|agency| write_agency(f, agency))
    }
}

fn write_agency(f: &mut fmt::Formatter<'_>, agency: &ListedAgency) -> fmt::Result {
    let name = agency.names.get("en").or_else(|| agency.names.values().next()).map_or("", String::as_str);
    let end = agency.valid_until.map_or(String::new(), |until| format!(" until {until}"));
    writeln!(f, "\n{}  {} (from {}{end})", agency.code, safe(name), agency.valid_from)?;
    let rules: Vec<String> = agency.may_send.iter().map(ToString::to_string).collect();
    writeln!(f, "  may send {}", rules.join(", "))?;
    for key in &agency.signing_keys {
        write_key(f, "signing", &key.kid, key.not_before, key.not_after, key.revoked)?;
    }
    for key in &agency.sealing_keys {
        write_key(f, "sealing", &key.recipient, key.not_before, key.not_after, key.revoked)?;
    }
    Ok(())
}

fn write_key(
    f: &mut fmt::Formatter<'_>,
    kind: &str,
    name: &dyn fmt::Display,
    from: Timestamp,
    until: Timestamp,
    revoked: Option<Revocation>,
) -> fmt::Result {
    write!(f, "  {kind} {name}  {from} to {until}")?;
    match revoked {
        Some(Revocation { at, reason: RevocationReason::Compromised }) => {
            writeln!(f, "  REVOKED {at}: COMPROMISED")
        }
        Some(Revocation { at, .. }) => writeln!(f, "  REVOKED {at}"),
        None => writeln!(f),
    }
}
