//! What no installation may permit, asked of every set of policies when it is loaded.

use std::collections::BTreeSet;

use rovuma_schemas::AgencyCode;

use crate::{Action, Actor, Context, LoadError, Policy, Resource, ResourceKind, Role};

const OWN: &str = "mz.prm";
const NEIGHBOUR: &str = "mz.senami";
const NODE: &str = "mz.node";
const ABROAD: &str = "tz.tpf";
const SUBJECT: &str = "somebody";
const ANOTHER: &str = "somebody-else";

/// Asks the questions whose answer must be no.
///
/// # Errors
/// [`LoadError::Unsafe`] with everyone who could do what must not be.
pub(crate) fn check(policy: &Policy) -> Result<(), LoadError> {
    let mut findings = Vec::new();
    for (who, roles) in everyone() {
        for &action in Action::ALL {
            forbidden(policy, &who, &roles, action, &mut findings);
        }
        let draft = Resource::draft("draft", &agency(OWN), SUBJECT);
        let alone = policy.decide(&actor(OWN, &roles), Action::AlertRelease, &draft, &Context::release(true));
        if alone.is_permit() {
            findings.push(format!("{who} releases alone what requires a second person"));
        }
    }
    if findings.is_empty() { Ok(()) } else { Err(LoadError::Unsafe { findings }) }
}

/// Nobody without a role, across agencies or across the border.
fn forbidden(policy: &Policy, who: &str, roles: &BTreeSet<Role>, action: Action, findings: &mut Vec<String>) {
    let mut ask = |agency_of_actor: &str, agency_of_resource: &str| {
        let resource = sample(action.resource_kind(), &agency(agency_of_resource));
        if policy.decide(&actor(agency_of_actor, roles), action, &resource, &favourable(action)).is_permit() {
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

/// Nobody's roles, each role, and all that a person or a machine can hold at once.
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

fn actor(agency_code: &str, roles: &BTreeSet<Role>) -> Actor {
    let of_machines = roles.iter().any(|role| role.is_for_machines());
    let make = if of_machines { Actor::machine } else { Actor::person };
    make(SUBJECT, &agency(agency_code), roles.iter().copied())
}

/// A resource of this kind that belongs to `agency`, written by the actor where it has an author.
fn sample(kind: ResourceKind, agency: &AgencyCode) -> Resource {
    match kind {
        ResourceKind::Agency => Resource::agency(agency),
        ResourceKind::Draft => Resource::draft("draft", agency, SUBJECT),
        ResourceKind::Message => Resource::message("message", agency),
        ResourceKind::Account => Resource::account(ANOTHER, agency),
        ResourceKind::AuditLog => Resource::audit_log(agency),
        ResourceKind::AuditEvent => Resource::audit_event("event", agency),
    }
}

/// The context in which the action is most likely to be permitted.
fn favourable(action: Action) -> Context {
    match action {
        Action::AlertRelease => Context::release(false),
        Action::MessageRead => Context::read(true),
        _ => Context::NONE,
    }
}

fn agency(code: &str) -> AgencyCode {
    // Only called with the constants above, each an agency code.
    code.parse().expect("a literal agency code")
}
