//! A trust list as a file, and as a value that exists only when its signature and content hold.

use std::collections::{BTreeSet, HashMap};

use rovuma_schemas::{AgencyCode, CountryCode, Digest, Timestamp};

use super::{
    Agency, GeneralJws, ListContent, Pin, SigningKeyEntry, TrustFault,
    chain::{self, SUCCESSIONS_MAX},
};
use crate::{KeyId, PublicKey, Typ, digest};

/// Bytes of a signed list: 32 agencies with years of keys are under 100 KB.
pub const TRUST_LIST_BYTES_MAX: usize = 1024 * 1024;

/// The format that this build reads and writes.
pub(crate) const LIST_FORMAT: u16 = 1;

/// A signed trust list as it lies in a file. Nothing in it is verified.
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
        // A struct of strings always serialises.
        let mut text = serde_json::to_string_pretty(&self.general).unwrap_or_default();
        text.push('\n');
        text
    }

    /// What the list says of itself, before anybody checked it.
    pub fn unverified_content(&self) -> &ListContent {
        &self.unverified
    }

    /// Checks the signature, starting from the pinned key, and every rule of the content.
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
        Ok(TrustList::new(content, authorities, digest(self.general.unverified_payload())))
    }
}

/// A trust list whose signature and content hold.
#[derive(Clone, Debug)]
pub struct TrustList {
    content: ListContent,
    authorities: Vec<PublicKey>,
    digest: Digest,
    by_code: HashMap<AgencyCode, usize>,
}

impl TrustList {
    fn new(content: ListContent, authorities: Vec<PublicKey>, digest: Digest) -> Self {
        let by_code =
            content.agencies.iter().enumerate().map(|(at, agency)| (agency.code.clone(), at)).collect();
        Self { content, authorities, digest, by_code }
    }

    /// What the list says.
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

    /// SHA-256 of the signed payload: two lists with one serial and different digests are a fraud
    /// or a mistake.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The authority keys from the pinned one to the one that signed this list. More than one says
    /// that the pin should be renewed.
    pub fn authorities(&self) -> &[PublicKey] {
        &self.authorities
    }

    /// The agency with this code.
    pub fn agency(&self, code: &AgencyCode) -> Option<&Agency> {
        self.content.agencies.get(*self.by_code.get(code)?)
    }
}

impl Agency {
    /// The signing key with this id.
    pub fn signing_key(&self, kid: &KeyId) -> Option<&SigningKeyEntry> {
        self.signing_keys.iter().find(|entry| entry.kid == *kid)
    }
}

/// A list's content breaks a rule.
#[derive(Debug, thiserror::Error)]
pub enum ContentFault {
    /// Not the JSON of a list.
    #[error("not a trust list: {0}")]
    Shape(String),
    /// A newer format than this build reads.
    #[error("list format {got}, this build reads {LIST_FORMAT}")]
    Format {
        /// The format.
        got: u16,
    },
    /// The list names another authority key than the one that signed it.
    #[error("the list names authority key {named} but {signed} signed it")]
    Authority {
        /// The key named.
        named: KeyId,
        /// The key that signed.
        signed: KeyId,
    },
    /// The next update lies before the issue.
    #[error("next_update {next_update} is not after issued {issued}")]
    Dates {
        /// When issued.
        issued: Timestamp,
        /// When the next one is due.
        next_update: Timestamp,
    },
    /// Too many handings over.
    #[error("{got} successions, at most {SUCCESSIONS_MAX}")]
    Successions {
        /// How many.
        got: usize,
    },
    /// No serial 0.
    #[error("serial numbers start at 1")]
    Serial,
    /// An agency of another country.
    #[error("agency {agency} is not of {country}")]
    ForeignAgency {
        /// The agency.
        agency: AgencyCode,
        /// The list's country.
        country: CountryCode,
    },
    /// The same agency twice.
    #[error("agency {agency} is listed twice")]
    AgencyTwice {
        /// The agency.
        agency: AgencyCode,
    },
    /// The installation itself is missing.
    #[error("{agency} is missing")]
    NoNode {
        /// The node's agency.
        agency: AgencyCode,
    },
    /// Validity ends before it starts.
    #[error("{what} of {agency} ends before it starts")]
    Validity {
        /// The agency.
        agency: AgencyCode,
        /// Which validity.
        what: &'static str,
    },
    /// `kid` is not the thumbprint of the key beside it.
    #[error("key id {kid} of {agency} is not that of its key")]
    KeyId {
        /// The agency.
        agency: AgencyCode,
        /// The id.
        kid: KeyId,
    },
    /// The same key twice: a key speaks for one agency.
    #[error("key {key} of {agency} is listed twice")]
    KeyTwice {
        /// The second agency it is listed for.
        agency: AgencyCode,
        /// The key id, or the sealing recipient.
        key: String,
    },
    /// An agency may send what only the node may.
    #[error("{agency} may not send {rule}: only a node does")]
    NodeOnly {
        /// The agency.
        agency: AgencyCode,
        /// The rule.
        rule: String,
    },
}

