//! Seals to one recipient in the age format (C2SP `age`, X25519).
//!
//! Any `age` tool opens what [`seal`] writes and writes what [`open`] reads.

use std::{fmt, io::Read, str::FromStr};

use age::secrecy::ExposeSecret;
use ring::{agreement, rand::SystemRandom};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use zeroize::Zeroizing;

/// Maximum bytes that age adds to a plaintext within the limit: header, nonce, and 16 bytes for each 64
/// KiB.
pub const SEALING_OVERHEAD_MAX: usize = HEADER_MAX + 16 + 32 * 16;

/// Maximum bytes of a header. An honest one is under 1 KiB, random grease included; each X25519 stanza
/// in it costs the reader a curve multiplication, so a longer header is refused before that work is
/// done.
const HEADER_MAX: usize = 4096;

/// A public sealing key: `age1…`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SealingRecipient(age::x25519::Recipient);

/// The text is not a usable X25519 recipient.
#[derive(Debug, thiserror::Error)]
#[error("not an age X25519 recipient (age1…): {0}")]
pub struct BadRecipient(&'static str);

/// The text is not an age identity. The error does not repeat the text.
#[derive(Debug, thiserror::Error)]
#[error("not one age X25519 identity (AGE-SECRET-KEY-1…): {0}")]
pub struct BadSealingKey(&'static str);

/// The bytes could not be sealed.
#[derive(Debug, thiserror::Error)]
#[error("sealing failed: {0}")]
pub struct SealFault(String);

/// The sealed bytes could not be opened. None of the reasons reveals anything about the content.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// The bytes are not sealed to any of the keys.
    #[error("sealed to none of our {keys} keys")]
    NotForUs {
        /// Number of keys that were tried.
        keys: usize,
    },
    /// The bytes are larger than the caller allows.
    #[error("{got} sealed bytes hold more than the {limit} allowed")]
    TooLarge {
        /// Size of the sealed bytes.
        got: usize,
        /// Maximum size of the opened bytes.
        limit: usize,
    },
    /// The bytes are not an age file, or were cut short or altered.
    #[error("not an intact age file: {0}")]
    Broken(String),
}

impl FromStr for SealingRecipient {
    type Err = BadRecipient;

    fn from_str(text: &str) -> Result<Self, BadRecipient> {
        let recipient: age::x25519::Recipient = text.parse().map_err(BadRecipient)?;
        if contributes(&recipient.to_string()) {
            Ok(Self(recipient))
        } else {
            Err(BadRecipient("a point of low order: everybody could open what is sealed to it"))
        }
    }
}

/// Whether key agreement with this recipient gives a secret (RFC 7748, section 6.1). `age` panics on a
/// recipient for which it does not, so such a key must not come in through a trust list.
fn contributes(canonical: &str) -> bool {
    let Some(bytes) = bech32_data(canonical) else { return false };
    let peer = agreement::UnparsedPublicKey::new(&agreement::X25519, bytes);
    agreement::EphemeralPrivateKey::generate(&agreement::X25519, &SystemRandom::new())
        .and_then(|own| agreement::agree_ephemeral(own, &peer, |_| ()))
        .is_ok()
}

/// Decodes the 32 bytes of a Bech32 text (BIP 173) whose checksum `age` has checked.
fn bech32_data(text: &str) -> Option<[u8; 32]> {
    const CHARSET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let data = text.strip_prefix("age1")?.as_bytes().get(..52)?;
    let (mut out, mut filled, mut buffer, mut bits) = ([0u8; 32], 0, 0u32, 0u32);
    for symbol in data {
        let value = CHARSET.iter().position(|known| known == symbol)?;
        buffer = (buffer << 5 | u32::try_from(value).ok()?) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            *out.get_mut(filled)? = u8::try_from(buffer >> bits & 0xff).ok()?;
            filled += 1;
        }
    }
    (filled == out.len()).then_some(out)
}

