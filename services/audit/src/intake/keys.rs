//! The service's own keys, and whose batches are taken.

use std::{collections::HashMap, path::PathBuf};

use rovuma_envelope::{BadPublicKey, BadSealingKey, BadSigningKey, KeyId, PublicKey, SealingKey, SigningKey};
use rovuma_runtime::{SecretError, SecretFile};

use crate::{
    config::{KeysConfig, ProducerConfig},
    log::PayloadKey,
};

/// The keys that open batches, and the sources by the keys that sign them.
#[derive(Debug)]
pub(crate) struct Keys {
    sealing: Vec<SealingKey>,
    producers: HashMap<KeyId, (String, PublicKey)>,
}

/// A key's file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFault {
    /// A private key's file cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A private key's file is not text.
    #[error("{path} is not a text file")]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// A file holds no sealing key.
    #[error("{path}: {source}")]
    Sealing {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: BadSealingKey,
    },
    /// A file holds no signing key.
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
    /// A file holds no public key.
    #[error("{path}: {source}")]
    Public {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: BadPublicKey,
    },
    /// One key for two sources: either could write in the other's name.
    #[error("producer {second}: its key {key_id} belongs to {first} already")]
    Shared {
        /// The key.
        key_id: KeyId,
        /// The source that has it.
        first: String,
        /// The source that claims it too.
        second: String,
    },
    /// A producer without a key can write nothing.
    #[error("producer {producer}: key_files is empty")]
    NoKey {
        /// The producer.
        producer: String,
    },
    /// The service itself is no producer.
    #[error("producer {producer}: this service writes its own events itself")]
    Ourselves {
        /// The producer.
        producer: String,
    },
}

impl Keys {
    /// Reads the keys that the configuration names. `own` is the service's own source.
    ///
    /// # Errors
    /// [`KeyFault`], naming the file or the producer.
    pub(crate) fn load(keys: &KeysConfig, producers: &[ProducerConfig], own: &str) -> Result<Self, KeyFault> {
        let sealing = keys.sealing_key_files.iter().map(sealing_key).collect::<Result<_, _>>()?;
        let mut known = Self { sealing, producers: HashMap::new() };
        for producer in producers {
            known.add_producer(producer, own)?;
        }
        Ok(known)
    }

    /// The key that signs acknowledgements, or the log's heads.
    ///
    /// # Errors
    /// [`KeyFault`], naming the file.
    pub(crate) fn signing(file: &SecretFile) -> Result<SigningKey, KeyFault> {
        let secret = file.read()?;
        let path = file.path().to_owned();
        let text = secret.expose_text().ok_or_else(|| KeyFault::NotText { path: path.clone() })?;
        SigningKey::from_pkcs8_pem(text).map_err(|source| KeyFault::Signing { path, source })
    }

    /// The key that seals the events in the store.
    ///
    /// # Errors
    /// [`KeyFault`], naming the file.
    pub(crate) fn payload(file: &SecretFile) -> Result<PayloadKey, KeyFault> {
        let secret = file.read()?;
        let path = file.path().to_owned();
        let text = secret.expose_text().ok_or_else(|| KeyFault::NotText { path: path.clone() })?;
        PayloadKey::from_text(text).map_err(|source| KeyFault::Sealing { path, source })
    }

    /// Keys that open batches.
    pub(super) fn sealing(&self) -> Vec<&SealingKey> {
        self.sealing.iter().collect()
    }

    /// The source whose key this is.
    pub(super) fn producer(&self, key_id: &KeyId) -> Option<(&str, &PublicKey)> {
        self.producers.get(key_id).map(|(source, key)| (source.as_str(), key))
    }

    fn add_producer(&mut self, producer: &ProducerConfig, own: &str) -> Result<(), KeyFault> {
        let source = producer.source.clone();
        if source == own {
            return Err(KeyFault::Ourselves { producer: source });
        }
        if producer.key_files.is_empty() {
            return Err(KeyFault::NoKey { producer: source });
        }
        for path in &producer.key_files {
            let key = public_key(path.clone())?;
            let claimed = (source.clone(), key);
            if let Some((first, _)) = self.producers.insert(*key.key_id(), claimed)
                && first != source
            {
                return Err(KeyFault::Shared { key_id: *key.key_id(), first, second: source });
            }
        }
        Ok(())
    }
}

fn sealing_key(file: &SecretFile) -> Result<SealingKey, KeyFault> {
    let secret = file.read()?;
    let path = file.path().to_owned();
    let text = secret.expose_text().ok_or_else(|| KeyFault::NotText { path: path.clone() })?;
    SealingKey::from_text(text).map_err(|source| KeyFault::Sealing { path, source })
}

fn public_key(path: PathBuf) -> Result<PublicKey, KeyFault> {
    let json = std::fs::read(&path).map_err(|source| KeyFault::Read { path: path.clone(), source })?;
    PublicKey::from_jwk(&json).map_err(|source| KeyFault::Public { path, source })
}
