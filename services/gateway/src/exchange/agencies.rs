//! The agencies that this gateway serves, and their private keys.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use rovuma_envelope::{SealingKey, Signer, SigningKey};
use rovuma_runtime::{SecretError, SecretFile};
use rovuma_schemas::{AgencyCode, CountryCode};

use crate::config::AgencyConfig;

/// The keys of one agency of ours: one that signs, and the present and former ones that open bundles.
pub(crate) struct OwnAgency {
    /// Signs the agency's messages.
    pub(crate) signer: Arc<dyn Signer>,
    /// Open bundles sealed to the agency, the present key first. Former ones stay for 90 days.
    pub(crate) sealing: Vec<SealingKey>,
}

/// The agencies that this gateway serves. It signs and reads for no other.
pub(crate) struct OwnAgencies(BTreeMap<AgencyCode, OwnAgency>);

/// What is wrong with the configured agencies or their keys.
#[derive(Debug, thiserror::Error)]
pub enum AgenciesFault {
    /// An agency belongs to another country.
    #[error("agency {agency} is not of country {country}")]
    Foreign {
        /// The agency.
        agency: AgencyCode,
        /// The installation's country.
        country: CountryCode,
    },
    /// An agency is configured twice.
    #[error("agency {agency} is configured twice")]
    Twice {
        /// The agency.
        agency: AgencyCode,
    },
    /// No agency is configured.
    #[error("no [[agency]] is configured: this gateway would serve nobody")]
    None,
    /// An agency without a sealing key could not read what is sent to it.
    #[error("agency {agency} has no sealing key")]
    NoSealingKey {
        /// The agency.
        agency: AgencyCode,
    },
    /// A key's file cannot be read.
    #[error(transparent)]
    File(#[from] SecretError),
    /// A key's file holds no such key.
    #[error("{}: {reason}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it; never the content.
        reason: String,
    },
}

impl OwnAgencies {
    /// Reads the keys of every configured agency.
    pub(crate) fn load(country: CountryCode, configs: &[AgencyConfig]) -> Result<Self, AgenciesFault> {
        let mut agencies = BTreeMap::new();
        for config in configs {
            let agency = config.code.clone();
            if agency.country() != country {
                return Err(AgenciesFault::Foreign { agency, country });
            }
            if agencies.insert(agency.clone(), OwnAgency::load(config)?).is_some() {
                return Err(AgenciesFault::Twice { agency });
            }
        }
        if agencies.is_empty() { Err(AgenciesFault::None) } else { Ok(Self(agencies)) }
    }

    /// The agency, when it is one of ours.
    pub(crate) fn get(&self, code: &AgencyCode) -> Option<&OwnAgency> {
        self.0.get(code)
    }

    /// Whether the agency is one of ours.
    pub(crate) fn serves(&self, code: &AgencyCode) -> bool {
        self.0.contains_key(code)
    }

    /// Every agency of ours, in order of its code.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&AgencyCode, &OwnAgency)> {
        self.0.iter()
    }
}

impl OwnAgency {
    fn load(config: &AgencyConfig) -> Result<Self, AgenciesFault> {
        let signer = read_key(&config.signing_key_file, SigningKey::from_pkcs8_pem)?;
        let sealing = config
            .sealing_key_files
            .iter()
            .map(|file| read_key(file, SealingKey::from_text))
            .collect::<Result<Vec<_>, _>>()?;
        if sealing.is_empty() {
            return Err(AgenciesFault::NoSealingKey { agency: config.code.clone() });
        }
        Ok(Self { signer: Arc::new(signer), sealing })
    }
}

fn read_key<T, E: std::fmt::Display>(
    file: &SecretFile,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, AgenciesFault> {
    let fault = |reason: String| AgenciesFault::Key { path: file.path().to_owned(), reason };
    let secret = file.read()?;
    let text = secret.expose_text().ok_or_else(|| fault("not a text".to_owned()))?;
    parse(text).map_err(|error| fault(error.to_string()))
}
