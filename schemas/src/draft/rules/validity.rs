//! From when to when an alert stands, and how long its data may be kept.

use serde::Deserialize;

use crate::{Alert, Date, Timestamp, draft::rules::Checker, fault::FaultCode};

pub(super) fn check(checker: &mut Checker<'_>) {
    window(checker);
    retention(checker);
}

fn window(checker: &mut Checker<'_>) {
    let validity = checker.alert().field("validity");
    let (from, until) = (validity.field("from"), validity.field("until"));
    let now = checker.context.now;
    let longest = checker.category().map(|category| category.rule().validity.after(now));
    let starts = from.parsed::<Timestamp>();
    match until.parsed::<Timestamp>() {
        Some(ends) if ends <= now => checker.tell(&until.at, FaultCode::ValidityPast),
        Some(ends) if starts.is_some_and(|starts| ends <= starts) => {
            checker.tell(&until.at, FaultCode::ValidityOrder);
        }
        Some(ends) => {
            if let Some(longest) = longest.filter(|longest| ends > *longest) {
                checker.tell_with(&until.at, FaultCode::ValidityTooLong, Date::of(longest).to_string());
            }
        }
        None if starts.zip(longest).is_some_and(|(starts, longest)| starts >= longest) => {
            checker.tell(&from.at, FaultCode::ValidityOrder);
        }
        None => {}
    }
}

fn retention(checker: &mut Checker<'_>) {
    let retain = checker.terms().field("retain_until");
    let Some(last_day) = retain.parsed::<Date>() else { return };
    if last_day < checker.context.today() {
        checker.tell(&retain.at, FaultCode::RetentionPast);
        return;
    }
    if let Some(end) = end(checker).map(Date::of).filter(|end| last_day < *end) {
        checker.tell_with(&retain.at, FaultCode::RetentionBeforeEnd, end.to_string());
    }
}

/// When the alert ends, as far as the draft can be read.
fn end(checker: &Checker<'_>) -> Option<Timestamp> {
    let stated = checker.alert().field("validity").field("until").parsed();
    stated.or_else(|| {
        let alert = Alert::deserialize(checker.alert().value()?).ok()?;
        Some(alert.end(checker.context.now))
    })
}
