//! Trust lists: which keys may sign for which agency.
//!
//! One list per country, signed by that country's authority key, which the partner pins at
//! installation. The list, never the message, binds (agency, key id) to key and algorithm.

mod chain;
mod check;
mod content;
mod draft;
mod general;
mod list;
mod lookup;
mod rules;
mod shared;
mod store;

pub use chain::Pin;
pub use check::ContentFault;
pub use content::{
    Accepts, BadSendRule, ListContent, ListedAgency, Revocation, RevocationReason, SealingKeyEntry, SendRule,
    SigningKeyEntry,
};
pub use draft::{DraftFault, KeyTerm, NewAgency, TrustListDraft};
pub use general::{BadGeneralJws, GeneralJws};
pub use list::{SignedTrustList, TRUST_LIST_BYTES_MAX, TrustList};
pub use lookup::{Expiring, Expiry, ListState, ListStatus, NoBundleFormat, NoSealingKey};
pub use rules::{KeyRefusal, KeyState};
pub(crate) use rules::{check_revocation, check_validity};
pub use shared::SharedTrust;
pub use store::{OfferOutcome, TrustFault, TrustPolicy, TrustStore};
