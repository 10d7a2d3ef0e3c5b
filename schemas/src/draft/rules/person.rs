//! Persons: who they are, when they were born.

use crate::{Date, draft::rules::Checker, fault::FaultCode, view::View};

/// The age at which a person is no longer a minor, in both countries.
const AGE_OF_MAJORITY: i16 = 18;

pub(super) fn check(checker: &mut Checker<'_>) {
    for person in checker.subjects().field("persons").items() {
        identity(checker, &person);
        birth(checker, &person);
    }
}

/// A role alone is nobody: the message must say how the person can be told apart.
fn identity(checker: &mut Checker<'_>, person: &View<'_>) {
    let listed = |name| !person.field(name).items().is_empty();
    let told = person.field("name").is_there() || listed("aliases") || listed("documents") || listed("marks");
    if !told {
        checker.tell(&person.at, FaultCode::PersonWithoutIdentity);
    }
}

fn birth(checker: &mut Checker<'_>, person: &View<'_>) {
    let birth = person.field("birth");
    if !birth.is_there() {
        return;
    }
    let Some((first, last)) = span(&birth) else {
        checker.tell(&birth.at, FaultCode::BirthDateIncoherent);
        return;
    };
    let today = checker.context.today();
    if first > today {
        checker.tell(&birth.at, FaultCode::DateInFuture);
        return;
    }
    let exact = birth.field("precision").text() != Some("about");
    let minor = person.field("minor");
    let contradicts = match minor.truth() {
        Some(true) => last.plus_years(AGE_OF_MAJORITY) <= today,
        Some(false) => first.plus_years(AGE_OF_MAJORITY) > today,
        None => false,
    };
    if exact && contradicts {
        checker.tell(&minor.at, FaultCode::MinorContradictsBirth);
    }
}

/// The first and the last day that the birth date can mean; `None` where its parts do not fit its
/// precision or there is no such day.
fn span(birth: &View<'_>) -> Option<(Date, Date)> {
    let year = i16::try_from(birth.field("year").integer()?).ok()?;
    let part = |name| birth.field(name).integer().and_then(|part| i8::try_from(part).ok());
    match (birth.field("precision").text()?, part("month"), part("day")) {
        ("day", Some(month), Some(day)) => Date::new(year, month, day).map(|date| (date, date)),
        ("month", Some(month), None) => Some((Date::new(year, month, 1)?, Date::new(year, month, 28)?)),
        ("year" | "about", None, None) => Some((Date::new(year, 1, 1)?, Date::new(year, 12, 31)?)),
        _ => None,
    }
}
