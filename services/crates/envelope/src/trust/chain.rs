//! From the pinned authority key to the present one.

use rovuma_schemas::{CountryCode, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ContentFault, DraftFault, GeneralJws};
use crate::{PublicKey, SignatureFault, Signer, Typ};

/// Handings over in one list: one a year for longer than the machine lasts.
pub(crate) const SUCCESSIONS_MAX: usize = 64;

/// What an operator fixed by hand about a country: its authority key, checked out of band.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The country.
    pub country: CountryCode,
    /// Its authority key, or one from which successions lead to it.
    pub authority: PublicKey,
    /// No list below this serial is taken: the highest one seen before the last restart, kept by
    /// the caller, so that a restart does not let an older list in. 0 when none was seen.
    pub minimum_serial: u64,
}

impl Pin {
    /// A pin for a country of which no list was seen yet.
    pub fn new(country: CountryCode, authority: PublicKey) -> Self {
        Self { country, authority, minimum_serial: 0 }
    }
}

/// The payload of a succession.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Succession {
    country: CountryCode,
    from: PublicKey,
    to: PublicKey,
    at: Timestamp,
}

/// A succession signed by the old key and the new one.
pub(crate) fn hand_over(
    country: CountryCode,
    old: &dyn Signer,
    new: &dyn Signer,
    at: Timestamp,
) -> Result<GeneralJws, DraftFault> {
    let succession = Succession { country, from: *old.public_key(), to: *new.public_key(), at };
    let payload = serde_json::to_vec(&succession).map_err(|fault| ContentFault::Shape(fault.to_string()))?;
    Ok(GeneralJws::sign(Typ::SUCCESSION, &payload, &[old, new])?)
}

/// The authority keys from `start` on, as far as `successions` of `country` lead, oldest first.
///
/// A succession that starts elsewhere, or lacks one of its two signatures, leads nowhere.
pub(crate) fn follow(country: CountryCode, start: PublicKey, successions: &[GeneralJws]) -> Vec<PublicKey> {
    let mut chain = vec![start];
    let mut present = start;
    for succession in successions.iter().take(SUCCESSIONS_MAX) {
        if let Ok(Some(next)) = step(country, &present, succession) {
            chain.push(next);
            present = next;
        }
    }
    chain
}

fn step(
    country: CountryCode,
    from: &PublicKey,
    signed: &GeneralJws,
) -> Result<Option<PublicKey>, SignatureFault> {
    let payload = signed.verify_with(from, Typ::SUCCESSION)?;
    let Ok(succession) = serde_json::from_slice::<Succession>(payload) else { return Ok(None) };
    if succession.country != country || succession.from != *from || succession.to == *from {
        return Ok(None);
    }
    signed.verify_with(&succession.to, Typ::SUCCESSION)?;
    Ok(Some(succession.to))
}
