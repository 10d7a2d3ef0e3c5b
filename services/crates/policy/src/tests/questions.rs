//! The questions of the tests: every actor, action, owner of a resource, and context.

use rovuma_schemas::{AgencyCode, Family, MessageType};

use crate::{Action, Actor, Context, Decision, Policy, Resource, ResourceKind, Role};

pub(super) const ACTOR: &str = "this-one";
const ANOTHER: &str = "another-one";

/// One question without its actor.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// The circumstances as text, for the table.
    pub(super) case: String,
    pub(super) action: Action,
    pub(super) resource: Resource,
    pub(super) context: Context,
}

/// All questions, in the order of the actions.
pub(super) fn questions() -> Vec<Question> {
    Action::ALL.iter().flat_map(|&action| of_action(action)).collect()
}

fn of_action(action: Action) -> Vec<Question> {
    let mut questions = Vec::new();
    for (whose, resource) in resources(action.resource_kind()) {
        let is_reserved = resource.message_type.is_some_and(MessageType::is_reserved);
        // Neither the one nor the other occurs: nothing reserved is released in an emergency, and only that cannot wait.
        let may_be_direct = resource.message_type.is_some_and(|kind| {
            kind.class().family() == Some(Family::Request) || kind == MessageType::HitNotify
        });
        let occurs = |when: &str| match when {
            "emergency" => !is_reserved,
            "cannot wait" => is_reserved,
            "a database answers" => may_be_direct && !is_reserved,
            _ => true,
        };
        for (when, context) in contexts(action).into_iter().filter(|(when, _)| occurs(when)) {
            let case = [whose.as_str(), when]
                .into_iter()
                .filter(|words| !words.is_empty())
                .collect::<Vec<_>>()
                .join(", ");
            questions.push(Question { case, action, resource: resource.clone(), context });
        }
    }
    questions
}

fn resources(kind: ResourceKind) -> Vec<(String, Resource)> {
    let (own, other) = (agency("mz.prm"), agency("mz.senami"));
    let one_type = match kind {
        ResourceKind::Agency => {
            vec![("own agency", Resource::agency(&own)), ("other agency", Resource::agency(&other))]
        }
        ResourceKind::Draft => {
            let of_type = |kind: MessageType| {
                [
                    (format!("own {kind}"), Resource::draft("d", &own, ACTOR, kind)),
                    (format!("other's {kind}"), Resource::draft("d", &own, ANOTHER, kind)),
                    (format!("other agency's {kind}"), Resource::draft("d", &other, ANOTHER, kind)),
                ]
            };
            return MessageType::operational().flat_map(of_type).collect();
        }
        ResourceKind::Message => {
            vec![
                ("own agency", Resource::message("m", &own)),
                ("other agency", Resource::message("m", &other)),
            ]
        }
        ResourceKind::Case => {
            vec![("own agency", Resource::case("c", &own)), ("other agency", Resource::case("c", &other))]
        }
        ResourceKind::Account => vec![
            ("own account", Resource::account(ACTOR, &own)),
            ("other's account", Resource::account(ANOTHER, &own)),
            ("other agency", Resource::account(ANOTHER, &other)),
        ],
        ResourceKind::AuditLog => vec![
            ("own agency", Resource::audit_log(&own)),
            ("other agency", Resource::audit_log(&other)),
            ("whole country", Resource::audit_log(&agency("mz.node"))),
            ("abroad", Resource::audit_log(&agency("tz.tpf"))),
        ],
        ResourceKind::AuditEvent => vec![
            ("own agency", Resource::audit_event("e", &own)),
            ("other agency", Resource::audit_event("e", &other)),
            ("of no agency", Resource::audit_event("e", &agency("mz.node"))),
            ("abroad", Resource::audit_event("e", &agency("tz.tpf"))),
        ],
    };
    one_type.into_iter().map(|(whose, resource)| (whose.to_owned(), resource)).collect()
}

fn contexts(action: Action) -> Vec<(&'static str, Context)> {
    match action {
        Action::DraftRelease => {
            vec![
                ("one person", Context::release(false)),
                ("second person", Context::release(true)),
                ("emergency", Context::release(true).in_emergency(true)),
                ("cannot wait", Context::release(false).that_cannot_wait(true)),
                ("a database answers", Context::release(false).that_a_database_answers(true)),
            ]
        }
        Action::MessageRead => {
            vec![("no reason", Context::read(false)), ("with reason", Context::read(true))]
        }
        _ => vec![("", Context::NONE)],
    }
}

/// One actor for each role, each of `mz.prm`.
pub(super) fn each_role() -> Vec<(String, Actor)> {
    Role::ALL.into_iter().map(|role| (role.to_string(), holder("mz.prm", &[role]))).collect()
}

/// Actors whose rights do not follow from one role of one agency.
pub(super) fn special_actors() -> Vec<(String, Actor)> {
    use Role::{AgencyAdmin, AgencySystem, Auditor, DataProtectionOfficer, LiaisonOfficer, Supervisor};
    let prm = agency("mz.prm");
    vec![
        ("nobody".into(), holder("mz.prm", &[])),
        ("liaison+supervisor".into(), holder("mz.prm", &[LiaisonOfficer, Supervisor])),
        ("liaison+auditor".into(), holder("mz.prm", &[LiaisonOfficer, Auditor])),
        ("liaison+admin".into(), holder("mz.prm", &[LiaisonOfficer, AgencyAdmin])),
        ("liaison+dpo".into(), holder("mz.prm", &[LiaisonOfficer, DataProtectionOfficer])),
        ("machine+liaison".into(), Actor::machine(ACTOR, &prm, [AgencySystem, LiaisonOfficer])),
        ("person+system".into(), Actor::person(ACTOR, &prm, [AgencySystem, LiaisonOfficer])),
        ("node auditor".into(), holder("mz.node", &[Auditor])),
        ("node admin".into(), holder("mz.node", &[AgencyAdmin])),
    ]
}

/// A person, or a machine where the role is for machines.
pub(super) fn holder(agency_code: &str, roles: &[Role]) -> Actor {
    let machine = roles.iter().any(|role| role.is_for_machines());
    let make = if machine { Actor::machine } else { Actor::person };
    make(ACTOR, &agency(agency_code), roles.iter().copied())
}

/// The answer as one word: `yes`, or the code of the refusal.
pub(super) fn answer(policy: &Policy, actor: &Actor, question: &Question) -> &'static str {
    match policy.decide(actor, question.action, &question.resource, &question.context) {
        Decision::Permit(_) => "yes",
        Decision::Deny(denial) => denial.code().as_str(),
    }
}

pub(super) fn agency(code: &str) -> AgencyCode {
    code.parse().expect("an agency code")
}
