//! The rules about recipients and transport expiry.

use std::collections::BTreeSet;

use crate::{
    AgencyCode, Timestamp, draft::Checker, fault::FaultCode, limits::RECIPIENTS_MAX, pointer::Pointer,
};

pub(super) fn check(checker: &mut Checker<'_>) {
    recipients(checker);
    let expires = checker.draft.field("expires");
    if expires.parsed::<Timestamp>().is_some_and(|expires| expires <= checker.context.now) {
        checker.fault(&expires.at, FaultCode::ExpiryPast);
    }
}

/// Checks each recipient, up to the maximum number of them: the schema's check reports that there are more.
fn recipients(checker: &mut Checker<'_>) {
    let recipients = checker.draft.field("recipients");
    let mut seen = BTreeSet::new();
    for recipient in (0..RECIPIENTS_MAX).map(|index| recipients.item(index)) {
        let Some(agency) = recipient.parsed::<AgencyCode>() else { continue };
        if seen.contains(&agency) {
            checker.fault_with(&recipient.at, FaultCode::RecipientDuplicate, agency.as_str());
        } else {
            one_recipient(checker, &recipient.at, &agency);
            seen.insert(agency);
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
