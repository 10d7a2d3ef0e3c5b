//! Roles on the command line: their names with what each may do, and combinations in which one takes away what another gives.

use clap::{ValueEnum, builder::PossibleValue};
use rovuma_policy::Role;

use crate::app::App;

/// A role of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RoleName(Role);

impl RoleName {
    pub(super) const fn as_str(self) -> &'static str {
        self.0.as_str()
    }
}

/// The words of roles, as the identity service takes them.
pub(super) fn words(roles: &[RoleName]) -> Vec<&'static str> {
    roles.iter().map(|role| role.as_str()).collect()
}

/// Every role, in the order of the policy's own list.
static ALL: [RoleName; Role::ALL.len()] = {
    let mut all = [RoleName(Role::ALL[0]); Role::ALL.len()];
    let mut index = 0;
    while index < all.len() {
        all[index] = RoleName(Role::ALL[index]);
        index += 1;
    }
    all
};

impl ValueEnum for RoleName {
    fn value_variants<'a>() -> &'a [Self] {
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()).help(meaning(self.0)))
    }
}

/// What a role is for.
const fn meaning(role: Role) -> &'static str {
    match role {
        Role::LiaisonOfficer => "writes drafts, sends what one person may send, reads the agency's messages",
        Role::Supervisor => "releases or returns the drafts of others, reads the agency's messages",
        Role::Analyst => "searches and reads; sends nothing, and no receipt of reading",
        Role::BorderOfficer => "screens travellers and vehicles",
        Role::Auditor => "reads the audit log, and content with a stated reason; changes nothing",
        Role::DataProtectionOfficer => "orders erasure; takes no part in operations",
        Role::AgencyAdmin => "manages users, machines, roles and keys; reads no content",
        Role::WatchlistService => "only for machines: the watchlist",
        Role::AgencySystem => "only for machines: an agency's own system, which sends and receives for it",
    }
}

/// Warns of roles that make each other useless: the policy's limits hold whatever the other roles permit.
pub(super) fn warn_of_conflicts(app: &App, roles: &[RoleName], is_machine: bool) {
    for conflict in conflicts(roles, is_machine) {
        app.out.note(format_args!("warning: {conflict}"));
    }
}

fn conflicts(roles: &[RoleName], is_machine: bool) -> Vec<String> {
    let has = |role| roles.contains(&RoleName(role));
    let others = |role, among: &[Role]| -> Vec<&'static str> {
        among.iter().filter(|other| **other != role && has(**other)).map(|other| other.as_str()).collect()
    };
    let mut found = Vec::new();
    let mut excludes = |role: Role, what: &str, among: &[Role]| {
        let others = others(role, among);
        if has(role) && !others.is_empty() {
            found.push(format!(
                "{} {what}, so {} can do nothing of the kind",
                role.as_str(),
                others.join(" and ")
            ));
        }
    };
    let content = [Role::LiaisonOfficer, Role::Supervisor, Role::Analyst, Role::BorderOfficer];
    let changing = [Role::LiaisonOfficer, Role::Supervisor, Role::AgencyAdmin, Role::DataProtectionOfficer];
    excludes(Role::Auditor, "changes nothing", &changing);
    excludes(Role::AgencyAdmin, "reads and writes no content", &content);
    excludes(Role::DataProtectionOfficer, "takes no part in operations", &content);
    let kind = if is_machine { "machine" } else { "person" };
    for role in roles.iter().filter(|role| role.0.is_for_machines() != is_machine) {
        found
            .push(format!("{} is no role of a {kind}, and takes all rights from the account", role.as_str()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_that_make_each_other_useless_are_named() {
        let roles = |roles: &[Role]| roles.iter().copied().map(RoleName).collect::<Vec<_>>();
        let of = |list: &[Role]| conflicts(&roles(list), false).join("\n");
        assert_eq!(of(&[Role::LiaisonOfficer, Role::Supervisor]), "");
        assert!(
            of(&[Role::Auditor, Role::LiaisonOfficer])
                .contains("auditor changes nothing, so liaison_officer")
        );
        assert!(of(&[Role::AgencyAdmin, Role::Analyst]).contains("agency_admin reads and writes no content"));
        assert!(of(&[Role::AgencySystem]).contains("is no role of a person"));
        assert!(conflicts(&roles(&[Role::AgencySystem]), true).is_empty());
    }
}
