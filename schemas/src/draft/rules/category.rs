//! What each category needs and allows.

use crate::{
    Date,
    alert::{Category, CategoryRule, Needs, SubjectKind},
    draft::rules::Checker,
    fault::FaultCode,
    limits::SUBJECTS_MAX,
};

pub(super) fn check(checker: &mut Checker<'_>) {
    decision_date(checker);
    let total: usize = SubjectKind::ALL.iter().map(|kind| count(checker, *kind)).sum();
    if total > SUBJECTS_MAX {
        checker.tell_with(&checker.subjects().at, FaultCode::TooManySubjects, SUBJECTS_MAX.to_string());
    }
    let Some(category) = checker.category() else { return };
    let rule = category.rule();
    subjects(checker, category, &rule, total);
    actions(checker, &rule);
    grounds(checker, &rule);
}

fn count(checker: &Checker<'_>, kind: SubjectKind) -> usize {
    checker.subjects().field(kind.field()).items().len()
}

fn subjects(checker: &mut Checker<'_>, category: Category, rule: &CategoryRule, total: usize) {
    match rule.needs {
        Needs::One(kind) if count(checker, kind) == 0 => {
            let at = checker.subjects().field(kind.field()).at;
            checker.tell_with(&at, FaultCode::SubjectMissing, kind.field());
        }
        Needs::Any if total == 0 => {
            checker.tell_with(&checker.subjects().at, FaultCode::SubjectMissing, category.as_str());
        }
        Needs::One(SubjectKind::Person) => main_role(checker, rule),
        _ => {}
    }
}

fn main_role(checker: &mut Checker<'_>, rule: &CategoryRule) {
    let persons = checker.subjects().field("persons");
    let fits = |role: Option<&str>| role.is_some_and(|role| rule.roles.contains(&role));
    if !rule.roles.is_empty() && !persons.items().iter().any(|person| fits(person.field("role").text())) {
        checker.tell_with(&persons.at, FaultCode::MainRoleMissing, rule.roles.join(", "));
    }
}

fn actions(checker: &mut Checker<'_>, rule: &CategoryRule) {
    for action in checker.alert().field("actions").items() {
        let Some(code) = action.text() else { continue };
        // A code that is in no list is told as that.
        let known = checker.context.lists.get("actions").is_some_and(|list| list.find(code).is_some());
        if known && !rule.actions.contains(&code) {
            checker.tell_with(&action.at, FaultCode::ActionNotForCategory, rule.actions.join(", "));
        }
    }
}

/// The offence and the decision on which the alert rests.
fn grounds(checker: &mut Checker<'_>, rule: &CategoryRule) {
    let offences = checker.alert().field("offences");
    if rule.offence_required && offences.items().is_empty() {
        checker.tell(&offences.at, FaultCode::OffenceMissing);
    }
    let decision = checker.alert().field("decision");
    if rule.decision_required && !decision.is_there() {
        checker.tell(&decision.at, FaultCode::DecisionMissing);
    }
}

fn decision_date(checker: &mut Checker<'_>) {
    let date = checker.alert().field("decision").field("date");
    if date.parsed::<Date>().is_some_and(|date| date > checker.context.today()) {
        checker.tell(&date.at, FaultCode::DateInFuture);
    }
}
