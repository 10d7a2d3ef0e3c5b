//! The agencies that this gateway serves, and their private keys.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use rovuma_envelope::{SealingKey, Signer, SigningKey};
use rovuma_runtime::{SecretError, SecretFile};
use rovuma_schemas::{AgencyCode, CountryCode};

use crate::config::AgencyConfig;

/// One agency of ours: it signs with one key and opens with its present and its former ones.
pub(crate) struct OwnAgency {
    /// What signs for it.
    pub(crate) signer: Arc<dyn Signer>,
    /// What opens bundles sealed to it, the present key first. Former ones stay for 90 days.
    pub(crate) sealing: Vec<SealingKey>,
}

/// All of them. An agency that is not in here is not this gateway's to speak or read for.
pub(crate) struct OwnAgencies(BTreeMap<AgencyCode, OwnAgency>);

/// Keys or agencies that cannot be meant.
#[derive(Debug, thiserror::Error)]
pub enum AgenciesFault {
    /// An agency of another country.
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
    /// No agency at all.
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
        /// What is wrong; never the text.
        reason: String,
    },
}

impl OwnAgencies {
    /// Reads the keys of every configured agency.
    ///
    /// # Errors
    /// [`AgenciesFault`], naming the agency or the file.
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
