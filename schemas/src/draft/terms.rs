//! The rules about terms: urgency, handling, retention, the protection check.

use crate::{Date, FaultCode, draft::Checker};

pub(super) fn check(checker: &mut Checker<'_>) {
    urgency(checker);
    handling(checker);
    retention(checker);
    protection(checker);
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
    if retain.parsed::<Date>().is_some_and(|last_day| last_day < checker.context.today()) {
        checker.fault(&retain.at, FaultCode::RetentionPast);
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
