//! The trust lists of an installation, and the rules by which one list replaces another.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rovuma_schemas::{CountryCode, Timestamp};

use super::{BadGeneralJws, ContentFault, Pin, SignedTrustList, TRUST_LIST_BYTES_MAX, TrustList};
use crate::{BUNDLE_FORMAT, KeyId, SignatureFault};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Limits that an installation may configure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustPolicy {
    /// How long past its next update a list is still believed. After that, messages are held.
    pub list_grace: Duration,
    /// How long after a key's end a message that it signed in time may still arrive.
    pub late_arrival: Duration,
    /// How far another country's clock may be ahead of ours.
    pub clock_tolerance: Duration,
    /// The oldest bundle format that is read and written.
    pub minimum_bundle_format: u8,
    /// The oldest major version of message types that is read and written.
    pub minimum_schema_major: u16,
}

impl Default for TrustPolicy {
    fn default() -> Self {
        Self {
            list_grace: 60 * DAY,
            late_arrival: 90 * DAY,
            clock_tolerance: Duration::from_secs(5 * 60),
            minimum_bundle_format: BUNDLE_FORMAT,
            minimum_schema_major: rovuma_schemas::Version::CURRENT.major,
        }
    }
}

/// Why a trust list was refused. The present one stays in force.
#[derive(Debug, thiserror::Error)]
pub enum TrustFault {
    /// The list is too large.
    #[error("{got} bytes are no trust list, at most {TRUST_LIST_BYTES_MAX} are read")]
    TooLarge {
        /// Size of the list in bytes.
        got: usize,
    },
    /// The text is not a JWS.
    #[error(transparent)]
    Jws(#[from] BadGeneralJws),
    /// The content breaks a rule.
    #[error(transparent)]
    Content(#[from] ContentFault),
    /// No authority key is pinned for the list's country.
    #[error("no authority key is pinned for {country}")]
    NotPinned {
        /// The country that the list names.
        country: CountryCode,
    },
    /// The country is pinned twice.
    #[error("{country} is pinned twice")]
    PinnedTwice {
        /// The country.
        country: CountryCode,
    },
    /// The list is of another country than the one expected.
    #[error("a list of {got}, expected {expected}")]
    OtherCountry {
        /// The country expected.
        expected: CountryCode,
        /// The country that the list names.
        got: CountryCode,
    },
    /// The authority key to which the pin leads did not sign the list.
    #[error("the list of {country} is not signed by its authority key {expected}: {fault}")]
    Signature {
        /// The country.
        country: CountryCode,
        /// The key that should have signed.
        expected: KeyId,
        /// Why the signature does not verify.
        #[source]
        fault: SignatureFault,
    },
    /// The serial went down.
    #[error("the list of {country} has serial {offered}, serial {held} was seen before")]
    Older {
        /// The country.
        country: CountryCode,
        /// The highest serial seen.
        held: u64,
        /// The serial offered.
        offered: u64,
    },
    /// Two different lists have the same serial.
    #[error("two different lists of {country} have serial {serial}")]
    SameSerial {
        /// The country.
        country: CountryCode,
        /// The serial.
        serial: u64,
    },
    /// The authority that signed the list is not one to which the present list's authority handed over.
    #[error("the list of {country} is signed by {offered}, but {held} did not hand over to that key")]
    NoSuccession {
        /// The country.
        country: CountryCode,
        /// The authority of the present list.
        held: KeyId,
        /// The authority of the list offered.
        offered: KeyId,
    },
    /// The present list names another next authority.
    #[error("authority of {country} went to {got}, but the present list names {named} as the next")]
    OtherSuccessor {
        /// The country.
        country: CountryCode,
        /// The next authority that the present list names.
        named: KeyId,
        /// The authority that signed.
        got: KeyId,
    },
    /// The list was issued in our future: one of the clocks is wrong.
    #[error("the list of {country} was issued {issued}, our clock says {now}")]
    Clock {
        /// The country.
        country: CountryCode,
        /// When the list says it was issued.
        issued: Timestamp,
        /// The time on our clock.
        now: Timestamp,
    },
}

/// What an accepted list changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferOutcome {
    /// Nothing: it is the present list.
    Unchanged {
        /// Its country.
        country: CountryCode,
        /// Its serial.
        serial: u64,
    },
    /// It replaced the present list, or is the first.
    Replaced {
        /// Its country.
        country: CountryCode,
        /// Its serial.
        serial: u64,
        /// The serial of the list that it replaced.
        previous: Option<u64>,
    },
}

/// The trust lists of every country that this installation exchanges with, its own included.
///
/// A value never changes: a new list makes a new store, see [`crate::SharedTrust`].
#[derive(Clone, Debug)]
pub struct TrustStore {
    policy: TrustPolicy,
    countries: BTreeMap<CountryCode, CountryTrust>,
}

#[derive(Clone, Debug)]
struct CountryTrust {
    pin: Pin,
    list: Option<Arc<TrustList>>,
}

impl TrustStore {
    /// A store with pinned authorities and no list yet. Messages from those countries are held.
    ///
    /// # Errors
    /// [`TrustFault::PinnedTwice`].
    pub fn new(policy: TrustPolicy, pins: impl IntoIterator<Item = Pin>) -> Result<Self, TrustFault> {
        let mut countries = BTreeMap::new();
        for pin in pins {
            let country = pin.country;
            if countries.insert(country, CountryTrust { pin, list: None }).is_some() {
                return Err(TrustFault::PinnedTwice { country });
            }
        }
        Ok(Self { policy, countries })
    }

