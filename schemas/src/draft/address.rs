//! The rules about recipients and transport expiry.

use crate::{AgencyCode, Timestamp, draft::Checker, fault::FaultCode, pointer::Pointer};

pub(super) fn check(checker: &mut Checker<'_>) {
    recipients(checker);
    let expires = checker.draft.field("expires");
    if expires.parsed::<Timestamp>().is_some_and(|expires| expires <= checker.context.now) {
        checker.fault(&expires.at, FaultCode::ExpiryPast);
    }
}

fn recipients(checker: &mut Checker<'_>) {
    let mut seen = Vec::new();
    for recipient in checker.draft.field("recipients").items() {
        let Some(agency) = recipient.parsed::<AgencyCode>() else { continue };
        if seen.contains(&agency) {
            checker.fault_with(&recipient.at, FaultCode::RecipientDuplicate, agency.as_str());
        } else {
            one_recipient(checker, &recipient.at, &agency);
            seen.push(agency);
        }
    }
}

/// Adds the first fault of a recipient: the others would follow from it.
fn one_recipient(checker: &mut Checker<'_>, at: &Pointer, agency: &AgencyCode) {
    let known = checker.context.agencies.find(agency);
    let code = match known {
        _ if agency.is_node() => FaultCode::RecipientIsNode,
        _ if agency == checker.context.sender => FaultCode::RecipientIsSender,
        None => FaultCode::RecipientUnknown,
        Some(known) if !known.in_force(checker.context.today()) => FaultCode::RecipientNotInForce,
        Some(_) => return,
    };
    checker.fault_with(at, code, agency.as_str());
}
