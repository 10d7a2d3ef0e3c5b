//! The envelope: signs, bundles, seals and verifies messages, and reads the trust lists that say whose
//! signature counts. It is transport-agnostic: it opens no broker connection and no file, and takes the
//! time from its caller.
//!
//! Out: payload → [`Jws::sign`] → [`Bundle::pack`] → [`seal`].
//!
//! In: [`open`] → [`Bundle::unpack`] → [`Unverified::new`] → [`TrustStore::verify`] → [`Verified`] →
//! [`Verified::authorize_sender`] → [`Authorized`].
//!
//! | a delivery | becomes |
//! |---|---|
//! | cannot be opened, unpacked or verified | [`VerifyFailure::Refused`], [`OpenFault`] or [`UnpackFault`]: goes to quarantine, is not answered |
//! | key or trust list still missing | [`VerifyFailure::Held`]: verified again with each new list |
//! | signed by its sender, but not acceptable | [`Rejectable`]: answered with a code; it uses up its stream number |
//! | verified, but its transport life is over | [`Verified::is_expired`]: stored as inoperative, answered `expired` |
//! | verified, and the sender may send it | [`Authorized`] |
//!
//! Everything else that is signed (audit batches, acknowledgements) uses [`Jws`] with a [`Typ`] of its
//! own, and [`seal`] directly.
//!
//! Architecture invariant: [`Verified`], [`Authorized`] and [`Rejectable`] have private fields and one
//! constructor each, which is a check; none implements `Deserialize`, `From` or `Default`. A message
//! read back from a store is believed because only verified messages are stored.

mod bundle;
mod compression;
mod data_key;
mod digest;
mod failure;
mod jws;
mod key_id;
mod pem;
mod protected;
mod public_key;
mod sealing;
mod signer;
pub mod trust;
mod unverified;
mod verified;
mod verify;

pub use bundle::{
    BUNDLE_BYTES_MAX, BUNDLE_FORMAT, BUNDLE_MESSAGES_MAX, BUNDLE_PACKED_MAX, BadSegment, Bundle, PackFault,
    UnpackFault,
};
pub use compression::DecompressFault;
pub use data_key::{BadDataKey, DataKey, SealedTextFault};
pub use digest::{Digester, digest};
pub use failure::{HoldReason, Refusal, Rejectable, Rejection, VerifyFailure};
pub use jws::{BadJws, Jws, SignatureFault};
pub use key_id::{BadKeyId, KeyId};
pub use protected::{BadProtected, Typ};
pub use public_key::{BadPublicKey, BadSignature, PublicKey};
pub use sealing::{
    BadRecipient, BadSealingKey, OpenFault, SEALING_OVERHEAD_MAX, SealFault, SealingKey, SealingRecipient,
    open, seal,
};
pub use signer::{Algorithm, BadSigningKey, Signature, Signer, SignerFault, SigningKey};
pub use trust::{
    KeyRefusal, KeyState, ListedAgency, Pin, SharedTrust, SignedTrustList, TrustFault, TrustList,
    TrustListDraft, TrustPolicy, TrustStore,
};
pub use unverified::{BadHeader, Unverified};
pub use verified::{Authorized, Verified};
pub use verify::{Origin, VerifyContext};
