//! The rules about an alert's period of validity, and that its data may be kept for that period.

use super::category::Category;
use crate::{Date, FaultCode, Timestamp, draft::Checker};

/// Checks when the alert begins and ends. `end` is when it ends, as far as the draft can be read.
pub(super) fn check(checker: &mut Checker<'_>, end: Option<Timestamp>) {
    window(checker);
    retention(checker, end);
}

fn window(checker: &mut Checker<'_>) {
    let validity = checker.body().field("validity");
    let (from, until) = (validity.field("from"), validity.field("until"));
    let now = checker.context.now;
    let longest = checker
        .body()
        .field("category")
        .parsed::<Category>()
        .map(|category| category.rule().validity.after(now));
    let starts = from.parsed::<Timestamp>();
    match until.parsed::<Timestamp>() {
        Some(ends) if ends <= now => checker.fault(&until.at, FaultCode::ValidityPast),
        Some(ends) if starts.is_some_and(|starts| ends <= starts) => {
            checker.fault(&until.at, FaultCode::ValidityOrder);
        }
        Some(ends) => {
            if let Some(longest) = longest.filter(|longest| ends > *longest) {
                checker.fault_with(&until.at, FaultCode::ValidityTooLong, Date::of(longest).to_string());
            }
        }
        None if starts.zip(longest).is_some_and(|(starts, longest)| starts >= longest) => {
            checker.fault(&from.at, FaultCode::ValidityOrder);
        }
        None => {}
    }
}

fn retention(checker: &mut Checker<'_>, end: Option<Timestamp>) {
    let retain = checker.terms().field("retain_until");
    // The check of terms reports a day that has passed.
    let last_day = retain.parsed::<Date>().filter(|last_day| *last_day >= checker.context.today());
    let Some(last_day) = last_day else { return };
    if let Some(end) = end.map(Date::of).filter(|end| last_day < *end) {
        checker.fault_with(&retain.at, FaultCode::RetentionBeforeEnd, end.to_string());
    }
}
