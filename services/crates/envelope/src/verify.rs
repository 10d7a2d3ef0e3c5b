//! From [`Unverified`] to [`Verified`]: the one way.

use rovuma_schemas::{AgencyCode, CountryCode, Digest, Header, Recipient, Timestamp};

use crate::{
    HoldReason, KeyId, Refusal, Rejectable, Rejection, SignatureFault, TrustList, TrustStore, Typ,
    Unverified, Verified, VerifyFailure,
    trust::{ListedAgency, SigningKeyEntry, check_revocation, check_validity},
    verified::Facts,
};

/// The door that a delivery came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The exchange `ingress.<country>`, which only that country's link may write to.
    Ingress(CountryCode),
    /// The exchange `outbound`, which only gateways of the recipient's own country may write to.
    Domestic,
}

/// What is known of a delivery beside its bytes.
#[derive(Clone, Copy, Debug)]
pub struct VerifyContext<'a> {
    /// The time.
    pub now: Timestamp,
    /// The door it came in by.
    pub origin: Origin,
    /// The agency whose sealing key opened the bundle; the routing key must have named it.
    pub opened_for: &'a AgencyCode,
}

/// What stands in the way of believing a message.
enum Doubt {
    Hold(HoldReason),
    Refuse(Refusal),
}

impl<R: Into<Refusal>> From<R> for Doubt {
    fn from(reason: R) -> Self {
        Self::Refuse(reason.into())
    }
}

/// What is certain once the signature holds.
struct Proof {
    header: Header,
    recipient: Recipient,
    digest: Digest,
    signer: KeyId,
    list_serial: u64,
    rejection: Option<Rejection>,
}

impl TrustStore {
    /// Checks a message against the trust list: recipient, origin, signature, key, revocation, how
    /// fresh the list is, time, version.
    ///
    /// An expired message is verified all the same: see [`Verified::is_expired`].
    ///
    /// # Errors
    /// [`VerifyFailure`], with the message in it.
    pub fn verify(
        &self,
        unverified: Unverified,
        context: &VerifyContext<'_>,
    ) -> Result<Verified, VerifyFailure> {
        match self.prove(&unverified, context) {
            Ok(proof) => admit(unverified, proof),
            Err(Doubt::Hold(reason)) => Err(VerifyFailure::Held { reason, unverified: Box::new(unverified) }),
            Err(Doubt::Refuse(reason)) => {
                Err(VerifyFailure::Refused { reason, unverified: Box::new(unverified) })
            }
        }
    }

    fn prove(&self, unverified: &Unverified, context: &VerifyContext<'_>) -> Result<Proof, Doubt> {
        let header = unverified.unverified_header()?;
        let recipient = check_route(&header, context)?.clone();
        let kid =
            unverified.unverified_jws().unverified_key_id(Typ::MESSAGE).map_err(SignatureFault::from)?;
        let (list, agency, key) = self.find_key(&header.sender.agency, &kid)?;
        let digest = unverified.unverified_jws().verify_and_digest(&key.key, Typ::MESSAGE)?;

        check_revocation(agency, key, header.created)?;
        if self.is_past_bound(list, context.now) {
            let (country, next_update) = (list.country(), list.next_update());
            return Err(Doubt::Hold(HoldReason::ListOverdue { country, next_update }));
        }
        let clock = self.clock_ahead(header.created, context.now);
        // A time in our future says nothing about the key's term: the key must at least be valid now.
        let judged_at = if clock.is_some() { context.now } else { header.created };
        check_validity(agency, key, judged_at, context.now, self.policy())?;
        let rejection = clock.or_else(|| self.downgrade(&header));
        Ok(Proof { header, recipient, digest, signer: kid, list_serial: list.serial(), rejection })
    }

    fn find_key(
        &self,
        code: &AgencyCode,
        kid: &KeyId,
    ) -> Result<(&TrustList, &ListedAgency, &SigningKeyEntry), Doubt> {
        let country = code.country();
        let Some(list) = self.list(country) else {
            let pinned = self.is_pinned(country);
            return Err(if pinned { Doubt::Hold(HoldReason::NoList { country }) } else { unknown(code) });
        };
        let agency = list.agency(code).ok_or_else(|| unknown(code))?;
        let key = agency
            .signing_key(kid)
            .ok_or_else(|| Doubt::Hold(HoldReason::UnknownKey { agency: code.clone(), kid: *kid }))?;
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

fn unknown(agency: &AgencyCode) -> Doubt {
    Doubt::Refuse(Refusal::UnknownAgency { agency: agency.clone() })
}

/// Whether the delivery came by the sender's door to one that the message names: without it, a
/// recipient could pass a message on to another as if it had been meant for that one.
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

fn admit(unverified: Unverified, proof: Proof) -> Result<Verified, VerifyFailure> {
    let Proof { header, recipient, digest, signer, list_serial, rejection } = proof;
    let facts = Facts { jws: unverified.into_jws(), digest, header, recipient, signer, list_serial };
    match rejection {
        None => Ok(Verified::new(facts)),
        Some(rejection) => Err(VerifyFailure::Rejected(Box::new(Rejectable { facts, rejection }))),
    }
}
