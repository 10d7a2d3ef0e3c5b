//! The rules about an alert's period of validity, and that its data may be kept for that period.

use super::category::{Category, Life};
use crate::{
    Date, FaultCode, Timestamp,
    draft::Checker,
    fault::{Detail, Finding},
    pointer::Pointer,
};

/// Why an alert ends when it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndReason {
    /// The draft says so.
    Stated,
    /// The draft says nothing, and this is its category's time.
    Category(Life),
    /// The draft says nothing, and the last of its documents expires then.
    Documents,
}

/// An end that the draft states.
pub(super) const fn stated(end: Timestamp) -> (Timestamp, EndReason) {
    (end, EndReason::Stated)
}

/// Checks when the alert begins and ends. `end` is when it ends and why, as far as the draft can be read.
pub(super) fn check(checker: &mut Checker<'_>, end: Option<&(Timestamp, EndReason)>) {
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

/// Checks that the data may be kept until the alert ends.
pub(super) fn retention(checker: &mut Checker<'_>, end: Option<&(Timestamp, EndReason)>) {
    let retain = checker.terms().field("retain_until");
    // The check of terms reports a day that has passed.
    let last_day = retain.parsed::<Date>().filter(|last_day| *last_day >= checker.context.today());
    let Some(last_day) = last_day else { return };
    checker.found.extend(end.and_then(|end| erased_before(&retain.at, last_day, *end)));
}

/// The fault of data that may be kept until `last_day` only, and must be erased before the alert ends.
pub(super) fn erased_before(
    at: &Pointer,
    last_day: Date,
    (end, reason): (Timestamp, EndReason),
) -> Option<Finding> {
    let end = Date::of(end);
    let detail = || {
        Detail::each(|hints, locale| match reason {
            EndReason::Stated => hints.end_stated(end),
            EndReason::Category(life) => hints.end_by_category(end, life.in_words(locale)),
            EndReason::Documents => hints.end_by_documents(end),
        })
    };
    (last_day < end).then(|| Finding::with(at, FaultCode::RetentionBeforeEnd, detail()))
}
