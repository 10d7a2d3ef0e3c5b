//! From segments to a judgement, by the very rules that gateways use.

use rovuma_envelope::{
    BadSegment, HoldReason, KeyRefusal, Origin, Refusal, Rejection, TrustStore, Typ, Unverified, Verified,
    VerifyContext, VerifyFailure,
};
use rovuma_schemas::{AgencyCode, Header, Message, Timestamp};

use super::{
    report::{Check, Judged, Says, Standing, Verdict},
    source::Segment,
};

/// The checks in the order in which they are made.
const HEADER: &str = "the header can be read";
const RECIPIENT: &str = "it names the recipient";
const AGENCY: &str = "the trust list has the sender";
const KEY: &str = "the trust list has the key";
const SIGNATURE: &str = "the signature fits";
const REVOCATION: &str = "the key was not revoked";
const FRESHNESS: &str = "the trust list is fresh enough";
const TIME: &str = "key and agency were valid when it was created";
const VERSION: &str = "its version is accepted";
const AUTHORITY: &str = "the sender may send this type";
const SCHEMA: &str = "the content meets its schema";
const EXPIRY: &str = "its transport life is not over";
const ORDER: [&str; 12] = [
    HEADER, RECIPIENT, AGENCY, KEY, SIGNATURE, REVOCATION, FRESHNESS, TIME, VERSION, AUTHORITY, SCHEMA,
    EXPIRY,
];

/// Judges one message as of `now`. Where it came in cannot be known from a file; all else is checked as at
/// a gateway of `recipient`, or of the first recipient that it names.
pub(crate) fn judge(
    trust: &TrustStore,
    segment: Segment,
    recipient: Option<&AgencyCode>,
    now: Timestamp,
) -> Judged {
    let unverified = match segment {
        Ok(jws) => Unverified::new(jws),
        Err(fault) => return unreadable(&fault),
    };
    let key = unverified.unverified_jws().unverified_key_id(Typ::MESSAGE).ok().map(|kid| kid.to_string());
    let digest = Some(unverified.digest().to_string());
    let header = unverified.unverified_header().ok();
    let says = header.as_ref().map(says);
    let (verdict, checks) = match header.as_ref().and_then(|header| opened_for(header, recipient)) {
        None => {
            ended(Verdict::Refused, HEADER, Standing::Fails, "no readable header with a recipient".into())
        }
        Some((opened_for, origin)) => {
            let context = VerifyContext { now, origin, opened_for: &opened_for };
            match trust.verify(unverified, &context) {
                Ok(verified) => accept(trust, verified, now),
                Err(failure) => decline(&failure),
            }
        }
    };
    Judged { verdict, says, key, digest, checks }
}

/// The recipient to judge for, and the door that an honest delivery from this sender takes.
fn opened_for(header: &Header, recipient: Option<&AgencyCode>) -> Option<(AgencyCode, Origin)> {
    let first = header.recipients.first().map(|recipient| &recipient.agency);
    let agency = recipient.or(first)?.clone();
    Some((agency, Origin::Ingress(header.sender.agency.country())))
}

fn says(header: &Header) -> Says {
    let sender = &header.sender;
    Says {
        id: header.id.to_string(),
        kind: header.message_type.to_string(),
        version: header.version.to_string(),
        status: header.status.as_str().to_owned(),
        sender: sender.agency.to_string(),
        recipients: header.recipients.iter().map(|recipient| recipient.agency.to_string()).collect(),
        created: header.created,
        expires: header.expires,
    }
}

/// Verified: what is left is whether its sender may say it, and whether it can be understood.
fn accept(trust: &TrustStore, verified: Verified, now: Timestamp) -> (Verdict, Vec<Check>) {
    let expired = verified.is_expired(now);
    let authorized = match verified.authorize_sender(trust) {
        Ok(authorized) => authorized,
        Err(rejectable) => {
            return ended(Verdict::Rejected, AUTHORITY, Standing::Fails, rejectable.rejection().to_string());
        }
    };
    if let Err(fault) = Message::parse(authorized.payload()) {
        let faults: Vec<String> =
            fault.faults().iter().map(|fault| format!("{} {}", fault.pointer, fault.message)).collect();
        return ended(Verdict::Rejected, SCHEMA, Standing::Fails, format!("{fault}; {}", faults.join("; ")));
    }
    if expired {
        let detail = "received now it would be kept as inoperative; give --at with the time it was received";
        return ended(Verdict::Rejected, EXPIRY, Standing::Fails, detail.to_owned());
    }
    (Verdict::Verified, ORDER.into_iter().map(|check| simple(check, Standing::Holds)).collect())
}

fn decline(failure: &VerifyFailure) -> (Verdict, Vec<Check>) {
    match failure {
        VerifyFailure::Held { reason, .. } => {
            let check = match reason {
                HoldReason::UnknownKey { .. } => KEY,
                HoldReason::NoList { .. } => AGENCY,
                HoldReason::ListOverdue { .. } => FRESHNESS,
            };
            ended(Verdict::Held, check, Standing::Open, reason.to_string())
        }
        VerifyFailure::Refused { reason, .. } => {
            ended(Verdict::Refused, check_of(reason), Standing::Fails, reason.to_string())
        }
        VerifyFailure::Rejected(rejectable) => {
            let rejection = rejectable.rejection();
            let check = match rejection {
                Rejection::Clock { .. } => TIME,
                Rejection::Downgrade { .. } => VERSION,
                Rejection::Unauthorised { .. } => AUTHORITY,
            };
            ended(Verdict::Rejected, check, Standing::Fails, rejection.to_string())
        }
    }
}

const fn check_of(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Header(_) => HEADER,
        Refusal::Origin { .. } | Refusal::NotARecipient { .. } => RECIPIENT,
        Refusal::UnknownAgency { .. } => AGENCY,
        Refusal::Signature(_) => SIGNATURE,
        Refusal::Key(KeyRefusal::Compromised { .. } | KeyRefusal::Revoked { .. }) => REVOCATION,
        Refusal::Key(_) => TIME,
    }
}

/// What was checked before `check` holds; what comes after was not looked at.
fn ended(verdict: Verdict, check: &'static str, standing: Standing, detail: String) -> (Verdict, Vec<Check>) {
    let at = ORDER.iter().position(|known| *known == check).unwrap_or(0);
    let checks = ORDER
        .into_iter()
        .enumerate()
        .map(|(place, known)| match place.cmp(&at) {
            std::cmp::Ordering::Less => simple(known, Standing::Holds),
            std::cmp::Ordering::Equal => Check { check: known, standing, detail: Some(detail.clone()) },
            std::cmp::Ordering::Greater => simple(known, Standing::Unchecked),
        })
        .collect();
    (verdict, checks)
}

const fn simple(check: &'static str, standing: Standing) -> Check {
    Check { check, standing, detail: None }
}

fn unreadable(fault: &BadSegment) -> Judged {
    let (verdict, checks) = ended(Verdict::Refused, HEADER, Standing::Fails, fault.to_string());
    Judged { verdict, says: None, key: None, digest: None, checks }
}
