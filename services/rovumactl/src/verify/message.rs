//! Verifies one message by the rules that gateways use, and lists each check.

use rovuma_envelope::{
    BadSegment, HoldReason, KeyRefusal, Origin, Refusal, Rejection, TrustStore, Typ, Unverified, Verified,
    VerifyContext, VerifyFailure,
};
use rovuma_schemas::{AgencyCode, Header, Message, Timestamp};

use super::{
    report::{CheckResult, CheckStatus, HeaderSummary, MessageReport, MessageVerdict},
    source::FileMessage,
};

/// The checks, in the order in which they are made.
const HEADER: &str = "the header can be read";
const RECIPIENT: &str = "it names the recipient";
const AGENCY: &str = "the trust list has the sender";
const KEY: &str = "the trust list has the key";
const SIGNATURE: &str = "the signature matches";
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

/// Verifies one message as of `now`. A file does not tell through which exchange a message came in; all else is
/// checked as at a gateway of `recipient`, or of the first recipient that the message names.
pub(crate) fn verify_message(
    trust: &TrustStore,
    message: FileMessage,
    recipient: Option<&AgencyCode>,
    now: Timestamp,
) -> MessageReport {
    let unverified = match message {
        Ok(jws) => Unverified::new(jws),
        Err(fault) => return unreadable(&fault),
    };
    let key = unverified.unverified_jws().unverified_key_id(Typ::MESSAGE).ok().map(|kid| kid.to_string());
    let digest = Some(unverified.digest().to_string());
    let header = unverified.unverified_header().ok();
    let says = header.as_ref().map(summary_of);
    let (verdict, checks) = match header.as_ref().and_then(|header| opened_for(header, recipient)) {
        None => failed_check(
            MessageVerdict::Refused,
            HEADER,
            CheckStatus::Fails,
            "no readable header with a recipient".into(),
        ),
        Some(_) if header.as_ref().is_some_and(|header| !has_list_of(trust, header)) => {
            let country =
                header.as_ref().map_or_else(String::new, |header| header.sender.agency.country().to_string());
            failed_check(
                MessageVerdict::Unchecked,
                AGENCY,
                CheckStatus::Open,
                format!(
                    "not checked: no trust list of {country} given; give it with --trust and --authority"
                ),
            )
        }
        Some((opened_for, origin)) => {
            let context = VerifyContext { now, origin, opened_for: &opened_for };
            match trust.verify(unverified, &context) {
                Ok(verified) => accept(trust, verified, now),
                Err(failure) => decline(&failure),
            }
        }
    };
    MessageReport { verdict, says, key, digest, checks }
}

/// Whether the trust list of the sender's country is given.
fn has_list_of(trust: &TrustStore, header: &Header) -> bool {
    trust.list(header.sender.agency.country()).is_some()
}

/// The recipient to check for, and the exchange through which an honest delivery from this sender comes in.
fn opened_for(header: &Header, recipient: Option<&AgencyCode>) -> Option<(AgencyCode, Origin)> {
    let first = header.recipients.first().map(|recipient| &recipient.agency);
    let agency = recipient.or(first)?.clone();
    Some((agency, Origin::Ingress(header.sender.agency.country())))
}

fn summary_of(header: &Header) -> HeaderSummary {
    let sender = &header.sender;
    HeaderSummary {
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

/// Checks a verified message further: whether its sender may send this type, and whether its content meets its
/// schema.
fn accept(trust: &TrustStore, verified: Verified, now: Timestamp) -> (MessageVerdict, Vec<CheckResult>) {
    let expired = verified.is_expired(now);
    let authorized = match verified.authorize_sender(trust) {
        Ok(authorized) => authorized,
        Err(rejectable) => {
            return failed_check(
                MessageVerdict::Rejected,
                AUTHORITY,
                CheckStatus::Fails,
                rejectable.rejection().to_string(),
            );
        }
    };
    if let Err(fault) = Message::parse(authorized.payload()) {
        let faults: Vec<String> =
            fault.faults().iter().map(|fault| format!("{} {}", fault.pointer, fault.message)).collect();
        return failed_check(
            MessageVerdict::Rejected,
            SCHEMA,
            CheckStatus::Fails,
            format!("{fault}; {}", faults.join("; ")),
        );
    }
    if expired {
        let detail =
            "received now, it would be stored as inoperative; give --at with the time it was received";
        return failed_check(MessageVerdict::Rejected, EXPIRY, CheckStatus::Fails, detail.to_owned());
    }
    (MessageVerdict::Verified, ORDER.into_iter().map(|check| simple(check, CheckStatus::Holds)).collect())
}

fn decline(failure: &VerifyFailure) -> (MessageVerdict, Vec<CheckResult>) {
    match failure {
        VerifyFailure::Held { reason, .. } => {
            let check = match reason {
                HoldReason::UnknownKey { .. } => KEY,
                HoldReason::NoList { .. } => AGENCY,
                HoldReason::ListOverdue { .. } => FRESHNESS,
            };
            failed_check(MessageVerdict::Held, check, CheckStatus::Open, reason.to_string())
        }
        VerifyFailure::Refused { reason, .. } => {
            failed_check(MessageVerdict::Refused, check_of(reason), CheckStatus::Fails, reason.to_string())
        }
        VerifyFailure::Rejected(rejectable) => {
            let rejection = rejectable.rejection();
            let check = match rejection {
                Rejection::Clock { .. } => TIME,
                Rejection::Downgrade { .. } => VERSION,
                Rejection::Unauthorised { .. } => AUTHORITY,
            };
            failed_check(MessageVerdict::Rejected, check, CheckStatus::Fails, rejection.to_string())
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

/// The result of a failed check: the checks before it hold, and those after it were not made.
fn failed_check(
    verdict: MessageVerdict,
    check: &'static str,
    standing: CheckStatus,
    detail: String,
) -> (MessageVerdict, Vec<CheckResult>) {
    let at = ORDER.iter().position(|known| *known == check).unwrap_or(0);
    let checks = ORDER
        .into_iter()
        .enumerate()
        .map(|(place, known)| match place.cmp(&at) {
            std::cmp::Ordering::Less => simple(known, CheckStatus::Holds),
            std::cmp::Ordering::Equal => CheckResult { check: known, standing, detail: Some(detail.clone()) },
            std::cmp::Ordering::Greater => simple(known, CheckStatus::Unchecked),
        })
        .collect();
    (verdict, checks)
}

const fn simple(check: &'static str, standing: CheckStatus) -> CheckResult {
    CheckResult { check, standing, detail: None }
}

fn unreadable(fault: &BadSegment) -> MessageReport {
    let (verdict, checks) =
        failed_check(MessageVerdict::Refused, HEADER, CheckStatus::Fails, fault.to_string());
    MessageReport { verdict, says: None, key: None, digest: None, checks }
}