    /// A copy of the store with this list in it, if the list verifies and is not older than the present
    /// one.
    ///
    /// # Errors
    /// [`TrustFault`].
    pub fn with_list(&self, json: &[u8], now: Timestamp) -> Result<(Self, OfferOutcome), TrustFault> {
        let signed = SignedTrustList::from_json(json)?;
        let country = signed.unverified_content().country;
        let held = self.countries.get(&country).ok_or(TrustFault::NotPinned { country })?;
        let list = signed.verify(&held.pin)?;
        let issued = list.content().issued;
        if issued > now.plus(self.policy.clock_tolerance) {
            return Err(TrustFault::Clock { country, issued, now });
        }
        let offered = held.check_replacement(&list)?;
        let mut countries = self.countries.clone();
        let pin = held.pin.clone();
        countries.insert(country, CountryTrust { pin, list: Some(Arc::new(list)) });
        Ok((Self { policy: self.policy.clone(), countries }, offered))
    }

    /// The limits in force.
    pub fn policy(&self) -> &TrustPolicy {
        &self.policy
    }

    /// Whether an authority key is pinned for the country.
    pub fn pins(&self, country: CountryCode) -> bool {
        self.countries.contains_key(&country)
    }

    /// The list of a country.
    pub fn list(&self, country: CountryCode) -> Option<&TrustList> {
        self.countries.get(&country)?.list.as_deref()
    }

    /// Every list.
    pub fn lists(&self) -> impl Iterator<Item = &TrustList> {
        self.countries.values().filter_map(|held| held.list.as_deref())
    }

    /// The countries whose authority is pinned, with or without a list.
    pub fn countries(&self) -> impl Iterator<Item = CountryCode> {
        self.countries.keys().copied()
    }

    pub(crate) fn is_pinned(&self, country: CountryCode) -> bool {
        self.countries.contains_key(&country)
    }
}

impl CountryTrust {
    /// Whether `offered` may replace the present list.
    fn check_replacement(&self, offered: &TrustList) -> Result<OfferOutcome, TrustFault> {
        let (country, serial) = (offered.country(), offered.serial());
        let Some(held) = &self.list else {
            return Ok(OfferOutcome::Replaced { country, serial, previous: None });
        };
        if serial < held.serial() {
            return Err(TrustFault::Older { country, held: held.serial(), offered: serial });
        }
        if serial == held.serial() {
            let same = offered.digest() == held.digest();
            return if same {
                Ok(OfferOutcome::Unchanged { country, serial })
            } else {
                Err(TrustFault::SameSerial { country, serial })
            };
        }
        check_succession(held, offered)?;
        Ok(OfferOutcome::Replaced { country, serial, previous: Some(held.serial()) })
    }
}

/// Checks that the successions from the pin to the offered list's authority pass through the present list's
/// authority, and go on to the next authority that the present list names, if it names one. So a key that handed
/// over long ago and was stolen since cannot start a branch of its own.
fn check_succession(held: &TrustList, offered: &TrustList) -> Result<(), TrustFault> {
    let present = held.content().authority;
    let mut successors = offered.authorities().iter().skip_while(|key| **key != present).skip(1);
    let through = offered.authorities().contains(&present);
    if !through {
        return Err(TrustFault::NoSuccession {
            country: held.country(),
            held: *present.key_id(),
            offered: *offered.content().authority.key_id(),
        });
    }
    match (successors.next(), held.content().next_authority) {
        (Some(got), Some(named)) if *got != named => Err(TrustFault::OtherSuccessor {
            country: held.country(),
            named: *named.key_id(),
            got: *got.key_id(),
        }),
        _ => Ok(()),
    }
}
