//! Keys of signed notes in the C2SP form: `name+a1b2c3d4+base64(type ‖ key)`.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use rovuma_envelope::{PublicKey, Signature};

/// The kind of a key: the type byte of [signed notes](https://c2sp.org/signed-note).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// `0x01`: a log's Ed25519 signature of its checkpoint.
    Log,
    /// `0x04`: a witness's Ed25519 cosignature with a time, `cosignature/v1`.
    Cosigner,
    /// `0x06`: a witness's ML-DSA-44 cosignature with a time, `subtree/v1`. A policy may name such a key, but this
    /// build cannot verify its cosignatures, so they never count.
    MlDsaCosigner,
}

impl KeyKind {
    const ALL: [Self; 3] = [Self::Log, Self::Cosigner, Self::MlDsaCosigner];

    /// The type byte.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Cosigner => 0x04,
            Self::MlDsaCosigner => 0x06,
        }
    }

    /// Size of the public key: 32 bytes for Ed25519 (RFC 8032), 1,312 for ML-DSA-44 (FIPS 204).
    const fn key_bytes(self) -> usize {
        match self {
            Self::Log | Self::Cosigner => 32,
            Self::MlDsaCosigner => 1312,
        }
    }
}

/// A public key with the name that its signatures carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    kind: KeyKind,
    bytes: Vec<u8>,
    id: u32,
}

/// Why a text is not a key of signed notes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteKeyFault {
    /// The name is empty or has a space or a plus in it.
    #[error("{name:?} cannot be a key's name: it is empty, or has a space or a plus in it")]
    Name {
        /// The name.
        name: String,
    },
    /// The text does not have three parts, or one of them is malformed.
    #[error("not a key of signed notes: name+id+base64")]
    Shape,
    /// The type byte is of an unknown kind.
    #[error("a key of type {byte:#04x} is not known here")]
    Kind {
        /// The type byte.
        byte: u8,
    },
    /// The id does not match name and key.
    #[error("the key of {name} has the id {expected:08x}, not {got:08x}")]
    Id {
        /// The name.
        name: String,
        /// The id that follows from name and key.
        expected: u32,
        /// The id in the text.
        got: u32,
    },
}

impl NoteKey {
    /// A log's key. Its name is the log's origin.
    ///
    /// # Errors
    /// [`NoteKeyFault::Name`].
    pub fn of_log(origin: &str, key: &PublicKey) -> Result<Self, NoteKeyFault> {
        Self::new(origin, KeyKind::Log, key.as_bytes())
    }

    /// A witness's key.
    ///
    /// # Errors
    /// [`NoteKeyFault::Name`].
    pub fn of_cosigner(name: &str, key: &PublicKey) -> Result<Self, NoteKeyFault> {
        Self::new(name, KeyKind::Cosigner, key.as_bytes())
    }

    fn new(name: &str, kind: KeyKind, bytes: &[u8]) -> Result<Self, NoteKeyFault> {
        if !signed_note::is_key_name_valid(name) || name.chars().any(char::is_control) {
            return Err(NoteKeyFault::Name { name: name.to_owned() });
        }
        let typed = [&[kind.byte()], bytes].concat();
        Ok(Self { id: signed_note::key_id(name, &typed), name: name.to_owned(), kind, bytes: bytes.to_vec() })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The kind of key, which says what it signs.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The id with which its signatures begin.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Whether both hold the same public key, whatever their names and kinds.
    pub fn wraps_the_same(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }

    /// Whether `signature` is an Ed25519 signature by this key over `bytes`.
    pub(crate) fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        let key = <[u8; 32]>::try_from(self.bytes.as_slice()).map(PublicKey::from_bytes);
        let signature = <[u8; Signature::LEN]>::try_from(signature).map(Signature::from_bytes);
        matches!((key, signature), (Ok(key), Ok(signature)) if key.verify(bytes, &signature).is_ok())
    }
}

impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = STANDARD.encode([&[self.kind.byte()], self.bytes.as_slice()].concat());
        write!(f, "{}+{:08x}+{typed}", self.name, self.id)
    }
}

impl FromStr for NoteKey {
    type Err = NoteKeyFault;

    fn from_str(text: &str) -> Result<Self, NoteKeyFault> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(typed)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteKeyFault::Shape);
        };
        let got = u32::from_str_radix(id, 16).ok().filter(|got| format!("{got:08x}") == id);
        let typed = STANDARD.decode(typed).map_err(|_| NoteKeyFault::Shape)?;
        let (got, (byte, bytes)) = got.zip(typed.split_first()).ok_or(NoteKeyFault::Shape)?;
        let kind = KeyKind::ALL.into_iter().find(|kind| kind.byte() == *byte);
        let kind = kind.ok_or(NoteKeyFault::Kind { byte: *byte })?;
        if bytes.len() != kind.key_bytes() {
            return Err(NoteKeyFault::Shape);
        }
        let key = Self::new(name, kind, bytes)?;
        if key.id == got { Ok(key) } else { Err(NoteKeyFault::Id { name: key.name, expected: key.id, got }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that comes with Go's `golang.org/x/mod/sumdb/note`.
    #[test]
    fn a_note_that_another_implementation_signed_verifies() {
        let key: NoteKey =
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().expect("a key");
        assert_eq!((key.name(), key.id(), key.kind()), ("PeterNeumann", 0xc74f_20a3, KeyKind::Log));
        let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let line =
            "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
        let bytes = STANDARD.decode(line).expect("base64");
        assert_eq!(bytes[..4], key.id().to_be_bytes());
        assert!(key.verifies(text.as_bytes(), &bytes[4..]));
        assert!(!key.verifies(&text.as_bytes()[1..], &bytes[4..]));
    }
}
