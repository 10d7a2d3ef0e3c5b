//! `keys generate`: draws a new key.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use rovuma_envelope::{PublicKey, SealingKey, SealingRecipient, Signer as _, SigningKey};
use rovuma_schemas::{
    AgencyCode,
    audit::{AuditAction, AuditObject},
};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    app::App,
    exit::{Exit, Failure, Outcome},
    files,
    ledger::{self, AuditRecord},
};

/// Options of `keys generate`.
#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// What the key is for
    #[arg(value_enum)]
    purpose: Purpose,
    /// The file for the private key; never overwritten
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The file for the public key [default: beside it, .jwk for signing keys and .pub for sealing keys]
    #[arg(long, value_name = "FILE")]
    public_out: Option<PathBuf>,
    /// The agency whose key it is, for the audit log
    #[arg(long, value_name = "AGENCY")]
    agency: Option<AgencyCode>,
}

/// The purpose of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// an agency's messages (Ed25519)
    Signing,
    /// what others seal to an agency (age, X25519)
    Sealing,
    /// a country's trust list (Ed25519): keep it off line
    Authority,
    /// a service's audit batches and tokens (Ed25519)
    Service,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::Sealing => "sealing",
            Self::Authority => "authority",
            Self::Service => "service",
        }
    }

    const fn public_suffix(self) -> &'static str {
        match self {
            Self::Sealing => "pub",
            Self::Signing | Self::Authority | Self::Service => "jwk",
        }
    }
}

/// Both halves of a key, as text for their files.
struct KeyPairText {
    id: String,
    private: Zeroizing<String>,
    public: String,
}

/// The result of `keys generate`.
#[derive(Serialize)]
struct GeneratedKey {
    purpose: Purpose,
    /// The key id (RFC 7638 thumbprint), or the age recipient.
    id: String,
    private_file: PathBuf,
    public_file: PathBuf,
}

impl fmt::Display for GeneratedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} key {}", self.purpose.as_str(), self.id)?;
        writeln!(f, "private  {}", self.private_file.display())?;
        write!(f, "public   {}", self.public_file.display())
    }
}

impl Generate {
    pub(crate) async fn run(self, app: &App) -> Outcome {
        let public_file =
            self.public_out.clone().unwrap_or_else(|| self.out.with_extension(self.purpose.public_suffix()));
        if public_file == self.out {
            return Err(Failure::usage(format!("{} cannot hold both halves", self.out.display()))
                .next("give another name with --public-out"));
        }
        files::must_be_new(&self.out)?;
        files::must_be_new(&public_file)?;
        let mut act = ledger::act(app, AuditAction::KeyCreate).detail("purpose", self.purpose.as_str());
        if let Some(agency) = &self.agency {
            act = act.agency(agency);
        }
        let answer = ledger::audited(app, act, async |act: &mut AuditRecord| {
            let drawn = draw(self.purpose)?;
            act.object = Some(AuditObject::new("key", drawn.id.clone()));
            write(&drawn, &self.out, &public_file)?;
            Ok(GeneratedKey { purpose: self.purpose, id: drawn.id, private_file: self.out, public_file })
        })
        .await?;
        app.out.show(&answer)?;
        Ok(Exit::Ok)
    }
}

fn draw(purpose: Purpose) -> Outcome<KeyPairText> {
    if purpose == Purpose::Sealing {
        let key = SealingKey::generate();
        let recipient: &SealingRecipient = key.recipient();
        return Ok(KeyPairText {
            id: recipient.to_string(),
            private: key.to_text(),
            public: format!("{recipient}\n"),
        });
    }
    let private = SigningKey::generate_pem().map_err(|error| Failure::local(error.to_string()))?;
    let key = SigningKey::from_pkcs8_pem(&private).map_err(|error| Failure::local(error.to_string()))?;
    let public: &PublicKey = key.public_key();
    Ok(KeyPairText { id: public.key_id().to_string(), public: format!("{}\n", public.to_jwk()), private })
}

fn write(drawn: &KeyPairText, private_file: &Path, public_file: &Path) -> Outcome<()> {
    files::create_secret(private_file, &drawn.private)?;
    files::create_public(public_file, &drawn.public)
}
