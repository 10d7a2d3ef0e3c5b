//! The rules about recipients and transport expiry.

use std::collections::BTreeSet;

use crate::{
    Agency, AgencyCode, Family, Labels, Timestamp,
    codes::nearest,
    draft::Checker,
    fault::{Detail, FaultCode, shown},
    limits::RECIPIENTS_MAX,
    pointer::Pointer,
};

pub(super) fn check(checker: &mut Checker<'_>) {
    recipients(checker);
    case_kind(checker);
    let expires = checker.draft.field("expires");
    if expires.parsed::<Timestamp>().is_some_and(|expires| expires <= checker.context.now) {
        checker.fault(&expires.at, FaultCode::ExpiryPast);
    }
}

/// Checks that a follower names a case of its own kind, or of any that is known here.
fn case_kind(checker: &mut Checker<'_>) {
    let kind = checker.draft.field("case").field("kind");
    let Some(word) = kind.text() else { return };
    let fits = word
        .parse::<Family>()
        .is_ok_and(|named| checker.message_type.class().family().is_none_or(|family| family == named));
    if !fits {
        checker.fault_with(&kind.at, FaultCode::CaseKindOther, shown(word));
    }
}

/// Checks each recipient, up to the maximum number of them: the schema's check reports that there are more.
fn recipients(checker: &mut Checker<'_>) {
    let recipients = checker.draft.field("recipients");
    if checker.message_type.class().is_to_one() && recipients.items().len() > 1 {
        checker.fault(&recipients.at, FaultCode::OneRecipientOnly);
    }
    let mut seen = BTreeSet::new();
    for recipient in (0..RECIPIENTS_MAX).map(|index| recipients.item(index)) {
        let Some(agency) = recipient.parsed::<AgencyCode>() else {
            // The schema's check leaves the form to this rule, because an officer who types a name wants to know the code.
            if let Some(text) = recipient.text() {
                let detail = taking_part(checker, text);
                checker.fault_with(&recipient.at, FaultCode::RecipientUnknown, detail);
            }
            continue;
        };
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
    let detail = match code {
        FaultCode::RecipientUnknown => taking_part(checker, agency.as_str()),
        _ => agency.as_str().into(),
    };
    checker.fault_with(at, code, detail);
}

/// Maximum agencies that a fault names: a country has fewer at the exchange, and more would not be read.
const NAMED_MAX: usize = 24;

/// An unknown recipient as the author typed it, the agencies that were probably meant, and all that can be addressed today.
fn taking_part(checker: &Checker<'_>, unverified_agency: &str) -> Detail {
    let today = checker.context.today();
    let can_be_addressed = |agency: &&Agency| {
        !agency.code.is_node() && agency.code != *checker.context.sender && agency.in_force(today)
    };
    let all: Vec<&Agency> = checker.context.agencies.iter().filter(can_be_addressed).collect();
    let words = |agency: &&Agency| {
        let Labels { pt, sw, en } = agency.names.clone();
        vec![agency.code.to_string(), agency.code.name().to_owned(), pt, sw, en]
    };
    let near = nearest(unverified_agency, all.iter().copied(), words);
    let codes = all.iter().take(NAMED_MAX).map(|agency| agency.code.as_str()).collect::<Vec<_>>().join(", ");
    let given = shown(unverified_agency);
    Detail::each(|hints, locale| {
        let named = near.iter().map(|agency| format!("{} ({})", agency.code, agency.names.get(locale)));
        match near.is_empty() {
            true => hints.agency_far(&given, &codes),
            false => hints.agency_near(&given, named.collect::<Vec<_>>().join(", "), &codes),
        }
    })
}
