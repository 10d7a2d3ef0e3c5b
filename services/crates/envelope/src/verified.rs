//! Verified and authorized messages: values that exist only because a check passed.

use rovuma_schemas::{AgencyCode, Digest, Header, MessageId, Recipient, Timestamp};

use crate::{Jws, KeyId, Rejectable, Rejection, TrustStore};

/// A message whose signature, key, time, origin and recipient have been checked against the trust
/// list. Made by [`TrustStore::verify`] alone.
#[derive(Clone, Debug)]
pub struct Verified {
    facts: VerifiedFacts,
}

/// A verified message whose sender may send its type. Made by [`Verified::authorize_sender`] alone.
#[derive(Clone, Debug)]
pub struct Authorized {
    facts: VerifiedFacts,
}

/// What verification has established about a message.
#[derive(Clone, Debug)]
pub(crate) struct VerifiedFacts {
    pub(crate) jws: Jws,
    pub(crate) digest: Digest,
    pub(crate) header: Header,
    /// The entry of `header.recipients` for which the bundle was opened.
    pub(crate) recipient: Recipient,
    pub(crate) signer: KeyId,
    /// Serial of the trust list against which it was verified.
    pub(crate) list_serial: u64,
}

/// Implements the accessors that every type after verification has.
macro_rules! verified_facts {
    ($type:ident) => {
        impl $type {
            /// The signed header.
            pub fn header(&self) -> &Header {
                &self.facts.header
            }

            /// The message's id.
            pub fn id(&self) -> MessageId {
                self.facts.header.id
            }

            /// The agency whose key signed.
            pub fn sender(&self) -> &AgencyCode {
                &self.facts.header.sender.agency
            }

            /// The signed recipient for which the bundle was opened, with its stream number.
            pub fn recipient(&self) -> &Recipient {
                &self.facts.recipient
            }

            /// The signed payload, byte for byte.
            pub fn payload(&self) -> &[u8] {
                self.facts.jws.unverified_payload()
            }

            /// The raw JWS as received, which stores keep.
            pub fn jws(&self) -> &Jws {
                &self.facts.jws
            }

            /// SHA-256 of the compact serialisation. Receipts name a message by it.
            pub fn digest(&self) -> Digest {
                self.facts.digest
            }

            /// The key that signed.
            pub fn signer(&self) -> &KeyId {
                &self.facts.signer
            }

            /// Serial of the trust list against which the message was verified.
            pub fn list_serial(&self) -> u64 {
                self.facts.list_serial
            }

            /// Whether the message's transport life is over. The gateway then stores it as inoperative
            /// and answers `expired`.
            pub fn is_expired(&self, now: Timestamp) -> bool {
                self.facts.header.expires.is_some_and(|expires| now >= expires)
            }
        }
    };
}

verified_facts!(Verified);
verified_facts!(Authorized);
verified_facts!(Rejectable);

impl Verified {
    pub(crate) fn new(facts: VerifiedFacts) -> Self {
        Self { facts }
    }

    /// Checks that the sender may send messages of this type.
    ///
    /// # Errors
    /// [`Rejectable`]: the gateway answers it with `unauthorised`.
    pub fn authorize_sender(self, trust: &TrustStore) -> Result<Authorized, Box<Rejectable>> {
        if trust.may_send(self.sender(), &self.header().message_type) {
            Ok(Authorized { facts: self.facts })
        } else {
            let rejection = Rejection::Unauthorised {
                agency: self.sender().clone(),
                message_type: self.header().message_type.clone(),
            };
            Err(Box::new(Rejectable { facts: self.facts, rejection }))
        }
    }
}