impl fmt::Display for SealingRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for SealingRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingRecipient({self})")
    }
}

impl Serialize for SealingRecipient {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SealingRecipient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A private sealing key, as stored in an age identity file.
pub struct SealingKey {
    identity: age::x25519::Identity,
    recipient: SealingRecipient,
}

impl SealingKey {
    /// Draws a new key.
    pub fn generate() -> Self {
        Self::from_identity(age::x25519::Identity::generate())
    }

    fn from_identity(identity: age::x25519::Identity) -> Self {
        Self { recipient: SealingRecipient(identity.to_public()), identity }
    }

    /// Reads an age identity file as `age-keygen` writes it: comments, blank lines and one key.
    ///
    /// # Errors
    /// [`BadSealingKey`] when there is not exactly one X25519 identity.
    pub fn from_text(text: &str) -> Result<Self, BadSealingKey> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let key = lines.next().ok_or(BadSealingKey("no key in it"))?;
        if lines.next().is_some() {
            return Err(BadSealingKey("more than one line beside comments"));
        }
        key.parse().map(Self::from_identity).map_err(BadSealingKey)
    }

    /// The key as an age identity file with its recipient in a comment, as `age-keygen` writes it.
    pub fn to_text(&self) -> Zeroizing<String> {
        let secret = self.identity.to_string();
        // Reserve room for the whole text: a string that grows leaves copies of the secret in memory.
        let mut text = Zeroizing::new(String::with_capacity(256));
        text.push_str(&format!("# public key: {}\n", self.recipient));
        text.push_str(secret.expose_secret());
        text.push('\n');
        text
    }

    /// The public half.
    pub fn recipient(&self) -> &SealingRecipient {
        &self.recipient
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey({})", self.recipient)
    }
}

/// Seals `plaintext` so that only the holder of the recipient's key can open it.
///
/// # Errors
/// [`SealFault`] when `age` fails, which does not happen for a checked recipient unless memory runs out.
pub fn seal(plaintext: &[u8], recipient: &SealingRecipient) -> Result<Vec<u8>, SealFault> {
    age::encrypt(&recipient.0, plaintext).map_err(|fault| SealFault(fault.to_string()))
}

/// Opens bytes that were sealed to one of `keys` and hold at most `limit` bytes.
///
/// Anybody can seal: only a signature inside tells who did.
///
/// # Errors
/// [`OpenFault`]; every one is permanent for these keys.
pub fn open(sealed: &[u8], keys: &[&SealingKey], limit: usize) -> Result<Vec<u8>, OpenFault> {
    let too_large = || OpenFault::TooLarge { got: sealed.len(), limit };
    if sealed.len() > limit.saturating_add(SEALING_OVERHEAD_MAX) {
        return Err(too_large());
    }
    check_header(sealed)?;
    let decryptor = age::Decryptor::new_buffered(sealed).map_err(broken)?;
    let identities = keys.iter().map(|key| &key.identity as &dyn age::Identity);
    let reader = decryptor.decrypt(identities).map_err(|fault| match fault {
        age::DecryptError::NoMatchingKeys => OpenFault::NotForUs { keys: keys.len() },
        other => broken(other),
    })?;
    let mut plaintext = Vec::with_capacity(sealed.len().min(limit));
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(most).read_to_end(&mut plaintext).map_err(broken)?;
    if plaintext.len() > limit { Err(too_large()) } else { Ok(plaintext) }
}

fn check_header(sealed: &[u8]) -> Result<(), OpenFault> {
    let head = &sealed[..sealed.len().min(HEADER_MAX)];
    let ends = head.windows(5).any(|window| window == b"\n--- ");
    if ends { Ok(()) } else { Err(broken("no end of the header within 4 KiB")) }
}

fn broken(fault: impl fmt::Display) -> OpenFault {
    OpenFault::Broken(fault.to_string())
}
