//! Checks, when policies are loaded, that they permit nothing that no installation may permit.

use std::collections::BTreeSet;

use rovuma_schemas::{AgencyCode, MessageType};

use crate::{Action, Actor, Context, LoadError, Policy, Resource, ResourceKind, Role};

const OWN: &str = "mz.prm";
const NEIGHBOUR: &str = "mz.senami";
const NODE: &str = "mz.node";
const ABROAD: &str = "tz.tpf";
const SUBJECT: &str = "somebody";
const ANOTHER: &str = "somebody-else";

/// Asks the questions whose answer must be no; [`LoadError::Unsafe`] lists those with another answer.
pub(crate) fn check(policy: &Policy) -> Result<(), LoadError> {
    let mut findings = Vec::new();
    for (who, roles) in everyone() {
        for &action in Action::ALL {
            forbidden(policy, &who, &roles, action, &mut findings);
        }
    }
    let mut reported: Vec<BTreeSet<Role>> = Vec::new();
    for (who, roles) in combinations() {
        // Whoever holds more roles than somebody reported adds nothing to the error.
        if reported.iter().any(|fewer| fewer.is_subset(&roles)) {
            continue;
        }
        let before = findings.len();
        for message_type in MessageType::operational() {
            release(policy, &who, &roles, message_type, &mut findings);
        }
        if findings.len() > before {
            reported.push(roles);
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(LoadError::Unsafe { findings }) }
}

/// For drafts of every type: nobody releases alone a draft that requires a second person, and nobody releases as their own a
/// draft that they may not create.
fn release(
    policy: &Policy,
    who: &str,
    roles: &BTreeSet<Role>,
    message_type: MessageType,
    findings: &mut Vec<String>,
) {
    let draft = Resource::draft("draft", &agency(OWN), SUBJECT, message_type);
    let may =
        |action, context: Context| policy.decide(&actor(OWN, roles), action, &draft, &context).is_permit();
    if may(Action::DraftRelease, Context::release(true)) {
        findings
            .push(format!("{who} releases alone a draft of {message_type} that requires a second person"));
    }
    let is_liaison = roles.contains(&Role::LiaisonOfficer);
    if !is_liaison && may(Action::DraftRelease, Context::release(true).in_emergency(true)) {
        findings.push(format!("{who} releases a draft of {message_type} alone in an emergency"));
    }
    let is_supervisor = roles.contains(&Role::Supervisor);
    let reserved = message_type.is_reserved() && !is_supervisor;
    if reserved && may(Action::DraftRelease, Context::release(false)) {
        findings.push(format!("{who} releases drafts of {message_type}, which is reserved for supervisors"));
    }
    if reserved && !is_liaison && may(Action::DraftRelease, Context::release(false).that_cannot_wait(true)) {
        findings.push(format!(
            "{who} releases at once drafts of {message_type}, which is reserved for supervisors"
        ));
    }
    if may(Action::DraftRelease, Context::release(false)) && !may(Action::DraftCreate, Context::NONE) {
        findings.push(format!("{who} releases own drafts of {message_type} and may not create them"));
    }
}

/// Nobody acts without a role, on another agency's resources, or on another country's.
fn forbidden(policy: &Policy, who: &str, roles: &BTreeSet<Role>, action: Action, findings: &mut Vec<String>) {
    let mut ask = |agency_of_actor: &str, agency_of_resource: &str| {
        let actor = actor(agency_of_actor, roles);
        let resources = samples(action.resource_kind(), &agency(agency_of_resource));
        let is_permitted =
            |resource| policy.decide(&actor, action, resource, &favourable(action)).is_permit();
        if resources.iter().any(is_permitted) {
            findings.push(format!("{who} of {agency_of_actor} does {action} at {agency_of_resource}"));
        }
    };
    if roles.is_empty() {
        ask(OWN, OWN);
    }
    ask(OWN, ABROAD);
    ask(NODE, ABROAD);
    // The state of the audit sources belongs to the country, and the node's auditor reads the country's log.
    if action != Action::AuditReadSources {
        ask(OWN, NEIGHBOUR);
    }
    if !matches!(action.resource_kind(), ResourceKind::AuditLog | ResourceKind::AuditEvent) {
        ask(NODE, NEIGHBOUR);
    }
}

/// The sets of roles to ask about: none, each role, and all roles that a person or a machine can hold at once.
fn everyone() -> Vec<(String, BTreeSet<Role>)> {
    let all =
        |machines: bool| Role::ALL.into_iter().filter(|role| role.is_for_machines() == machines).collect();
    let mut everyone: Vec<_> =
        Role::ALL.into_iter().map(|role| (role.to_string(), BTreeSet::from([role]))).collect();
    everyone.push(("no role".to_owned(), BTreeSet::new()));
    everyone.push(("every person's role".to_owned(), all(false)));
    everyone.push(("every machine's role".to_owned(), all(true)));
    everyone
}

/// Every set of roles that one person or one machine can hold, small sets first. A limit on one role, such as that an auditor changes nothing,
/// may hide what the others are granted together: the set of all roles does not stand for its parts.
fn combinations() -> Vec<(String, BTreeSet<Role>)> {
    let of = |machines: bool| {
        let roles: Vec<Role> =
            Role::ALL.into_iter().filter(|role| role.is_for_machines() == machines).collect();
        (0..1_u32 << roles.len()).map(move |chosen| {
            let held = roles.iter().enumerate().filter(|(bit, _)| chosen >> bit & 1 == 1);
            held.map(|(_, role)| *role).collect::<BTreeSet<_>>()
        })
    };
    let named = |roles: BTreeSet<Role>| {
        let names: Vec<_> = roles.iter().map(ToString::to_string).collect();
        (if names.is_empty() { "no role".to_owned() } else { names.join(" and ") }, roles)
    };
    let mut sets: Vec<_> = of(false).chain(of(true)).collect();
    sets.sort_by_key(BTreeSet::len);
    sets.into_iter().map(named).collect()
}

fn actor(agency_code: &str, roles: &BTreeSet<Role>) -> Actor {
    let of_machines = roles.iter().any(|role| role.is_for_machines());
    let make = if of_machines { Actor::machine } else { Actor::person };
    make(SUBJECT, &agency(agency_code), roles.iter().copied())
}

/// Resources of this kind that belong to `agency`, written by the actor where they have an author: one of each type.
fn samples(kind: ResourceKind, agency: &AgencyCode) -> Vec<Resource> {
    let one = match kind {
        ResourceKind::Agency => Resource::agency(agency),
        ResourceKind::Draft => {
            let draft = |message_type| Resource::draft("draft", agency, SUBJECT, message_type);
            return MessageType::operational().map(draft).collect();
        }
        ResourceKind::Message => Resource::message("message", agency),
        ResourceKind::Case => Resource::case("case", agency),
        ResourceKind::Account => Resource::account(ANOTHER, agency),
        ResourceKind::AuditLog => Resource::audit_log(agency),
        ResourceKind::AuditEvent => Resource::audit_event("event", agency),
    };
    vec![one]
}

/// The context in which the action is most likely to be permitted.
fn favourable(action: Action) -> Context {
    match action {
        Action::DraftRelease => Context::release(false),
        Action::MessageRead => Context::read(true),
        _ => Context::NONE,
    }
}

fn agency(code: &str) -> AgencyCode {
    // Only called with the constants above, each an agency code.
    code.parse().expect("a literal agency code")
}
