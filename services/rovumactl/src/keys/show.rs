//! `keys show`: shows a key file without its private half.

use std::{fmt, path::PathBuf};

use clap::Args;
use serde::Serialize;

use super::material::KeyMaterial;
use crate::{
    app::App,
    exit::{Exit, Outcome},
};

/// Options of `keys show`.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A key file: PKCS#8 PEM, JWK, age identity or age recipient
    file: PathBuf,
}

/// The description of a key file. It never contains the private half.
#[derive(Serialize)]
struct KeyDetails {
    kind: &'static str,
    private: bool,
    id: String,
    public: String,
}

impl fmt::Display for KeyDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let half = if self.private { "private" } else { "public" };
        writeln!(f, "{half} {} key {}", self.kind, self.id)?;
        write!(f, "{}", self.public)
    }
}

impl Show {
    pub(crate) fn run(self, app: &App) -> Outcome {
        let (kind, private, id, public) = match KeyMaterial::read(&self.file)? {
            KeyMaterial::SigningPrivate(key) => ("signing", true, key.key_id().to_string(), key.to_jwk()),
            KeyMaterial::SigningPublic(key) => ("signing", false, key.key_id().to_string(), key.to_jwk()),
            KeyMaterial::SealingPrivate(key) => ("sealing", true, key.to_string(), key.to_string()),
            KeyMaterial::SealingPublic(key) => ("sealing", false, key.to_string(), key.to_string()),
        };
        app.out.show(&KeyDetails { kind, private, id, public })?;
        Ok(Exit::Ok)
    }
}
