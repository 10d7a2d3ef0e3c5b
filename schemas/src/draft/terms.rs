//! The rules about terms: urgency, handling, retention, the protection check.

use super::valid;
use crate::{Date, Family, FaultCode, draft::Checker};

/// Maximum years from today until which a recipient may keep a message: the longest validity of an alert, ten years, and five for
/// the proceedings that follow. Personal data must be kept no longer than its purpose needs (African Union Convention on Cyber
/// Security and Personal Data Protection, Article 13 principle 3 (c); Tanzania's Personal Data Protection Act, 2022, section 5).
/// Neither names a number of years: a lawyer must confirm this one before real use.
const RETENTION_YEARS_MAX: i16 = 15;

pub(super) fn check(checker: &mut Checker<'_>) {
    urgency(checker);
    handling(checker);
    retention(checker);
    protection(checker);
    emergency(checker);
}

fn urgency(checker: &mut Checker<'_>) {
    let urgency = checker.terms().field("urgency");
    let Some(level) = urgency.field("level").text() else { return };
    for field in [urgency.field("reason"), urgency.field("statement")] {
        match (level, field.is_there()) {
            ("urgent", false) => checker.fault(&field.at, FaultCode::UrgencyNotJustified),
            ("normal", true) => checker.fault(&field.at, FaultCode::UrgencyNotNeeded),
            _ => {}
        }
    }
}

fn handling(checker: &mut Checker<'_>) {
    let handling = checker.terms().field("handling");
    let restriction = handling.field("restriction");
    match (handling.field("code").text(), restriction.is_there()) {
        (Some("H3"), false) => checker.fault(&restriction.at, FaultCode::RestrictionMissing),
        (Some("H0" | "H1" | "H2"), true) => checker.fault(&restriction.at, FaultCode::RestrictionNotNeeded),
        _ => {}
    }
}

fn retention(checker: &mut Checker<'_>) {
    let retain = checker.terms().field("retain_until");
    let today = checker.context.today();
    let Some(last_day) = retain.parsed::<Date>() else { return };
    let latest = today.plus_years(RETENTION_YEARS_MAX);
    if last_day < today {
        checker.fault(&retain.at, FaultCode::RetentionPast);
    } else if last_day > latest {
        checker.fault_with(&retain.at, FaultCode::RetentionTooLong, latest.to_string());
    }
}

/// Only what needs a second person is released in an emergency, and the gateway says until when it must be confirmed. Where what
/// follows in a case is weighed, nothing suspends a message that nobody confirmed: only what opens the case is released so.
fn emergency(checker: &mut Checker<'_>) {
    let emergency = checker.terms().field("emergency");
    if !emergency.is_there() {
        return;
    }
    let confirm_by = emergency.field("confirm_by");
    if confirm_by.is_there() {
        checker.fault(&confirm_by.at, FaultCode::ConfirmByGiven);
    }
    let kind = checker.message_type;
    let class = kind.class();
    let never = kind.is_reserved() || (class.follows() && class.family().is_some_and(Family::is_weighed));
    if never || valid::second_person_reasons(kind, &checker.draft).is_empty() {
        checker.fault(&emergency.at, FaultCode::EmergencyNotNeeded);
    }
}

/// The author of a message about a person must confirm that it does not send an asylum seeker's data to the country that they
/// fled from.
fn protection(checker: &mut Checker<'_>) {
    if !checker.message_type.names_a_person(&checker.body()) {
        return;
    }
    let confirmed = checker.terms().field("protection_check").field("confirmed");
    if confirmed.truth() != Some(true) {
        checker.fault(&confirmed.at, FaultCode::ProtectionCheckMissing);
    }
}
