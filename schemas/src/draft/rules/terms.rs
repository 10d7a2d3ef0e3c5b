//! Urgency, handling and the protection check. Retention belongs to the alert's validity.

use crate::{draft::rules::Checker, fault::FaultCode, view::View};

pub(super) fn check(checker: &mut Checker<'_>) {
    urgency(checker);
    handling(checker);
    protection(checker);
}

fn urgency(checker: &mut Checker<'_>) {
    let urgency = checker.terms().field("urgency");
    let Some(level) = urgency.field("level").text() else { return };
    for field in [urgency.field("reason"), urgency.field("statement")] {
        match (level, field.is_there()) {
            ("urgent", false) => checker.tell(&field.at, FaultCode::UrgencyNotJustified),
            ("normal", true) => checker.tell(&field.at, FaultCode::UrgencyNotNeeded),
            _ => {}
        }
    }
}

fn handling(checker: &mut Checker<'_>) {
    let handling = checker.terms().field("handling");
    let restriction = handling.field("restriction");
    match (handling.field("code").text(), restriction.is_there()) {
        (Some("H3"), false) => checker.tell(&restriction.at, FaultCode::RestrictionMissing),
        (Some("H0" | "H1" | "H2"), true) => checker.tell(&restriction.at, FaultCode::RestrictionNotNeeded),
        _ => {}
    }
}

/// Whoever sends data about a person has made sure that it is not an asylum seeker's data to the
/// country fled from.
fn protection(checker: &mut Checker<'_>) {
    if !names_a_person(&checker.subjects()) {
        return;
    }
    let confirmed = checker.terms().field("protection_check").field("confirmed");
    if confirmed.truth() != Some(true) {
        checker.tell(&confirmed.at, FaultCode::ProtectionCheckMissing);
    }
}

/// The same question as [`crate::Subjects::name_a_person`], asked of JSON that may be misshapen.
fn names_a_person(subjects: &View<'_>) -> bool {
    let holder_named =
        |document: View<'_>| document.field("holder").is_there() || !document.field("mrz").items().is_empty();
    !subjects.field("persons").items().is_empty()
        || subjects.field("documents").items().into_iter().any(holder_named)
}
