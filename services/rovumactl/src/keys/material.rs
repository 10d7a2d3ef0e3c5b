//! Reads key files of every kind, which it recognises by their content.

use std::path::Path;

use rovuma_envelope::{PublicKey, SealingKey, SealingRecipient, Signer as _, SigningKey};
use zeroize::Zeroizing;

use crate::{
    exit::{Failure, Outcome},
    files,
};

/// The public half of the key in a file, and whether the file is private.
#[derive(Clone, Debug)]
pub(crate) enum KeyMaterial {
    /// An Ed25519 private key (PKCS#8 PEM).
    SigningPrivate(PublicKey),
    /// An Ed25519 public key (JWK).
    SigningPublic(PublicKey),
    /// An age identity.
    SealingPrivate(SealingRecipient),
    /// An age recipient.
    SealingPublic(SealingRecipient),
}

impl KeyMaterial {
    /// Reads any key file. A private one must not be readable by everybody.
    pub(crate) fn read(path: &Path) -> Outcome<Self> {
        let text = Zeroizing::new(files::read_text(path)?);
        if text.contains("PRIVATE KEY-----") {
            return read_signing_key(path).map(|key| Self::SigningPrivate(*key.public_key()));
        }
        if text.contains("AGE-SECRET-KEY-") {
            return read_sealing_key(path).map(|key| Self::SealingPrivate(key.recipient().clone()));
        }
        if text.trim_start().starts_with('{') {
            return read_public_key(path).map(Self::SigningPublic);
        }
        if text.trim_start().starts_with("age1") {
            return parse_recipient(&text, path).map(Self::SealingPublic);
        }
        Err(Failure::usage(format!("{} holds no key that rovumactl knows", path.display()))
            .next("give a PKCS#8 PEM, a JWK, an age identity or an age recipient"))
    }
}

/// Reads a private signing key.
pub(crate) fn read_signing_key(path: &Path) -> Outcome<SigningKey> {
    let text = files::read_secret_text(path)?;
    SigningKey::from_pkcs8_pem(&text).map_err(|error| unusable(path, &error))
}

/// Reads a private sealing key.
pub(crate) fn read_sealing_key(path: &Path) -> Outcome<SealingKey> {
    let text = files::read_secret_text(path)?;
    SealingKey::from_text(&text).map_err(|error| unusable(path, &error))
}

/// Reads a public signing key. From a private key's file, takes the public half.
pub(crate) fn read_public_key(path: &Path) -> Outcome<PublicKey> {
    let text = Zeroizing::new(files::read_text(path)?);
    if text.contains("PRIVATE KEY-----") {
        return read_signing_key(path).map(|key| *key.public_key());
    }
    PublicKey::from_jwk(text.as_bytes()).map_err(|error| unusable(path, &error))
}

/// Reads a pinned authority key.
pub(crate) fn read_authority(path: &Path) -> Outcome<PublicKey> {
    read_public_key(path).map_err(|failure| failure.next("give the country's authority key as a JWK file"))
}

/// Parses an age recipient, or reads it from a file.
pub(crate) fn read_recipient(text_or_path: &str) -> Outcome<SealingRecipient> {
    if text_or_path.starts_with("age1") {
        return text_or_path.parse().map_err(|error| Failure::usage(format!("{text_or_path}: {error}")));
    }
    let path = Path::new(text_or_path);
    match KeyMaterial::read(path)? {
        KeyMaterial::SealingPrivate(recipient) | KeyMaterial::SealingPublic(recipient) => Ok(recipient),
        KeyMaterial::SigningPrivate(_) | KeyMaterial::SigningPublic(_) => {
            Err(Failure::usage(format!("{} is a signing key, a sealing key is needed", path.display())))
        }
    }
}

fn parse_recipient(text: &str, path: &Path) -> Outcome<SealingRecipient> {
    text.trim().parse().map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format!("{}: {error}", path.display()))
}
