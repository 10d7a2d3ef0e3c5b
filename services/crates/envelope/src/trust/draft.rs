//! Writes trust lists, for `rovumactl` and whoever keeps a country's authority key.

mod keys;

use std::collections::BTreeMap;

use rovuma_schemas::{AgencyCode, CountryCode, Timestamp};

use super::{
    Accepts, ContentFault, GeneralJws, ListContent, ListedAgency, SendRule, SignedTrustList, TrustFault,
    TrustList, chain,
    check::{LIST_FORMAT, check},
};
use crate::{KeyId, PublicKey, Signer, SignerFault, Typ};

/// A trust list that is being written and is not signed yet.
#[derive(Clone, Debug)]
pub struct TrustListDraft {
    content: ListContent,
}

/// An agency to add.
#[derive(Clone, Debug)]
pub struct NewAgency {
    /// Its code, of the list's own country.
    pub code: AgencyCode,
    /// Its name by language (ISO 639-1).
    pub names: BTreeMap<String, String>,
    /// The organisation that it belongs to.
    pub parent: Option<String>,
    /// The first instant at which it may have created a message.
    pub valid_from: Timestamp,
    /// The instant from which on it may not. Absent when no end is set.
    pub valid_until: Option<Timestamp>,
    /// The message types it may send. Empty: the usual ones of an agency, or of a node.
    pub may_send: Vec<SendRule>,
    /// The formats that it can read.
    pub accepts: Accepts,
}

/// The term of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyTerm {
    /// The first instant at which it is valid.
    pub not_before: Timestamp,
    /// The first instant at which it is no longer valid.
    pub not_after: Timestamp,
}

