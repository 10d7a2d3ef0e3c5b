//! The only way from [`Unverified`] to [`Verified`].

use rovuma_schemas::{AgencyCode, CountryCode, Digest, Header, Recipient, Timestamp};

use crate::{
    HoldReason, KeyId, Refusal, Rejectable, Rejection, SignatureFault, TrustList, TrustStore, Typ,
    Unverified, Verified, VerifyFailure,
    trust::{ListedAgency, SigningKeyEntry, check_revocation, check_validity},
    verified::VerifiedFacts,
};

/// The exchange through which a delivery came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The exchange `ingress.<country>`: only that country's link may write to it.
    Ingress(CountryCode),
    /// The exchange `outbound`: only gateways of the recipient's own country may write to it.
    Domestic,
}

/// What the gateway knows about a delivery besides its bytes.
#[derive(Clone, Copy, Debug)]
pub struct VerifyContext<'a> {
    /// The time of the verification.
    pub now: Timestamp,
    /// The exchange through which it came in.
    pub origin: Origin,
    /// The agency whose sealing key opened the bundle. The routing key must have named it.
    pub opened_for: &'a AgencyCode,
}

/// Why a message is not verified; [`TrustStore::verify`] adds the message to it.
enum NotVerified {
    Hold(HoldReason),
    Refuse(Refusal),
}

impl<R: Into<Refusal>> From<R> for NotVerified {
    fn from(reason: R) -> Self {
        Self::Refuse(reason.into())
    }
}

/// What holds once the signature has been verified.
struct SignedFacts {
    header: Header,
    recipient: Recipient,
    digest: Digest,
    signer: KeyId,
    list_serial: u64,
    rejection: Option<Rejection>,
}

impl TrustStore {
    /// Checks a message against the trust list: recipient, origin, signature, key, revocation, age of
    /// the list, time, version.
    ///
    /// An expired message is verified too: see [`Verified::is_expired`].
    ///
    /// # Errors
    /// [`VerifyFailure`], which carries the message.
    pub fn verify(
        &self,
        unverified: Unverified,
        context: &VerifyContext<'_>,
    ) -> Result<Verified, VerifyFailure> {
        match self.check_message(&unverified, context) {
            Ok(facts) => admit(unverified, facts),
            Err(NotVerified::Hold(reason)) => {
                Err(VerifyFailure::Held { reason, unverified: Box::new(unverified) })
            }
            Err(NotVerified::Refuse(reason)) => {
                Err(VerifyFailure::Refused { reason, unverified: Box::new(unverified) })
            }
        }
    }

    fn check_message(
        &self,
        unverified: &Unverified,
        context: &VerifyContext<'_>,
    ) -> Result<SignedFacts, NotVerified> {
        let header = unverified.unverified_header()?;
        let recipient = check_route(&header, context)?.clone();
        let kid =
            unverified.unverified_jws().unverified_key_id(Typ::MESSAGE).map_err(SignatureFault::from)?;
        let (list, agency, key) = self.find_key(&header.sender.agency, &kid)?;
        let digest = unverified.unverified_jws().verify_and_digest(&key.key, Typ::MESSAGE)?;

        // Before the age of the list: a forgery, or a revoked key, is refused at once, however old the list is.
        check_revocation(agency, key, header.created)?;
        if self.is_past_bound(list, context.now) {
            let (country, next_update) = (list.country(), list.next_update());
            return Err(NotVerified::Hold(HoldReason::ListOverdue { country, next_update }));
        }
        let clock_rejection = self.clock_ahead(header.created, context.now);
        // A time in our future says nothing about the key's term, so the key must at least be valid now.
        let key_checked_at = if clock_rejection.is_some() { context.now } else { header.created };
        check_validity(agency, key, key_checked_at, context.now, self.policy())?;
        let rejection = clock_rejection.or_else(|| self.downgrade(&header));
        Ok(SignedFacts { header, recipient, digest, signer: kid, list_serial: list.serial(), rejection })
    }

    fn find_key(
        &self,
        code: &AgencyCode,
        kid: &KeyId,
    ) -> Result<(&TrustList, &ListedAgency, &SigningKeyEntry), NotVerified> {
        let country = code.country();
        let Some(list) = self.list(country) else {
            let pinned = self.is_pinned(country);
            return Err(if pinned {
                NotVerified::Hold(HoldReason::NoList { country })
            } else {
                unknown(code)
            });
        };
        let agency = list.agency(code).ok_or_else(|| unknown(code))?;
        let key = agency
            .signing_key(kid)
            .ok_or_else(|| NotVerified::Hold(HoldReason::UnknownKey { agency: code.clone(), kid: *kid }))?;
        Ok((list, agency, key))
    }

    fn clock_ahead(&self, created: Timestamp, now: Timestamp) -> Option<Rejection> {
        (created > now.plus(self.policy().clock_tolerance)).then_some(Rejection::Clock { created, now })
    }

    fn downgrade(&self, header: &Header) -> Option<Rejection> {
        let minimum_major = self.policy().minimum_schema_major;
        (header.version.major < minimum_major)
            .then_some(Rejection::Downgrade { got: header.version, minimum_major })
    }
}

fn unknown(agency: &AgencyCode) -> NotVerified {
    NotVerified::Refuse(Refusal::UnknownAgency { agency: agency.clone() })
}

/// Checks that the delivery came through the exchange of the sender's country and was opened for an
/// agency that the message names. Without this check, a recipient could pass a message on to another
/// agency as if it had been addressed to that one.
fn check_route<'a>(header: &'a Header, context: &VerifyContext<'_>) -> Result<&'a Recipient, Refusal> {
    let sender = &header.sender.agency;
    let origin = match context.origin {
        Origin::Ingress(country) => country,
        Origin::Domestic => context.opened_for.country(),
    };
    if sender.country() != origin {
        return Err(Refusal::Origin { sender: sender.clone(), origin });
    }
    let mut named = header.recipients.iter().filter(|recipient| recipient.agency == *context.opened_for);
    match (named.next(), named.next()) {
        (Some(recipient), None) => Ok(recipient),
        _ => Err(Refusal::NotARecipient { opened_for: context.opened_for.clone() }),
    }
}

fn admit(unverified: Unverified, signed: SignedFacts) -> Result<Verified, VerifyFailure> {
    let SignedFacts { header, recipient, digest, signer, list_serial, rejection } = signed;
    let facts = VerifiedFacts { jws: unverified.into_jws(), digest, header, recipient, signer, list_serial };
    match rejection {
        None => Ok(Verified::new(facts)),
        Some(rejection) => Err(VerifyFailure::Rejected(Box::new(Rejectable { facts, rejection }))),
    }
}
