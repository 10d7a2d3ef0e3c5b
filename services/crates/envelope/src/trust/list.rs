//! A trust list as a file, and as a value that exists only when its signature and content hold.

use std::collections::HashMap;

use rovuma_schemas::{AgencyCode, CountryCode, Digest, Timestamp};

use super::{
    ContentFault, GeneralJws, ListContent, ListedAgency, Pin, SigningKeyEntry, TrustFault, chain,
    check::check,
};
use crate::{KeyId, PublicKey, Typ, digest};

/// Maximum bytes of a signed list. 32 agencies with years of keys are under 100 KB.
pub const TRUST_LIST_BYTES_MAX: usize = 1024 * 1024;

/// A signed trust list as read from a file. Nothing in it is verified.
#[derive(Clone, Debug)]
pub struct SignedTrustList {
    general: GeneralJws,
    unverified: ListContent,
}

impl SignedTrustList {
    /// Reads a file's content.
    ///
    /// # Errors
    /// [`TrustFault`] when it is too large or not a JWS around a list.
    pub fn from_json(json: &[u8]) -> Result<Self, TrustFault> {
        if json.len() > TRUST_LIST_BYTES_MAX {
            return Err(TrustFault::TooLarge { got: json.len() });
        }
        Self::from_general(GeneralJws::from_json(json)?)
    }

    pub(crate) fn from_general(general: GeneralJws) -> Result<Self, TrustFault> {
        let unverified = serde_json::from_slice(general.unverified_payload())
            .map_err(|fault| ContentFault::Shape(fault.to_string()))?;
        Ok(Self { general, unverified })
    }

    /// The file's content: the JWS in General JSON serialisation.
    pub fn to_json(&self) -> String {
        file_of(&self.general)
    }

    /// The content as the list states it, before any check.
    pub fn unverified_content(&self) -> &ListContent {
        &self.unverified
    }

    /// Checks the signature, from the pinned key through the successions, and every rule of the content.
    ///
    /// # Errors
    /// [`TrustFault`].
    pub fn verify(self, pin: &Pin) -> Result<TrustList, TrustFault> {
        let content = self.unverified;
        if content.country != pin.country {
            return Err(TrustFault::OtherCountry { expected: pin.country, got: content.country });
        }
        let authorities = chain::follow(pin.country, pin.authority, &content.successions);
        let present = *authorities.last().unwrap_or(&pin.authority);
        self.general.verify_with(&present, Typ::TRUST_LIST).map_err(|fault| TrustFault::Signature {
            country: pin.country,
            expected: *present.key_id(),
            fault,
        })?;
        check(&content, &present)?;
        if content.serial < pin.minimum_serial {
            return Err(TrustFault::Older {
                country: pin.country,
                held: pin.minimum_serial,
                offered: content.serial,
            });
        }
        Ok(TrustList::new(content, authorities, self.general))
    }
}

/// The text of a list's file.
fn file_of(general: &GeneralJws) -> String {
    // Serialising cannot fail: the value is a struct of strings.
    let mut text = serde_json::to_string_pretty(general).unwrap_or_default();
    text.push('\n');
    text
}

/// A trust list whose signature and content hold.
#[derive(Clone, Debug)]
pub struct TrustList {
    content: ListContent,
    authorities: Vec<PublicKey>,
    digest: Digest,
    signed: GeneralJws,
    by_code: HashMap<AgencyCode, usize>,
}

impl TrustList {
    fn new(content: ListContent, authorities: Vec<PublicKey>, signed: GeneralJws) -> Self {
        let by_code =
            content.agencies.iter().enumerate().map(|(at, agency)| (agency.code.clone(), at)).collect();
        Self { content, authorities, digest: digest(signed.unverified_payload()), signed, by_code }
    }

    /// The list as it was signed, for others to verify: the text of a file.
    pub fn to_json(&self) -> String {
        file_of(&self.signed)
    }

    /// The verified content.
    pub fn content(&self) -> &ListContent {
        &self.content
    }

    /// The country.
    pub fn country(&self) -> CountryCode {
        self.content.country
    }

    /// The serial number.
    pub fn serial(&self) -> u64 {
        self.content.serial
    }

    /// When the next list is due at the latest.
    pub fn next_update(&self) -> Timestamp {
        self.content.next_update
    }

    /// SHA-256 of the signed payload. Two lists with one serial and different digests are a fraud or a
    /// mistake.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The authority keys from the pinned one to the one that signed this list. When there are several,
    /// the pin should be renewed.
    pub fn authorities(&self) -> &[PublicKey] {
        &self.authorities
    }

    /// The agency with this code.
    pub fn agency(&self, code: &AgencyCode) -> Option<&ListedAgency> {
        self.content.agencies.get(*self.by_code.get(code)?)
    }
}

impl ListedAgency {
    /// The signing key with this id.
    pub fn signing_key(&self, kid: &KeyId) -> Option<&SigningKeyEntry> {
        self.signing_keys.iter().find(|entry| entry.kid == *kid)
    }
}
