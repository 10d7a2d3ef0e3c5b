//! Queries on the trust store.

use rovuma_schemas::{AgencyCode, CountryCode, Timestamp};

use super::{KeyState, ListedAgency, RevocationReason, SealingKeyEntry, TrustList, TrustStore};
use crate::{BUNDLE_FORMAT, KeyId, SealingRecipient};

/// No key to seal to an agency with now. The next list may bring one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSealingKey {
    /// No list has the agency.
    #[error("no trust list has agency {agency}")]
    UnknownAgency {
        /// The agency.
        agency: AgencyCode,
    },
    /// The list is past its next update and the grace.
    #[error("the trust list of {country} was due for renewal {next_update}")]
    ListOverdue {
        /// The list's country.
        country: CountryCode,
        /// When it was due.
        next_update: Timestamp,
    },
    /// The agency is not valid yet, or no longer.
    #[error("agency {agency} is not valid now")]
    AgencyNotValid {
        /// The agency.
        agency: AgencyCode,
    },
    /// Every key is expired, not valid yet, or revoked.
    #[error("agency {agency} has no sealing key that is valid now")]
    NoneValid {
        /// The agency.
        agency: AgencyCode,
    },
}

/// No bundle format at or above the configured minimum is common to this build and the recipient.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("agency {agency} takes bundle formats {takes:?}, none from {minimum} to {BUNDLE_FORMAT}")]
pub struct NoBundleFormat {
    /// The agency.
    pub agency: AgencyCode,
    /// The formats that the agency reads.
    pub takes: Vec<u8>,
    /// The oldest format that this build writes.
    pub minimum: u8,
}

/// How old a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListState {
    /// The next list is not due yet.
    Current,
    /// The next list is overdue, but this one is still believed: warn.
    Overdue,
    /// Overdue by more than the grace: messages are held.
    PastBound,
    /// The authority is pinned but its list is missing: messages are held.
    Missing,
}

/// The state of one country's list, for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListStatus {
    /// The country.
    pub country: CountryCode,
    /// The list's serial; 0 without a list.
    pub serial: u64,
    /// When the next list is due.
    pub next_update: Option<Timestamp>,
    /// How old the list is.
    pub state: ListState,
    /// Whether a succession has replaced the pinned key, so that the pin should be renewed.
    pub pin_outdated: bool,
}

/// A thing that expires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expiring {
    /// A list: its next update is due.
    List(CountryCode),
    /// A signing key.
    SigningKey(AgencyCode, KeyId),
    /// A sealing key.
    SealingKey(AgencyCode, SealingRecipient),
}

/// An expiry of which operators are warned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// What expires.
    pub what: Expiring,
    /// When it expires.
    pub not_after: Timestamp,
}

impl TrustStore {
    /// The agency with this code, from the list of its own country.
    pub fn agency(&self, code: &AgencyCode) -> Option<&ListedAgency> {
        self.list(code.country())?.agency(code)
    }

    /// Every agency of every list.
    pub fn agencies(&self) -> impl Iterator<Item = &ListedAgency> {
        self.lists().flat_map(|list| &list.content().agencies)
    }

    /// Whether the key was revoked as compromised. Stored messages that it signed are to be flagged.
    pub fn is_compromised(&self, agency: &AgencyCode, kid: &KeyId) -> bool {
        self.agency(agency).and_then(|found| found.signing_key(kid)).is_some_and(|key| key.is_compromised())
    }

    /// Whether an agency's own key may sign now.
    pub fn key_state(&self, agency: &AgencyCode, kid: &KeyId, now: Timestamp) -> KeyState {
        let key = self.agency(agency).and_then(|found| found.signing_key(kid));
        key.map_or(KeyState::Unlisted, |key| key.state(now))
    }

    /// Whether an agency may send messages of this type, by its country's list. Every list keeps the
    /// rule that only nodes send `audit.*`, `trust.*` and `link.*`.
    pub fn may_send(&self, agency: &AgencyCode, message_type: &str) -> bool {
        self.agency(agency).is_some_and(|found| found.may_send.iter().any(|rule| rule.covers(message_type)))
    }

    /// Whether an agency reads messages of this major version.
    pub fn accepts_major(&self, agency: &AgencyCode, major: u16) -> bool {
        major >= self.policy().minimum_schema_major
            && self.agency(agency).is_some_and(|found| found.accepts.schema_majors.contains(&major))
    }

