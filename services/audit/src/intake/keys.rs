//! The service's own keys, and the keys of the configured sources.

use std::{collections::HashMap, path::PathBuf};

use rovuma_envelope::{BadPublicKey, BadSealingKey, BadSigningKey, KeyId, PublicKey, SealingKey, SigningKey};
use rovuma_runtime::{SecretError, SecretFile};

use crate::{
    config::{KeysConfig, ProducerConfig},
    log::PayloadKey,
};

/// The keys that open batches, and the sources by their signing keys.
#[derive(Debug)]
pub(crate) struct IntakeKeys {
    sealing: Vec<SealingKey>,
    producers: HashMap<KeyId, (String, PublicKey)>,
}

/// Why keys cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFileFault {
    /// A private key's file cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A private key's file is not text.
    #[error("{path} is not a text file")]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// A file has no sealing key.
    #[error("{path}: {source}")]
    Sealing {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: BadSealingKey,
    },
    /// A file has no signing key.
    #[error("{path}: {source}")]
    Signing {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: BadSigningKey,
    },
    /// A public key's file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file has no public key.
    #[error("{path}: {source}")]
    Public {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: BadPublicKey,
    },
    /// Two sources have the same key: either could write in the other's name.
    #[error("producer {second}: its key {key_id} is already a key of {first}")]
    Shared {
        /// The key.
        key_id: KeyId,
        /// The source that has it first.
        first: String,
        /// The source that has it too.
        second: String,
    },
    /// A producer has no key.
    #[error("producer {producer}: key_files is empty")]
    NoKey {
        /// The producer.
        producer: String,
    },
    /// A producer has this service's own name.
    #[error("producer {producer}: this is the audit service's own name")]
    OwnName {
        /// The producer.
        producer: String,
    },
}

impl IntakeKeys {
    /// Loads the keys that the configuration names. `own` is this service's own source.
    pub(crate) fn load(
        keys: &KeysConfig,
        producers: &[ProducerConfig],
        own: &str,
    ) -> Result<Self, KeyFileFault> {
        let sealing = keys.sealing_key_files.iter().map(sealing_key).collect::<Result<_, _>>()?;
        let mut known = Self { sealing, producers: HashMap::new() };
        for producer in producers {
            known.add_producer(producer, own)?;
        }
        Ok(known)
    }

    /// Loads a key that signs acknowledgements, the log's heads or cosignatures.
    pub(crate) fn load_signing_key(file: &SecretFile) -> Result<SigningKey, KeyFileFault> {
        let secret = file.read()?;
        let path = file.path().to_owned();
        let text = secret.expose_text().ok_or_else(|| KeyFileFault::NotText { path: path.clone() })?;
        SigningKey::from_pkcs8_pem(text).map_err(|source| KeyFileFault::Signing { path, source })
    }

    /// Loads the key that seals events in the store.
    pub(crate) fn load_payload_key(file: &SecretFile) -> Result<PayloadKey, KeyFileFault> {
        let secret = file.read()?;
        let path = file.path().to_owned();
        let text = secret.expose_text().ok_or_else(|| KeyFileFault::NotText { path: path.clone() })?;
        PayloadKey::from_text(text).map_err(|source| KeyFileFault::Sealing { path, source })
    }

    /// The keys that open batches.
    pub(super) fn sealing(&self) -> Vec<&SealingKey> {
        self.sealing.iter().collect()
    }

    /// The source that has this key.
    pub(super) fn producer(&self, key_id: &KeyId) -> Option<(&str, &PublicKey)> {
        self.producers.get(key_id).map(|(source, key)| (source.as_str(), key))
    }

    fn add_producer(&mut self, producer: &ProducerConfig, own: &str) -> Result<(), KeyFileFault> {
        let source = producer.source.clone();
        if source == own {
            return Err(KeyFileFault::OwnName { producer: source });
        }
        if producer.key_files.is_empty() {
            return Err(KeyFileFault::NoKey { producer: source });
        }
        for path in &producer.key_files {
            let key = public_key(path.clone())?;
            let claimed = (source.clone(), key);
            if let Some((first, _)) = self.producers.insert(*key.key_id(), claimed)
                && first != source
            {
                return Err(KeyFileFault::Shared { key_id: *key.key_id(), first, second: source });
            }
        }
        Ok(())
    }
}

fn sealing_key(file: &SecretFile) -> Result<SealingKey, KeyFileFault> {
    let secret = file.read()?;
    let path = file.path().to_owned();
    let text = secret.expose_text().ok_or_else(|| KeyFileFault::NotText { path: path.clone() })?;
    SealingKey::from_text(text).map_err(|source| KeyFileFault::Sealing { path, source })
}

fn public_key(path: PathBuf) -> Result<PublicKey, KeyFileFault> {
    let json = std::fs::read(&path).map_err(|source| KeyFileFault::Read { path: path.clone(), source })?;
    PublicKey::from_jwk(&json).map_err(|source| KeyFileFault::Public { path, source })
}
