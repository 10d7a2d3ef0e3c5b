//! The envelope: signing, sealing, bundling, verifying, and the trust list that decides whom to
//! believe. It is transport-agnostic: there is no broker, no file and no clock in it.

mod bundle;
mod compression;
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
pub use digest::digest;
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
    KeyRefusal, KeyState, Pin, SharedTrust, SignedTrustList, TrustFault, TrustList, TrustListDraft,
    TrustPolicy, TrustStore,
};
pub use unverified::{BadHeader, Unverified};
pub use verified::{Authorized, Verified};
pub use verify::{Origin, VerifyContext};
