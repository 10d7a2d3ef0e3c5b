//! What a trust list says.

use std::{collections::BTreeMap, fmt, str::FromStr};

use rovuma_schemas::{AgencyCode, CountryCode, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::GeneralJws;
use crate::{Algorithm, BUNDLE_FORMAT, KeyId, PublicKey, SealingRecipient};

/// The payload of a trust list, format 1. A reader ignores members it does not know; what it must
/// not ignore comes with a new format number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListContent {
    /// The format of this text: 1.
    pub format: u16,
    /// The country that the list speaks for.
    pub country: CountryCode,
    /// Goes up by at least one with every list.
    pub serial: u64,
    /// When the list was signed.
    pub issued: Timestamp,
    /// When the next list is due at the latest.
    pub next_update: Timestamp,
    /// The authority key that signed this list.
    pub authority: PublicKey,
    /// The authority key that will follow, when it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_authority: Option<PublicKey>,
    /// Every handing over of the authority, the oldest first, each signed by the old key and the new
    /// one: so a partner that pinned an older key can follow to the present one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub successions: Vec<GeneralJws>,
    /// The agencies of this country.
    pub agencies: Vec<ListedAgency>,
}

/// One agency and all that others must know to hear it and to write to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedAgency {
    /// Its code, of the list's own country.
    pub code: AgencyCode,
    /// Its name by language (ISO 639-1).
    pub names: BTreeMap<String, String>,
    /// The body that it belongs to, as it calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The first instant at which it may have created a message.
    pub valid_from: Timestamp,
    /// The instant from which on it may not; absent while it is meant to last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// The message types it may send.
    pub may_send: Vec<SendRule>,
    /// The formats it takes.
    pub accepts: Accepts,
    /// Its keys for signing, present and past.
    pub signing_keys: Vec<SigningKeyEntry>,
    /// Its keys that others seal to, present and past.
    pub sealing_keys: Vec<SealingKeyEntry>,
}

/// What an agency can read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepts {
    /// Bundle formats, as the version byte says them.
    pub bundle_formats: Vec<u8>,
    /// Major versions of message types.
    pub schema_majors: Vec<u16>,
}

impl Accepts {
    /// What this build reads.
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
    /// The key's thumbprint, for the eye and for searching; it must be that of `key`.
    pub kid: KeyId,
    /// What its signatures are.
    pub alg: Algorithm,
    /// The key.
    pub key: PublicKey,
    /// The first instant of `created` that it may sign.
    pub not_before: Timestamp,
    /// The first instant of `created` that it may no longer sign.
    pub not_after: Timestamp,
    /// Since when it must not be believed, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// A key that others seal to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealingKeyEntry {
    /// The key.
    pub recipient: SealingRecipient,
    /// The first instant at which to seal to it.
    pub not_before: Timestamp,
    /// The first instant at which not to seal to it any more; its owner keeps it 90 days longer.
    pub not_after: Timestamp,
    /// Since when it must not be used, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
}

/// The end of a key before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// From when on.
    pub at: Timestamp,
    /// Why.
    pub reason: RevocationReason,
}

/// Why a key was revoked. Only `compromised` reaches back in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    /// Somebody else may have it: nothing it signed is believed any more, whenever it was signed.
    Compromised,
    /// Another key took its place.
    Superseded,
    /// The agency or the unit that used it is no more.
    Ceased,
    /// No reason given.
    Unspecified,
}

/// Message types that an agency may send: one type (`alert.issue`) or a family (`alert.*`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SendRule(String);

/// A text that is neither a message type nor a family of them.
#[derive(Debug, thiserror::Error)]
#[error("not a message type or a family such as alert.*")]
pub struct BadSendRule;

impl SendRule {
    /// Whether a message of this type falls under the rule.
    pub fn covers(&self, message_type: &str) -> bool {
        match self.0.strip_suffix('*') {
            // `alert.` is left: `alert.issue` and not `alerts.issue`, nor a bare `alert.`.
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
