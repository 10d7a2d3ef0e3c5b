//! Follows successions from the pinned authority key to the present one.

use rovuma_schemas::{CountryCode, Timestamp};
use serde::{Deserialize, Serialize};

use super::{ContentFault, DraftFault, GeneralJws};
use crate::{PublicKey, SignatureFault, Signer, Typ};

/// Maximum successions in one list: one a year for longer than an installation lasts.
pub(crate) const SUCCESSIONS_MAX: usize = 64;

/// The authority key of a country, which an operator checked out of band and pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The country.
    pub country: CountryCode,
    /// The country's authority key, or one from which successions lead to it.
    pub authority: PublicKey,
    /// Lists below this serial are refused. The caller keeps the highest serial that it saw, so that a
    /// restart does not let an older list in. 0 when none was seen.
    pub minimum_serial: u64,
}

impl Pin {
    /// Pins a country of which no list was seen yet.
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

/// Signs a succession with the old key and the new one.
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

/// The authority keys from `start` on, oldest first, as far as the `successions` of `country` lead.
///
/// A succession that starts at another key, or lacks one of its two signatures, is skipped.
pub(crate) fn follow(country: CountryCode, start: PublicKey, successions: &[GeneralJws]) -> Vec<PublicKey> {
    let mut chain = vec![start];
    let mut present = start;
    for succession in successions.iter().take(SUCCESSIONS_MAX) {
        if let Ok(Some(next)) = follow_one(country, &present, succession) {
            chain.push(next);
            present = next;
        }
    }
    chain
}

/// The key to which `signed` hands over, if it starts at `from` and both keys signed it.
fn follow_one(
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
