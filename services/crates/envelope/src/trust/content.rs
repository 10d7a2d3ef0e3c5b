//! The content of a trust list.

use std::{collections::BTreeMap, fmt, str::FromStr};

use rovuma_schemas::{AgencyCode, CountryCode, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::GeneralJws;
use crate::{Algorithm, BUNDLE_FORMAT, KeyId, PublicKey, SealingRecipient};

/// The payload of a trust list, format 1. A reader ignores members that it does not know; a member that
/// must not be ignored comes with a new format number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListContent {
    /// The format of this text: 1.
    pub format: u16,
    /// The country whose list this is.
    pub country: CountryCode,
    /// Increases by at least one with every list.
    pub serial: u64,
    /// When the list was signed.
    pub issued: Timestamp,
    /// When the next list is due at the latest.
    pub next_update: Timestamp,
    /// The authority key that signed this list.
    pub authority: PublicKey,
    /// The authority key that will follow, if the authority has named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_authority: Option<PublicKey>,
    /// Every succession of the authority, oldest first, each signed by the old key and the new one, so
    /// that a partner that pinned an older key can follow to the present one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub successions: Vec<GeneralJws>,
    /// The agencies of this country.
    pub agencies: Vec<ListedAgency>,
}

/// One agency: what others need to verify its messages and to write to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedAgency {
    /// Its code, of the list's own country.
    pub code: AgencyCode,
    /// Its name by language (ISO 639-1).
    pub names: BTreeMap<String, String>,
    /// The organisation that it belongs to, by the name that it uses itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The first instant at which it may have created a message.
    pub valid_from: Timestamp,
    /// The instant from which on it may not. Absent when no end is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// The message types it may send.
    pub may_send: Vec<SendRule>,
    /// The formats that it can read.
    pub accepts: Accepts,
    /// Its signing keys, present and past.
    pub signing_keys: Vec<SigningKeyEntry>,
    /// Its sealing keys, present and past.
    pub sealing_keys: Vec<SealingKeyEntry>,
}

/// The formats that an agency can read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepts {
    /// Bundle formats: values of the version byte.
    pub bundle_formats: Vec<u8>,
    /// Major versions of message types.
    pub schema_majors: Vec<u16>,
}

impl Accepts {
    /// The formats that this build reads.
    pub fn this_build() -> Self {
        Self {
            bundle_formats: vec![BUNDLE_FORMAT],
            schema_majors: vec![rovuma_schemas::Version::CURRENT.major],
        }
    }
}

/// A key that an agency signs with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKeyEntry {
    /// The thumbprint of `key`, for people and for lookup. It must match `key`.
    pub kid: KeyId,
    /// The algorithm of its signatures.
    pub alg: Algorithm,
    /// The key.
    pub key: PublicKey,
    /// The first `created` that it may sign.
    pub not_before: Timestamp,
    /// The first `created` that it may no longer sign.
    pub not_after: Timestamp,
    /// Since when the key must not be believed, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// A key that others seal to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealingKeyEntry {
    /// The key.
    pub recipient: SealingRecipient,
    /// The first instant at which others may seal to it.
    pub not_before: Timestamp,
    /// The first instant at which others may no longer seal to it. Its owner keeps it 90 days longer.
    pub not_after: Timestamp,
    /// Since when the key must not be used, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// The early end of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// The instant from which on the key is revoked.
    pub at: Timestamp,
    /// Why it was revoked.
    pub reason: RevocationReason,
}

/// Why a key was revoked. Only `compromised` applies to messages created before the revocation too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    /// Somebody else may have the key: nothing that it signed is believed any more, whenever it was
    /// signed.
    Compromised,
    /// Another key replaced it.
    Superseded,
    /// The agency or unit that used it no longer exists.
    Ceased,
    /// No reason given.
    Unspecified,
}

/// The message types that an agency may send: one type (`alert.issue`) or a family (`alert.*`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SendRule(String);

/// A text that is neither a message type nor a family of them.
#[derive(Debug, thiserror::Error)]
#[error("not a message type or a family such as alert.*")]
pub struct BadSendRule;

impl SendRule {
    /// Whether the rule allows a message of this type.
    pub fn covers(&self, message_type: &str) -> bool {
        match self.0.strip_suffix('*') {
            // The prefix keeps its dot: it matches `alert.issue`, not `alerts.issue` and not a bare
            // `alert.`.
            Some(family) => message_type.len() > family.len() && message_type.starts_with(family),
            None => self.0 == message_type,
        }
    }

    /// The family, `alert`.
    pub fn family(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }
}

impl FromStr for SendRule {
    type Err = BadSendRule;

    fn from_str(text: &str) -> Result<Self, BadSendRule> {
        let word = |part: &str| {
            !part.is_empty() && part.len() <= 32 && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        };
        let (family, kind) = text.split_once('.').ok_or(BadSendRule)?;
        if word(family) && (kind == "*" || word(kind)) { Ok(Self(text.to_owned())) } else { Err(BadSendRule) }
    }
}

impl fmt::Display for SendRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for SendRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SendRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_covers_its_type_or_its_family_and_no_more() {
        let rule = |text: &str| text.parse::<SendRule>().expect("a rule");
        assert!(rule("alert.*").covers("alert.issue"));
        assert!(rule("alert.issue").covers("alert.issue"));
        for other in ["alert", "alert.", "alerts.issue", "receipt.delivered", "", "*", "alert*"] {
            assert!(!rule("alert.*").covers(other), "{other:?}");
        }
        assert!(!rule("alert.issue").covers("alert.issue2"));
        assert!(!rule("alert.issue").covers("alert.update"));
    }

    #[test]
    fn no_rule_covers_everything() {
        for text in
            ["", "*", "*.*", ".*", "alert", "alert.", "alert.is*", "Alert.issue", "alert.issue ", "a.b.c"]
        {
            assert!(text.parse::<SendRule>().is_err(), "{text:?} was taken");
        }
    }
}
