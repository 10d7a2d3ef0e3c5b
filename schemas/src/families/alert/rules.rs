//! The rules of `alert.issue` that follow from its category.

use super::category::{Category, CategoryRule, Needs};
use crate::{Date, FaultCode, draft::Checker, subjects::SubjectKind, view::View};

/// The statuses of a document that justify an alert.
const ALERTED: [&str; 5] = ["stolen", "stolen_blank", "lost", "revoked", "forged"];

pub(super) fn check(checker: &mut Checker<'_>) {
    decision_date(checker);
    let Some(category) = checker.body().field("category").parsed::<Category>() else { return };
    let rule = category.rule();
    needed_subjects(checker, category, &rule);
    actions(checker, &rule);
    grounds(checker, &rule);
    if category == Category::Document {
        document_statuses(checker);
    }
}

fn subjects<'a>(checker: &Checker<'a>) -> View<'a> {
    checker.body().field("subjects")
}

fn count(checker: &Checker<'_>, kind: SubjectKind) -> usize {
    subjects(checker).field(kind.field()).items().len()
}

fn needed_subjects(checker: &mut Checker<'_>, category: Category, rule: &CategoryRule) {
    match rule.needs {
        Needs::One(kind) if count(checker, kind) == 0 => {
            let at = subjects(checker).field(kind.field()).at;
            checker.fault_with(&at, FaultCode::SubjectMissing, kind.field());
        }
        Needs::Any if SubjectKind::ALL.iter().all(|kind| count(checker, *kind) == 0) => {
            checker.fault_with(&subjects(checker).at, FaultCode::SubjectMissing, category.as_str());
        }
        Needs::One(SubjectKind::Person) => main_role(checker, rule),
        _ => {}
    }
}

fn main_role(checker: &mut Checker<'_>, rule: &CategoryRule) {
    let persons = subjects(checker).field("persons");
    let fits = |role: Option<&str>| role.is_some_and(|role| rule.roles.contains(&role));
    if !rule.roles.is_empty() && !persons.items().iter().any(|person| fits(person.field("role").text())) {
        checker.fault_with(&persons.at, FaultCode::MainRoleMissing, rule.roles.join(", "));
    }
}

fn actions(checker: &mut Checker<'_>, rule: &CategoryRule) {
    for action in checker.body().field("actions").items() {
        let Some(code) = action.text() else { continue };
        // The check of codes reports a code that is in no list.
        let known = checker.context.lists.get("actions").is_some_and(|list| list.find(code).is_some());
        if known && !rule.actions.contains(&code) {
            checker.fault_with(&action.at, FaultCode::ActionNotForCategory, rule.actions.join(", "));
        }
    }
}

/// The offence and the decision on which the alert rests.
fn grounds(checker: &mut Checker<'_>, rule: &CategoryRule) {
    let offences = checker.body().field("offences");
    if rule.offence_required && offences.items().is_empty() {
        checker.fault(&offences.at, FaultCode::OffenceMissing);
    }
    let decision = checker.body().field("decision");
    if rule.decision_required && !decision.is_there() {
        checker.fault(&decision.at, FaultCode::DecisionMissing);
    }
}

fn decision_date(checker: &mut Checker<'_>) {
    let date = checker.body().field("decision").field("date");
    if date.parsed::<Date>().is_some_and(|date| date > checker.context.today()) {
        checker.fault(&date.at, FaultCode::DateInFuture);
    }
}

/// Checks that an alert on a document says what is wrong with the document.
fn document_statuses(checker: &mut Checker<'_>) {
    for document in subjects(checker).field("documents").items() {
        let status = document.field("status");
        let is_alerted = status.text().is_some_and(|code| ALERTED.contains(&code));
        // The check of codes reports a code that is in no list.
        let listed = checker.context.lists.get("document_statuses");
        let is_unknown =
            status.text().is_some_and(|code| listed.is_none_or(|list| list.find(code).is_none()));
        if !is_alerted && !is_unknown {
            checker.fault(&status.at, FaultCode::DocumentStatusMissing);
        }
    }
}
