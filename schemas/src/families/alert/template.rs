//! The templates of alerts, one for each category, and of the messages that follow them.

mod followers;

use serde_json::{Value, json};

use super::category::{Category, Needs};
use crate::{
    Date, Locale, MessageType,
    subjects::SubjectKind,
    template::{Plan, TemplateContext, identity},
};

/// The names of the templates: the categories, and the types of the messages that follow.
pub(crate) fn names() -> Vec<&'static str> {
    Category::ALL.iter().map(|category| category.as_str()).chain(followers::names()).collect()
}

/// Days by which the date of a template's retention is later than the end of the alert if it were released today: drafts wait for
/// a second person, and the alert ends later the later it is released.
const RETENTION_SPARE_DAYS: i32 = 30;

/// What a draft of the kind `name` needs.
pub(crate) fn plan(name: &str, context: &TemplateContext<'_>) -> Option<Plan> {
    let category = name.parse::<Category>().ok();
    category.map(|category| of_category(category, context)).or_else(|| followers::plan(name))
}

/// What an alert of a category needs.
fn of_category(category: Category, context: &TemplateContext<'_>) -> Plan {
    let rule = category.rule();
    let kind = main_kind(category);
    let subject = format!("/body/subjects/{}/0", kind.field());
    let mut values: Vec<(String, Value)> = vec![
        ("/body/category".to_owned(), json!(category)),
        ("/body/actions".to_owned(), json!(rule.actions.iter().take(1).collect::<Vec<_>>())),
        (
            "/terms/retain_until".to_owned(),
            json!(Date::of(rule.validity.after(context.now)).plus_days(RETENTION_SPARE_DAYS)),
        ),
        ("/terms/purpose".to_owned(), json!(purpose(category))),
    ];
    let mut needed: Vec<String> = identity(kind).iter().map(|member| format!("{subject}/{member}")).collect();
    if let Some(role) = rule.roles.first() {
        values.push((format!("{subject}/role"), json!(role)));
    }
    if kind == SubjectKind::Document {
        values.push((format!("{subject}/status"), json!("stolen")));
    }
    if kind == SubjectKind::Person {
        // A confirmation that is not given yet.
        values.push(("/terms/protection_check/confirmed".to_owned(), json!(false)));
    }
    if rule.offence_required {
        needed.push("/body/offences".to_owned());
    }
    if rule.decision_required {
        needed.push("/body/decision".to_owned());
    }
    let aside = SubjectKind::ALL.into_iter().filter(|other| *other != kind && *other != SubjectKind::Place);
    Plan {
        message_type: MessageType::AlertIssue,
        values,
        needed,
        aside: aside.map(|other| format!("/body/subjects/{}", other.field())).collect(),
        notes: notes(category),
    }
}

/// The kind of the subject that the template begins with.
fn main_kind(category: Category) -> SubjectKind {
    match category.rule().needs {
        Needs::One(kind) => kind,
        Needs::Any | Needs::Nothing => SubjectKind::Place,
    }
}

/// The purpose for which alerts of a category are usually issued.
const fn purpose(category: Category) -> &'static str {
    match category {
        Category::WantedPerson => "prosecution",
        Category::MissingPerson => "search_for_missing",
        Category::VulnerablePerson => "protection_of_victims",
        Category::SoughtPerson => "investigation",
        Category::UnidentifiedPerson => "identification",
        Category::Document => "document_control",
        Category::ModusOperandi | Category::ThreatWarning => "prevention",
        Category::PersonCheck
        | Category::Vehicle
        | Category::Vessel
        | Category::Firearm
        | Category::Object => "detection",
    }
}

fn notes(category: Category) -> Vec<String> {
    let rule = category.rule();
    let subjects = match rule.needs {
        Needs::One(kind) => format!("at least one entry in /body/subjects/{}", kind.field()),
        Needs::Any => "at least one subject of any kind".to_owned(),
        Needs::Nothing => "no subject: the circumstances suffice".to_owned(),
    };
    let life = rule.validity.in_words(Locale::En);
    let mut notes = vec![
        format!("It needs {subjects}."),
        format!("/body/actions: {}.", rule.actions.join(", ")),
        format!(
            "It ends {life} after its release unless /body/validity/until says earlier; /terms/retain_until is not before that."
        ),
    ];
    if !rule.roles.is_empty() {
        notes.push(format!("One person has the role {}.", rule.roles.join(" or ")));
    }
    if rule.offence_required {
        notes.push("It names at least one offence.".to_owned());
    }
    if rule.decision_required {
        notes.push("It names the decision that it rests on.".to_owned());
    }
    if main_kind(category) == SubjectKind::Person {
        notes.push(
            "A second person releases it. The author confirms with /terms/protection_check that it does not disclose a \
             person who sought protection to the country that they fled from."
                .to_owned(),
        );
    }
    notes
}
