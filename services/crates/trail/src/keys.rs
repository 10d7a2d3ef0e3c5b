//! The keys with which a source ships its events: its own, and the audit service's.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use rovuma_envelope::{
    BadPublicKey, BadRecipient, BadSigningKey, PublicKey, SealingRecipient, Signer, SigningKey,
};
use rovuma_runtime::{SecretError, SecretFile};

/// The keys with which a source signs and seals batches and verifies acknowledgements.
#[derive(Clone)]
pub struct ShipperKeys {
    /// Signs batches.
    pub signer: Arc<dyn Signer>,
    /// The audit service's sealing key: batches are sealed to it.
    pub recipient: SealingRecipient,
    /// The audit service's public key: only acknowledgements signed with it count.
    pub acknowledger: PublicKey,
}

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The private key's file cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The private key's file holds no key.
    #[error("{path}: {fault}")]
    SigningKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: BadSigningKey,
    },
    /// A public file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The sealing recipient's file holds none.
    #[error("{path}: {fault}")]
    Recipient {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: BadRecipient,
    },
    /// The acknowledgement key's file holds none.
    #[error("{path}: {fault}")]
    PublicKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: BadPublicKey,
    },
}

impl ShipperKeys {
    /// Reads the keys: the source's own (PKCS#8 PEM), the audit service's age recipient (a line `age1…`),
    /// and the audit service's public key (JWK).
    ///
    /// # Errors
    /// [`KeysError`], which names the file.
    pub fn load(
        key_file: &SecretFile,
        recipient_file: &Path,
        ack_key_file: &Path,
    ) -> Result<Self, KeysError> {
        let secret = key_file.read()?;
        // A file that is not UTF-8 is no PEM: the empty text gives the right error.
        let signer = SigningKey::from_pkcs8_pem(secret.expose_text().unwrap_or_default())
            .map_err(|fault| KeysError::SigningKey { path: key_file.path().to_owned(), fault })?;
        let recipient = read(recipient_file)?
            .trim()
            .parse()
            .map_err(|fault| KeysError::Recipient { path: recipient_file.to_owned(), fault })?;
        let acknowledger = PublicKey::from_jwk(read(ack_key_file)?.as_bytes())
            .map_err(|fault| KeysError::PublicKey { path: ack_key_file.to_owned(), fault })?;
        Ok(Self { signer: Arc::new(signer), recipient, acknowledger })
    }
}

fn read(path: &Path) -> Result<String, KeysError> {
    std::fs::read_to_string(path).map_err(|source| KeysError::File { path: path.to_owned(), source })
}

impl fmt::Debug for ShipperKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShipperKeys").field("signer", self.signer.key_id()).finish_non_exhaustive()
    }
}
