//! Texts in a database that are sealed at rest, each with ChaCha20-Poly1305 (RFC 8439) under a key that one machine has; and marks by which a
//! sealed text is found again (HMAC-SHA-256, RFC 2104). Both keys are derived from the one (HKDF, RFC 5869).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{self, HKDF_SHA256, Prk, Salt},
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use zeroize::Zeroizing;

/// Bytes of a data key.
const KEY_LEN: usize = 32;

/// The key of a machine's sealed texts. Whoever has it reads them all; without it they are lost.
///
/// A nonce is drawn for each text, so one key seals at most 2³² of them (NIST SP 800-38D section 8.3 has the same bound): a post does not write
/// that many in its life.
pub struct DataKey {
    sealing: LessSafeKey,
    marking: hmac::Key,
}

/// The text is no data key. The error does not repeat it.
#[derive(Debug, thiserror::Error)]
#[error("not a data key: 32 bytes in base64url")]
pub struct BadDataKey;

/// A text could not be sealed or opened. It says nothing about the content.
#[derive(Debug, thiserror::Error)]
pub enum SealedTextFault {
    /// There is no randomness, or the text is too long for the cipher.
    #[error("the text cannot be sealed")]
    Seal,
    /// It was sealed under another key or for another place, or was changed.
    #[error("the sealed text does not open with this key at this place")]
    Open,
}

impl DataKey {
    /// A new key, as its file has it.
    ///
    /// # Errors
    /// [`SealedTextFault::Seal`] when the system gives no randomness.
    pub fn generate_text() -> Result<Zeroizing<String>, SealedTextFault> {
        let mut key = Zeroizing::new([0_u8; KEY_LEN]);
        SystemRandom::new().fill(key.as_mut_slice()).map_err(|_| SealedTextFault::Seal)?;
        Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(*key)))
    }

    /// The key with this text.
    ///
    /// # Errors
    /// [`BadDataKey`].
    pub fn from_text(text: &str) -> Result<Self, BadDataKey> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.trim()).map_err(|_| BadDataKey)?);
        if bytes.len() != KEY_LEN {
            return Err(BadDataKey);
        }
        let root = Salt::new(HKDF_SHA256, b"rovuma data key 1").extract(&bytes);
        let sealing = derived(&root, b"seal")?;
        let sealing = UnboundKey::new(&CHACHA20_POLY1305, sealing.as_slice()).map_err(|_| BadDataKey)?;
        Ok(Self {
            sealing: LessSafeKey::new(sealing),
            marking: hmac::Key::new(hmac::HMAC_SHA256, derived(&root, b"mark")?.as_slice()),
        })
    }

    /// Seals a text for a place, such as a column and the row's key: it opens nowhere else.
    ///
    /// # Errors
    /// [`SealedTextFault::Seal`].
    pub fn seal(&self, text: &str, place: &str) -> Result<String, SealedTextFault> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| SealedTextFault::Seal)?;
        let mut sealed = text.as_bytes().to_vec();
        self.sealing
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| SealedTextFault::Seal)?;
        Ok(URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Opens a text that was sealed for this place.
    ///
    /// # Errors
    /// [`SealedTextFault::Open`].
    pub fn open(&self, sealed: &str, place: &str) -> Result<String, SealedTextFault> {
        let mut bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| SealedTextFault::Open)?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN).ok_or(SealedTextFault::Open)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealedTextFault::Open)?;
        let text = self
            .sealing
            .open_in_place(nonce, Aad::from(place.as_bytes()), sealed)
            .map_err(|_| SealedTextFault::Open)?;
        String::from_utf8(text.to_vec()).map_err(|_| SealedTextFault::Open)
    }

    /// What stands in a column in place of a text by which a row is looked for: equal for equal texts, and nothing else is seen of it.
    pub fn mark(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.marking, text.as_bytes()))
    }
}

fn derived(root: &Prk, purpose: &[u8]) -> Result<Zeroizing<[u8; KEY_LEN]>, BadDataKey> {
    struct Length;
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            KEY_LEN
        }
    }
    let mut key = Zeroizing::new([0_u8; KEY_LEN]);
    let info = [purpose];
    let output = root.expand(&info, Length).map_err(|_| BadDataKey)?;
    output.fill(key.as_mut_slice()).map_err(|_| BadDataKey)?;
    Ok(key)
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> DataKey {
        DataKey::from_text(&DataKey::generate_text().expect("randomness")).expect("a key")
    }

    #[test]
    fn a_text_opens_at_its_place_with_its_key_alone() {
        let (one, other) = (key(), key());
        let sealed = one.seal("AB123456", "hit 1").expect("sealed");
        assert_eq!(one.open(&sealed, "hit 1").expect("opens"), "AB123456");
        assert!(one.open(&sealed, "hit 2").is_err(), "a row that was put in another's place");
        assert!(other.open(&sealed, "hit 1").is_err());
        assert!(!sealed.contains("AB123456"));
        assert_ne!(sealed, one.seal("AB123456", "hit 1").expect("sealed"), "equal texts do not look equal");
    }

    #[test]
    fn one_changed_character_is_seen() {
        let key = key();
        let sealed = key.seal("AB123456", "hit 1").expect("sealed");
        for at in 0..sealed.len() {
            let mut bent = sealed.clone().into_bytes();
            bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
            let bent = String::from_utf8(bent).expect("a text");
            // The last character carries bits that base64url leaves out.
            assert!(key.open(&bent, "hit 1").is_err(), "at {at}");
        }
        for cut in 0..sealed.len() {
            assert!(key.open(&sealed[..cut], "hit 1").is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_mark_is_the_same_for_the_same_text_under_one_key() {
        let (one, other) = (key(), key());
        assert_eq!(one.mark("AB1"), one.mark("AB1"));
        assert_ne!(one.mark("AB1"), one.mark("AB2"));
        assert_ne!(one.mark("AB1"), other.mark("AB1"));
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_repeated() {
        for text in ["", "secret", "AAAA", "not base64!"] {
            let refused = DataKey::from_text(text).expect_err("no key").to_string();
            assert!(text.is_empty() || !refused.contains(text), "{refused}");
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in "\\PC{0,200}", place in "\\PC{0,40}") {
            let key = key();
            let sealed = key.seal(&text, &place).expect("sealed");
            prop_assert_eq!(key.open(&sealed, &place).expect("opens"), text);
        }
    }
}