    /// The newest bundle format that this build writes and the agency reads.
    ///
    /// # Errors
    /// [`NoBundleFormat`] when the only common formats are below the configured minimum.
    pub fn bundle_format_for(&self, agency: &AgencyCode) -> Result<u8, NoBundleFormat> {
        let minimum = self.policy().minimum_bundle_format;
        let takes = self.agency(agency).map(|found| found.accepts.bundle_formats.clone()).unwrap_or_default();
        let usable = takes.iter().copied().filter(|format| (minimum..=BUNDLE_FORMAT).contains(format)).max();
        usable.ok_or(NoBundleFormat { agency: agency.clone(), takes, minimum })
    }

    /// The key to seal to an agency with now: the newest valid one.
    ///
    /// # Errors
    /// [`NoSealingKey`]. A new list may cure each, so the caller lets the message wait.
    pub fn sealing_recipient(
        &self,
        agency: &AgencyCode,
        now: Timestamp,
    ) -> Result<&SealingRecipient, NoSealingKey> {
        let unknown = || NoSealingKey::UnknownAgency { agency: agency.clone() };
        let list = self.list(agency.country()).ok_or_else(unknown)?;
        let found = list.agency(agency).ok_or_else(unknown)?;
        if self.is_past_bound(list, now) {
            let (country, next_update) = (list.country(), list.next_update());
            return Err(NoSealingKey::ListOverdue { country, next_update });
        }
        if now < found.valid_from || found.valid_until.is_some_and(|until| now >= until) {
            return Err(NoSealingKey::AgencyNotValid { agency: agency.clone() });
        }
        let usable = found.sealing_keys.iter().filter(|key| key.is_usable(now));
        let newest = usable.max_by_key(|key| key.not_before);
        newest.map(|key| &key.recipient).ok_or(NoSealingKey::NoneValid { agency: agency.clone() })
    }

    /// The state of each country's list.
    pub fn statuses(&self, now: Timestamp) -> Vec<ListStatus> {
        let status = |country| match self.list(country) {
            None => ListStatus {
                country,
                serial: 0,
                next_update: None,
                state: ListState::Missing,
                pin_outdated: false,
            },
            Some(list) => ListStatus {
                country,
                serial: list.serial(),
                next_update: Some(list.next_update()),
                state: self.list_state(list, now),
                pin_outdated: list.authorities().len() > 1,
            },
        };
        self.countries().map(status).collect()
    }

    /// The expiry, past or to come, of every list and of every key that is not revoked.
    pub fn expiries(&self) -> Vec<Expiry> {
        let mut found = Vec::new();
        for list in self.lists() {
            found.push(Expiry { what: Expiring::List(list.country()), not_after: list.next_update() });
            for agency in &list.content().agencies {
                found.extend(agency_expiries(agency));
            }
        }
        found
    }

    pub(crate) fn is_past_bound(&self, list: &TrustList, now: Timestamp) -> bool {
        now > list.next_update().plus(self.policy().list_grace)
    }

    fn list_state(&self, list: &TrustList, now: Timestamp) -> ListState {
        if self.is_past_bound(list, now) {
            ListState::PastBound
        } else if now > list.next_update() {
            ListState::Overdue
        } else {
            ListState::Current
        }
    }
}

fn agency_expiries(agency: &ListedAgency) -> impl Iterator<Item = Expiry> {
    let signing = agency.signing_keys.iter().filter(|key| key.revoked.is_none()).map(|key| Expiry {
        what: Expiring::SigningKey(agency.code.clone(), key.kid),
        not_after: key.not_after,
    });
    let sealing = agency.sealing_keys.iter().filter(|key| key.revoked.is_none()).map(|key| Expiry {
        what: Expiring::SealingKey(agency.code.clone(), key.recipient.clone()),
        not_after: key.not_after,
    });
    signing.chain(sealing)
}

impl SealingKeyEntry {
    fn is_usable(&self, now: Timestamp) -> bool {
        let revoked = self.revoked.is_some_and(|revocation| {
            revocation.reason == RevocationReason::Compromised || now >= revocation.at
        });
        !revoked && self.not_before <= now && now < self.not_after
    }
}