/// Families that only `<cc>.node` sends.
const NODE_FAMILIES: [&str; 3] = ["audit", "trust", "link"];

/// Whether messages of this family come from nodes only.
pub(crate) fn is_node_family(message_type: &str) -> bool {
    let family = message_type.split('.').next().unwrap_or_default();
    NODE_FAMILIES.contains(&family)
}

/// Every rule of the content that needs no clock.
pub(crate) fn check(content: &ListContent, signed_by: &PublicKey) -> Result<(), ContentFault> {
    check_head(content, signed_by)?;
    let mut keys = BTreeSet::new();
    let mut codes = BTreeSet::new();
    for agency in &content.agencies {
        if agency.code.country() != content.country {
            return Err(ContentFault::ForeignAgency {
                agency: agency.code.clone(),
                country: content.country,
            });
        }
        if !codes.insert(&agency.code) {
            return Err(ContentFault::AgencyTwice { agency: agency.code.clone() });
        }
        check_agency(agency, &mut keys)?;
    }
    let node = AgencyCode::node_of(content.country);
    if codes.contains(&node) { Ok(()) } else { Err(ContentFault::NoNode { agency: node }) }
}

fn check_head(content: &ListContent, signed_by: &PublicKey) -> Result<(), ContentFault> {
    let ListContent { format, serial, issued, next_update, authority, .. } = content;
    if *format != LIST_FORMAT {
        return Err(ContentFault::Format { got: *format });
    }
    if authority != signed_by {
        return Err(ContentFault::Authority { named: *authority.key_id(), signed: *signed_by.key_id() });
    }
    if *serial == 0 {
        return Err(ContentFault::Serial);
    }
    if content.successions.len() > SUCCESSIONS_MAX {
        return Err(ContentFault::Successions { got: content.successions.len() });
    }
    if next_update <= issued {
        return Err(ContentFault::Dates { issued: *issued, next_update: *next_update });
    }
    Ok(())
}

fn check_agency(agency: &Agency, keys: &mut BTreeSet<String>) -> Result<(), ContentFault> {
    let code = || agency.code.clone();
    let backwards = |what| ContentFault::Validity { agency: code(), what };
    if agency.valid_until.is_some_and(|until| until <= agency.valid_from) {
        return Err(backwards("validity"));
    }
    if let Some(rule) =
        agency.may_send.iter().find(|rule| is_node_family(rule.family()) && !agency.code.is_node())
    {
        return Err(ContentFault::NodeOnly { agency: code(), rule: rule.to_string() });
    }
    let mut once = |key: String| {
        if keys.insert(key.clone()) { Ok(()) } else { Err(ContentFault::KeyTwice { agency: code(), key }) }
    };
    for entry in &agency.signing_keys {
        if entry.kid != *entry.key.key_id() {
            return Err(ContentFault::KeyId { agency: code(), kid: entry.kid });
        }
        if entry.not_after <= entry.not_before {
            return Err(backwards("signing key"));
        }
        once(entry.kid.to_string())?;
    }
    for entry in &agency.sealing_keys {
        if entry.not_after <= entry.not_before {
            return Err(backwards("sealing key"));
        }
        once(entry.recipient.to_string())?;
    }
    Ok(())
}
