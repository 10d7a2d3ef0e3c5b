//! Messages that passed: values that exist only because a check did.

use rovuma_schemas::{AgencyCode, Digest, Header, MessageId, Recipient, Timestamp};

use crate::{Jws, KeyId, Rejectable, Rejection, TrustStore};

/// A message whose signature, key, time, origin and recipient have been checked against the trust
/// list. Made by [`TrustStore::verify`] alone.
#[derive(Clone, Debug)]
pub struct Verified {
    facts: Facts,
}

/// A verified message whose sender may send its type. Made by [`Verified::authorize_sender`] alone.
#[derive(Clone, Debug)]
pub struct Authorized {
    facts: Facts,
}

/// What is known of a message once it is verified.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) jws: Jws,
    pub(crate) digest: Digest,
    pub(crate) header: Header,
    /// The entry of `header.recipients` that the bundle was opened for.
    pub(crate) recipient: Recipient,
    pub(crate) signer: KeyId,
    /// Serial of the list it was verified against.
    pub(crate) list_serial: u64,
}

/// Accessors that every stage after verification has.
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

            /// The signed recipient that the bundle was opened for, with its stream number.
            pub fn recipient(&self) -> &Recipient {
                &self.facts.recipient
            }

            /// The signed payload, byte for byte.
            pub fn payload(&self) -> &[u8] {
                self.facts.jws.unverified_payload()
            }

            /// The segments as received: what stores keep.
            pub fn jws(&self) -> &Jws {
                &self.facts.jws
            }

            /// SHA-256 of the compact serialisation: what receipts name.
            pub fn digest(&self) -> Digest {
                self.facts.digest
            }

            /// The key that signed.
            pub fn signer(&self) -> &KeyId {
                &self.facts.signer
            }

            /// Serial of the trust list that the message was verified against.
            pub fn list_serial(&self) -> u64 {
                self.facts.list_serial
            }

            /// Whether the message's transport life is over. It is then stored as inoperative and
            /// answered `expired`.
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
    pub(crate) fn new(facts: Facts) -> Self {
        Self { facts }
    }

    /// Checks that the sender may send messages of this type.
    ///
    /// # Errors
    /// [`Rejectable`], to be answered `unauthorised`.
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