/// The draft cannot be changed or signed like this.
#[derive(Debug, thiserror::Error)]
pub enum DraftFault {
    /// The list has no such agency.
    #[error("agency {agency} is not in the list")]
    UnknownAgency {
        /// The agency.
        agency: AgencyCode,
    },
    /// The agency has no such key.
    #[error("agency {agency} has no key {key}")]
    UnknownKey {
        /// The agency.
        agency: AgencyCode,
        /// The key id, or the sealing recipient.
        key: String,
    },
    /// The key is revoked as compromised, and stays so.
    #[error("key {key} of {agency} is revoked already")]
    RevokedAlready {
        /// The agency.
        agency: AgencyCode,
        /// The key id, or the sealing recipient.
        key: String,
    },
    /// The key given is not the list's authority key.
    #[error("key {got} is not the list's authority {expected}")]
    NotTheAuthority {
        /// The list's authority key.
        expected: KeyId,
        /// The key given.
        got: KeyId,
    },
    /// The list names another key as the next authority.
    #[error("key {got} is not the next authority {named} that the list names")]
    NotTheSuccessor {
        /// The key that the list names.
        named: KeyId,
        /// The key given.
        got: KeyId,
    },
    /// The content breaks a rule.
    #[error(transparent)]
    Content(#[from] ContentFault),
    /// The authority key did not sign.
    #[error(transparent)]
    Signer(#[from] SignerFault),
    /// The signed list does not verify.
    #[error(transparent)]
    Trust(#[from] TrustFault),
}

impl TrustListDraft {
    /// Begins the first list of a country, with the country's node in it.
    pub fn create(country: CountryCode, authority: PublicKey, now: Timestamp) -> Self {
        let content = ListContent {
            format: LIST_FORMAT,
            country,
            serial: 1,
            issued: now,
            next_update: now,
            authority,
            next_authority: None,
            successions: Vec::new(),
            agencies: Vec::new(),
        };
        let mut draft = Self { content };
        let node = AgencyCode::node_of(country);
        let name = format!("Rovuma node {country}");
        let names = BTreeMap::from(["pt", "sw", "en"].map(|language| (language.to_owned(), name.clone())));
        draft.content.agencies.push(ListedAgency {
            may_send: default_rules(&node),
            code: node,
            names,
            parent: None,
            valid_from: now,
            valid_until: None,
            accepts: Accepts::this_build(),
            signing_keys: Vec::new(),
            sealing_keys: Vec::new(),
        });
        draft
    }

    /// Begins the list that follows `list`: same content, next serial.
    pub fn revise(list: &TrustList) -> Self {
        let mut content = list.content().clone();
        content.serial = content.serial.saturating_add(1);
        Self { content }
    }

    /// Continues a draft that was saved. Its content is checked when it is signed.
    pub fn resume(content: ListContent) -> Self {
        Self { content }
    }

    /// The content as it stands.
    pub fn content(&self) -> &ListContent {
        &self.content
    }

    /// Adds an agency without keys.
    ///
    /// # Errors
    /// [`DraftFault::Content`] for an agency of another country, or one that the list already has.
    pub fn add_agency(&mut self, new: NewAgency) -> Result<(), DraftFault> {
        let country = self.content.country;
        if new.code.country() != country {
            return Err(ContentFault::ForeignAgency { agency: new.code, country }.into());
        }
        if self.content.agencies.iter().any(|agency| agency.code == new.code) {
            return Err(ContentFault::AgencyTwice { agency: new.code }.into());
        }
        let may_send = if new.may_send.is_empty() { default_rules(&new.code) } else { new.may_send };
        self.content.agencies.push(ListedAgency {
            code: new.code,
            names: new.names,
            parent: new.parent,
            valid_from: new.valid_from,
            valid_until: new.valid_until,
            may_send,
            accepts: new.accepts,
            signing_keys: Vec::new(),
            sealing_keys: Vec::new(),
        });
        Ok(())
    }

    /// Changes an agency's names, parent, validity, send rules and formats. Its keys have methods of
    /// their own.
    ///
    /// # Errors
    /// [`DraftFault::UnknownAgency`].
    pub fn change_agency(&mut self, code: &AgencyCode, changed: NewAgency) -> Result<(), DraftFault> {
        let agency = self.agency(code)?;
        agency.names = changed.names;
        agency.parent = changed.parent;
        agency.valid_from = changed.valid_from;
        agency.valid_until = changed.valid_until;
        agency.may_send = changed.may_send;
        agency.accepts = changed.accepts;
        Ok(())
    }

    /// Ends an agency: what it creates from `at` on is refused.
    ///
    /// # Errors
    /// [`DraftFault::UnknownAgency`].
    pub fn end_agency(&mut self, code: &AgencyCode, at: Timestamp) -> Result<(), DraftFault> {
        self.agency(code)?.valid_until = Some(at);
        Ok(())
    }

    /// Names the authority key that will follow.
    pub fn name_next_authority(&mut self, next: PublicKey) {
        self.content.next_authority = Some(next);
    }

    /// Hands the authority over: adds a succession, signed by both keys, to this list and all that
    /// follow; from then on the new key signs the lists.
    ///
    /// # Errors
    /// [`DraftFault`] when `old` is not the authority, the list names another successor, or a key does
    /// not sign.
    pub fn hand_over(&mut self, old: &dyn Signer, new: &dyn Signer, at: Timestamp) -> Result<(), DraftFault> {
        self.check_authority(old)?;
        let (got, named) = (*new.key_id(), self.content.next_authority.map(|key| *key.key_id()));
        if let Some(named) = named.filter(|named| *named != got) {
            return Err(DraftFault::NotTheSuccessor { named, got });
        }
        self.content.successions.push(chain::hand_over(self.content.country, old, new, at)?);
        self.content.authority = *new.public_key();
        self.content.next_authority = None;
        Ok(())
    }

    /// Signs the list, issued at `now`.
    ///
    /// # Errors
    /// [`DraftFault`] when `authority` is not the list's authority key, or the content breaks a rule.
    pub fn sign(
        mut self,
        authority: &dyn Signer,
        now: Timestamp,
        next_update: Timestamp,
    ) -> Result<SignedTrustList, DraftFault> {
        self.check_authority(authority)?;
        self.content.issued = now;
        self.content.next_update = next_update;
        check(&self.content, authority.public_key())?;
        let payload =
            serde_json::to_vec(&self.content).map_err(|fault| ContentFault::Shape(fault.to_string()))?;
        let general = GeneralJws::sign(Typ::TRUST_LIST, &payload, &[authority])?;
        Ok(SignedTrustList::from_general(general)?)
    }

    fn check_authority(&self, signer: &dyn Signer) -> Result<(), DraftFault> {
        let (expected, got) = (*self.content.authority.key_id(), *signer.key_id());
        if expected == got { Ok(()) } else { Err(DraftFault::NotTheAuthority { expected, got }) }
    }

    fn agency(&mut self, code: &AgencyCode) -> Result<&mut ListedAgency, DraftFault> {
        let found = self.content.agencies.iter_mut().find(|agency| agency.code == *code);
        found.ok_or_else(|| DraftFault::UnknownAgency { agency: code.clone() })
    }
}

/// The default send rules of an agency: alerts, receipts and stream messages. A node has the ones that
/// only a node may send.
fn default_rules(code: &AgencyCode) -> Vec<SendRule> {
    let families: &[&str] = if code.is_node() {
        &["audit.*", "trust.*", "link.*"]
    } else {
        &[
            "alert.*",
            "request.*",
            "hit.*",
            "info.*",
            "permission.*",
            "release.*",
            "purge.*",
            "receipt.*",
            "stream.*",
        ]
    };
    families.iter().filter_map(|family| family.parse().ok()).collect()
}
